"""`linli import` and `linli export`: files, the database, and what the operator reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as Printed

from app.engines import engines
from app.logs import configure_logs
from app.settings import load_settings
from app.tables import read_tables, write_tables
from bot.inbox import utc_now
from domain.clock import SHANGHAI
from domain.organisation import ImportReport, export_tables, import_tables, parse_day, template_tables
from domain.organisation_tables import named_tables
from models.database import database, migrate


async def import_path(path: Path, *, dry_run: bool, effective: str) -> bool:
    """Import a file or folder and print what became of it; False when there were faults."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    sheets, first_day = read_tables(path), parse_day(effective) if effective else None
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        await migrate(started.database_url)
        async with database(started.database_url, 2):
            report = await import_tables(sheets, utc_now(), effective_on=first_day, dry_run=dry_run)
    print_report(report, dry_run=dry_run)
    return not report.faults


def print_report(report: ImportReport, *, dry_run: bool) -> None:
    """Faults, or counts and what else should be known."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for fault in report.faults:
        row = f" 第 {fault.row} 行" if fault.row else ""
        column, value = f"“{fault.column}”" if fault.column else "", f"（{fault.value[:40]}）" if fault.value else ""
        console.print(f"{fault.sheet}{row}{column}{value}：{fault.wrong}。{fault.mend}")
    if report.faults:
        more = f"，只列出前 {len(report.faults)} 处" if report.fault_count > len(report.faults) else ""
        console.print(f"共 {report.fault_count} 处错误{more}。什么都没有导入，改好后再导入一次。")
        return
    table = Printed("表", "新增", "修改", "去掉", "不变")
    for tally in report.tallies:
        counts = (tally.added, tally.changed, tally.dropped, tally.same)
        table.add_row(tally.title, *(str(count) for count in counts))
    console.print(table)
    for line in (*report.lines, *report.notes):
        console.print(line)
    if dry_run:
        console.print("这是试导入，什么都没有写。去掉 --dry-run 就正式导入。")
    else:
        console.print("已导入。" if report.changes else "和现有的一样，没有改动。")


async def export_path(path: Path, what: Sequence[str], *, template: bool) -> None:
    """Write the tables, or an empty workbook to fill in."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    tables = named_tables(word for words in what for word in words.replace("，", ",").split(",") if word)
    if template:
        exports = template_tables(tables)
    else:
        with engines(settings.home, settings.database_url, settings.redis_url) as started:
            await migrate(started.database_url)
            async with database(started.database_url, 2):
                exports = await export_tables(tables, utc_now().astimezone(SHANGHAI).date())
    console = Console(soft_wrap=True, highlight=False, markup=False)
    written = write_tables(path, exports)
    for export in exports:
        console.print(f"{export.table.title}：{len(export.rows)} 行" if not template else f"{export.table.title}：空表")
    console.print(f"写好了：{'、'.join(str(file) for file in written)}")
