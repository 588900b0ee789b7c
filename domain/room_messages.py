"""What is said in rooms: posting, reading, taking back, removing. One public function is one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Unpack

from domain import bell, relay, review_notices, room_entries
from domain.clock import say_moment
from domain.journal import audit
from domain.people import Person
from domain.review_rows import close_reviews, open_review
from domain.room_entries import About, Draft, lock_room, no_message
from domain.room_hints import understood
from domain.room_jobs import leave_look
from domain.room_spread import spread
from domain.room_words import HELPER, SPOKEN, WORKER, Entry, Words, tidy_words
from domain.rooms import Member, is_me, sit, who_of
from domain.screening import Screened, screen
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import MessageKind, MessageState, ReviewKind, ReviewOutcome, Role, RoomKind
from models.rooms import Room

RECALL_WITHIN = timedelta(minutes=2)

MOST = 100
"""Entries of one answer."""

_UNSEEN = (MessageState.CHECKING, MessageState.REVIEW, MessageState.REFUSED)


async def post(person: Person, room_id: int, words: Words, now: datetime, source: str = "") -> Entry:
    """Say something in a room. Shown at once, or, as its `state` says, once it has been looked at.

    Raises NotFound for whoever is no member, NotAllowed for who is muted or may not announce, BadRequest for words that
    cannot be sent.
    """
    words = tidy_words(words)
    async with transaction():
        member = await sit(person, room_id, verb="speak")
        _check_may_say(member, words.kind, now)
        await _check_references(person, member, words)
        draft, screened = _drafted(member, words)
        entry, new = await room_entries.write(room_id, draft, now)
        if new:
            if words.kind is MessageKind.ANNOUNCEMENT:
                await audit(member.who, "room:announce", room_id, now, source=source)
            await _follow_up(entry, member.room, screened, now)
    return entry.as_read(staff=member.staff, me=True)


def _drafted(member: Member, words: Words) -> tuple[Draft, Screened]:
    public = f"{words.text}\n{words.data.get('place', '')}".strip()
    screened = screen(member.room.kind, words.kind, public, staff=member.staff)
    intent, hint = understood(words.text) if words.text and not member.staff else ("", None)
    draft = Draft(
        words.kind,
        words.text,
        member.who,
        member.name,
        words.client_id,
        screened.state,
        screened.why,
        words.data,
        words.reply_to,
        intent=intent,
        hint=hint,
    )
    return draft, screened


def _check_may_say(member: Member, kind: MessageKind, now: datetime) -> None:
    if member.muted_until and member.is_muted(now):
        until = say_moment(member.muted_until, now)
        why = f"原因：{member.muted_why}。" if member.muted_why else ""
        say = f"您在这个群里暂时不能发言，到 {until} 为止。{why}有意见可以申诉。"
        raise NotAllowed(f"{member.who} is muted", say=say, tag="room:speak", object_id=member.room.id)
    if kind is MessageKind.ANNOUNCEMENT and not (member.staff and member.room.kind is RoomKind.GRID):
        raise NotAllowed(
            f"{member.who} may not announce",
            say="群公告由社区工作人员发。您可以直接发消息。",
            tag="room:announce",
            object_id=member.room.id,
        )


_ANSWERED = "SELECT id FROM room_message WHERE id = $1 AND room_id = $2 AND (seq IS NOT NULL OR sender = $3)"
_UPLOAD = "SELECT id FROM upload WHERE id = $1 AND owner = ANY ($2::text[]) AND kind = $3 AND state <> 'refused'"


async def _check_references(person: Person, member: Member, words: Words) -> None:
    """What the words point to must be there for their sender: the message answered, who is mentioned, the upload."""
    if words.reply_to and not await fetch(_ANSWERED, words.reply_to, member.room.id, member.who):
        raise BadRequest("reply_to", say="要回复的消息不在这个群里。")
    named = [one for one in words.data.get("mentions", ()) if one not in (HELPER, WORKER)]
    if named and len(await who_of(member.room.id, named)) < len(named):
        raise BadRequest("mentions", say="提到的人不在这个群里。")
    owners = list({member.who, person.actor, f"resident:{person.resident_id}"})
    upload = words.data.get("upload")
    if upload and not await fetch(_UPLOAD, upload, owners, words.kind):
        raise BadRequest("upload", say="没有找到这个文件，请重新上传。")


_CHECK = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
SELECT 'check', 'pending', 'check:' || sender, jsonb_build_object('message', id), 0, 0, $2, '', '', 0, '', $2
FROM room_message WHERE id = $1
"""
_ANSWER = "UPDATE room_message SET answered_at = $2 WHERE id = $1 AND answered_at IS NULL AND sender LIKE 'resident:%'"


async def _follow_up(entry: Entry, room: Room, screened: Screened, now: datetime) -> None:
    """What a new entry needs: somebody to look at it, a question to WeChat, or its effects."""
    if screened.state is MessageState.REVIEW:
        await open_review(ReviewKind.WORDS, room.id, entry.id, "system", screened.why, now)
    elif screened.state is MessageState.CHECKING:
        await fetch(_CHECK, entry.id, now)
    elif screened.state is MessageState.SHOWN:
        await _shown(entry, room, now)
    if screened.state is not MessageState.SHOWN and entry.hint and entry.hint["urgent"]:
        await leave_look(entry.id, now)  # danger waits for nobody's look


async def _shown(entry: Entry, room: Room, now: datetime) -> None:
    if entry.staff and entry.reply_to:
        await fetch(_ANSWER, entry.reply_to, now)
    await spread(entry, room, now)


async def append(room_id: int, kind: MessageKind, text: str, now: datetime, **about: Unpack[About]) -> Entry:
    """An entry of the system or another platform, in the running transaction if there is one; the same `client_id` of
    the same sender is the same entry."""
    async with transaction():
        entry, new = await room_entries.append(room_id, kind, text, now, **about)
        if new:
            await spread(entry, await Room.get(id=room_id), now)
    return entry


async def show(message_id: int, now: datetime) -> Entry:
    """Show what was waiting or refused, under the next number, or what was hidden, again. What is shown, or taken back
    by its sender, stays as it is. Raises NotFound."""
    async with transaction():
        entry = await lock_room(message_id)
        if entry.state in _UNSEEN:
            entry = await room_entries.number(entry, now)
            await _shown(entry, await Room.get(id=entry.room_id), now)
        elif entry.state is MessageState.REMOVED:
            entry = await _give_back(entry, now)
    return entry


_STATE = "UPDATE room_message SET state = $2, why = $3 WHERE id = $1"


async def _give_back(entry: Entry, now: datetime) -> Entry:
    await fetch(_STATE, entry.id, MessageState.SHOWN, "")
    await append(entry.room_id, MessageKind.RETURN, "", now, target=entry.id)
    return await room_entries.read(entry.id)


async def settle(message_id: int, state: MessageState, why: str, now: datetime) -> Entry:
    """Leave what is not shown for review, or refuse it; what is shown is hidden when refused. What its sender took back
    stays so. Raises NotFound."""
    async with transaction():
        entry = await lock_room(message_id)
        if entry.state in _UNSEEN:
            await fetch(_STATE, entry.id, state, why[:200])
        elif entry.state is MessageState.SHOWN and state is MessageState.REFUSED:
            return await _hide(entry, why, now, "system", "助手")
        return await room_entries.read(message_id)


async def hide(message_id: int, why: str, now: datetime, *, by: str = "system", author: str = "助手") -> Entry:
    """Hide a shown message from all but its sender and staff, with an entry that says so; again, nothing happens."""
    async with transaction():
        entry = await lock_room(message_id)
        return await _hide(entry, why, now, by, author) if entry.state is MessageState.SHOWN else entry


async def _hide(entry: Entry, why: str, now: datetime, by: str, author: str) -> Entry:
    await fetch(_STATE, entry.id, MessageState.REMOVED, why[:200])
    await append(entry.room_id, MessageKind.REMOVAL, "", now, sender=by, author=author, target=entry.id)
    return await room_entries.read(entry.id)


async def remove(person: Person, message_id: int, why: str, now: datetime, source: str = "") -> Entry:
    """Staff take a message out of a grid's room, with a reason its sender is told. What was not shown yet is refused.

    Raises NotFound, NotAllowed for residents and for messages of staff who are not theirs to correct, Conflict for what
    is gone already.
    """
    async with transaction():
        member, entry = await _found(person, message_id, "remove")
        if not _may_remove(member, entry):
            raise NotAllowed(
                f"{member.who} may not remove {message_id}",
                say="您不能移除这条消息。",
                tag="room_message:remove",
                object_id=message_id,
            )
        if entry.state in (MessageState.RECALLED, MessageState.REMOVED) or entry.kind not in SPOKEN:
            raise Conflict("nothing to remove", say="这条消息已经不在群里了。")
        if entry.state in _UNSEEN:
            await fetch(_STATE, entry.id, MessageState.REFUSED, why[:200])
            entry = await room_entries.read(entry.id)
        else:
            entry = await _hide(entry, why, now, member.who, member.name)
        by = member.post.id if member.post else None
        await close_reviews(message_id, ReviewOutcome.HIDDEN, now, staff_id=by, answer=why)
        if not is_me(person, entry.by):
            await review_notices.tell_hidden(entry, why, now)
        await audit(member.who, "room_message:remove", message_id, now, source=source)
    return entry


def _may_remove(member: Member, entry: Entry) -> bool:
    post = member.post
    if post is None or post.role is Role.DEPARTMENT_STAFF or member.room.kind is RoomKind.PRIVATE:
        return False
    return not entry.staff or entry.by == member.who or post.dispatches


_EMPTY = """
UPDATE room_message SET state = 'recalled', text = '', data = '{}', hint = NULL, intent = '', why = '' WHERE id = $1
"""


async def recall(person: Person, message_id: int, now: datetime, source: str = "") -> Entry:
    """Its sender takes a message back within two minutes: its words are gone for everybody. Again, nothing happens.

    Raises NotFound, NotAllowed for what somebody else sent, Conflict when it is too late.
    """
    async with transaction():
        member, entry = await _found(person, message_id, "recall")
        if not is_me(person, entry.by) or entry.kind not in SPOKEN:
            raise NotAllowed(
                f"{member.who} may not recall {message_id}",
                say="只能撤回自己发的消息。",
                tag="room_message:recall",
                object_id=message_id,
            )
        if entry.state is MessageState.RECALLED:
            return entry
        if entry.state is MessageState.REMOVED:
            raise Conflict("removed", say="这条消息已经被工作人员移除了。")
        if entry.seq is not None and now - entry.at > RECALL_WITHIN:
            raise Conflict("too late", say="发出超过两分钟，不能撤回了。需要的话请网格员帮您移除。")
        await fetch(_EMPTY, entry.id)
        await close_reviews(entry.id, ReviewOutcome.HIDDEN, now)
        if entry.seq is not None:
            await append(
                entry.room_id, MessageKind.RECALL, "", now, sender=entry.by, author=entry.author, target=entry.id
            )
        await audit(member.who, "room_message:recall", message_id, now, source=source)
        return await room_entries.read(message_id)


async def _found(person: Person, message_id: int, verb: str) -> tuple[Member, Entry]:
    """What this person is in a message's room, and the message, the room locked. Raises NotFound."""
    entry = await lock_room(message_id)
    return await _reader(person, entry, verb), entry


async def _reader(person: Person, entry: Entry, verb: str) -> Member:
    """What somebody is in the room of an entry they may read. Raises NotFound for whoever may not."""
    try:
        member = await sit(person, entry.room_id)
    except NotFound:
        raise no_message(entry.id, verb) from None
    if entry.seq is None and not member.staff and not is_me(person, entry.by):
        raise no_message(entry.id, verb)
    return member


async def access_message(person: Person, message_id: int) -> Entry:
    """A message as this person may read it. Raises NotFound for what they may not, as if it did not exist."""
    entry = await room_entries.read(message_id)
    member = await _reader(person, entry, "read")
    return entry.as_read(staff=member.staff, me=is_me(person, entry.by))


async def entries(
    person: Person, room_id: int, *, after: int | None = None, before: int | None = None, limit: int = 50
) -> list[Entry]:
    """The room as this person may read it, in its order: what came after a number, or the last entries before one, or
    the newest. `limit` is at most 100. Raises NotFound for whoever is no member."""
    member = await sit(person, room_id)
    most = max(1, min(limit, MOST))
    if after is not None:
        found = await room_entries.after(room_id, after, most)
    else:
        found = await room_entries.before(room_id, before if before is not None else 2**62, most)
    return [entry.as_read(staff=member.staff, me=is_me(person, entry.by)) for entry in found]


async def announcements(person: Person, room_id: int, *, before: int | None = None, limit: int = 20) -> list[Entry]:
    """A room's announcements that stand, the newest first. Raises NotFound for whoever is no member."""
    await sit(person, room_id)
    most = max(1, min(limit, MOST))
    return await room_entries.announcements(room_id, before if before is not None else 2**62, most)


async def waiting(person: Person, room_id: int) -> list[Entry]:
    """What this person sent here and others do not see: it waits for a look, or was refused. Raises NotFound."""
    await sit(person, room_id)
    senders = list({person.actor, f"resident:{person.resident_id}"})
    found = await room_entries.waiting(room_id, senders, MOST)
    return [entry.as_read(me=True) for entry in found if entry.state in _UNSEEN]


async def entries_for_hub(room_id: int, after: int, limit: int = 500) -> list[Entry]:
    """The entries with the next numbers, whole: who passes them on calls `Entry.as_read` for each kind of reader."""
    return await room_entries.after(room_id, after, limit)


_READ = """
INSERT INTO room_seat (room_id, who, read_seq, muted_why) SELECT id, $2, least($3, last_seq), '' FROM room WHERE id = $1
ON CONFLICT (room_id, who) DO UPDATE SET read_seq = greatest(room_seat.read_seq, excluded.read_seq) RETURNING read_seq
"""


async def mark_read(person: Person, room_id: int, seq: int) -> int:
    """Remember how far this person has read: never backwards, never beyond the newest entry. Gives the number."""
    member = await sit(person, room_id)
    rows = await fetch(_READ, room_id, member.who, seq)
    bell.read_moved(room_id, member.who, rows[0]["read_seq"])
    if openid := (member.post.openid if member.post else person.openid):
        await relay.read_elsewhere(openid, room_id, rows[0]["read_seq"])
    return int(rows[0]["read_seq"])
