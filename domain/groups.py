"""Groups on other platforms (WeCom groups first): what is said there comes into a grid's room as if it had been said
here, and answers and announcements go back.

A group's robot (its address) sends; whatever reads the group for us signs what it passes on, as connectors do.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain import review_rows, room_entries
from domain.connectors import url_fault
from domain.journal import audit
from domain.room_entries import Draft
from domain.room_messages import append
from domain.room_words import LONGEST, Entry, clean
from domain.rooms import room_of_grid
from domain.screening import screen
from errors import BadRequest, Conflict, NotFound
from models.database import fetch, from_json, transaction
from models.enums import GroupPlatform, Level, MessageKind, MessageState, ReviewKind
from models.people import Area
from models.rooms import GroupLink, Room

#: The time in which a robot's messages are counted.
A_MINUTE = timedelta(minutes=1)

#: What neighbours read behind the name of somebody who writes there.
PLATFORM_NAMES = {GroupPlatform.WECOM: "企业微信群", GroupPlatform.SIGNED: "外部群"}
_NAME = 20  # characters of a name that are shown


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What an operator says of a group. `grid` is the grid's code; `url` "" = nothing goes out."""

    name: str
    grid: str
    platform: str = GroupPlatform.WECOM.value
    url: str = ""


async def add_group(plan: GroupPlan, now: datetime, *, plain_http: bool = False) -> str:
    """Connect a group with the room of a grid; gives the shared key. Raises BadRequest, Conflict, NotFound."""
    if not plan.name or not all(letter.isalnum() or letter in "-_" for letter in plan.name) or len(plan.name) > 32:
        raise BadRequest("a group's name has letters, digits, - and _, 32 at most: it is part of its address")
    if plan.platform not in list(GroupPlatform):
        raise BadRequest(f"no platform {plan.platform!r}: there are {', '.join(GroupPlatform)}")
    if plan.url and (fault := url_fault(plan.url, plain_http=plain_http)):
        raise BadRequest(fault)
    secret = secrets.token_urlsafe(32)
    async with transaction():
        grid = await Area.get_or_none(code=plan.grid, level=Level.GRID)
        if grid is None:
            raise NotFound(f"no grid with code {plan.grid}")
        if await GroupLink.exists(name=plan.name):
            raise Conflict(f"there is a group {plan.name} already")
        room = await room_of_grid(grid.id)
        made = await GroupLink.create(
            name=plan.name,
            platform=GroupPlatform(plan.platform),
            room_id=room.id,
            secret=secret,
            url=plan.url,
            created_at=now,
        )
        await audit("system", "group:add", made.id, now)
    return secret


async def stop_group(name: str, now: datetime) -> None:
    """Send nothing more and let nothing more in. Raises NotFound."""
    async with transaction():
        link = await find_group(name)
        link.active = False
        await link.save(update_fields=["active"])
        await audit("system", "group:stop", link.id, now)


async def find_group(name: str) -> GroupLink:
    """A group by its name. Raises NotFound."""
    found = await GroupLink.get_or_none(name=name)
    if found is None:
        raise NotFound(f"no group {name}: see `linli groups list`")
    return found


_LIST = """
SELECT l.name, l.platform, l.url, l.active, c.name || g.name AS grid,
    count(o.id) FILTER (WHERE o.finished_at IS NULL) AS waiting,
    count(o.id) FILTER (WHERE o.state = 'parked') AS parked,
    max(o.finished_at) FILTER (WHERE o.state = 'sent') AS sent_at,
    (array_agg(o.error ORDER BY o.id DESC) FILTER (WHERE o.error <> '' AND o.state <> 'sent'))[1] AS error,
    (SELECT max(m.at) FROM room_message m WHERE m.room_id = l.room_id AND m.sender = 'group:' || l.id) AS heard_at
FROM group_link l JOIN room r ON r.id = l.room_id JOIN area g ON g.id = r.grid_id JOIN area c ON c.id = g.parent_id
LEFT JOIN outbox o ON o.kind = 'group' AND o.recipient = 'group:' || l.id
GROUP BY l.id, g.name, c.name ORDER BY l.name
"""


async def list_groups() -> list[dict[str, Any]]:
    """Each group with what waits for it, what was put aside, and when something last came and went."""
    return await fetch(_LIST)


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """Something said there. `message_id`, `sender_id` and `reply_to` are the platform's own names."""

    message_id: str
    text: str
    sender_id: str = ""
    sender_name: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The entry it became; whether it had come before."""

    entry: Entry
    repeated: bool


_KNOWN = "SELECT id FROM room_message WHERE room_id = $1 AND sender = $2 AND client_id = $3"


async def take_message(link: GroupLink, message: GroupMessage, now: datetime) -> Taken:
    """Put what was said in a group into its room; the same message works once. What our words refuse is not shown,
    what they doubt waits for staff. Raises BadRequest for what no room takes."""
    text, name = clean(message.text), " ".join(clean(message.sender_name).split())
    if not text or len(text) > LONGEST:
        raise BadRequest("text", say=f"消息要有 1 到 {LONGEST} 个字。")
    if clean(message.message_id) != message.message_id:
        raise BadRequest("message_id", say="message_id 里有看不见的字符。")
    sender = f"group:{link.id}"
    async with transaction():
        if found := await fetch(_KNOWN, link.room_id, sender, message.message_id):
            return Taken(await room_entries.read(found[0]["id"]), repeated=True)
        room = await Room.get(id=link.room_id)
        # WeChat's own check asks about its users; of others our words decide, as of staff, and staff where they doubt.
        found_out = screen(room.kind, MessageKind.TEXT, f"{name}\n{text}", staff=True)
        state = found_out.state
        if state is MessageState.SHOWN and found_out.why:
            state = MessageState.REVIEW
        draft = Draft(
            MessageKind.TEXT,
            text,
            sender,
            f"{name[:_NAME] or '群友'}（{PLATFORM_NAMES[link.platform]}）",
            message.message_id,
            state,
            found_out.why,
            {"sender": message.sender_id} if message.sender_id else {},
            await _answered(link, message.reply_to),
        )
        return await _written(room, draft, now)


async def _answered(link: GroupLink, reply_to: str) -> int | None:
    """The entry that a message of theirs became; what is not known is answered to nobody."""
    found = await fetch(_KNOWN, link.room_id, f"group:{link.id}", reply_to) if reply_to else []
    return int(found[0]["id"]) if found else None


async def _written(room: Room, draft: Draft, now: datetime) -> Taken:
    if draft.state is MessageState.SHOWN:
        entry = await append(
            room.id,
            draft.kind,
            draft.text,
            now,
            sender=draft.sender,
            author=draft.author,
            reply_to=draft.reply_to,
            data=draft.data,
            client_id=draft.client_id,
        )
        return Taken(entry, repeated=False)
    entry, new = await room_entries.write(room.id, draft, now)
    if new and draft.state is MessageState.REVIEW:
        await review_rows.open_review(ReviewKind.WORDS, room.id, entry.id, "system", draft.why, now)
    return Taken(entry, repeated=not new)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a job sends. `mention` and `reply_to`: who is answered, and which message of theirs, by the platform's own
    names, "" = nobody."""

    link: int
    name: str
    platform: GroupPlatform
    url: str
    secret: str
    announcement: bool
    author: str
    text: str
    at: datetime
    mention: str
    reply_to: str
    case_number: str

    @property
    def line(self) -> str:
        """网格员王芳：明天修."""
        return f"{self.author}：{self.text}"


_ASKED = "SELECT client_id, data, author FROM room_message WHERE id = $1 AND sender = $2"
_WORDLESS = {MessageKind.IMAGE: "［照片］", MessageKind.VOICE: "［语音］", MessageKind.LOCATION: "［位置］"}


async def compose(payload: Mapping[str, Any]) -> Outgoing | None:
    """What a job sends; None when the group was stopped or the entry is not shown any more."""
    link = await GroupLink.get_or_none(id=payload["link"], active=True)
    try:
        entry = await room_entries.read(payload["message"])
    except NotFound:
        return None
    if link is None or not link.url or entry.state is not MessageState.SHOWN:
        return None
    asked = await fetch(_ASKED, entry.reply_to, f"group:{link.id}") if entry.reply_to else []
    data = from_json(asked[0]["data"]) if asked else {}
    return Outgoing(
        link=link.id,
        name=link.name,
        platform=link.platform,
        url=link.url,
        secret=link.secret,
        announcement=entry.kind is MessageKind.ANNOUNCEMENT,
        author=entry.author,
        text=entry.text or _WORDLESS.get(entry.kind, ""),
        at=entry.at,
        mention=str(data.get("sender", "")),
        reply_to=asked[0]["client_id"] if asked else "",
        case_number=entry.case_number,
    )


_SENT = """
SELECT coalesce(sum(used), 0)::int AS sent FROM outbox WHERE recipient = $1 AND kind = 'group' AND finished_at > $2
"""


async def sent_since(link_id: int, moment: datetime) -> int:
    """Messages a group's robot has sent since then."""
    return int((await fetch(_SENT, f"group:{link_id}", moment))[0]["sent"])
