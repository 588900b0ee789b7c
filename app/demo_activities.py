"""The demo community's activities, as if its office had written them this morning."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from domain.activity_desk import NewActivity, NewSession, create_activity, of_chat, open_activity
from domain.people import find_operator
from domain.slot_making import make_slots
from domain.spoken_times import read_span
from errors import SettingsError
from models.bookings import Activity
from models.database import transaction

_AHEAD = timedelta(days=2)


async def settle_activities(now: datetime) -> int:
    """Announce what is on in the coming weeks; gives how many. Where activities have been written nothing happens. The
    demo's counters have their times at once, too."""
    await make_slots(now)
    data = tomllib.loads(files("simulator").joinpath("demo_activities.toml").read_text(encoding="utf-8"))
    async with transaction():
        if await Activity.exists():
            return 0
        office = await find_operator("S001")
        for row in data["activity"]:
            made = await create_activity(office, _read(row, now), now)
            await open_activity(office, made, now)
    return len(data["activity"])


def _read(row: Mapping[str, Any], now: datetime) -> NewActivity:
    span = read_span(row["time"], now + _AHEAD)
    if span is None:
        raise SettingsError(f"demo_activities.toml: {row['time']} is no time")
    weeks = [timedelta(weeks=step) for step in range(row.get("weeks", 1))]
    sessions = [NewSession(span[0] + step, span[1] + step, row["seats"]) for step in weeks]
    return of_chat(row["kind"], row["title"], sessions, row["words"], row["place"])
