"""“请假 3天 刘洋”, “请假 12月1日到12月3日 刘洋”, “销假”: staff say when they are away and who stands in."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from bot.messages import Reply
from bot.router import Router
from domain.absences import end_leave, take_leave
from domain.clock import SHANGHAI
from errors import BadRequest
from handlers.chat import Chat, is_staff, pattern, words

router: Router[Chat] = Router("absence")

_FORMS = "请写成“请假 3天 刘洋”或“请假 12月1日到12月3日 刘洋”，后面是代办人的名字。"
_DAY = r"(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?"
_SPAN = re.compile(r"(\d{1,3}|[一二两三四五六七])\s*(天|日|周|个?星期)")
_DATES = re.compile(rf"{_DAY}(?:\s*(?:到|至|-|—|~)\s*{_DAY})?")
_NUMERALS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7}


@router.on(is_staff, pattern(r"请假.*"))
async def leave(chat: Chat) -> Reply:
    """Days first, then the deputy's name."""
    said = chat.text.strip().removeprefix("请假").strip(" ：:，,")
    found = _days(said, chat.now.astimezone(SHANGHAI).date())
    if found is None:
        raise BadRequest("leave", say=_FORMS)
    days, rest = found
    deputy = re.split(r"[\s，,。]", rest.strip(" ，,。").removeprefix("由").removesuffix("代办").removesuffix("代"))[0]
    taken = await take_leave(chat.person, days, deputy, chat.now, chat.source)
    chat.go()
    who = f"新任务由{taken.deputy.label}代办。" if taken.deputy else "没有写代办人，新任务会派给别人。"
    held = f"\n您手上还有 {taken.in_hand} 件没办完，要交给别人请回复“转 编号 名字 原因”。" if taken.in_hand else ""
    return Reply(f"已记下：{taken.days(chat.now)}请假，{who}{held}\n提前回来请回复“销假”。")


@router.on(is_staff, words("销假", "我回来了", "取消请假"))
async def back(chat: Chat) -> Reply:
    """On duty again."""
    await end_leave(chat.person, chat.now, chat.source)
    chat.go()
    return Reply("已销假，新任务会发给您。")


def _days(said: str, today: date) -> tuple[tuple[date, date], str] | None:
    """First and last day, and what was said behind them; None where no days are said."""
    if match := _SPAN.match(said):
        count = _NUMERALS.get(match[1]) or int(match[1])
        length = count * (7 if match[2] not in ("天", "日") else 1)
        return ((today, today + timedelta(days=length - 1)), said[match.end() :]) if 0 < length < 1000 else None
    if match := _DATES.match(said):
        first = _next(int(match[1]), int(match[2]), today)
        last = _next(int(match[3]), int(match[4]), first or today) if match[3] else first
        return ((first, last), said[match.end() :]) if first and last else None
    return None


def _next(month: int, day: int, since: date) -> date | None:
    """That day, this year or the next; None where the calendar has none."""
    for year in (since.year, since.year + 1):
        try:
            found = datetime(year, month, day, tzinfo=SHANGHAI).date()
        except ValueError:
            continue
        if found >= since:
            return found
    return None
