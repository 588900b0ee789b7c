"""活动: courses, activities and volunteer shifts as residents see them; seats and who takes them are those of a plan.

Staff write one for their own area, open it, and look after it; residents of the area see what is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.bookings import runs
from domain.people import Person, Post
from domain.services import seen_areas
from errors import NotAllowed, NotFound
from models.database import fetch
from models.enums import ActivityState, BookingState, PlanKind, Role

KIND_NAMES = {PlanKind.ACTIVITY: "活动", PlanKind.COURSE: "课程", PlanKind.VOLUNTEER: "志愿服务"}
STATE_NAMES = {
    ActivityState.DRAFT: "草稿",
    ActivityState.OPEN: "报名中",
    ActivityState.HELD: "已结束",
    ActivityState.CANCELLED: "已取消",
}


@dataclass(frozen=True, slots=True)
class Session:
    """One time of an activity. `mine`: how the reader's own sign-up stands, if they have one."""

    id: int
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    waiting: int
    closed: str
    mine: BookingState | None
    booking_id: int | None

    @property
    def left(self) -> int:
        """Seats a newcomer may have; who waits comes first."""
        return 0 if self.waiting else max(0, self.capacity - self.taken)

    @property
    def signed_up(self) -> bool:
        """Whether the reader has a seat or a place on the waiting list."""
        return self.mine in (BookingState.BOOKED, BookingState.WAITING)

    def open_at(self, now: datetime) -> bool:
        """Whether it still lies ahead and takes place."""
        return not self.closed and self.starts_at > now


@dataclass(frozen=True, slots=True)
class Event:
    """An activity with its times. `code` is what is shown on the spot, for staff alone ("" for others)."""

    id: int
    plan_id: int
    kind: PlanKind
    state: ActivityState
    title: str
    words: str
    place: str
    phone: str
    area_id: int
    area_name: str
    organiser: str
    until: datetime
    waiting_most: int
    minutes: int
    why: str
    code: str
    sessions: Sequence[Session]

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]

    @property
    def is_draft(self) -> bool:
        """Whether staff alone see it yet."""
        return self.state is ActivityState.DRAFT

    @property
    def is_course(self) -> bool:
        """Whether one takes all its times together."""
        return self.kind is PlanKind.COURSE

    @property
    def mine(self) -> Session | None:
        """The first time the reader signed up for."""
        return next((one for one in self.sessions if one.signed_up), None)

    def ahead(self, now: datetime) -> list[Session]:
        """The times one may still sign up for."""
        return [one for one in self.sessions if one.open_at(now)]

    def takes_people(self, now: datetime) -> bool:
        """Whether signing up is possible at all."""
        return self.state is ActivityState.OPEN and self.until > now and bool(self.ahead(now))


_EVENTS = """
SELECT a.id, a.plan_id, p.kind, a.state, p.title, a.words, p.place, p.phone, p.area_id, r.name AS area_name,
    coalesce(s.name, '') AS organiser, a.until, p.waiting_most, a.minutes, a.why, a.check_in_code AS code
FROM activity a JOIN booking_plan p ON p.id = a.plan_id JOIN area r ON r.id = p.area_id
LEFT JOIN staff s ON s.id = a.organiser_id
WHERE a.id = ANY ($1::int[])
"""
# Of several sign-ups of one person the living one, or the latest.
_SESSIONS = """
SELECT s.plan_id, s.id, s.starts_at, s.ends_at, s.capacity, s.taken, s.waiting, s.closed, b.state AS mine,
    b.id AS booking_id
FROM slot s LEFT JOIN LATERAL (
    SELECT id, state FROM booking WHERE slot_id = s.id AND resident_id = $2
    ORDER BY state IN ('waiting', 'booked', 'arrived') DESC, id DESC LIMIT 1
) b ON true
WHERE s.plan_id = ANY ($1::int[]) ORDER BY s.starts_at, s.id
"""


async def read_events(activity_ids: Sequence[int], person: Person) -> list[Event]:
    """These activities in this order; absent ones are left out. For callers who have checked who asks."""
    rows = {row["id"]: row for row in await fetch(_EVENTS, list(activity_ids))}
    times: dict[int, list[Session]] = {row["plan_id"]: [] for row in rows.values()}
    for row in await fetch(_SESSIONS, list(times), person.resident_id):
        mine = BookingState(row["mine"]) if row["mine"] else None
        times[row.pop("plan_id")].append(Session(**(row | {"mine": mine})))
    works_in = await _posted(person.post)
    return [_event(rows[one], times, works_in) for one in activity_ids if one in rows]


def _event(row: dict[str, Any], times: dict[int, list[Session]], works_in: set[int]) -> Event:
    told = row | {"kind": PlanKind(row["kind"]), "state": ActivityState(row["state"])}
    if row["area_id"] not in works_in:
        told["code"] = ""
    return Event(**told, sessions=tuple(times[row["plan_id"]]))


_BELOW = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT id FROM down
"""


async def _posted(post: Post | None) -> set[int]:
    """The areas whose activities a post looks after."""
    if post is None or post.role is Role.DEPARTMENT_STAFF:
        return set()
    return {row["id"] for row in await fetch(_BELOW, post.area_id)}


# What still takes people, by when it begins.
_ON = """
SELECT a.id FROM activity a JOIN booking_plan p ON p.id = a.plan_id
CROSS JOIN LATERAL (SELECT min(starts_at) AS first FROM slot s
    WHERE s.plan_id = p.id AND s.closed = '' AND s.starts_at > $1) s
WHERE a.state = 'open' AND a.until > $1 AND s.first IS NOT NULL AND p.area_id = ANY ($2::int[])
    AND ($3 = '' OR p.kind = $3) AND (s.first, a.id) > ($4::timestamptz, $5)
ORDER BY s.first, a.id LIMIT $6
"""


async def list_activities(
    person: Person, now: datetime, *, kind: str = "", beyond: Event | None = None, limit: int = 20
) -> list[Event]:
    """What is on in this person's area and may be signed up for, what begins first in front; `beyond`: the last one of
    the page before."""
    after = next(iter(beyond.ahead(now)), None) if beyond else None
    place = (after.starts_at, beyond.id) if after and beyond else (now, 0)
    rows = await fetch(_ON, now, await seen_areas(person), kind, *place, limit)
    return await read_events([row["id"] for row in rows], person)


_LOOKED_AFTER = """
SELECT a.id FROM activity a JOIN booking_plan p ON p.id = a.plan_id
WHERE p.area_id = ANY ($1::int[]) AND ($2 = '' OR a.state = $2) AND ($3 = 0 OR a.id < $3) ORDER BY a.id DESC LIMIT $4
"""


async def list_looked_after(person: Person, *, state: str = "", before: int = 0, limit: int = 20) -> list[Event]:
    """For staff: all of their area and below, the newest first. Raises NotAllowed."""
    areas = await _posted(person.post)
    if not areas:
        raise NotAllowed(f"{person.actor} looks after none", say="这是工作人员用的。", chat="看活动请回复“活动”。")
    rows = await fetch(_LOOKED_AFTER, sorted(areas), state, before, limit)
    return await read_events([row["id"] for row in rows], person)


async def find_activity(person: Person, activity_id: int) -> Event:
    """One that is this person's to see: open ones of their area and those they signed up for; for staff who look after
    it, drafts too. Raises NotFound."""
    found = next(iter(await read_events([activity_id], person)), None)
    if found is None:
        raise absent(activity_id)
    signed_up = any(one.booking_id for one in found.sessions)
    public = found.state is not ActivityState.DRAFT and found.area_id in await seen_areas(person)
    if not (signed_up or public or await runs(person, found.area_id)):
        raise absent(activity_id)
    return found


async def own_event(person: Person, activity_id: int, verb: str) -> Event:
    """One that this person looks after. Raises NotFound, NotAllowed for who may only see it."""
    event = await find_activity(person, activity_id)
    if not await runs(person, event.area_id):
        tag = f"activity:{verb}"
        raise NotAllowed(f"{person.actor} may not {verb} {activity_id}", tag=tag, object_id=activity_id)
    return event


def absent(activity_id: int, verb: str = "read") -> NotFound:
    """What everybody reads who asks for one that is not theirs to see."""
    say, chat = "没有找到这个活动，可能已经结束或取消了。", "回复“活动”看现在有什么。"
    return NotFound(f"activity {activity_id}", say=say, chat=chat, tag=f"activity:{verb}", object_id=activity_id)
