"""号源: what can be booked, as staff set it; a day's times, closed, opened again, given more seats."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit, staff
from console.shown import quoted
from console.values import MaybeDay, MaybeIdent, noon, today
from domain import booking_plans, slots
from domain.booking_plans import PlanWords
from domain.booking_tables import reminders, write_reminders
from domain.counter_desk import areas_near, plan_run, plans_run
from domain.tables import Wrong
from errors import BadRequest

pages = Pages()

_SHOWN = 50
_PLAN = "/counter/plans/{code}"


def runs_plans(visit: Visit) -> bool:
    """The community and above set what can be booked."""
    return staff(visit) and visit.post.dispatches


class Place(Form):
    """Where the page before ended."""

    after: MaybeIdent = None


@pages.get("/counter/plans", who=runs_plans)
async def list_plans(visit: Visit) -> web.StreamResponse:
    """All of them, stopped ones too."""
    query = visit.query(Place)
    found = await plans_run(visit.staff, after=query.after or 0, limit=_SHOWN)
    return visit.render(
        "plans.html",
        title="预约安排",
        plans=found,
        hours=booking_plans.hours_of,
        more=len(found) == _SHOWN,
    )


class PlanForm(Form):
    """A plan as staff write it: hours a line each, reminders as `1天、2小时`."""

    title: Annotated[str, Field(min_length=1, max_length=32, title="名称")]
    area_code: Annotated[str, Field(pattern=r"^\d{6,15}$", title="区域")]
    hours: Annotated[str, Field(min_length=1, max_length=4000, title="开放时间")]
    item_code: Annotated[str, Field(max_length=20, title="事项编码")] = ""
    place: Annotated[str, Field(max_length=200, title="地点")] = ""
    phone: Annotated[str, Field(max_length=20, pattern=r"^[0-9\-]*$", title="电话")] = ""
    opens_days: Annotated[int, Field(ge=0, le=60, title="提前几天可约")]
    closes_minutes: Annotated[int, Field(ge=0, le=10080, title="截止分钟")]
    cancel_minutes: Annotated[int, Field(ge=0, le=10080, title="取消分钟")]
    per_person: Annotated[int, Field(ge=1, le=20, title="每人可约次数")]
    waiting_most: Annotated[int, Field(ge=0, le=100, title="候补人数")]
    remind: Annotated[str, Field(max_length=60, title="提醒")] = ""
    strikes: Annotated[int, Field(ge=0, le=20, title="爽约次数")]
    strike_days: Annotated[int, Field(ge=1, le=365, title="爽约天数")]
    pause_days: Annotated[int, Field(ge=1, le=365, title="暂停天数")]
    active: bool = False

    @property
    def words(self) -> PlanWords:
        """As the domain takes it. Raises BadRequest for reminders it cannot read."""
        try:
            minutes = reminders(self.remind) if self.remind else []
        except Wrong as error:
            raise BadRequest("reminders", say=f"提醒{error.wrong}。{error.mend}") from error
        given = self.model_dump(exclude={"hours", "remind", "code"})
        lines = [line.strip() for line in self.hours.splitlines() if line.strip()]
        return PlanWords(**given, hours=lines, remind_minutes=minutes)


class NewPlan(PlanForm):
    """With its code, which stays."""

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_\-.]{0,19}$", title="编码（字母和数字）")]


@pages.get("/counter/plans/new", who=runs_plans)
async def ask_plan(visit: Visit) -> web.StreamResponse:
    """An empty form."""
    areas = await areas_near(visit.staff)
    blank = PlanWords(title="", area_code=areas[0].code if areas else "", hours=["工作日｜9:00-11:30｜30｜2"])
    return visit.render(
        "plan_new.html",
        title="新的预约安排",
        areas=areas,
        plan=blank,
        hours=blank.hours,
        remind=write_reminders(blank.remind_minutes),
    )


@pages.post("/counter/plans/new", who=runs_plans)
async def make(visit: Visit) -> web.StreamResponse:
    """Its times are there at once."""
    given = await visit.form(NewPlan)
    plan = await booking_plans.make_plan(visit.staff, given.code, given.words, visit.now, visit.source)
    return visit.go(f"/counter/plans/{quoted(plan.code)}", "预约安排建好了，居民现在就能约。")


class DayOf(Form):
    """Which day's times."""

    day: MaybeDay = None


def _code(visit: Visit) -> str:
    return visit.request.match_info["code"]


@pages.get(_PLAN, who=runs_plans)
async def show(visit: Visit) -> web.StreamResponse:
    """A day's times, and the plan to be changed."""
    day = noon(visit.query(DayOf).day, visit.now)
    plan = await plan_run(visit.staff, _code(visit))
    near = await areas_near(visit.staff)
    return visit.render(
        "plan.html",
        title=plan.title,
        plan=plan,
        area=plan.area,
        areas=[one for one in near if one.code != plan.area.code],
        hours=booking_plans.hours_of(plan),
        remind=write_reminders(plan.remind_minutes),
        lines=await booking_plans.schedule(visit.staff, plan.code, day),
        day=today(day),
    )


@pages.post(_PLAN, who=runs_plans)
async def change(visit: Visit) -> web.StreamResponse:
    """Another plan from now on; seats that are taken stay."""
    given = await visit.form(PlanForm)
    plan = await booking_plans.change_plan(visit.staff, _code(visit), given.words, visit.now, visit.source)
    return visit.go(f"/counter/plans/{quoted(plan.code)}", "改好了。已经约好的不变。")


class SlotForm(Form):
    """A time, and the day to come back to."""

    slot_id: Annotated[int, Field(ge=1, le=2**63 - 1, title="时间")]
    day: MaybeDay = None


class Closing(SlotForm):
    """Why it is closed: told to everybody who is cancelled by it."""

    reason: Annotated[str, Field(min_length=1, max_length=100, title="原因")]


class Seats(SlotForm):
    """How many seats; never fewer than are taken."""

    seats: Annotated[int, Field(ge=1, le=1000, title="名额")]


def _back(visit: Visit, given: SlotForm, sentence: str) -> web.Response:
    day = f"?day={given.day}" if given.day else ""
    return visit.go(f"/counter/plans/{quoted(_code(visit))}{day}", sentence)


@pages.post(f"{_PLAN}/close", who=runs_plans)
async def close(visit: Visit) -> web.StreamResponse:
    """Whoever sits or waits is cancelled and told why."""
    given = await visit.form(Closing)
    told = await slots.close_slot(visit.staff, given.slot_id, given.reason, visit.now, visit.source)
    return _back(visit, given, f"这个时间停办了，{told} 个预约已取消并告诉了原因。")


@pages.post(f"{_PLAN}/open", who=runs_plans)
async def reopen(visit: Visit) -> web.StreamResponse:
    """It can be booked again."""
    given = await visit.form(SlotForm)
    await slots.open_slot(visit.staff, given.slot_id, visit.now, visit.source)
    return _back(visit, given, "这个时间又能约了。被取消的人要重新约。")


@pages.post(f"{_PLAN}/seats", who=runs_plans)
async def resize(visit: Visit) -> web.StreamResponse:
    """More seats, or fewer; who waits moves up."""
    given = await visit.form(Seats)
    seats = await slots.resize_slot(visit.staff, given.slot_id, given.seats, visit.now, visit.source)
    return _back(visit, given, f"现在是 {seats} 个名额。候补的人有空位会自动补上。")
