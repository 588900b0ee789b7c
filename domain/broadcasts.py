"""群发与推送: written once, looked at by a second person, then sent by itself. Here: from the draft to the approval.

Who answers for an area writes what is told there; somebody else of the same or a higher area approves exactly the
version they read (四眼). Whatever is changed after that needs a new look. What goes out is `domain.broadcast_runs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import broadcast_notices
from domain.audience_previews import need_sensitive
from domain.audiences import check_audience
from domain.broadcast_calendar import EVERY, check_calendar, next_moment
from domain.journal import audit
from domain.people import Person, Post, ancestors, posts_upward
from domain.services import find_item
from domain.worktime import load_calendar
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.broadcasts import Broadcast
from models.database import fetch, transaction
from models.enums import BroadcastState, Channel, Role

__all__ = [
    "Broadcast",
    "BroadcastState",
    "Channel",
    "Draft",
    "approve",
    "change",
    "create",
    "find",
    "hand_in",
    "publish",
    "refuse",
]

MOST_TITLE, MOST_TEXT = 32, 500
"""Letters. A service message has 2,048 bytes, some of them for the title and the choices."""

_TOPIC = re.compile(r"[\w\u4e00-\u9fff]{1,24}")
_LINK = re.compile(r"https://[^\s<>\"]{4,290}")
_DAILY = {"days": [EVERY], "time": "09:00"}

STATE_NAMES = {
    BroadcastState.DRAFT: "草稿",
    BroadcastState.WAITING: "待审批",
    BroadcastState.APPROVED: "已批准",
    BroadcastState.PAUSED: "已暂停",
    BroadcastState.DONE: "已发完",
    BroadcastState.REFUSED: "未批准",
    BroadcastState.CANCELLED: "已取消",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to tell. `audience` as in `domain.audiences`, `event` as in `domain.life_dates`, `calendar`
    as in `domain.broadcast_calendar`; `area_code` = "" is the author's own area."""

    title: str
    text: str
    audience: Mapping[str, Any]
    topic: str = "notice"
    channels: Sequence[Channel] = (Channel.NOTICE,)
    link: str = ""
    item_code: str = ""
    urgent: bool = False
    event: Mapping[str, Any] | None = None
    calendar: Mapping[str, Any] = field(default_factory=dict)
    area_code: str = ""


async def create(person: Person, draft: Draft, now: datetime, source: str = "") -> Broadcast:
    """Write a draft. Raises NotAllowed for who answers for no area, BadRequest that names what does not fit."""
    post = officer(person, "create")
    async with transaction():
        fields = await _checked(person, post, draft, now, source)
        broadcast = await Broadcast.create(**fields, author_id=post.id, created_at=now, changed_at=now)
        await audit(person.actor, "broadcast:create", broadcast.id, now, source=source)
    return broadcast


_UNDER_WAY = (
    "SELECT 1 FROM broadcast_run WHERE broadcast_id = $1 AND state IN ('planned', 'listing', 'sending') LIMIT 1"
)


async def change(person: Person, broadcast_id: int, draft: Draft, now: datetime, source: str = "") -> Broadcast:
    """Write it anew: a new version, which somebody must approve again. Raises NotFound, NotAllowed for who is not its
    author, Conflict while it is being sent or is over."""
    async with transaction():
        broadcast, post = await _own(person, broadcast_id, "change")
        if broadcast.state in (BroadcastState.DONE, BroadcastState.CANCELLED) or await fetch(_UNDER_WAY, broadcast_id):
            raise _conflict(broadcast, "change", "已经在发或结束了，不能再改。请另写一条。")
        broadcast.update_from_dict(await _checked(person, post, draft, now, source))
        broadcast.state, broadcast.version = BroadcastState.DRAFT, broadcast.version + 1
        broadcast.approver_id = broadcast.decided_at = broadcast.next_at = broadcast.expected = None
        broadcast.why, broadcast.changed_at = "", now
        await broadcast.save()
        await audit(person.actor, "broadcast:change", broadcast_id, now, source=source)
    return broadcast


_AREA = "SELECT id FROM area WHERE code = $1"


async def _checked(person: Person, post: Post, draft: Draft, now: datetime, source: str) -> dict[str, Any]:
    """The columns of a draft. Raises BadRequest, NotAllowed for facts that are not this person's to choose by."""
    title, text = " ".join(draft.title.split()), draft.text.strip()
    if not 0 < len(title) <= MOST_TITLE:
        raise BadRequest("title", say=f"标题请写 1 到 {MOST_TITLE} 个字。")
    if not 0 < len(text) <= MOST_TEXT:
        raise BadRequest("text", say=f"正文请写 1 到 {MOST_TEXT} 个字。")
    if not _TOPIC.fullmatch(draft.topic):
        raise BadRequest("topic", say="主题请写 1 到 24 个字母、数字或汉字。")
    if draft.link and not _LINK.fullmatch(draft.link):
        raise BadRequest("link", say="网址要以 https:// 开头。")
    area_id = await _area(post, draft.area_code)
    event = dict(draft.event) if draft.event else None
    audience = await check_audience(dict(draft.audience), area_id, event=event)
    await need_sensitive(person, audience, now, source)
    channels = list(dict.fromkeys(draft.channels))
    if not channels:
        raise BadRequest("channels", say="请至少选一种发送方式：通知、群公告、群发。")
    if Channel.ROOM in channels and (audience.personal or event):
        raise BadRequest("channels", say="按个人情况挑人的通知不能发到网格群，大家都会看到。请只选通知或群发。")
    calendar = check_calendar(draft.calendar, now)
    return {
        "topic": draft.topic,
        "title": title,
        "text": text,
        "link": draft.link,
        "item_id": (await find_item(person, draft.item_code)).id if draft.item_code else None,
        "channels": [str(channel) for channel in channels],
        "urgent": draft.urgent,
        "area_id": area_id,
        "audience": dict(draft.audience),
        "event": event,
        "calendar": calendar or (_DAILY if event else {}),
    }


async def _area(post: Post, code: str) -> int:
    if not code:
        return post.area_id
    rows = await fetch(_AREA, code)
    if not rows or post.area_id not in await ancestors(rows[0]["id"]):
        raise BadRequest("area", say="只能发给自己管的范围。请核对区域编号。")
    return int(rows[0]["id"])


async def hand_in(person: Person, broadcast_id: int, expected: int, now: datetime, source: str = "") -> Broadcast:
    """Ask for approval; `expected` is how many people were counted. Whoever may approve is told. Raises NotFound,
    NotAllowed, Conflict."""
    async with transaction():
        broadcast, post = await _own(person, broadcast_id, "hand_in")
        if broadcast.state is not BroadcastState.DRAFT:
            raise _conflict(broadcast, "hand_in", f"这条通知{STATE_NAMES[broadcast.state]}，不用再提交。")
        broadcast.state, broadcast.expected, broadcast.changed_at = BroadcastState.WAITING, expected, now
        await broadcast.save()
        for approver in await approvers(broadcast):
            await broadcast_notices.to_approver(broadcast, approver, post.label, now)
        await audit(person.actor, "broadcast:hand_in", broadcast_id, now, source=source)
    return broadcast


async def approvers(broadcast: Broadcast) -> list[Post]:
    """Who may approve it and is nearest: everybody of the lowest level that has somebody other than the author."""
    posts = [post for post in await posts_upward(broadcast.area_id) if _approves(post, broadcast)]
    return [post for post in posts if post.level is posts[0].level]


def _approves(post: Post, broadcast: Broadcast) -> bool:
    return post.dispatches and post.id != broadcast.author_id


async def approve(person: Person, broadcast_id: int, version: int, now: datetime, source: str = "") -> Broadcast:
    """Let this very version go out. Raises NotFound, NotAllowed for its author and who may not approve, Conflict when
    it was changed since, or somebody was faster."""
    async with transaction():
        broadcast, post = await _to_decide(person, broadcast_id, "approve")
        if broadcast.version != version:
            raise _conflict(broadcast, "approve", "这条通知刚刚改过，请重新看一遍再批。")
        work = await load_calendar()
        broadcast.next_at = next_moment(broadcast.calendar, now, work, first=True)
        if broadcast.next_at is None:
            raise _conflict(broadcast, "approve", "安排的时间都已经过去了，请退回让作者改时间。")
        await _decide(broadcast, post, BroadcastState.APPROVED, "", now)
        await audit(person.actor, "broadcast:approve", broadcast_id, now, source=source)
    return broadcast


async def refuse(
    person: Person, broadcast_id: int, version: int, why: str, now: datetime, source: str = ""
) -> Broadcast:
    """Do not let it go out, with a reason its author is told. Raises as `approve`, BadRequest without a reason."""
    why = " ".join(why.split())[:200]
    if not why:
        raise BadRequest("why", say="请写一句为什么不同意，作者好改。")
    async with transaction():
        broadcast, post = await _to_decide(person, broadcast_id, "refuse")
        if broadcast.version != version:
            raise _conflict(broadcast, "refuse", "这条通知刚刚改过，请重新看一遍。")
        await _decide(broadcast, post, BroadcastState.REFUSED, why, now)
        await audit(person.actor, "broadcast:refuse", broadcast_id, now, source=source)
    return broadcast


async def _to_decide(person: Person, broadcast_id: int, verb: str) -> tuple[Broadcast, Post]:
    post = officer(person, verb, broadcast_id)
    broadcast = await locked(person, broadcast_id, verb)
    if not _approves(post, broadcast):
        say = "自己写的要请别人批。" if post.id == broadcast.author_id else "通知由社区或上级的工作人员批。"
        raise NotAllowed(f"{person.actor} may not {verb}", say=say, tag=f"broadcast:{verb}", object_id=broadcast_id)
    if broadcast.state is not BroadcastState.WAITING:
        raise _conflict(broadcast, verb, f"这条通知{STATE_NAMES[broadcast.state]}，不用再批。")
    return broadcast, post


async def _decide(broadcast: Broadcast, post: Post, state: BroadcastState, why: str, now: datetime) -> None:
    broadcast.state, broadcast.why, broadcast.approver_id, broadcast.decided_at = state, why, post.id, now
    await broadcast.save()
    await broadcast_notices.to_author(broadcast, post.label, now)


def officer(person: Person, verb: str, broadcast_id: int | None = None) -> Post:
    """The post of who answers for an area. Raises NotFound for everybody else where a broadcast is named, as if there
    were none, else NotAllowed."""
    post = person.post
    if post is None or post.role is Role.DEPARTMENT_STAFF:
        if broadcast_id is not None:
            raise _none(broadcast_id, verb)
        raise NotAllowed(
            f"{person.actor} may not {verb}", say="发通知由网格员和社区工作人员来做。", tag=f"broadcast:{verb}"
        )
    return post


async def find(person: Person, broadcast_id: int) -> Broadcast:
    """A broadcast of this person's area or below. Raises NotFound."""
    broadcast = await Broadcast.get_or_none(id=broadcast_id).select_related("item")
    return await _seen(person, broadcast, broadcast_id, "read")


async def locked(person: Person, broadcast_id: int, verb: str) -> Broadcast:
    """The same for an action, its row locked. In a transaction."""
    broadcast = await Broadcast.filter(id=broadcast_id).select_for_update(no_key=True).get_or_none()
    return await _seen(person, broadcast, broadcast_id, verb)


async def _seen(person: Person, broadcast: Broadcast | None, broadcast_id: int, verb: str) -> Broadcast:
    post = officer(person, verb, broadcast_id)
    if broadcast is None or post.area_id not in await ancestors(broadcast.area_id):
        raise _none(broadcast_id, verb)
    return broadcast


async def _own(person: Person, broadcast_id: int, verb: str) -> tuple[Broadcast, Post]:
    post = officer(person, verb, broadcast_id)
    broadcast = await locked(person, broadcast_id, verb)
    if broadcast.author_id != post.id:
        raise NotAllowed(
            f"{person.actor} may not {verb}",
            say="这条通知要由写的人来改。",
            tag=f"broadcast:{verb}",
            object_id=broadcast_id,
        )
    return broadcast, post


def _none(broadcast_id: int, verb: str) -> NotFound:
    return NotFound(f"broadcast {broadcast_id}", tag=f"broadcast:{verb}", object_id=broadcast_id)


def _conflict(broadcast: Broadcast, verb: str, say: str) -> Conflict:
    return Conflict(
        f"{verb} of {broadcast.id} {broadcast.state}", say=say, tag=f"broadcast:{verb}", object_id=broadcast.id
    )


async def publish(person: Person, approver: Post, draft: Draft, now: datetime, source: str = "") -> Broadcast:
    """A broadcast that another approval (of a survey) has approved together with what it announces: `person` wrote it,
    `approver` looked at it. In the running transaction if there is one; raises as `create`."""
    async with transaction():
        broadcast = await create(person, draft, now, source)
        broadcast.next_at = next_moment(broadcast.calendar, now, await load_calendar(), first=True)
        broadcast.state, broadcast.approver_id, broadcast.decided_at = BroadcastState.APPROVED, approver.id, now
        await broadcast.save()
        await audit(approver.actor, "broadcast:approve", broadcast.id, now, source=source)
    return broadcast


_LIST = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT b.id FROM broadcast b JOIN down ON down.id = b.area_id
WHERE ($2::bigint = 0 OR b.id < $2) AND ($3::text = '' OR b.state = $3) ORDER BY b.id DESC LIMIT $4
"""


async def list_broadcasts(person: Person, *, state: str = "", before: int = 0, limit: int = 20) -> list[Broadcast]:
    """What was written for this person's area and below, the newest first. Raises NotAllowed."""
    post = officer(person, "list")
    rows = await fetch(_LIST, post.area_id, before, state, limit)
    return await Broadcast.filter(id__in=[row["id"] for row in rows]).select_related("item").order_by("-id")


async def area_code(broadcast: Broadcast) -> str:
    """For which area it was written, as a draft names it."""
    return str((await fetch("SELECT code FROM area WHERE id = $1", broadcast.area_id))[0]["code"])


def as_draft(broadcast: Broadcast, item_code: str = "") -> Draft:
    """What it says, to be changed."""
    names = set(Draft.__dataclass_fields__) - {"item_code", "area_code", "channels"}
    known = {name: getattr(broadcast, name) for name in names}
    return Draft(**known, channels=[Channel(one) for one in broadcast.channels], item_code=item_code)
