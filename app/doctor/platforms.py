"""Are the platforms we are connected to where they should be, and does anything for them lie aside?"""

from __future__ import annotations

from app.doctor.report import Report
from app.settings import Settings
from domain.connectors import is_private, list_connectors, url_fault


async def check_platforms(settings: Settings, report: Report) -> None:
    """One line a connector; nothing where there is none."""
    for row in await list_connectors():
        name, url = f"connector {row['name']}", row["url"]
        if not row["active"]:
            report.note(f"{name} is stopped")
        elif url and (fault := url_fault(url, plain_http=settings.connector_http)):
            report.wrong(f"{name}: {fault}", f"`linli connector stop {row['name']}` and connect it anew")
        elif row["parked"]:
            advice = f"`linli connector replay {row['name']} --failed --from DAY` sends them again"
            report.note(f"{name}: {row['parked']} updates were put aside: {row['error']}", advice)
        elif url and is_private(url):
            report.note(f"{name} sends to {url}, an address of a closed network", "right if that is what you mean")
        else:
            report.ok(f"{name}: {url or 'inbound only'}, {row['waiting']} waiting")
