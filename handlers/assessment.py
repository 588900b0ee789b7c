"""考核 in chat: what does not count (剔除) takes two; a month is kept (封存) and compared later (重算对比)."""

from __future__ import annotations

import re
from datetime import date

from bot.messages import Reply
from bot.router import Router
from domain import exclusions, frozen
from domain.lookup import find_case
from domain.notices import excerpt, serial
from errors import BadRequest, NotFound
from handlers.chat import Chat, is_staff, pattern

router: Router[Chat] = Router("assessment")

_NUMBER = r"(?P<number>(?:20\d{2})?(?:\d{4}[-—－])?\d{4,6})"
_EXCLUDE = re.compile(rf"(?P<verb>剔除|同意剔除|批剔除|不同意剔除)\s*{_NUMBER}\s*[:：，,]?\s*(?P<words>.*)", re.DOTALL)
_MONTH = re.compile(r"(?P<verb>封存|重算对比)\s*(?P<year>20\d\d)\s*[-年./]\s*(?P<month>\d{1,2})\s*月?")
_SHOWN = 6


@router.on(is_staff, pattern(_EXCLUDE.pattern))
async def exclude(chat: Chat) -> Reply:
    """“剔除 0037 理由” asks, “同意剔除 0037” by somebody else decides."""
    found = _EXCLUDE.fullmatch(chat.text.strip())
    if found is None:
        raise BadRequest("exclude")
    case = await find_case(chat.person, found["number"])
    number = serial(case.number)
    chat.go()
    if found["verb"] == "剔除":
        await exclusions.ask(chat.person, case.id, found["words"], chat.now)
        return Reply(f"{number} 已申请不计入考核。\n要另一位同事同意：“同意剔除 {number}”，或“不同意剔除 {number}”。")
    waiting = await exclusions.find_waiting(case.id)
    if waiting is None:
        raise NotFound("nothing to exclude", say=f"{number} 没有等决定的剔除申请。")
    if found["verb"] == "不同意剔除":
        await exclusions.refuse(chat.person, waiting.id, chat.now)
        return Reply(f"{number} 照常计入考核。")
    await exclusions.approve(chat.person, waiting.id, chat.now)
    return Reply(f"{number} 不计入考核（{excerpt(waiting.reason)}）。报表上剔除前后的数都会列出。")


@router.on(is_staff, pattern(_MONTH.pattern))
async def month(chat: Chat) -> Reply:
    """“封存 2026-10” keeps a month's figures as they are; “重算对比 2026-10” says what has become another since."""
    found = _MONTH.fullmatch(chat.text.strip())
    if found is None or not 1 <= int(found["month"]) <= 12 or chat.person.post is None:
        raise BadRequest("month", say="请写清楚年月，比如“封存 2026-10”。")
    first, area = date(int(found["year"]), int(found["month"]), 1), chat.person.post.area_id
    chat.go()
    said = f"{first.year} 年 {first.month} 月"
    if found["verb"] == "封存":
        await frozen.freeze(first, area, chat.person, chat.now)
        return Reply(f"{said}的考核数已封存，以后不再变。要核对请回复“重算对比 {first:%Y-%m}”。")
    differences = await frozen.replay(first, area)
    if not differences:
        return Reply(f"{said}：按现在的数据重算，和封存的完全一样。")
    lines = [f"{one.line} {one.what}：封存 {_say(one.frozen)}，现在 {_say(one.now)}" for one in differences[:_SHOWN]]
    more = f"\n还有 {len(differences) - _SHOWN} 处。" if len(differences) > _SHOWN else ""
    return Reply(f"{said}：有 {len(differences)} 处和封存的不同。\n" + "\n".join(lines) + more)


def _say(value: float | None) -> str:
    return "没有" if value is None else f"{value:g}"
