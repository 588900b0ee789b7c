"""What staff do with activities: write, open, change, call off; and what happens by itself when they are over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.activities import absent, find_activity
from domain.activity_notices import changed
from domain.booking_cards import Card, read_cards
from domain.booking_notices import take_back, tell
from domain.booking_seats import LockedSlot, known_reminders, lock_slot
from domain.bookings import move_up, runs
from domain.journal import audit
from domain.people import Person
from domain.slots import close_slot
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.bookings import Activity, BookingPlan, Slot
from models.database import fetch, transaction
from models.enums import ActivityState, PlanKind
from models.people import Area

MOST_SESSIONS, MOST_SEATS = 60, 5000
_AHEAD, _LONGEST = timedelta(days=366), timedelta(hours=24)
_REMIND = [1440, 120]  # minutes before the begin
_KINDS = (PlanKind.ACTIVITY, PlanKind.COURSE, PlanKind.VOLUNTEER)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A time with its seats."""

    starts_at: datetime
    ends_at: datetime
    capacity: int

    def checked(self, now: datetime) -> NewSession:
        """Itself. Raises BadRequest that says what is wrong."""
        if not now < self.starts_at < now + _AHEAD:
            raise BadRequest("begin", say="开始时间要在现在之后、一年之内。")
        if not self.starts_at < self.ends_at <= self.starts_at + _LONGEST:
            raise BadRequest("end", say="结束时间要在开始之后，一场最长 24 小时。")
        if not 1 <= self.capacity <= MOST_SEATS:
            raise BadRequest("capacity", say=f"名额要在 1 到 {MOST_SEATS} 之间。")
        return self


@dataclass(frozen=True, slots=True)
class NewActivity:
    """What staff write. `area_code` "" = their own; `until` None = until the last time begins, of a course the first;
    `minutes`: volunteer time for each time somebody comes."""

    kind: PlanKind
    title: str
    sessions: Sequence[NewSession]
    words: str = ""
    place: str = ""
    phone: str = ""
    area_code: str = ""
    until: datetime | None = None
    minutes: int = 0
    waiting_most: int = 20

    def checked(self, now: datetime) -> NewActivity:
        """Itself. Raises BadRequest that says what is wrong."""
        if self.kind not in _KINDS:
            raise BadRequest(f"kind {self.kind}", say="请选：活动、课程或志愿服务。")
        if not 2 <= len(_on_one_line(self.title)) <= 32:
            raise BadRequest("title", say="活动名称写 2 到 32 个字。")
        if not 1 <= len(self.sessions) <= MOST_SESSIONS:
            raise BadRequest("sessions", say=f"请写至少一个时间，最多 {MOST_SESSIONS} 个。")
        if len({one.checked(now).starts_at for one in self.sessions}) < len(self.sessions):
            raise BadRequest("sessions", say="有两场的开始时间一样，请改一个。")
        if self.minutes and self.kind is not PlanKind.VOLUNTEER:
            raise BadRequest("minutes", say="只有志愿服务记时长，请把类型改成志愿服务。")
        check_until(self.closes, self.last, now)
        return self

    @property
    def closes(self) -> datetime:
        """The last moment to sign up."""
        return self.until or (self.first if self.kind is PlanKind.COURSE else self.last)

    @property
    def first(self) -> datetime:
        return min(one.starts_at for one in self.sessions)

    @property
    def last(self) -> datetime:
        return max(one.starts_at for one in self.sessions)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def of_chat(kind: str, title: str, sessions: Sequence[NewSession], words: str, place: str) -> NewActivity:
    """What was answered in chat: a volunteer shift is worth the time it takes."""
    minutes = max(int((one.ends_at - one.starts_at).total_seconds() // 60) for one in sessions)
    worth = minutes if kind == PlanKind.VOLUNTEER else 0
    return NewActivity(PlanKind(kind), title, sessions, words, place, minutes=worth)


def check_until(until: datetime, last: datetime, now: datetime) -> None:
    """Raises BadRequest where nobody could sign up before that moment, or could after the last begin."""
    if not now < until <= last:
        raise BadRequest("until", say="报名截止要在现在之后，不晚于最后一场开始。")


async def create_activity(person: Person, new: NewActivity, now: datetime, *, source: str = "") -> int:
    """Write one down as a draft; gives its id. Raises BadRequest, NotAllowed, NotFound for an area that is not the
    person's."""
    new = new.checked(now)
    area_id = await _own_area(person, new.area_code)
    async with transaction():
        plan = await BookingPlan.create(
            code=f"A{secrets.token_hex(6)}",
            kind=new.kind,
            title=_on_one_line(new.title),
            place=_on_one_line(new.place),
            phone=_on_one_line(new.phone),
            area_id=area_id,
            opens_days=_AHEAD.days + 1,
            closes_minutes=0,
            per_person=len(new.sessions),
            waiting_most=new.waiting_most,
            remind_minutes=_REMIND,
            strikes=0,
        )
        made = await Activity.create(
            plan=plan,
            words=new.words.strip(),
            organiser_id=person.post.id if person.post else None,
            until=new.closes,
            minutes=new.minutes,
            created_at=now,
        )
        for one in new.sessions:
            await _add_slot(plan.id, one)
        await audit(person.actor, "activity:make", made.id, now, source=source)
    return made.id


async def _own_area(person: Person, code: str) -> int:
    post = person.post
    if post is None:
        raise NotAllowed(f"{person.actor} is no staff", say="发布活动是工作人员的事。想办活动可以告诉网格员。")
    area = await Area.get_or_none(code=code) if code else await Area.get(id=post.area_id)
    if area is None or not await runs(person, area.id):
        raise NotFound("area of another", say="没有这个地方，或不归您管。请重新选。", tag="area:read", object_id=None)
    return area.id


async def _add_slot(plan_id: int, new: NewSession) -> int:
    slot = await Slot.create(plan_id=plan_id, starts_at=new.starts_at, ends_at=new.ends_at, capacity=new.capacity)
    slot_id: int = slot.id
    return slot_id


async def _lock(person: Person, activity_id: int, verb: str) -> tuple[Activity, BookingPlan]:
    """Hold an activity that this person looks after. Raises NotFound, or NotAllowed for who may only see it."""
    activity = await Activity.filter(id=activity_id).select_for_update(of=("activity",)).select_related("plan").first()
    if activity is None:
        raise absent(activity_id, verb)
    if not await runs(person, activity.plan.area_id):
        await find_activity(person, activity_id)
        tag = f"activity:{verb}"
        raise NotAllowed(f"{person.actor} may not {verb} {activity_id}", tag=tag, object_id=activity_id)
    return activity, activity.plan


_DRAWS = 50
_FREE_CODE = """
SELECT $1::text NOT IN (SELECT check_in_code FROM activity WHERE state = 'open') AS free
"""


async def open_activity(person: Person, activity_id: int, now: datetime, *, source: str = "") -> None:
    """Let people sign up. Once more changes nothing. Raises NotFound, Conflict where nothing lies ahead."""
    async with transaction():
        activity, _ = await _lock(person, activity_id, "open")
        if activity.state is ActivityState.OPEN:
            return
        ahead = await Slot.filter(plan_id=activity.plan_id, starts_at__gt=now, closed="").count()
        if activity.state is not ActivityState.DRAFT or not ahead or activity.until <= now:
            raise Conflict(
                f"activity {activity_id} is {activity.state}", say="时间已过或已经结束，不能发布。请先改时间。"
            )
        activity.state, activity.check_in_code = ActivityState.OPEN, await _draw_code()
        await activity.save(update_fields=["state", "check_in_code"])
        await audit(person.actor, "activity:open", activity_id, now, source=source)


async def _draw_code() -> str:
    """Four digits that no other open activity has, as long as a city has digits enough: what is typed on the spot is
    looked for near by alone."""
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(9000) + 1000}"
        if (await fetch(_FREE_CODE, code))[0]["free"]:
            break
    return code


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be another; None = stays."""

    title: str | None = None
    words: str | None = None
    place: str | None = None
    phone: str | None = None
    until: datetime | None = None
    waiting_most: int | None = None
    minutes: int | None = None


async def change_activity(
    person: Person, activity_id: int, changes: Changes, now: datetime, *, source: str = ""
) -> None:
    """Change what is announced. Another place is told to everybody who signed up. Raises NotFound, BadRequest, Conflict
    for one that is over."""
    async with transaction():
        activity, plan = await _lock(person, activity_id, "change")
        _check_alive(activity)
        moved = changes.place is not None and _on_one_line(changes.place) != plan.place
        for name in ("title", "place", "phone", "waiting_most"):
            if (value := getattr(changes, name)) is not None:
                setattr(plan, name, _on_one_line(value) if isinstance(value, str) else value)
        if not 2 <= len(plan.title) <= 32:
            raise BadRequest("title", say="活动名称写 2 到 32 个字。")
        await _change_announcement(activity, plan, changes, now)
        await plan.save(update_fields=["title", "place", "phone", "waiting_most"])
        await activity.save(update_fields=["words", "minutes", "until"])
        await audit(person.actor, "activity:change", activity_id, now, source=source)
        if moved and activity.state is ActivityState.OPEN:
            for card in await _signed_up(plan.id, now):
                await tell(changed(card, "地点", now), now)


async def _change_announcement(activity: Activity, plan: BookingPlan, changes: Changes, now: datetime) -> None:
    if changes.words is not None:
        activity.words = changes.words.strip()
    if changes.minutes is not None:
        if changes.minutes and plan.kind is not PlanKind.VOLUNTEER:
            raise BadRequest("minutes", say="只有志愿服务记时长。")
        activity.minutes = changes.minutes
    if changes.until is not None:
        begins = [slot.starts_at for slot in await Slot.filter(plan_id=plan.id, closed="")]
        check_until(changes.until, max(begins, default=now), now)
        activity.until = changes.until


def _check_alive(activity: Activity) -> None:
    if activity.state not in (ActivityState.DRAFT, ActivityState.OPEN):
        raise Conflict(f"activity {activity.id} is {activity.state}", say="这个活动已经结束或取消了，不能再改。")


_LIVE = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE b.plan_id = $1 AND b.state IN ('waiting', 'booked') AND s.starts_at > $2 ORDER BY b.id
"""


async def _signed_up(plan_id: int, now: datetime) -> list[Card]:
    return await read_cards([row["id"] for row in await fetch(_LIVE, plan_id, now)])


async def add_session(person: Person, activity_id: int, new: NewSession, now: datetime, *, source: str = "") -> int:
    """One more time; gives its id. Raises NotFound, BadRequest, Conflict where another begins just then."""
    new = new.checked(now)
    async with transaction():
        activity, plan = await _lock(person, activity_id, "change")
        _check_alive(activity)
        count = await Slot.filter(plan_id=plan.id).count()
        if count >= MOST_SESSIONS:
            raise BadRequest("sessions", say=f"一个活动最多 {MOST_SESSIONS} 场。")
        await _check_begin(plan.id, new.starts_at)
        slot_id = await _add_slot(plan.id, new)
        await BookingPlan.filter(id=plan.id).update(per_person=count + 1)
        await audit(person.actor, "activity:add_session", activity_id, now, source=source)
    return slot_id


async def _check_begin(plan_id: int, starts_at: datetime, but: int = 0) -> None:
    if await Slot.filter(plan_id=plan_id, starts_at=starts_at).exclude(id=but).exists():
        raise Conflict(f"plan {plan_id} has a session then", say="这个时间已经有一场了，请换个时间。")


_MOVE = "UPDATE slot SET starts_at = $2, ends_at = $3, capacity = $4 WHERE id = $1"
# People before their slot, as everywhere (`domain.booking_seats`).
_WHO_SITS = """
SELECT FROM resident WHERE id IN (SELECT resident_id FROM booking WHERE slot_id = $1 AND state IN ('waiting', 'booked'))
ORDER BY id FOR KEY SHARE
"""
_REMIND_AGAIN = "UPDATE booking SET reminded = $2::jsonb WHERE slot_id = $1 AND state IN ('waiting', 'booked')"


async def change_session(
    person: Person, activity_id: int, slot_id: int, new: NewSession, now: datetime, *, source: str = ""
) -> None:
    """Another time, or more or fewer seats. Who signed up is told of another time and reminded of that one; who waits
    moves up where there are more seats. Raises NotFound, BadRequest, Conflict for fewer seats than people."""
    async with transaction():
        activity, plan = await _lock(person, activity_id, "change")
        _check_alive(activity)
        await fetch(_WHO_SITS, slot_id)
        slot = await _locked(plan.id, activity_id, slot_id, now)
        new = new.checked(now)
        if slot.starts_at <= now:
            raise Conflict(f"slot {slot_id} has begun", say="这一场已经开始了，不能再改。")
        if new.capacity < slot.taken:
            raise Conflict(f"{slot.taken} signed up", say=f"已经有 {slot.taken} 人报上了，名额不能再少。")
        await _check_begin(plan.id, new.starts_at, slot_id)
        moved = (new.starts_at, new.ends_at) != (slot.starts_at, slot.ends_at)
        await fetch(_MOVE, slot_id, new.starts_at, new.ends_at, new.capacity)
        await audit(person.actor, "activity:change_session", activity_id, now, source=source)
        if moved and activity.state is ActivityState.OPEN:
            await _tell_moved(plan.id, slot_id, new.starts_at, now)
        again = await lock_slot(slot_id, now)
        if again is not None:
            await move_up(again, now)


async def _tell_moved(plan_id: int, slot_id: int, starts_at: datetime, now: datetime) -> None:
    for card in await _signed_up(plan_id, now):
        if card.slot_id == slot_id:
            await take_back(card.id)
            await tell(changed(card, "时间", now), now)
    await fetch(_REMIND_AGAIN, slot_id, await known_reminders(plan_id, starts_at, now))


async def _locked(plan_id: int, activity_id: int, slot_id: int, now: datetime) -> LockedSlot:
    slot = await lock_slot(slot_id, now)
    if slot is None or slot.plan_id != plan_id:
        say = "没有找到这一场，请刷新后再试。"
        raise NotFound(f"session {slot_id} of {activity_id}", say=say, tag="activity:change", object_id=activity_id)
    return slot


async def drop_session(
    person: Person, activity_id: int, slot_id: int, why: str, now: datetime, *, source: str = ""
) -> None:
    """One time does not take place: who signed up for it is told why. Raises NotFound, BadRequest without a reason."""
    why = checked_why(why)
    async with transaction():
        activity, plan = await _lock(person, activity_id, "change")
        _check_alive(activity)
        await _locked(plan.id, activity_id, slot_id, now)
        await close_slot(person, slot_id, why, now, source)
        await audit(person.actor, "activity:drop_session", activity_id, now, source=source)


async def cancel_activity(person: Person, activity_id: int, why: str, now: datetime, *, source: str = "") -> None:
    """Call it off: what has not begun does not take place, and everybody who signed up is told why. Once more changes
    nothing. Raises NotFound, BadRequest without a reason, Conflict for one that is over."""
    why = checked_why(why)
    async with transaction():
        activity, plan = await _lock(person, activity_id, "cancel")
        if activity.state is ActivityState.CANCELLED:
            return
        _check_alive(activity)
        activity.state, activity.why = ActivityState.CANCELLED, why
        await activity.save(update_fields=["state", "why"])
        for row in await fetch(_TO_END, plan.id, now):
            await close_slot(person, row["id"], why, now, source)
        await audit(person.actor, "activity:cancel", activity_id, now, source=source)


_TO_END = "SELECT id FROM slot WHERE plan_id = $1 AND starts_at > $2 AND closed = '' ORDER BY id"


def checked_why(why: str) -> str:
    """A reason as people read it. Raises BadRequest where there is none."""
    why = " ".join(why.split())[:100]
    if not why:
        raise BadRequest("no reason", say="请写一句原因，报了名的人会看到。")
    return why


_OVER = """
UPDATE activity a SET state = 'held' WHERE a.state = 'open'
    AND EXISTS (SELECT FROM slot s WHERE s.plan_id = a.plan_id AND s.closed = '')
    AND NOT EXISTS (SELECT FROM slot s WHERE s.plan_id = a.plan_id AND s.ends_at > $1 AND s.closed = '')
RETURNING a.id
"""


async def note_held(now: datetime) -> int:
    """Activities whose last time has ended are over; gives how many. For the scheduler."""
    async with transaction():
        rows = await fetch(_OVER, now)
        for row in rows:
            await audit("system", "activity:held", row["id"], now)
    return len(rows)
