"""预约 without a database: for whom one books, how long who stayed away must pause, when a reminder is due."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.clock import SHANGHAI
from domain.timing import quiet_until
from errors import BadRequest

_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")
_NAME = re.compile(r"[\u4e00-\u9fffA-Za-z·. ]{2,32}")
#: How long before its begin a reminder still helps.
_LEAST_AHEAD = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody without WeChat for whom one books; `relation`: what one is to them (子女, 网格员)."""

    name: str
    phone: str
    relation: str = ""

    def checked(self) -> Other:
        """The same, trimmed. Raises BadRequest that says which part is missing."""
        name, phone = " ".join(self.name.split()), self.phone.replace(" ", "")
        if not _NAME.fullmatch(name):
            raise BadRequest("name of another", say="请写清楚替谁约，比如“李桂英”。")
        if not _PHONE.fullmatch(phone):
            raise BadRequest("phone of another", say="电话不对。手机写 11 位，座机写 027-55501234。")
        return Other(name, phone, " ".join(self.relation.split())[:16])


def masked_name(name: str) -> str:
    """`李**` of 李桂英: enough to call somebody up, too little to know them by."""
    return name[:1] + "*" * (len(name) - 1)


def masked_phone(phone: str) -> str:
    """`138****5678`."""
    return phone[:3] + "****" + phone[-4:] if len(phone) > 7 else "****" if phone else ""


def pause_until(missed: Iterable[datetime], strikes: int, within_days: int, pause_days: int) -> datetime | None:
    """Until when somebody who stayed away at these times may not book: `pause_days` from the last time that was the
    `strikes`th within `within_days`. None where they never had to pause; 0 strikes = nobody ever has to."""
    times, window = sorted(missed), timedelta(days=within_days)
    last = None
    for place in range(strikes - 1, len(times)) if strikes > 0 else ():
        if times[place] - times[place - strikes + 1] <= window:
            last = times[place] + timedelta(days=pause_days)
    return last


def reminder_due(starts_at: datetime, minutes: int) -> datetime:
    """When a reminder `minutes` before the begin goes out: not in the quiet hours; after them if it still helps then,
    else before they begin."""
    due = starts_at - timedelta(minutes=minutes)
    after = quiet_until(due)
    if after is None:
        return due
    if after <= starts_at - _LEAST_AHEAD:
        return after
    while quiet_until(due) is not None:
        due -= timedelta(minutes=5)
    return due


def due_reminders(
    starts_at: datetime, plan_minutes: Sequence[int], gone: Sequence[int], booked_at: datetime, now: datetime
) -> tuple[list[int], bool]:
    """(minutes to be noted as done now, whether one message goes out). However many are overdue, one is sent; none for
    a moment that had passed when the seat was taken, for then people know."""
    due = [one for one in plan_minutes if one not in gone and reminder_due(starts_at, one) <= now]
    return due, now < starts_at and any(reminder_due(starts_at, one) > booked_at for one in due)


def day_start(moment: datetime) -> datetime:
    """Midnight of the Shanghai day a moment lies in."""
    return moment.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
