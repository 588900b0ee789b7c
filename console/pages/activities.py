"""活动: written, opened, changed and called off; who signed up, and a workbook to call them by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, BeforeValidator, Field

from console.deeds import Deed, again, mount
from console.frame import Form, Pages, Visit
from console.pages.counter import at_counter
from console.values import Behalf, MaybeIdent, MaybeMoment, Moment, in_china
from domain import activity_desk, sign_ups
from domain.activities import KIND_NAMES, STATE_NAMES, find_activity, list_looked_after
from domain.activity_desk import Changes, NewActivity, NewSession
from domain.booking_cards import STATE_NAMES as BOOKING_STATES
from domain.bookings import runs
from domain.consents import need
from domain.counter_desk import areas_near
from models.enums import ActivityState, PlanKind, Purpose

pages = Pages()

_SHOWN = 30
_PEOPLE = 100
_ONE = "/activities/{activity_id:[0-9]{1,9}}"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Title = Annotated[str, Field(min_length=2, max_length=32, title="活动名称（2 到 32 个字）")]
Words = Annotated[str, Field(max_length=2000, title="介绍")]
Place = Annotated[str, Field(max_length=200, title="地点")]
Phone = Annotated[str, Field(max_length=20, title="电话")]
Waiting = Annotated[int, Field(ge=0, le=1000, title="候补人数")]
Minutes = Annotated[int, Field(ge=0, le=1440, title="志愿时长")]
Seats = Annotated[int, Field(ge=1, le=5000, title="名额")]
SlotIdent = Annotated[int, Field(ge=1, le=2**63 - 1, title="场次")]


class ListQuery(Form):
    """In one state, or in all; `before`: where the page before ended."""

    state: Annotated[ActivityState | None, BeforeValidator(lambda given: given or None)] = None
    before: MaybeIdent = None


@pages.get("/activities", who=at_counter)
async def show_all(visit: Visit) -> web.StreamResponse:
    """All of the area and below, the newest first."""
    query = visit.query(ListQuery)
    found = await list_looked_after(visit.staff, state=query.state or "", before=query.before or 0, limit=_SHOWN)
    return visit.render(
        "activities.html",
        title="活动",
        events=found,
        states=STATE_NAMES,
        state=query.state or "",
        more=len(found) == _SHOWN,
    )


class SessionForm(Form):
    """A time with its seats; it ends on the day it begins, or the night after."""

    starts_at: Moment
    ends_at: Moment
    capacity: Seats

    @property
    def new(self) -> NewSession:
        """As the domain takes it."""
        return NewSession(in_china(self.starts_at), in_china(self.ends_at), self.capacity)


class ActivityForm(SessionForm):
    """An activity with its first time; `weeks`: how many weeks it takes place at that hour."""

    kind: Annotated[PlanKind, Field(title="类型")]
    title: Title
    words: Words = ""
    place: Place = ""
    phone: Phone = ""
    area_code: Annotated[str, Field(max_length=20, title="区域")] = ""
    weeks: Annotated[int, Field(ge=1, le=activity_desk.MOST_SESSIONS, title="连办几周")] = 1
    until: MaybeMoment = None
    minutes: Minutes = 0
    waiting_most: Waiting = 20

    @property
    def activity(self) -> NewActivity:
        """As the domain takes it."""
        same = self.model_dump(include={"kind", "title", "words", "place", "phone", "area_code", "minutes"})
        until = in_china(self.until) if self.until else None
        return NewActivity(**same, sessions=self._sessions(), until=until, waiting_most=self.waiting_most)

    def _sessions(self) -> Sequence[NewSession]:
        first = self.new
        weeks = [timedelta(weeks=week) for week in range(self.weeks)]
        return [NewSession(first.starts_at + one, first.ends_at + one, first.capacity) for one in weeks]


@pages.get("/activities/new", who=at_counter)
async def ask(visit: Visit) -> web.StreamResponse:
    """An empty form."""
    areas = await areas_near(visit.staff)
    return visit.render("activity_new.html", title="新的活动", areas=areas, kinds=KIND_NAMES)


@pages.post("/activities/new", who=at_counter)
async def make(visit: Visit) -> web.StreamResponse:
    """A draft."""
    given = await visit.form(ActivityForm)
    made = await activity_desk.create_activity(visit.staff, given.activity, visit.now, source=visit.source)
    return visit.go(f"/activities/{made}", "存成草稿了。看一遍，没问题就点“发布”。")


def _which(visit: Visit) -> int:
    return int(visit.request.match_info["activity_id"])


def _back(visit: Visit, sentence: str) -> web.Response:
    return visit.go(f"/activities/{_which(visit)}", sentence)


@pages.get(_ONE, who=at_counter)
async def show(visit: Visit) -> web.StreamResponse:
    """One, with its times and what can be done with it."""
    event = await find_activity(visit.staff, _which(visit))
    own = await runs(visit.staff, event.area_id)
    alive = own and event.state in (ActivityState.DRAFT, ActivityState.OPEN)
    return visit.render(
        "activity.html",
        title=event.title,
        event=event,
        state=STATE_NAMES[event.state],
        own=own,
        alive=alive,
        ahead=event.ahead(visit.now) if event.takes_people(visit.now) else [],
    )


class ChangeForm(Form):
    """What is announced."""

    title: Title
    words: Words = ""
    place: Place = ""
    phone: Phone = ""
    waiting_most: Waiting
    minutes: Minutes = 0
    until: Moment


@pages.post(f"{_ONE}/change", who=at_counter)
async def change(visit: Visit) -> web.StreamResponse:
    """Who signed up is told of another place."""
    given = await visit.form(ChangeForm)
    event = await find_activity(visit.staff, _which(visit))
    until = in_china(given.until)
    kept = given.model_dump(exclude={"until"})
    same = until.replace(second=0) == event.until.astimezone(until.tzinfo).replace(second=0, microsecond=0)
    changes = Changes(**kept, until=None if same else until)
    await activity_desk.change_activity(visit.staff, event.id, changes, visit.now, source=visit.source)
    return _back(visit, "改好了。换了地点的话，报了名的人会收到消息。")


class Why(Form):
    """A reason: told to everybody who signed up."""

    why: Annotated[str, Field(min_length=1, max_length=100, title="原因")]


class SessionChange(SessionForm):
    """Another time for one of them."""

    slot_id: SlotIdent


class SessionDrop(Why):
    """Which does not take place."""

    slot_id: SlotIdent


class SignUp(Behalf):
    """Somebody without WeChat, and which time; none for all of a course, or where there is one."""

    slot_id: MaybeIdent = None
    note: Annotated[str, Field(max_length=200, title="备注")] = ""
    wait: bool = False


@pages.post(f"{_ONE}/sign-ups", who=at_counter)
async def sign_up(visit: Visit) -> web.StreamResponse:
    """They take part."""
    given = await visit.form(SignUp)
    await need(visit.staff, Purpose.SERVICE)
    cards = await sign_ups.sign_up(
        visit.staff,
        _which(visit),
        visit.now,
        slot_id=given.slot_id or 0,
        other=given.other,
        note=given.note,
        wait=given.wait,
        source=visit.source,
    )
    codes = "、".join(card.code for card in cards)
    return _back(visit, f"报好了，请告诉{given.name}签到码 {codes}。")


class PeopleQuery(Form):
    """Of one time, or of all; `after_at` and `after`: where the page before ended."""

    session: MaybeIdent = None
    after_at: Annotated[AwareDatetime | None, BeforeValidator(lambda given: given or None)] = None
    after: MaybeIdent = None

    @property
    def beyond(self) -> dict[str, tuple[datetime, int]]:
        """As the domain takes it."""
        return {"beyond": (self.after_at, self.after)} if self.after_at and self.after else {}


@pages.get(f"{_ONE}/people", who=at_counter)
async def show_people(visit: Visit) -> web.StreamResponse:
    """Who signed up and who came, masked."""
    query = visit.query(PeopleQuery)
    event = await find_activity(visit.staff, _which(visit))
    found = await sign_ups.list_sign_ups(
        visit.staff, event.id, slot_id=query.session or 0, limit=_PEOPLE, **query.beyond
    )
    return visit.render(
        "activity_people.html",
        title=f"{event.title}的报名",
        event=event,
        cards=found,
        session=query.session,
        states=BOOKING_STATES,
        more=len(found) == _PEOPLE,
    )


@pages.get(f"{_ONE}/people.xlsx", who=at_counter)
async def export(visit: Visit) -> web.StreamResponse:
    """Everybody with names and numbers to call; audited."""
    name, book = await sign_ups.sign_ups_book(visit.staff, _which(visit), visit.now, source=visit.source)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return visit.finish(web.Response(body=book, content_type=_XLSX, headers=headers))


mount(
    pages,
    _ONE,
    (
        Deed("open", activity_desk.open_activity, "发布了，居民现在就能报名。"),
        Deed("cancel", activity_desk.cancel_activity, "活动取消了，原因已告诉报名的人。", Why, "why"),
        Deed("sessions", activity_desk.add_session, "加了一场。", SessionForm, "new"),
        Deed(
            "sessions/change",
            activity_desk.change_session,
            "这一场改好了。改了时间的话，报了名的人会收到消息。",
            SessionChange,
            "slot_id new",
        ),
        Deed(
            "sessions/drop",
            activity_desk.drop_session,
            "这一场停办了，原因已告诉报名的人。",
            SessionDrop,
            "slot_id why",
        ),
    ),
    which=_which,
    back=again("/activities", _which),
    who=at_counter,
)
