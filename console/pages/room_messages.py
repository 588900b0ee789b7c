"""One message of a room and all that may be done about it: a case, a reason why it goes, silence, a word in private."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BeforeValidator, Field

from console.frame import Form, Pages, Visit
from console.pages.badges import sets_badges
from console.pages.rooms import decides, on_duty_line, ways_to_show
from console.values import Ident
from domain import badges, moderation, room_cards, room_cases, room_messages, rooms
from domain.desk_choices import kinds_to_choose
from domain.notices import serial
from domain.room_cards import Card
from domain.room_cases import MOST_TOGETHER, Changes, Filed
from domain.room_words import SPOKEN, Entry
from errors import BadRequest, Conflict, NotAllowed
from models.enums import MessageState, Role, RoomKind

pages = Pages()

_MESSAGE = "/rooms/messages/{message_id:[1-9][0-9]{0,17}}"
_SPANS = ((60, "1 小时"), (24 * 60, "1 天"), (7 * 24 * 60, "7 天"), (30 * 24 * 60, "30 天"))

Reason = Annotated[str, Field(min_length=1, max_length=200, title="原因")]


class NewCase(Form):
    """What was put right before it becomes a case."""

    category: Annotated[str, Field(max_length=64, title="类别")] = ""
    place: Annotated[str, Field(max_length=200, title="地点")] = ""
    text: Annotated[str, Field(max_length=2000, title="情况")] = ""
    urgent: Annotated[bool, Field(title="紧急")] = False
    together: Annotated[tuple[Ident, ...], Field(max_length=MOST_TOGETHER, title="一起的消息")] = ()


class Known(Form):
    """The open case it belongs to."""

    number: Annotated[
        str,
        BeforeValidator(lambda given: str(given).strip()),
        Field(pattern=r"^(20\d{2})?(\d{4}-)?\d{4,6}$", title="编号"),
    ]


class Why(Form):
    """A reason its sender reads."""

    why: Reason


class Mute(Form):
    """For how long somebody may not speak, and why."""

    minutes: Annotated[int, Field(ge=1, le=int(moderation.LONGEST_MUTE.total_seconds() // 60), title="时间")]
    why: Reason


def _asked(visit: Visit) -> int:
    return int(visit.request.match_info["message_id"])


async def _read(visit: Visit) -> Entry:
    """The message, for who is on duty in its room. Raises NotFound, NotAllowed."""
    entry = await room_messages.access_message(visit.staff, _asked(visit))
    await room_cards.watcher(visit.staff, entry.room_id)
    return entry


@pages.get(_MESSAGE)
async def show(visit: Visit) -> web.StreamResponse:
    """A message with what it seems to report, and what may be done about it."""
    entry = await _read(visit)
    line = await on_duty_line(visit, entry.room_id)
    card, why_no_card = await _card(visit, entry)
    mine, private = rooms.is_me(visit.staff, entry.by), line.kind is RoomKind.PRIVATE
    neighbour = entry.by.startswith("resident:") and not mine
    there = entry.kind in SPOKEN and entry.state not in (MessageState.RECALLED, MessageState.REMOVED)
    return visit.render(
        "room_message.html",
        title=f"{entry.author}说的",
        line=line,
        entry=entry,
        card=card,
        why_no_card=why_no_card,
        kinds=kinds_to_choose(),
        spans=_SPANS,
        may_recall=mine and there and visit.now - entry.at <= room_messages.RECALL_WITHIN,
        may_remove=decides(visit) and there and not private,
        may_mute=decides(visit) and neighbour and not private and bool(entry.handle),
        may_talk=neighbour and not private and visit.post.role in (Role.GRID_WORKER, Role.COMMUNITY_STAFF),
        may_badge=sets_badges(visit) and bool(entry.handle) and not mine and not private,
        badges=badges.NAMES,
        **ways_to_show(visit),
    )


async def _card(visit: Visit, entry: Entry) -> tuple[Card | None, str]:
    """The case it would become, or why it becomes none."""
    if entry.case_number:
        return None, f"这条消息已经是 {serial(entry.case_number)} 了。"
    try:
        return await room_cards.card(visit.staff, entry.id, visit.now), ""
    except (NotAllowed, Conflict) as error:
        return None, error.say


@pages.post(f"{_MESSAGE}/case")
async def make_case(visit: Visit) -> web.StreamResponse:
    """转为事件. The room reads its number and the promised time."""
    given, entry = await visit.form(NewCase), await _read(visit)
    # Untouched, the words are gathered from all messages that go along.
    text = "\n".join(given.text.splitlines())
    text = "" if text == entry.text else text
    changes = Changes(given.category, given.place, text, given.urgent, given.together)
    filed = await room_cases.to_case(visit.staff, entry.id, changes, visit.now, visit.source)
    return visit.go(
        f"/rooms/{entry.room_id}", f"已转为事件 {serial(filed.case.number)}，{_whose(filed)}。群里已经说明。"
    )


def _whose(filed: Filed) -> str:
    return f"{filed.holder.label}处理" if filed.holder else "正在安排人"


@pages.post(f"{_MESSAGE}/join")
async def join(visit: Visit) -> web.StreamResponse:
    """It belongs to a case that is open already."""
    given, entry = await visit.form(Known), await _read(visit)
    filed = await room_cases.join_case(visit.staff, entry.id, given.number, visit.now, visit.source)
    return visit.go(f"/rooms/{entry.room_id}", f"已并入 {serial(filed.case.number)}，群里已经说明。")


@pages.post(f"{_MESSAGE}/ignore")
async def ignore(visit: Visit) -> web.StreamResponse:
    """It looks like a report and is none."""
    entry = await _read(visit)
    await room_cases.ignore_hint(visit.staff, entry.id, visit.now, visit.source)
    return visit.go(f"/rooms/{entry.room_id}", "知道了，这条不当事件。")


@pages.post(f"{_MESSAGE}/remove")
async def remove(visit: Visit) -> web.StreamResponse:
    """Take it out of the room; its sender is told why."""
    given, entry = await visit.form(Why), await _read(visit)
    await room_messages.remove(visit.staff, entry.id, given.why, visit.now, visit.source)
    return visit.go(f"/rooms/{entry.room_id}", "已移除，原因告诉了发消息的人，对方可以申诉。")


@pages.post(f"{_MESSAGE}/recall")
async def recall(visit: Visit) -> web.StreamResponse:
    """Take back one's own."""
    entry = await _read(visit)
    await room_messages.recall(visit.staff, entry.id, visit.now, visit.source)
    return visit.go(f"/rooms/{entry.room_id}", "已撤回。")


@pages.post(f"{_MESSAGE}/mute")
async def mute(visit: Visit) -> web.StreamResponse:
    """Let its sender be silent for a while."""
    given, entry = await visit.form(Mute), await _read(visit)
    span = timedelta(minutes=given.minutes)
    muted = await moderation.mute(visit.staff, entry.room_id, entry.handle, span, given.why, visit.now, visit.source)
    return visit.go(f"/rooms/{entry.room_id}/mutes", f"{muted.name}暂时不能在群里发言，已经告诉对方。")


@pages.post(f"{_MESSAGE}/private")
async def talk(visit: Visit) -> web.StreamResponse:
    """Talk with its sender alone."""
    entry = await _read(visit)
    kind, _, number = entry.by.partition(":")
    if kind != "resident":
        raise BadRequest("no resident", say="只能和居民开私聊。")
    room = await rooms.private_room(visit.staff, visit.now, resident_id=int(number))
    return visit.go(f"/rooms/{room.id}")
