"""转为事件: a message of a room becomes a case, or joins one; by staff, or by itself where that is clear.

Locks are taken in one order: first the message's own (advisory) lock, so that of two people who make a case of it one
comes second; then cases; the room's row last, for the reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import nlp
from domain import duplicates, room_entries, uploads
from domain.clock import say_latest
from domain.duplicates import Similar
from domain.journal import audit
from domain.likeness import radius_of
from domain.lookup import find_case
from domain.notices import serial
from domain.people import Person, Post, home_of_grid, person_of, post_of
from domain.previews import OTHER
from domain.reports import Draft, Media, Receipt, report
from domain.review_notices import tell
from domain.room_jobs import said_to_helper
from domain.room_messages import append
from domain.room_words import Entry
from domain.rooms import Member, sit
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.accounts import Upload
from models.cases import Case
from models.database import fetch, transaction
from models.enums import MessageKind, MessageState, Role, RoomKind, Source
from models.rooms import Room

#: Messages that may go into a case together.
MOST_TOGETHER = 20


@dataclass(frozen=True, slots=True)
class Changes:
    """What staff put right before they make a case. "" and None = as it was understood.

    `together`: other messages of the room that belong to it: more words, photos and places of the same person; who else
    wrote one of them follows the case.
    """

    category: str = ""
    place: str = ""
    text: str = ""
    urgent: bool | None = None
    together: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a message. `holder` None = the community looks for somebody; `joined`: it was known already."""

    case: Case
    holder: Post | None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A message to be made a case of, with what belongs to it."""

    entry: Entry
    room: Room
    more: tuple[Entry, ...] = ()

    @property
    def own(self) -> list[Entry]:
        """What its sender said of it, in its order."""
        return sorted([self.entry, *(one for one in self.more if one.by == self.entry.by)], key=lambda one: one.id)

    @property
    def others(self) -> list[Entry]:
        """What others said of it."""
        return [one for one in self.more if one.by != self.entry.by]


_CLAIM = "SELECT pg_advisory_xact_lock(hashtextextended('room_message', $1))"
_CASE = "SELECT case_id FROM room_message WHERE id = $1 AND case_id IS NOT NULL"


async def claim(message_id: int) -> int | None:
    """Let nobody else make a case of this message until the transaction ends; gives the case it belongs to already."""
    await fetch(_CLAIM, message_id)
    rows = await fetch(_CASE, message_id)
    return rows[0]["case_id"] if rows else None


async def unclaimed(message_id: int) -> Said | None:
    """A message that belongs to no case yet, claimed; None for one that does, or is gone."""
    if await claim(message_id) is not None:
        return None
    try:
        entry = await room_entries.read(message_id)
    except NotFound:
        return None
    return Said(entry, await Room.get(id=entry.room_id))


async def to_case(person: Person, message_id: int, changes: Changes, now: datetime, source: str = "") -> Filed:
    """Staff make a case of a message; the room reads its number and the promised time, as a reply.

    Raises NotFound, NotAllowed for residents and departments, Conflict for what has become one or was taken back,
    BadRequest for an unknown category or messages of other rooms.
    """
    async with transaction():
        member, entry = await workable(person, message_id)
        taken = await _claim_new(message_id, *changes.together)
        said = Said(entry, member.room, await _together(entry, changes.together, taken))
        draft = replace(await draft_of(said, changes), filed_by=member.post, via=source)
        receipt = await report(await speaker(said), draft, now)
        for one in said.others:
            await follow(one, receipt.case, now)
        await belong(said, receipt.case)
        await reply(said, made_of(receipt, now), receipt.case, now)
        await audit(member.who, "room_message:file", message_id, now, source=source)
        return Filed(receipt.case, receipt.holder)


async def join_case(person: Person, message_id: int, number: str, now: datetime, source: str = "") -> Filed:
    """Staff add a message to a case that is open already, by its number; its sender follows it, and the room reads how
    far it is. Raises as `to_case`, and NotFound for a case that is not theirs to read."""
    async with transaction():
        member, entry = await workable(person, message_id)
        await _claim_new(message_id)
        found = await find_case(person, number)
        if not found.status.is_open:
            raise Conflict("closed", say=f"{serial(found.number)} 已经结束了。请直接转为新的事件。")
        said = Said(entry, member.room)
        await follow(entry, found, now)
        case = await Case.get(id=found.id)
        await belong(said, case)
        await reply(said, await known_already(case, now), case, now)
        await audit(member.who, "room_message:join", message_id, now, source=source)
        return Filed(case, await post_of(case.holder_id), joined=True)


_IGNORE = """
UPDATE room_message SET hint = hint || '{"ignored": true}' WHERE id = $1 AND hint IS NOT NULL RETURNING id
"""


async def ignore_hint(person: Person, message_id: int, now: datetime, source: str = "") -> None:
    """Staff say that a likely report is none: it is not shown as one any more. Raises NotFound, NotAllowed."""
    async with transaction():
        member, _ = await workable(person, message_id)
        if await fetch(_IGNORE, message_id):
            await audit(member.who, "room_message:ignore", message_id, now, source=source)


async def set_auto(person: Person, room_id: int, now: datetime, *, on: bool, source: str = "") -> None:
    """Whether clear reports of a room open a case by themselves. Raises NotFound, NotAllowed for who is no dispatcher
    above it, BadRequest for private talks."""
    async with transaction():
        member = await sit(person, room_id, verb="set")
        if member.post is None or not member.post.dispatches:
            raise NotAllowed("sets no rooms", say="这由社区来设置。", tag="room:set", object_id=room_id)
        if member.room.kind is RoomKind.PRIVATE:
            raise BadRequest("private", say="只有网格群可以自动转为事件。")
        await Room.filter(id=room_id).update(auto_case=on)
        await audit(member.who, f"room:auto_{'on' if on else 'off'}", room_id, now, source=source)


async def workable(person: Person, message_id: int) -> tuple[Member, Entry]:
    """A message staff may make a case of, and what they are in its room; locks nothing. Raises NotFound, NotAllowed,
    Conflict for what has no words any more."""
    entry = await room_entries.read(message_id)
    try:
        member = await sit(person, entry.room_id)
    except NotFound:
        raise room_entries.no_message(message_id, "file") from None
    if entry.seq is None and not member.staff and entry.by != member.who:
        raise room_entries.no_message(message_id, "file")
    if member.post is None or member.post.role is Role.DEPARTMENT_STAFF:
        raise NotAllowed(
            f"{member.who} makes no cases of messages",
            say="这由网格员和社区来转。您要反映问题，直接说或用“我要说事”。",
            tag="room_message:file",
            object_id=message_id,
        )
    if entry.state is MessageState.RECALLED or entry.kind not in _CARRY:
        raise Conflict("no words", say="这条消息已经撤回，或者没有内容可以转。")
    return member, entry


_CARRY = (MessageKind.TEXT, MessageKind.IMAGE, MessageKind.VOICE, MessageKind.LOCATION)


async def _claim_new(message_id: int, *together: int) -> set[int]:
    """Claim messages, in the order of their ids; gives those that belong to a case already. Raises Conflict where the
    first does."""
    cases = {one: await claim(one) for one in sorted({message_id, *together})}
    if (case_id := cases[message_id]) is not None:
        number = serial((await Case.get(id=case_id)).number)
        raise Conflict("has a case", say=f"这条消息已经是 {number} 了，不用再转。")
    return {one for one, case_id in cases.items() if case_id is not None}


async def _together(entry: Entry, ids: Sequence[int], taken: set[int]) -> tuple[Entry, ...]:
    """The other messages of a case, without those of another one. Raises BadRequest for what cannot go with it."""
    wanted = sorted(set(ids) - {entry.id})
    if len(wanted) > MOST_TOGETHER:
        raise BadRequest("together", say=f"一次最多合 {MOST_TOGETHER} 条消息。")
    found = []
    for message_id in wanted:
        try:
            one = await room_entries.read(message_id)
        except NotFound:
            raise BadRequest("together", say="有一条消息不在这个群里，请重新选。") from None
        if one.room_id != entry.room_id or one.kind not in _CARRY or one.state is MessageState.RECALLED:
            raise BadRequest("together", say="有一条消息不在这个群里，请重新选。")
        found += [one] if message_id not in taken else []
    return tuple(found)


async def draft_of(said: Said, changes: Changes) -> Draft:
    """The report that messages make, with what staff put right. Raises BadRequest for an unknown category."""
    spoken = "\n".join(said_to_helper(one.text) for one in said.own if one.text)
    words = changes.text.strip() or spoken
    seen = nlp.understand(words)
    category, subject, domain = kind_of(seen)
    if changes.category and changes.category != category:
        category, subject, domain = _chosen(changes.category)
    media = await _media(said.own)
    point = next((one.data for one in said.own if "latitude" in one.data), {})
    place = changes.place.strip() or (seen.places[0] if seen.places else str(point.get("place", "")))
    return Draft(
        description=words or f"（没有文字，{len(media)} 张照片或语音）",
        category=category,
        subject=subject,
        domain=domain,
        place=place,
        urgent=seen.urgent if changes.urgent is None else changes.urgent,
        latitude=point.get("latitude"),
        longitude=point.get("longitude"),
        media=media,
        source=Source.ROOM,
    )


def kind_of(seen: nlp.Understanding) -> tuple[str, str, str]:
    """(category, subject, domain) as words are understood; a danger is called by its name."""
    subject = seen.subject or "其他问题"
    if seen.emergency:
        subject = nlp.emergency(seen.emergency).name
    return seen.category or OTHER, subject, seen.domain or ""


def _chosen(code: str) -> tuple[str, str, str]:
    if code == OTHER:
        return OTHER, "其他问题", ""
    try:
        entry = nlp.category(code)
    except NotFound:
        raise BadRequest(f"category {code}", say="没有这个类别，请从列出的几类里选一个。") from None
    return entry.code, entry.subject, entry.domain


async def _media(entries: Sequence[Entry]) -> list[Media]:
    """The photos and recordings of messages; that their senders might show them was seen when they were posted."""
    ids = [UUID(one.data["upload"]) for one in entries if one.data.get("upload")]
    owners = [upload.owner for upload in await Upload.filter(id__in=ids)] if ids else []
    return await uploads.media_of(ids, owners) if ids else []


_NOBODY = Person("", 0, None, None)


async def speaker(said: Said) -> Person:
    """Whose report it is, at home in the room's grid: the resident who spoke; nobody for staff and other platforms."""
    return replace(await resident_of(said.entry), home=await home_of_grid(said.room.grid_id))


async def resident_of(entry: Entry) -> Person:
    kind, _, number = entry.by.partition(":")
    if kind != "resident":
        return _NOBODY
    return replace(await person_of(int(number)), post=None)


async def follow(entry: Entry, case: Case, now: datetime) -> None:
    """Who said one of the messages of a case follows it, where it is a matter of a public place; their words are with
    it either way."""
    person = await resident_of(entry)
    if not person.resident_id or not radius_of(case.category) or await duplicates.is_theirs(person, case.id):
        return
    own = Draft(entry.text, case.category, case.subject, media=await _media([entry]))
    await duplicates.join(person, case.id, own, now, source=f"room:{entry.id}")


_BELONGS = "UPDATE room_message SET case_id = $2 WHERE id = ANY ($1::bigint[]) AND case_id IS NULL"


async def belong(said: Said, case: Case) -> None:
    """Note that the messages belong to the case; they wait for no other answer.

    The room is locked from now on: no case may be locked after this, and a message's row never before its room."""
    await room_entries.lock_room(said.entry.id)
    await fetch(_BELONGS, [said.entry.id, *(one.id for one in said.more)], case.id)


async def reply(said: Said, text: str, case: Case, now: datetime) -> None:
    """Answer in the room; of what others do not see, tell its sender alone."""
    if said.entry.state is MessageState.SHOWN:
        await reply_about(said.entry, text, case, now, client_id=f"case:{case.id}:{said.entry.id}")
    else:
        await tell(said.entry.by, text, case.subject[:20], now)


async def reply_about(entry: Entry, text: str, case: Case, now: datetime, *, client_id: str) -> None:
    """An entry about a case, as a reply to a message; once for each `client_id`."""
    await append(
        entry.room_id,
        MessageKind.CASE,
        text,
        now,
        reply_to=entry.id,
        case_id=case.id,
        data={"case": case.number},
        client_id=client_id,
    )


def made_of(receipt: Receipt, now: datetime) -> str:
    """已转为事件 0044 垃圾满溢，网格员王芳处理，最晚今天下午 4 点前。"""
    case = receipt.case
    who = f"{receipt.holder.label}处理" if receipt.holder else "社区正在安排人"
    due = f"，{say_latest(case.due_at, now)}" if case.due_at else ""
    return f"已转为事件 {titled(case)}，{who}{due}。"


async def known_already(case: Case, now: datetime) -> str:
    """这件事已有 0033 垃圾满溢，网格员王芳正在处理，最晚今天下午 4 点前。有进展会在这里说。"""
    holder = await post_of(case.holder_id)
    similar = Similar(
        case.id, case.number, case.subject, "", case.status, holder.label if holder else "", case.due_at, case.joined
    )
    due = f"，{say_latest(case.due_at, now)}" if case.due_at and case.due_at > now else ""
    return f"这件事已有 {titled(case)}，{duplicates.say_progress(similar)}{due}。有进展会在这里说。"


def titled(case: Case) -> str:
    """0044 垃圾满溢; of a matter that is nobody else's business the number alone."""
    return f"{serial(case.number)} {case.subject}" if radius_of(case.category) else serial(case.number)
