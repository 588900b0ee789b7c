"""人生大事: on which day something happens to a person that others should tell them of in time (满 80 岁, 证件到期)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain.anniversaries import on_day, years_after
from domain.audience_rules import KnownFact, Someone, as_date
from errors import BadRequest
from models.enums import FactType

BIRTHDAY = "birthday"
#: So long after the day people are still told, where a run was late or they were written down late.
GRACE = timedelta(days=7)
_MOST_YEARS, _MOST_DAYS = 120, 366


@dataclass(frozen=True, slots=True)
class Event:
    """The day `years` after a birthday or a date fact, and told of `days_before` it. With `month_day` it is the first
    such day behind that (school begins on 1 September after the sixth birthday). With `every` it comes again each so
    many years."""

    source: str
    years: int = 0
    days_before: int = 0
    every: int = 0
    month_day: tuple[int, int] | None = None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Event:
        """An event that was checked before."""
        month, _, day = data.get("month_day", "").partition("-")
        return cls(
            data["from"],
            data.get("years", 0),
            data.get("days_before", 0),
            data.get("every", 0),
            (int(month), int(day)) if month else None,
        )

    def days(self, base: date, around: date) -> Iterator[date]:
        """The days on which it happens, those near `around` where it comes again."""
        first = self._day(years_after(base, self.years))
        if not self.every:
            yield first
            return
        passed = max(0, (around.year - first.year) // self.every - 1)
        for times in range(passed, passed + 4):
            yield self._day(years_after(base, self.years + times * self.every))

    def said(self, kinds: Mapping[str, KnownFact]) -> str:
        """`满 80 岁，提前 30 天`, `满 6 岁后的 9 月 1 日`, `驾驶证到期，提前 60 天`, `低保开始每满 1 年`."""
        name = "" if self.source == BIRTHDAY else kinds[self.source].name if self.source in kinds else self.source
        unit = "岁" if self.source == BIRTHDAY else "年"
        each = "每" if self.every else ""
        what = f"{name}{each}满 {self.years} {unit}" if self.years or not name else name
        then = f"后的 {self.month_day[0]} 月 {self.month_day[1]} 日" if self.month_day else ""
        ahead = f"，提前 {self.days_before} 天" if self.days_before else ""
        return f"{what}{then}{ahead}"

    def _day(self, day: date) -> date:
        if self.month_day is None:
            return day
        same_year = on_day(day.year, *self.month_day)
        return same_year if same_year > day else on_day(day.year + 1, *self.month_day)


def concerned(event: Event, one: Someone, today: date) -> date | None:
    """The day of which this person is to be told today: `days_before` it until a week behind it."""
    base = one.birthday if event.source == BIRTHDAY else as_date((one.facts or {}).get(event.source))
    if base is None:
        return None
    soonest, latest = today - GRACE, today + timedelta(days=event.days_before)
    try:
        return next((day for day in event.days(base, today) if soonest <= day <= latest), None)
    except ValueError:  # 9999-12-31 is how some write “for ever”: nothing follows it
        return None


def check_event(data: Any, kinds: Mapping[str, KnownFact]) -> Event:
    """Read a life event from JSON. Raises BadRequest that says what is wrong."""
    if not isinstance(data, Mapping) or set(data) - {"from", "years", "days_before", "every", "month_day"}:
        raise _wrong('要写成 {"from": "birthday", "years": 80, "days_before": 30}')
    source = data.get("from")
    dates = {code for code, kind in kinds.items() if kind.type is FactType.DATE}
    if source != BIRTHDAY and source not in dates:
        raise _wrong(f"from 请写 birthday 或日期类的档案项：{'、'.join(sorted(dates)) or '还没有'}")
    for name, most in (("years", _MOST_YEARS), ("days_before", _MOST_DAYS), ("every", _MOST_YEARS)):
        value = data.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise _wrong(f"{name} 请写 0 到 {most} 的整数")
    if "month_day" in data and (not isinstance(data["month_day"], str) or not _is_day(data["month_day"])):
        raise _wrong("month_day 请写成 09-01")
    return Event.read(data)


def _is_day(text: str) -> bool:
    return len(text) == len("09-01") and as_date(f"2000-{text}") is not None


def _wrong(what: str) -> BadRequest:
    return BadRequest("life event", say=f"提醒日期：{what}。")
