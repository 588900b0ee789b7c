"""How times are said to people, and when something must be done."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_PARTS = ((5, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (19, "下午"), (24, "晚上"))
_DAYS = ("今天", "明天", "后天")


def due_time(start: datetime, limit: timedelta) -> datetime:
    """When something accepted at `start` must be done: `limit` later, rounded up to a half hour people can say."""
    half = timedelta(minutes=30)
    local = (start + limit).astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    rest = (local - midnight) % half
    return (local + (half - rest if rest else timedelta())).astimezone(start.tzinfo)


def say_deadline(due: datetime, now: datetime) -> str:
    """`明天下午 6 点前`; from the third day on the date alone: `11 月 24 日前`."""
    local, today = due.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    days = (local.date() - today).days
    if 0 <= days < len(_DAYS):
        return f"{_DAYS[days]}{say_hour(local)}前"
    return f"{say_date(local, now)}前"


def say_latest(due: datetime, now: datetime) -> str:
    """`最晚明天下午 6 点前`, `最晚 11 月 24 日前`."""
    said = say_deadline(due, now)
    return f"最晚 {said}" if said[0].isdigit() else f"最晚{said}"


_SPAN = re.compile(r"(\d{1,3})\s*(个?小时|天|日|周|个?星期|个?月)")
_DATE = re.compile(r"(?:(20\d\d)\s*[年./-]\s*)?(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*[日号]?")
_DAY_ENDS = time(18)


def read_until(text: str, now: datetime, start: datetime | None = None) -> tuple[datetime, str] | None:
    """(moment, rest) of words that begin with a time; None where none is said.

    “3天 等配件” counts from `start` (else now); “12月5日 …” means that day at six in the
    evening, this year or the next.
    """
    said = text.strip().removeprefix("到").removeprefix("延").strip()
    if match := _SPAN.match(said):
        amount, unit = int(match[1]), match[2].removeprefix("个")
        days = {"天": 1, "日": 1, "周": 7, "星期": 7, "月": 30}.get(unit)
        span = timedelta(days=days * amount) if days else timedelta(hours=amount)
        return (start or now) + span, said[match.end() :].strip(" ，,。")
    if match := _DATE.match(said):
        today = now.astimezone(SHANGHAI).date()
        try:
            day = date(int(match[1] or today.year), int(match[2]), int(match[3]))
        except ValueError:
            return None
        if not match[1] and day < today:
            day = day.replace(year=day.year + 1)
        moment = datetime.combine(day, _DAY_ENDS, SHANGHAI).astimezone(now.tzinfo)
        return moment, said[match.end() :].strip(" ，,。")
    return None


def say_hour(local: datetime) -> str:
    """`下午 6 点半` for 18:30."""
    part = next(name for end, name in _PARTS if local.hour < end)
    hour = local.hour if local.hour <= 12 else local.hour - 12
    half = "半" if local.minute == 30 else f" {local.minute} 分" if local.minute else ""
    return f"{part} {hour} 点{half}"


def say_date(moment: datetime, now: datetime) -> str:
    """`11 月 24 日`, with the year when it is not this one."""
    local = moment.astimezone(SHANGHAI)
    year = "" if local.year == now.astimezone(SHANGHAI).year else f"{local.year} 年 "
    return f"{year}{local.month} 月 {local.day} 日"


def say_moment(moment: datetime, now: datetime) -> str:
    """`今天 9:05`, `昨天 15:20`, `11 月 18 日 15:20`: when something happened."""
    local = moment.astimezone(SHANGHAI)
    days = (now.astimezone(SHANGHAI).date() - local.date()).days
    day = {0: "今天", 1: "昨天", 2: "前天"}.get(days) or say_date(moment, now)
    return f"{day} {local.hour}:{local.minute:02}"


def say_minutes(minutes: int) -> str:
    """`3 小时 30 分钟`, `45 分钟`, `2 小时`: how long something took."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} 小时"] if hours else []), *([f"{rest} 分钟"] if rest or not hours else [])])


def template_number(moment: datetime) -> str:
    """`1124-1800`, instead of a case number in notices about none: WeChat takes no Chinese there."""
    return f"{moment.astimezone(SHANGHAI):%m%d-%H%M}"


def template_time(moment: datetime) -> str:
    """`2026年11月24日 18:00`, the form WeChat's time fields take."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local.hour:02}:{local.minute:02}"
