"""A room's messages become cases from the chat: “立案 12”, “并入 12 0033”, “忽略 12”, by the numbers of the lines."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import relay_mode
from domain.clock import say_latest
from domain.notices import serial
from domain.room_cases import Changes, ignore_hint, join_case, to_case
from errors import BadRequest
from handlers.chat import Chat, pattern

router: Router[Chat] = Router("room_cases")

_NUMBER = r"\s*([1-9]\d)(?!\d)\s*[:：,，、]?\s*"
_MAKE = re.compile(rf"(?:立案|转事件|转为事件){_NUMBER}(.{{0,100}})")
_INTO = re.compile(rf"(?:并入|并到){_NUMBER}((?:20\d{{2}})?(?:\d{{4}}[-—－])?\d{{4,6}})")
_IGNORE = re.compile(rf"(?:忽略|不用办|不是事){_NUMBER}")


async def _message(chat: Chat, form: re.Pattern[str]) -> tuple[int, str]:
    """Which message is meant, and what else was said."""
    found = form.fullmatch(chat.text)
    if found is None:
        raise BadRequest("no number", say="请写上前面的数字，比如“立案 12”。")
    rest = found[2] if form.groups > 1 else ""
    return await relay_mode.find_line(chat.person, int(found[1])), rest.strip()


@router.on(pattern(_MAKE.pattern))
async def make(chat: Chat) -> Reply:
    """“立案 12”, or “立案 12 3栋2单元” where the place was not said."""
    message_id, place = await _message(chat, _MAKE)
    filed = await to_case(chat.person, message_id, Changes(place=place), chat.now, chat.source)
    case = filed.case
    chat.go()
    who = filed.holder.label if filed.holder else "社区"
    due = f"，{say_latest(case.due_at, chat.now)}" if case.due_at else ""
    return Reply(f"已转为事件 {serial(case.number)} {case.subject}，{who}处理{due}。\n群里已经说明。")


@router.on(pattern(_INTO.pattern))
async def join(chat: Chat) -> Reply:
    """“并入 12 0033”: the same matter as an open case."""
    message_id, number = await _message(chat, _INTO)
    filed = await join_case(chat.person, message_id, number, chat.now, chat.source)
    chat.go()
    return Reply(f"已并入 {serial(filed.case.number)} {filed.case.subject}，群里已经说明，对方也会收到进展。")


@router.on(pattern(_IGNORE.pattern))
async def ignore(chat: Chat) -> Reply:
    """“忽略 12”: it is nothing to be done."""
    message_id, _ = await _message(chat, _IGNORE)
    await ignore_hint(chat.person, message_id, chat.now, chat.source)
    chat.go()
    return Reply("好的，这条不算要办的事，不再提醒。")
