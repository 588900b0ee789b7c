"""What waits for WeChat's word before the room may see it: what to ask, and what becomes of the answer.

Nothing is shown without a "pass". No answer, a doubtful one, or nobody to ask about: staff look at it. A "risky" is
refused, and its sender may object.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

from domain.journal import audit
from domain.review_notices import tell_hidden
from domain.review_rows import open_review
from domain.room_entries import lock_room
from domain.room_messages import settle, show
from models.accounts import Upload
from models.database import fetch, from_json, transaction
from models.enums import MessageState, ReviewKind, UploadState

#: How long WeChat may take over a text, and over a picture or a recording (it says half an hour), until staff look.
TEXT_WITHIN, MEDIA_WITHIN = timedelta(minutes=15), timedelta(minutes=35)


class Word(IntEnum):
    """What was found, the worst last."""

    PASS = 0
    DOUBT = 1
    """Staff must look."""
    REFUSE = 2


@dataclass(frozen=True, slots=True)
class File:
    """A picture or a recording in question. `kind`: image, voice; `state`: new, checking, passed, refused."""

    id: UUID
    owner: str
    kind: str
    content_type: str
    size: int
    state: str


@dataclass(frozen=True, slots=True)
class Question:
    """A message that waits. `openid` is its sender's in the mini-program, "" for who is not known there, `seen_at` when
    they were last there."""

    message_id: int
    text: str
    openid: str
    seen_at: datetime | None
    file: File | None
    sent_at: datetime


# Whoever uses the API from the mini-program has it open.
_QUESTION = """
SELECT m.id, m.text, m.data, m.at, m.state, u.openid, greatest(u.seen_at, (
    SELECT max(t.seen_at) FROM login_token t WHERE t.resident_id = u.resident_id AND t.kind = 'miniapp'
)) AS seen_at
FROM room_message m LEFT JOIN LATERAL (
    SELECT openid, seen_at, resident_id FROM miniapp_user
    WHERE resident_id = CASE WHEN m.sender LIKE 'resident:%' THEN substr(m.sender, 10)::bigint END
    ORDER BY seen_at DESC LIMIT 1
) u ON true WHERE m.id = $1
"""


async def question(message_id: int) -> Question | None:
    """What is to be asked about a message; None when it does not wait any more."""
    rows = await fetch(_QUESTION, message_id)
    if not rows or rows[0]["state"] != MessageState.CHECKING:
        return None
    row = rows[0]
    data = from_json(row["data"])
    upload = await Upload.get_or_none(id=UUID(data["upload"])) if data.get("upload") else None
    text = f"{row['text']}\n{data.get('place', '')}".strip()
    file = None
    if upload:
        named = upload.kind.value, upload.content_type, upload.size, upload.state.value
        file = File(upload.id, upload.owner, *named)
    return Question(row["id"], text, row["openid"] or "", row["seen_at"], file, row["at"])


async def take_word(message_id: int, word: Word, why: str, now: datetime, source: str) -> None:
    """Show it, leave it to staff, or refuse it; what does not wait any more stays as it is."""
    async with transaction():
        entry = await lock_room(message_id)
        if entry.state is not MessageState.CHECKING:
            return
        if word is Word.PASS:
            await show(message_id, now)
            return
        refused = word is Word.REFUSE
        await settle(message_id, MessageState.REFUSED if refused else MessageState.REVIEW, why, now)
        if refused:
            await tell_hidden(entry, why, now)
        else:
            await open_review(ReviewKind.PLATFORM, entry.room_id, message_id, "system", why, now)
        await audit("system", f"room_message:{'refuse' if refused else 'review'}", message_id, now, source=source)


_ASKED = "UPDATE upload SET state = 'checking', trace_id = $2 WHERE id = $1 AND state = 'new'"


async def note_asked(file: File, trace_id: str) -> None:
    """WeChat looks at the file; its word comes under this trace id."""
    await fetch(_ASKED, file.id, trace_id)


_LATE = """
INSERT INTO outbox
    (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at)
VALUES ('check', 'pending', 'check:' || $1::text, jsonb_build_object('trace', $1::text, 'suggest', $2::int,
    'label', $3::text), 0, 0, $4, '', '', 0, '', $4)
"""


async def leave_word(trace_id: str, suggest: int | None, label: str, now: datetime) -> None:
    """Leave the workers what WeChat pushed about a file (`suggest` as in its answers: 0 pass, 1 review, 2 risky; None:
    it could not look): the push may be faster than the note of its question."""
    if trace_id:
        await fetch(_LATE, trace_id, suggest, label, now)


# A file in doubt may be asked about again; whoever looks at a message with it decides about the file too.
_SEEN = "UPDATE upload SET state = $2 WHERE id = $1 AND state = 'checking'"
_SHOWING = """
SELECT id FROM room_message WHERE data ? 'upload' AND data->>'upload' = $1 AND state = 'checking' ORDER BY room_id, id
"""


async def take_media_word(trace_id: str, word: Word, why: str, now: datetime) -> bool:
    """What WeChat found in a file, and what that makes of the messages with it; False for a trace nobody knows yet."""
    states = {Word.PASS: UploadState.PASSED, Word.DOUBT: UploadState.UNCHECKED, Word.REFUSE: UploadState.REFUSED}
    async with transaction():
        upload = await Upload.get_or_none(trace_id=trace_id) if trace_id else None
        if upload is None:
            return False
        if upload.state is UploadState.CHECKING:
            for message in await fetch(_SHOWING, str(upload.id)):
                await take_word(message["id"], word, why, now, f"check:{trace_id}"[:40])
            await fetch(_SEEN, upload.id, states[word])
    return True


_STUCK = """
SELECT id FROM room_message
WHERE state = 'checking' AND at < CASE WHEN data ? 'upload' THEN $2::timestamptz ELSE $1::timestamptz END
ORDER BY id LIMIT $3
"""


async def leave_to_staff(now: datetime, *, limit: int = 200) -> int:
    """Messages WeChat has not said a word on in time go to staff; gives how many."""
    rows = await fetch(_STUCK, now - TEXT_WITHIN, now - MEDIA_WITHIN, limit)
    for row in rows:
        await take_word(row["id"], Word.DOUBT, "微信没有给出检查结果", now, "job:checks")
    return len(rows)
