"""网格群: the rooms of one's grids, a room as it is talked in, its announcements and days, and who is silent there.

A private talk with a resident is the same page, with what WeChat still lets through to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from aiohttp import web
from pydantic import AwareDatetime, BeforeValidator, Field

from console.frame import Form, Pages, Visit, staff
from console.sent_files import uploads_of
from console.values import Ident
from domain import moderation, relay_mode, room_cases, room_digests, room_messages, rooms
from domain.reach import Reach
from domain.reach import Way as ReachWay
from domain.reviews import DECIDERS
from domain.room_cards import hints, watcher
from domain.room_desk import desk_rooms, find_rooms
from domain.room_words import LONGEST, Entry, Words
from domain.rooms import RoomLine, is_me
from errors import BadRequest, NotFound
from models.enums import MessageKind, MessageState, RoomKind, UploadKind

pages = Pages()

_ROOMS = 50  # of one page
_ENTRIES = 50
_HINTS = 5
_NEWS = 100  # entries of one look for news
_DAYS = 31
_QUOTED = 20  # earlier entries that are looked up to say what was answered
#: What only says that something has become of another entry.
CHANGES = (MessageKind.RECALL, MessageKind.REMOVAL, MessageKind.RETURN)
_ROOM = "/rooms/{room_id:[1-9][0-9]{0,17}}"

Said = Annotated[str, Field(max_length=LONGEST, title="消息")]
ClientId = Annotated[str, Field(min_length=1, max_length=64, title="消息")]
Maybe = BeforeValidator(lambda given: given or None)


class Beyond(Form):
    """Where a list of rooms goes on."""

    at: Annotated[AwareDatetime | None, Maybe] = None
    id: Annotated[Ident | None, Maybe] = None

    @property
    def place(self) -> tuple[datetime, int] | None:
        """As the domain takes it."""
        return (self.at, self.id) if self.at and self.id else None


class Sought(Beyond):
    """The same, or rooms by their names."""

    name: Annotated[str, Field(max_length=40, title="名字")] = ""


class Where(Form):
    """Which part of a room, and which message is to be answered."""

    before: Annotated[Ident | None, Maybe] = None
    reply: Annotated[Ident | None, Maybe] = None


class After(Form):
    """The number of the last entry the page has."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0


class NewWords(Form):
    """What somebody says; `back`: from which page."""

    text: Said = ""
    client_id: ClientId
    reply_to: Annotated[Ident | None, Maybe] = None
    back: Literal["", "waiting"] = ""


class NewAnnouncement(Form):
    """What everybody of the grid should read."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST, title="公告")]
    client_id: ClientId


class ReadTo(Form):
    """The number of the last entry that was read."""

    seq: Annotated[int, Field(ge=0, le=2**63 - 1)]


class Auto(Form):
    """Whether clear reports open a case by themselves."""

    on: bool


class Whom(Form):
    """Somebody of a room."""

    handle: Annotated[str, Field(pattern=r"^m[1-9]\d{0,17}$", title="居民")]


class Day(Form):
    """A list of days goes on before this one."""

    before: str = Field("", pattern=r"^(\d{4}-\d\d-\d\d)?$")


def room_of(visit: Visit) -> int:
    """Which room the address names."""
    return int(visit.request.match_info["room_id"])


def decides(visit: Visit) -> bool:
    """Who looks after what is said in rooms."""
    return staff(visit) and visit.post.role in DECIDERS


async def on_duty_line(visit: Visit, room_id: int) -> RoomLine:
    """The room as its reader on duty has it. Raises NotFound; whoever is a neighbour there reads it on their phone."""
    line = await rooms.room_line(visit.staff, room_id)
    if not line.staff:
        raise NotFound(f"room {room_id} is home", say="这是您自己住的网格群，请在手机上看。", tag="room:watch")
    return line


@pages.get("/rooms")
async def show_rooms(visit: Visit) -> web.StreamResponse:
    """The rooms of one's grids, the newest talk first."""
    return visit.render("rooms.html", title="网格群", **await _rooms(visit))


@pages.get("/rooms/list", quiet=True)
async def list_rooms(visit: Visit) -> web.StreamResponse:
    """The same as a part that refreshes itself."""
    return visit.render("room_list.html", private=False, **await _rooms(visit))


async def _rooms(visit: Visit) -> dict[str, Any]:
    asked = visit.query(Sought)
    if asked.name:
        return {"found": await find_rooms(visit.staff, asked.name, visit.now, limit=_ROOMS), "name": asked.name}
    found = await desk_rooms(visit.staff, RoomKind.GRID, visit.now, beyond=asked.place, limit=_ROOMS)
    return {"found": found, "name": ""}


@pages.get(_ROOM)
async def show(visit: Visit) -> web.StreamResponse:
    """A room: the newest of it, or what came before a number. What is shown counts as read."""
    room_id, where = room_of(visit), visit.query(Where)
    line = await on_duty_line(visit, room_id)
    member = await watcher(visit.staff, room_id)
    entries = await room_messages.entries(visit.staff, room_id, before=where.before, limit=_ENTRIES)
    if entries and not where.before:
        await room_messages.mark_read(visit.staff, room_id, entries[-1].seq or 0)
    answered = await _answered(visit, room_id, where.reply)
    private = line.kind is RoomKind.PRIVATE
    return visit.render(
        "room.html",
        title=line.name,
        line=line,
        entries=entries,
        older=entries[0].seq if entries and (entries[0].seq or 0) > 1 else None,
        where=where,
        waiting=await room_messages.waiting(visit.staff, room_id),
        hints=[] if private else await hints(visit.staff, room_id, limit=_HINTS),
        answered=answered,
        reach=await relay_mode.reach_in(visit.staff, room_id, visit.now) if private else None,
        say_reach=say_reach,
        auto=member.room.auto_case,
        client_id=uuid4().hex,
        decides=decides(visit),
        officers=[] if private else await rooms.members_on_duty(room_id),
        answered_by=await _quoted(visit, entries),
        **ways_to_show(visit),
    )


async def _quoted(visit: Visit, entries: Sequence[Entry]) -> dict[int, Entry]:
    """What these entries answer, by its id."""
    here = {entry.id: entry for entry in entries}
    earlier = {entry.reply_to for entry in entries if entry.reply_to} - here.keys()
    found = [await room_messages.access_message(visit.staff, ident) for ident in sorted(earlier)[-_QUOTED:]]
    return here | {entry.id: entry for entry in found}


async def _answered(visit: Visit, room_id: int, message_id: int | None) -> Entry | None:
    """The message that is to be answered. Raises NotFound."""
    if message_id is None:
        return None
    entry = await room_messages.access_message(visit.staff, message_id)
    if entry.room_id != room_id or entry.seq is None:
        raise NotFound(f"message {message_id} of room {room_id}", say="要回复的消息不在这个群里。")
    return entry


def ways_to_show(visit: Visit) -> dict[str, Any]:
    """What the templates of entries need besides them."""
    return {"is_me": lambda entry: is_me(visit.staff, entry.by), "changes": CHANGES}


def say_reach(reach: Reach) -> str:
    """还能直接发 3 条, or what happens instead."""
    if reach.way is ReachWay.SERVICE:
        return f"您的话会直接发到对方微信，现在还能发 {reach.left} 条。连着说的几句会合成一条。"
    if reach.way is ReachWay.NOTICE:
        why = f"{reach.reason}。" if reach.reason else ""
        return f"现在不能直接发到对方微信。{why}对方会收到一条“有新消息”的通知，点开就能看到您的话。"
    return f"{reach.reason}。"


@pages.get(f"{_ROOM}/new", quiet=True)
async def news(visit: Visit) -> web.StreamResponse:
    """What has been said since, and what has become of what the page has; nothing is 204."""
    room_id, after = room_of(visit), visit.query(After).after
    await watcher(visit.staff, room_id)
    entries = await room_messages.entries(visit.staff, room_id, after=after, limit=_NEWS)
    if not entries:
        return visit.finish(web.Response(status=204))
    fresh = {entry.id for entry in entries}
    changed = await _changed(visit, entries, fresh)
    return visit.render(
        "room_new.html",
        room_id=room_id,
        entries=entries,
        changed=changed,
        last=entries[-1].seq,
        answered_by=await _quoted(visit, [*entries, *changed]),
        **ways_to_show(visit),
    )


async def _changed(visit: Visit, entries: Sequence[Entry], fresh: set[int]) -> list[Entry]:
    """Earlier entries that look different now: taken back, hidden, given back, or with a case of their own."""
    ids = [one.target for one in entries if one.kind in CHANGES]
    ids += [one.reply_to for one in entries if one.kind is MessageKind.CASE]
    earlier = sorted({ident for ident in ids if ident is not None} - fresh)
    return [await room_messages.access_message(visit.staff, ident) for ident in earlier]


@pages.get(f"{_ROOM}/hints", quiet=True)
async def show_hints(visit: Visit) -> web.StreamResponse:
    """Likely reports that are no case yet."""
    room_id = room_of(visit)
    found = await hints(visit.staff, room_id, limit=_HINTS)
    return visit.render("room_hints.html", room_id=room_id, hints=found, **ways_to_show(visit))


@pages.get(f"{_ROOM}/reach", quiet=True)
async def show_reach(visit: Visit) -> web.StreamResponse:
    """How the resident of a private talk is reached now."""
    room_id = room_of(visit)
    reach = await relay_mode.reach_in(visit.staff, room_id, visit.now)
    return visit.render("room_reach.html", room_id=room_id, reach=reach, say_reach=say_reach)


@pages.post(f"{_ROOM}/say", files=True)
async def say(visit: Visit) -> web.StreamResponse:
    """Say something, with a photo or without. Where htmx sends it, the page stays and shows it at once."""
    room_id, given = room_of(visit), await visit.form(NewWords)
    await watcher(visit.staff, room_id)
    words = Words(MessageKind.TEXT, given.text, given.client_id, given.reply_to)
    kept = await uploads_of(visit, "photo")
    if kept and kept[0].kind is not UploadKind.IMAGE:
        raise BadRequest("no photo", say="这里只能发照片。")
    if kept:
        words = replace(words, kind=MessageKind.IMAGE, data={"upload": str(kept[0].id)})
    entry = await room_messages.post(visit.staff, room_id, words, visit.now, visit.source)
    sentence = _become(entry)
    if given.back:
        return visit.go("/conversations", sentence)
    if not visit.by_htmx:
        return visit.go(f"/rooms/{room_id}#say", sentence)
    answer = visit.render("room_said.html", sentence=sentence, client_id=uuid4().hex)
    answer.headers["HX-Trigger"] = "said"
    return answer


def _become(entry: Entry) -> str:
    """What has become of something that was just said."""
    if entry.state is MessageState.SHOWN:
        return "已发出。"
    why = f"原因：{entry.why}。" if entry.why else ""
    return f"已收到，别人还看不到，要先审核。{why}"


@pages.post(f"{_ROOM}/read")
async def read(visit: Visit) -> web.StreamResponse:
    """What the page shows was read."""
    given = await visit.form(ReadTo)
    await watcher(visit.staff, room_of(visit))
    await room_messages.mark_read(visit.staff, room_of(visit), given.seq)
    return visit.finish(web.Response(status=204))


@pages.get(f"{_ROOM}/announcements")
async def show_announcements(visit: Visit) -> web.StreamResponse:
    """What everybody of the grid should have read, the newest first."""
    room_id, where = room_of(visit), visit.query(Where)
    line = await on_duty_line(visit, room_id)
    found = await room_messages.announcements(visit.staff, room_id, before=where.before)
    return visit.render(
        "room_announcements.html", title=f"{line.name} · 公告", line=line, found=found, client_id=uuid4().hex
    )


@pages.post(f"{_ROOM}/announce")
async def announce(visit: Visit) -> web.StreamResponse:
    """Tell everybody of the grid."""
    room_id, given = room_of(visit), await visit.form(NewAnnouncement)
    await watcher(visit.staff, room_id)
    words = Words(MessageKind.ANNOUNCEMENT, given.text, given.client_id)
    entry = await room_messages.post(visit.staff, room_id, words, visit.now, visit.source)
    sentence = "公告发出了，群里的人都会看到。" if entry.state is MessageState.SHOWN else _become(entry)
    return visit.go(f"/rooms/{room_id}/announcements", sentence)


@pages.get(f"{_ROOM}/digests")
async def show_digests(visit: Visit) -> web.StreamResponse:
    """群聊日报: a room's days in figures."""
    room_id, before = room_of(visit), visit.query(Day).before
    line = await on_duty_line(visit, room_id)
    day = datetime.fromisoformat(before).date() if before else None
    found = await room_digests.digests(visit.staff, room_id, before=day, limit=_DAYS)
    following = found[-1].day if len(found) == _DAYS else None
    return visit.render(
        "room_digests.html", title=f"{line.name} · 群聊日报", line=line, found=found, following=following
    )


@pages.post(f"{_ROOM}/auto")
async def set_auto(visit: Visit) -> web.StreamResponse:
    """Let clear reports open a case by themselves, or not."""
    room_id, given = room_of(visit), await visit.form(Auto)
    await room_cases.set_auto(visit.staff, room_id, visit.now, on=given.on, source=visit.source)
    sentence = "以后说得清楚的会自动转为事件。" if given.on else "以后都由人来转为事件。紧急的还是会自动转。"
    return visit.go(f"/rooms/{room_id}", sentence)


@pages.get(f"{_ROOM}/mutes", who=decides)
async def show_mutes(visit: Visit) -> web.StreamResponse:
    """Who may not speak in a room now."""
    room_id = room_of(visit)
    line = await on_duty_line(visit, room_id)
    found = await moderation.list_mutes(visit.staff, room_id, visit.now)
    return visit.render("room_mutes.html", title=f"{line.name} · 禁言", line=line, found=found)


@pages.post(f"{_ROOM}/unmute")
async def unmute(visit: Visit) -> web.StreamResponse:
    """Let somebody speak again before the time."""
    room_id, given = room_of(visit), await visit.form(Whom)
    await moderation.unmute(visit.staff, room_id, given.handle, visit.now, visit.source)
    return visit.go(f"/rooms/{room_id}/mutes", "可以发言了，已经告诉对方。")
