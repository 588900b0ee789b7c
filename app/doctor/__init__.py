"""`linli doctor`: every setting with its source, whether everything Linli needs is there, and how to mend what is not.

Lines begin with `ok`, `!` (works, but know this) or `x` (must be mended, with how in the line below). Nothing is
changed but what starting the embedded engines makes in the data folder. No secret is printed.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

from app.doctor.engines import check_engines
from app.doctor.machine import check_disk, check_font, check_home, check_model, check_port
from app.doctor.report import Report
from app.doctor.settings import check_settings
from app.doctor.wechat import check_wechat
from app.logs import configure_logs
from app.settings import Settings

__all__ = ["examine"]


async def examine() -> bool:
    """Print the whole examination; False when something must be mended."""
    configure_logs("error", "console")
    report = Report()
    print(f"Linli {version('linli')}, Python {platform.python_version()}, {platform.platform(terse=True)}")
    with report.guarded("settings"):
        settings = check_settings(report)
        if settings is not None:
            await _examine(settings, report)
    print(f"\n{_summary(report)}")
    return report.wrongs == 0


def _summary(report: Report) -> str:
    notes = f", {report.notes} to know (!)" if report.notes else ""
    return f"{report.wrongs} to mend (x){notes}." if report.wrongs else f"Nothing to mend{notes}."


async def _examine(settings: Settings, report: Report) -> None:
    report.head("Machine")
    report.ok(f"Python {platform.python_version()} (3.11 or newer is needed)")
    with report.guarded("data folder"):
        check_home(settings, report)
    with report.guarded("disk"):
        check_disk(settings, report)
    with report.guarded("font"):
        check_font(report)
    with report.guarded("learned model"):
        check_model(settings, report)
    with report.guarded("port"):
        await check_port(settings, report)
    report.head("WeChat")
    with report.guarded("WeChat"):
        await check_wechat(settings, report)
    report.head("Engines and data")
    with report.guarded("engines"):
        await check_engines(settings, report)
