"""请假与销假: staff say themselves when they are away and who does their work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from domain.clock import SHANGHAI, say_date
from domain.journal import Notice, audit
from domain.people import Person, Post, find_posts, posts_upward
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import OutboxKind, OutboxState
from models.messaging import Outbox
from models.people import Absence

_LONGEST = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Leave:
    """When somebody is away, who stands in, and how many open cases they still hold."""

    starts_at: datetime
    ends_at: datetime
    deputy: Post | None
    in_hand: int

    def days(self, now: datetime) -> str:
        """`11 月 20 日到 11 月 22 日`; the last day belongs to it."""
        first, last = say_date(self.starts_at, now), say_date(self.ends_at - timedelta(minutes=1), now)
        return first if first == last else f"{first}到 {last}"


async def take_leave(person: Person, days: tuple[date, date], deputy: str, now: datetime, source: str = "") -> Leave:
    """Write down that somebody is away from the first to the last day (Shanghai); from now on if that is today.

    `deputy`: a colleague's name, "" for none. The deputy and the level above are told.
    """
    post = _staff(person)
    starts_at, ends_at = _span(days, now)
    async with transaction():
        await fetch("SELECT id FROM staff WHERE id = $1 FOR NO KEY UPDATE", post.id)
        if await Absence.exists(staff_id=post.id, starts_at__lt=ends_at, ends_at__gt=starts_at):
            say = "您那几天已经请假了。要改请先销假，再重新请。"
            raise Conflict("away already", say=say, chat="销假就回复“销假”。")
        stands_in = await _deputy(person, deputy, starts_at, ends_at) if deputy else None
        absence = await Absence.create(
            staff_id=post.id, deputy_id=stands_in.id if stands_in else None, starts_at=starts_at, ends_at=ends_at
        )
        leave = Leave(starts_at, ends_at, stands_in, await _in_hand(post.id))
        await audit(person.actor, "absence:take", absence.id, now, source=source)
        await _tell(post, leave, now)
    return leave


def _staff(person: Person) -> Post:
    if person.post is None:
        raise NotAllowed("leave of a resident", say="这是工作人员用的。", tag="absence:take")
    return person.post


def _span(days: tuple[date, date], now: datetime) -> tuple[datetime, datetime]:
    first, last = (datetime.combine(day, time(), SHANGHAI) for day in days)
    starts_at, ends_at = max(first, now), last + timedelta(days=1)
    if ends_at <= starts_at:
        raise BadRequest("leave ends before it begins", say="结束的日子在开始之前，或者已经过去了，请再看一下日期。")
    if ends_at - starts_at > _LONGEST:
        raise BadRequest("leave too long", say="最多请 180 天。离开岗位请让社区把您停用。")
    return starts_at, ends_at


async def _deputy(person: Person, words: str, starts_at: datetime, ends_at: datetime) -> Post:
    """The colleague who is meant, and who is there at that time."""
    found = [post for post in await find_posts(person, words) if person.post and post.id != person.post.id]
    if not found:
        raise NotFound(f"no colleague {words}", say=f"没有找到同事“{words}”。请写同一个街道同事的名字。")
    if await Absence.exists(staff_id=found[0].id, starts_at__lt=ends_at, ends_at__gt=starts_at):
        raise Conflict("deputy away", say=f"{found[0].name}那几天也请假了，请换一个人。")
    return found[0]


async def _in_hand(staff_id: int) -> int:
    rows = await fetch("SELECT count(*) AS n FROM cases WHERE holder_id = $1 AND closed_at IS NULL", staff_id)
    return int(rows[0]["n"])


async def _tell(post: Post, leave: Leave, now: datetime) -> None:
    """The deputy, and the staff one level up."""
    above = [other for other in await posts_upward(post.area_id) if other.level.rank > post.level.rank]
    superiors = [other for other in above if other.level is above[0].level]
    who = f"由{leave.deputy.label}代" if leave.deputy else "没有写代办人，新任务会派给别人"
    text = f"{post.label}请假，{leave.days(now)}，{who}。"
    for other in superiors:
        if leave.deputy is None or other.id != leave.deputy.id:
            await _notify(other, text, now)
    if leave.deputy:
        await _notify(leave.deputy, f"{post.label}请假，{leave.days(now)}，这几天的新任务由您代办。", now)


async def _notify(post: Post, text: str, now: datetime) -> None:
    if post.openid:
        await Outbox.create(
            kind=OutboxKind.NOTICE,
            state=OutboxState.PENDING,
            recipient=post.openid,
            payload=Notice(post.openid, text).payload(),
            due_at=now,
            created_at=now,
        )


async def end_leave(person: Person, now: datetime, source: str = "") -> None:
    """Back: an absence that runs ends now, one that has not begun is dropped. Raises NotFound where there is none."""
    post = _staff(person)
    async with transaction():
        dropped = await Absence.filter(staff_id=post.id, starts_at__gte=now).delete()
        ended = await Absence.filter(staff_id=post.id, starts_at__lt=now, ends_at__gt=now).update(ends_at=now)
        if not dropped and not ended:
            raise NotFound("no leave", say="您没有请假。", chat="要请假请回复“请假 3天 代办人名字”。")
        await audit(person.actor, "absence:end", post.id, now, source=source)
