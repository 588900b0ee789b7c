"""Keeping rooms decent: complaints of members, mutes by staff, appeals of whom it hit.

A complaint hides a neighbour's message at once, and somebody on duty decides; what staff say in their office stays
until then. Every step is audited. A muted resident still reaches the desk and their grid's staff in private.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import review_notices as notices
from domain.clock import say_moment
from domain.journal import audit
from domain.people import Person
from domain.review_rows import open_review
from domain.reviews import DECIDERS
from domain.room_entries import lock_room, no_message
from domain.room_messages import hide
from domain.room_words import SPOKEN, Entry
from domain.rooms import Member, handle, is_me, resident_label, sit, who_of
from errors import BadRequest, Conflict, NotAllowed, NotFound, TooMany
from models.database import fetch, transaction
from models.enums import MessageState, ReviewKind, RoomKind

#: Complaints of one person in a day; more than that is a quarrel.
MOST_COMPLAINTS, A_DAY = 20, timedelta(days=1)
LONGEST_MUTE = timedelta(days=30)
#: How long after a message was hidden its sender may object.
APPEAL_WITHIN = timedelta(days=30)
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Opened:
    """What a complaint or an appeal has opened, and whether the message is hidden meanwhile."""

    review_id: int
    hidden: bool


def _reason(text: str) -> str:
    """Raises BadRequest for none."""
    tidy = " ".join(text.split())[:_LONGEST_REASON]
    if not tidy:
        raise BadRequest("reason", say="请写一句原因。")
    return tidy


async def _found(person: Person, message_id: int, verb: str) -> tuple[Member, Entry]:
    """A message of a grid's room as its reader may know of it, the room locked. Raises NotFound, BadRequest."""
    entry = await lock_room(message_id)
    try:
        member = await sit(person, entry.room_id)
    except NotFound:
        raise no_message(message_id, verb) from None
    if (entry.seq is None and not member.staff and not is_me(person, entry.by)) or entry.kind not in SPOKEN:
        raise no_message(message_id, verb)
    if member.room.kind is RoomKind.PRIVATE:
        raise BadRequest("private room", say="私聊里的问题请直接打社区电话反映。")
    return member, entry


_COMPLAINTS = "SELECT count(*) AS n FROM review WHERE by = $1 AND opened_at > $2 AND kind = 'complaint'"
_KEPT = """
SELECT id FROM review WHERE message_id = $1 AND outcome = 'shown' AND kind IN ('complaint', 'appeal') LIMIT 1
"""


async def complain(person: Person, message_id: int, reason: str, now: datetime, source: str = "") -> Opened:
    """A member finds a message indecent: a neighbour's is hidden at once, of one by staff on duty only a review opens.

    Raises NotFound, BadRequest, TooMany, Conflict for what is gone, or was looked at and left standing.
    """
    reason = _reason(reason)
    async with transaction():
        member, entry = await _found(person, message_id, "complain")
        if is_me(person, entry.by):
            say = "这是您自己发的，两分钟内可以撤回，或请网格员移除。"
            raise NotAllowed("own message", say=say, tag="room_message:complain", object_id=message_id)
        if entry.state is not MessageState.SHOWN:
            raise Conflict("not shown", say="这条消息已经不在群里了。")
        if await fetch(_KEPT, message_id):
            raise Conflict("kept", say="这条消息工作人员已经看过，认为可以保留。有不同意见请打社区电话。")
        if (await fetch(_COMPLAINTS, member.who, now - A_DAY))[0]["n"] >= MOST_COMPLAINTS:
            raise TooMany("complaints", say="您今天投诉得很多了，请直接打社区电话说一说。", retry_after=3600)
        review_id = await open_review(ReviewKind.COMPLAINT, entry.room_id, message_id, member.who, reason, now)
        if not entry.staff:
            await hide(message_id, "有邻居觉得不合适，工作人员正在看", now)
            said = notices.excerpt(entry)
            text = f"您在网格群里发的{said}，有邻居觉得不合适，先不显示。工作人员看过后告诉您结果。"
            await notices.tell(entry.by, text, "群消息先不显示", now)
        await audit(member.who, "room_message:complain", message_id, now, source=source)
    return Opened(review_id, not entry.staff)


_HIDDEN_AT = """
SELECT max(at) AS at FROM (
    SELECT at FROM room_message WHERE target = $1 AND kind = 'removal' AND room_id = $2
    UNION ALL SELECT decided_at FROM review WHERE message_id = $1 AND outcome = 'hidden'
) hidden
"""
_APPEALED = "SELECT id FROM review WHERE message_id = $1 AND kind = 'appeal' AND outcome <> 'open' LIMIT 1"


async def appeal(person: Person, message_id: int, reason: str, now: datetime, source: str = "") -> Opened:
    """Its sender objects to a message being hidden or refused: somebody else than who did that decides, once.

    Raises NotFound, BadRequest, Conflict where there is nothing to object to (any more).
    """
    reason = _reason(reason)
    async with transaction():
        member, entry = await _found(person, message_id, "appeal")
        if not is_me(person, entry.by):
            raise NotAllowed(
                f"{member.who} may not appeal", say="只能为自己发的消息申诉。", tag="room_message:appeal",
                object_id=message_id,
            )  # fmt: skip
        if entry.state not in (MessageState.REMOVED, MessageState.REFUSED):
            raise Conflict("shown", say="这条消息没有被移除，不用申诉。")
        if await fetch(_APPEALED, message_id):
            raise Conflict("appealed", say="这条消息已经申诉过了，有不同意见请打社区电话。")
        hidden_at = (await fetch(_HIDDEN_AT, message_id, entry.room_id))[0]["at"] or entry.at
        if now - hidden_at > APPEAL_WITHIN:
            raise Conflict("late", say="已经过去一个月，不能申诉了。有需要请重新发一条。")
        review_id = await open_review(ReviewKind.APPEAL, entry.room_id, message_id, entry.by, reason, now)
        await audit(member.who, "room_message:appeal", message_id, now, source=source)
    return Opened(review_id, True)


_MUTED = "SELECT muted_until FROM room_seat WHERE room_id = $1 AND who = $2 AND muted_until > $3"
_OPEN_MUTE = """
SELECT id FROM review WHERE room_id = $1 AND by = $2 AND message_id IS NULL AND outcome = 'open'
"""
_ROOM = "SELECT id FROM room WHERE id = $1 FOR NO KEY UPDATE"


async def appeal_mute(person: Person, room_id: int, reason: str, now: datetime, source: str = "") -> Opened:
    """Who is muted objects; somebody else than who did it decides. Raises NotFound, BadRequest, Conflict."""
    reason = _reason(reason)
    async with transaction():
        member = await sit(person, room_id)
        await fetch(_ROOM, room_id)
        if not await fetch(_MUTED, room_id, member.who, now):
            raise Conflict("not muted", say="您可以在群里发言，不用申诉。")
        known = await fetch(_OPEN_MUTE, room_id, member.who)
        if known:
            return Opened(known[0]["id"], False)
        review_id = await open_review(ReviewKind.APPEAL, room_id, None, member.who, reason, now)
        await audit(member.who, "room:appeal", room_id, now, source=source)
    return Opened(review_id, False)


_OBJECTIONABLE = """
SELECT m.id FROM room_message m JOIN room r ON r.id = m.room_id
WHERE m.sender = $1 AND m.state IN ('removed', 'refused') AND m.at > $2 AND r.kind = 'grid'
AND NOT EXISTS (SELECT FROM review v WHERE v.message_id = m.id AND v.kind = 'appeal')
AND NOT EXISTS (SELECT FROM review v WHERE v.message_id = m.id AND v.outcome = 'open')
ORDER BY m.id DESC LIMIT 1
"""
_MUTED_IN = """
SELECT s.room_id FROM room_seat s WHERE s.who = $1 AND s.muted_until > $2 AND NOT EXISTS (
    SELECT FROM review v WHERE v.room_id = s.room_id AND v.by = s.who AND v.message_id IS NULL AND v.outcome = 'open'
) ORDER BY s.muted_until DESC LIMIT 1
"""


async def appeal_newest(person: Person, reason: str, now: datetime, source: str = "") -> list[Opened]:
    """Who says 申诉 in chat objects to what was done to them last: to the newest message of theirs that is hidden, and
    to being muted. Raises BadRequest, Conflict where there is nothing to object to."""
    who = f"resident:{person.resident_id}"
    async with transaction():
        messages = await fetch(_OBJECTIONABLE, who, now - APPEAL_WITHIN)
        rooms = await fetch(_MUTED_IN, who, now)
        opened = [await appeal(person, row["id"], reason, now, source) for row in messages]
        opened += [await appeal_mute(person, row["room_id"], reason, now, source) for row in rooms]
    if not opened:
        raise Conflict("nothing", say="现在没有可以申诉的群消息或禁言。要反映问题，直接说事情就行。")
    return opened


@dataclass(frozen=True, slots=True)
class Mute:
    """Somebody who may not speak in a room until then, and why."""

    handle: str
    name: str
    until: datetime
    why: str


_MUTE = "UPDATE room_seat SET muted_until = $2, muted_why = $3, muted_by = $4 WHERE room_id = $1 AND who = $5"


async def mute(
    person: Person, room_id: int, whom: str, span: timedelta, why: str, now: datetime, source: str = ""
) -> Mute:
    """Staff let a resident (by handle) be silent in a grid's room for a while, with a reason they are told.

    Raises NotFound, NotAllowed, BadRequest.
    """
    why = _reason(why)
    if not timedelta(minutes=1) <= span <= LONGEST_MUTE:
        raise BadRequest("span", say="禁言最短 1 分钟，最长 30 天。")
    async with transaction():
        member = await _moderator(person, room_id, "mute")
        await fetch(_ROOM, room_id)
        who = await _resident(room_id, whom)
        if who is None:
            raise BadRequest(f"member {whom[:40]!r}", say="群里没有这个人。")
        until = now + span
        await fetch(_MUTE, room_id, until, why, member.who, who)
        text = (
            f"您在网格群里暂时不能发言，到 {say_moment(until, now)} 为止。原因：{why}\n"
            "反映问题不受影响，直接发给公众号就行。觉得不对，回复“申诉”和理由。"
        )
        await notices.tell(who, text, "暂时不能在群里发言", now)
        await audit(member.who, "room_seat:mute", int(whom[1:]), now, source=source)
        return (await _mutes(room_id, now, who))[0]


_UNMUTE = """
UPDATE room_seat SET muted_until = NULL, muted_why = '', muted_by = ''
WHERE room_id = $1 AND who = $2 AND muted_until > $3 RETURNING id
"""
_LIFT = """
UPDATE review SET outcome = 'lifted', decided_by_id = $3, decided_at = $4
WHERE room_id = $1 AND by = $2 AND message_id IS NULL AND outcome = 'open'
"""


async def unmute(person: Person, room_id: int, whom: str, now: datetime, source: str = "") -> None:
    """Staff let somebody speak again before the time; who speaks already stays as they are. Raises NotFound,
    NotAllowed."""
    async with transaction():
        member = await _moderator(person, room_id, "unmute")
        await fetch(_ROOM, room_id)
        who = await _resident(room_id, whom)
        if who is None:
            raise NotFound(f"member {whom[:40]!r}", say="群里没有这个人。")
        if not await fetch(_UNMUTE, room_id, who, now):
            return
        await fetch(_LIFT, room_id, who, member.post.id if member.post else None, now)
        await notices.tell(who, "您又可以在网格群里发言了。", "可以发言了", now)
        await audit(member.who, "room_seat:unmute", int(whom[1:]), now, source=source)


async def list_mutes(person: Person, room_id: int, now: datetime) -> list[Mute]:
    """Who may not speak in a room now, for staff who decide about it. Raises NotFound, NotAllowed."""
    await _moderator(person, room_id, "mutes")
    return await _mutes(room_id, now)


_MUTES = """
SELECT s.id, s.who, s.muted_until, s.muted_why, coalesce(r.nickname, '') AS nickname
FROM room_seat s
LEFT JOIN resident r ON r.id = CASE WHEN s.who LIKE 'resident:%' THEN substr(s.who, 10)::bigint END
WHERE s.room_id = $1 AND s.muted_until > $2 AND ($3::text IS NULL OR s.who = $3) ORDER BY s.muted_until, s.id
"""


async def _mutes(room_id: int, now: datetime, who: str | None = None) -> list[Mute]:
    rows = await fetch(_MUTES, room_id, now, who)
    named = [(row, resident_label(row["nickname"], room_id, row["who"])) for row in rows]
    return [Mute(handle(row["id"]), name, row["muted_until"], row["muted_why"]) for row, name in named]


async def _moderator(person: Person, room_id: int, verb: str) -> Member:
    """Who decides in a grid's room. Raises NotFound, NotAllowed, BadRequest for a private talk."""
    member = await sit(person, room_id, verb=verb)
    if member.post is None or member.post.role not in DECIDERS:
        say = "禁言由网格员和社区工作人员决定。"
        raise NotAllowed(f"{member.who} may not {verb}", say=say, tag=f"room:{verb}", object_id=room_id)
    if member.room.kind is RoomKind.PRIVATE:
        raise BadRequest("private room", say="私聊里不能禁言：居民随时可以找网格员说话。")
    return member


async def _resident(room_id: int, whom: str) -> str | None:
    """The resident behind a handle; None for nobody. Raises BadRequest for staff."""
    who = (await who_of(room_id, [whom])).get(whom)
    if who and not who.startswith("resident:"):
        raise BadRequest("staff", say="工作人员不能被禁言，有问题请告诉他们的上级。")
    return who
