"""What staff must look at in rooms: unsure words and pictures, complaints, appeals; and what they decide.

The grid's worker decides, the community's staff, or the street's; never about their own words, their own complaint, or
an appeal against what they did themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import review_notices as notices
from domain.journal import audit
from domain.people import Person
from domain.room_entries import lock_room, read
from domain.room_messages import hide, settle, show
from domain.room_words import Entry
from domain.rooms import Member, is_me, resident_label, sit
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import MessageState, ReviewKind, ReviewOutcome, Role, UploadState

#: Who decides, each in the rooms of their own area.
DECIDERS = (Role.GRID_WORKER, Role.COMMUNITY_STAFF, Role.STREET_STAFF)

_SYSTEM = "系统"


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One review as staff, or whoever asked for it, read it. `entry` is None for an appeal against being muted; `by` is
    how the room calls who asked; `decider` who decided; `mine`: the reader wrote the message."""

    id: int
    kind: ReviewKind
    room_id: int
    room_name: str
    entry: Entry | None
    mine: bool
    by: str
    reason: str
    opened_at: datetime
    outcome: ReviewOutcome
    decider: str
    decided_at: datetime | None
    answer: str


# $1 review, or null; $2 area of who decides, or null; $3 who asked, or null; then open or decided, and where to go on.
_LINES = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $2::int
    UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT v.id, v.kind, v.room_id, c.name || g.name AS room_name, v.message_id, v.by, v.reason, v.opened_at, v.outcome,
    v.decided_at, v.answer, coalesce(s.name, '') AS decider, p.nickname, w.name AS staff_name
FROM review v JOIN room r ON r.id = v.room_id JOIN area g ON g.id = r.grid_id JOIN area c ON c.id = g.parent_id
LEFT JOIN staff s ON s.id = v.decided_by_id
LEFT JOIN resident p ON p.id = CASE WHEN v.by LIKE 'resident:%' THEN substr(v.by, 10)::bigint END
LEFT JOIN staff w ON w.id = CASE WHEN v.by LIKE 'staff:%' THEN substr(v.by, 7)::int END
WHERE ($1::bigint IS NULL OR v.id = $1)
AND ($2::int IS NULL OR r.grid_id IN (SELECT id FROM down))
AND ($3::text[] IS NULL OR v.by = ANY ($3))
AND ($4::boolean IS NULL OR (v.outcome = 'open') = $4)
AND ($5::bigint IS NULL OR v.id < $5)
ORDER BY v.id DESC LIMIT $6
"""


async def list_reviews(
    person: Person, *, waiting: bool = True, before: int | None = None, limit: int = 20
) -> list[ReviewLine]:
    """What this person decides: what waits, or what was decided, the newest first. Raises NotAllowed."""
    post = person.post
    if post is None or post.role not in DECIDERS:
        raise NotAllowed(f"{person.actor} decides nothing", say="这里由网格员和社区工作人员处理。", tag="review:list")
    rows = await fetch(_LINES, None, post.area_id, None, waiting, before, limit)
    return [await _line(person, row, staff=True) for row in rows]


async def own_reviews(person: Person, *, before: int | None = None, limit: int = 20) -> list[ReviewLine]:
    """What this person complained of or appealed against, the newest first, with what was decided."""
    actors = [person.actor] + ([f"resident:{person.resident_id}"] if person.resident_id else [])
    rows = await fetch(_LINES, None, None, actors, None, before, limit)
    return [await _line(person, row, staff=False) for row in rows]


async def _line(person: Person, row: Mapping[str, Any], *, staff: bool) -> ReviewLine:
    entry = await read(row["message_id"]) if row["message_id"] else None
    by = row["staff_name"] or _SYSTEM
    if row["by"].startswith("resident:"):
        by = resident_label(row["nickname"] or "", row["room_id"], row["by"])
    mine = entry is not None and is_me(person, entry.by)
    return ReviewLine(
        row["id"],
        ReviewKind(row["kind"]),
        row["room_id"],
        row["room_name"],
        entry.as_read(staff=staff, me=mine) if entry else None,
        mine,
        by,
        row["reason"],
        row["opened_at"],
        ReviewOutcome(row["outcome"]),
        row["decider"],
        row["decided_at"],
        row["answer"],
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """A review about to be decided: its rows locked, and who decides."""

    id: int
    kind: ReviewKind
    room_id: int
    by: str
    entry: Entry | None
    member: Member


_REVIEW = "SELECT id, kind, room_id, message_id, by, outcome FROM review WHERE id = $1"
_ROOM = "SELECT id FROM room WHERE id = $1 FOR NO KEY UPDATE"


async def decide(
    person: Person, review_id: int, keep: bool, answer: str, now: datetime, source: str = ""
) -> ReviewLine:
    """Show the message (or end the mute), or leave it hidden (or muted), with a sentence for whom it concerns.

    Raises NotFound, NotAllowed for who may not decide this one, BadRequest without an answer where something stays
    hidden, Conflict when it was decided already.
    """
    async with transaction():
        review = await _locked(person, review_id)
        await _check_impartial(person, review)
        answer = answer.strip()[:200]
        if not keep and not answer:
            raise BadRequest("answer", say="请写一句原因，发消息的人会看到。")
        post = review.member.post
        if review.entry is None:
            outcome = ReviewOutcome.LIFTED if keep else ReviewOutcome.UPHELD
            await _decide_mute(review, keep, answer, now)
        else:
            outcome = ReviewOutcome.SHOWN if keep else ReviewOutcome.HIDDEN
            await _decide_message(review, review.entry, keep, answer, now)
        await fetch(_DECIDED, review.id, outcome, post.id if post else None, now, answer)
        await audit(review.member.who, f"review:{outcome}", review.id, now, source=source)
        rows = await fetch(_LINES, review.id, None, None, None, None, 1)
        return await _line(person, rows[0], staff=True)


_DECIDED = "UPDATE review SET outcome = $2, decided_by_id = $3, decided_at = $4, answer = $5 WHERE id = $1"


async def _locked(person: Person, review_id: int) -> _Case:
    """The review, read with its room locked. Raises NotFound, exactly as for none, for who decides nothing there."""
    absent = NotFound(f"review {review_id}", tag="review:decide", object_id=review_id)
    rows = await fetch(_REVIEW, review_id)
    if not rows:
        raise absent
    try:
        member = await sit(person, rows[0]["room_id"])
    except NotFound:
        raise absent from None
    if member.post is None or member.post.role not in DECIDERS:
        raise absent
    await fetch(_ROOM, member.room.id)
    row = (await fetch(_REVIEW, review_id))[0]
    if row["outcome"] != ReviewOutcome.OPEN:
        raise Conflict("decided", say="这条已经有人处理过了。", tag="review:decide", object_id=review_id)
    entry = await lock_room(row["message_id"]) if row["message_id"] else None
    return _Case(row["id"], ReviewKind(row["kind"]), row["room_id"], row["by"], entry, member)


async def _check_impartial(person: Person, review: _Case) -> None:
    """Nobody judges their own words or their own doing. Raises NotAllowed."""
    concerned = [review.by] + ([review.entry.by] if review.entry else [])
    if review.kind is ReviewKind.APPEAL:
        concerned += await doers(review.room_id, review.entry.id if review.entry else None, review.by)
    if any(is_me(person, one) for one in concerned):
        raise NotAllowed(
            f"{person.actor} is concerned in review {review.id}",
            say="这件事和您有关，要由另一位工作人员决定。",
            tag="review:decide",
            object_id=review.id,
        )


_REMOVERS = """
SELECT sender AS who FROM room_message WHERE target = $1 AND kind = 'removal' AND room_id = $2
UNION SELECT 'staff:' || decided_by_id FROM review
WHERE message_id = $1 AND outcome = 'hidden' AND decided_by_id IS NOT NULL AND kind <> 'appeal'
"""
_MUTER = "SELECT muted_by AS who FROM room_seat WHERE room_id = $1 AND who = $2"


async def doers(room_id: int, message_id: int | None, muted: str) -> list[str]:
    """Who did what an appeal is about: who hid the message, or who muted."""
    rows = await (fetch(_REMOVERS, message_id, room_id) if message_id else fetch(_MUTER, room_id, muted))
    return [row["who"] for row in rows]


async def _decide_message(review: _Case, entry: Entry, keep: bool, answer: str, now: datetime) -> None:
    was_shown = entry.state is MessageState.SHOWN
    if keep:
        await show(entry.id, now)
    elif was_shown:
        await hide(entry.id, answer, now, by=review.member.who, author=review.member.name)
    else:
        await settle(entry.id, MessageState.REFUSED, answer, now)
        await fetch(_WHY, entry.id, answer)
    await _decide_file(entry, UploadState.PASSED if keep else UploadState.REFUSED)
    if keep and not was_shown:
        await notices.tell_shown(entry, now)
    if not keep:
        await notices.tell_hidden(entry, answer, now, last=review.kind is ReviewKind.APPEAL)


_WHY = "UPDATE room_message SET why = $2 WHERE id = $1 AND state = 'removed'"
_FILE = "UPDATE upload SET state = $2 WHERE id::text = $1"


async def _decide_file(entry: Entry, state: UploadState) -> None:
    if upload := entry.data.get("upload"):
        await fetch(_FILE, upload, state)


_UNMUTE = "UPDATE room_seat SET muted_until = NULL, muted_why = '', muted_by = '' WHERE room_id = $1 AND who = $2"


async def _decide_mute(review: _Case, lift: bool, answer: str, now: datetime) -> None:
    if lift:
        await fetch(_UNMUTE, review.room_id, review.by)
        await notices.tell(review.by, "您的申诉有结果了：可以在网格群里发言了。", "可以发言了", now)
    else:
        text = f"您的申诉有结果了：暂时还不能在网格群里发言。原因：{answer}\n反映问题不受影响，直接发给公众号就行。"
        await notices.tell(review.by, text, "申诉有结果了", now)
