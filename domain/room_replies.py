"""What became of a case, said in the rooms where it was first said: one entry a step, as a reply to the message.

Everybody in the room reads it. So it says no more than the status where the matter is nobody else's business or the
words are not fit for the public, and never a telephone number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain import room_entries
from domain.clock import say_latest
from domain.likeness import radius_of
from domain.notices import excerpt, serial
from domain.people import post_of
from domain.privacy import mask
from domain.publishing import is_public
from domain.room_cases import reply_about, titled
from errors import NotFound
from models.cases import Case
from models.database import transaction
from models.enums import MessageState, RoomKind
from models.rooms import Room
from models.transitions import Verb

_LONGEST = 200


async def tell_room(
    message_id: int, case_id: int, events: Sequence[Mapping[str, Any]], now: datetime, *, client_id: str
) -> bool:
    """Reply to the message with what happened; once for each `client_id`. False where there is nothing to say, or
    nobody to say it to: the message is not shown any more."""
    async with transaction():
        try:
            entry = await room_entries.read(message_id)
        except NotFound:
            return False
        case = await Case.get_or_none(id=case_id)
        if case is None or entry.state is not MessageState.SHOWN:
            return False
        private = (await Room.get(id=entry.room_id)).kind is RoomKind.PRIVATE
        lines = [line for event in events if (line := await _line(case, event, now, private=private))]
        if not lines:
            return False
        await reply_about(entry, "\n".join(dict.fromkeys(lines)), case, now, client_id=client_id)
        return True


async def _line(case: Case, event: Mapping[str, Any], now: datetime, *, private: bool) -> str:
    """One step in a sentence; "" for what a room need not hear."""
    name, actor = titled(case), event["actor"]
    said = _fit(case, event["text"], private=private)
    words = f"：“{said}”" if said else ""
    match event["verb"]:
        case Verb.DISPATCH:
            return await _given(case, now)
        case Verb.SIGN | Verb.TAKE_OVER:
            return f"{actor}已接手 {name}。"
        case Verb.NOTE:
            return f"{name}，{actor}{words}" if said else ""
        case Verb.DISPOSE:
            return f"{actor}已处理 {name}{words}"
        case Verb.CLOSE if case.solved:
            return f"{name} 已办结，居民确认解决了。"
        case Verb.EXTEND:
            return f"{name} 要多等几天，{say_latest(case.due_at, now)}。" if case.due_at else ""
        case Verb.MERGE:
            other = await Case.get_or_none(id=case.merged_into_id)
            return f"{name} 和 {serial(other.number)} 是同一件事，合在一起处理。" if other else ""
        case verb:
            sentence = _SENTENCES.get(verb, "")
            return f"{name} {sentence}{words if verb in _WITH_REASON else ''}".rstrip("。") + "。" if sentence else ""


_SENTENCES: Mapping[str, str] = {
    Verb.REWORK: "核查没有通过，正在重新处理",
    Verb.SUSPEND: "要等一等再办",
    Verb.RESUME: "继续处理",
    Verb.ESCALATE: "已上报上一级处理",
    Verb.CLOSE: "已办结",
    Verb.REJECT: "没有受理",
    Verb.REOPEN: "还没解决，已重新处理",
    Verb.WITHDRAW: "反映的人已撤回",
    Verb.VOID: "不再办理",
}
_WITH_REASON = (Verb.SUSPEND, Verb.ESCALATE, Verb.REJECT, Verb.VOID)


async def _given(case: Case, now: datetime) -> str:
    holder = await post_of(case.holder_id)
    if holder is None:
        return ""
    due = f"，{say_latest(case.due_at, now)}" if case.due_at and case.due_at > now else ""
    return f"{titled(case)} 已交给{holder.label}{due}。"


def _fit(case: Case, words: str, *, private: bool) -> str:
    """What the room may read of somebody's words."""
    shown = excerpt(words, _LONGEST)
    if private:
        return shown
    shown = mask(shown)
    return shown if radius_of(case.category) and is_public(shown) else ""
