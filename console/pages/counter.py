"""窗口: who comes today, checking in by code, booking for somebody, the plans and their times."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, BeforeValidator, Field

from console.frame import Form, Pages, Visit, staff
from console.shown import wall
from console.values import Behalf, MaybeDay, MaybeIdent, noon, today
from domain import booking_changes, booking_plans, bookings, certificate_picture, certificates, slots
from domain.booking_cards import STATE_NAMES, Card
from domain.booking_counter import counter_list
from domain.clock import say_minutes
from domain.consents import need
from domain.counter_desk import check_in_known
from domain.volunteers import correct, time_of_shift
from errors import NotFound
from models.enums import PlanKind, Purpose, Role

pages = Pages()

_SHOWN = 100
MaybeCode = Annotated[str, Field(max_length=20, title="编码")]


def at_counter(visit: Visit) -> bool:
    """Who has to do with bookings: the community and above, and grid workers for their people."""
    return staff(visit) and (visit.post.dispatches or visit.post.role is Role.GRID_WORKER)


class DayQuery(Form):
    """A day of one plan, or of all; `after_at` and `after`: where the page before ended."""

    day: MaybeDay = None
    plan: MaybeCode = ""
    after_at: Annotated[AwareDatetime | None, BeforeValidator(lambda given: given or None)] = None
    after: MaybeIdent = None


@pages.get("/counter", who=at_counter)
async def show(visit: Visit) -> web.StreamResponse:
    """Who is expected on a day."""
    query = visit.query(DayQuery)
    day = today(noon(query.day, visit.now))
    return visit.render(
        "counter.html",
        title="窗口",
        day=day,
        is_today=day == today(visit.now),
        first_page=query.after is None,
        plan=query.plan,
        plans=await booking_plans.list_plans(visit.staff, limit=100),
        **await _listed(visit, query),
    )


@pages.get("/counter/list", who=at_counter, quiet=True)
async def refresh(visit: Visit) -> web.StreamResponse:
    """The list alone, as the page asks for it again and again."""
    query = visit.query(DayQuery)
    day = today(noon(query.day, visit.now))
    return visit.render("counter_list.html", day=day, plan=query.plan, **await _listed(visit, query))


async def _listed(visit: Visit, query: DayQuery) -> dict[str, Any]:
    beyond = (query.after_at, query.after) if query.after_at and query.after else None
    day = noon(query.day, visit.now)
    found = await counter_list(visit.staff, day, plan_code=query.plan, beyond=beyond, limit=_SHOWN)
    return {"cards": found, "more": len(found) == _SHOWN, "states": STATE_NAMES}


class Shown(Form):
    """What somebody shows at the counter."""

    code: Annotated[str, Field(pattern=r"^\d{6}$", title="签到码（六位数字）")]


@pages.post("/counter/check-in", who=at_counter)
async def check_in(visit: Visit) -> web.StreamResponse:
    """Whoever shows this code has come."""
    given = await visit.form(Shown)
    card = await bookings.check_in(visit.staff, given.code, visit.now, source=visit.source)
    return visit.go("/counter", f"{card.name or '居民'}已签到：{wall(card.starts_at)} {card.title}。")


class BookQuery(Form):
    """Which plan."""

    plan: MaybeCode = ""


@pages.get("/counter/book", who=at_counter)
async def ask_booking(visit: Visit) -> web.StreamResponse:
    """A plan, one of its times, for whom."""
    query = visit.query(BookQuery)
    free = await slots.free_slots(visit.staff, query.plan, visit.now) if query.plan else []
    plans = await booking_plans.list_plans(visit.staff, limit=100)
    return visit.render("counter_book.html", title="替居民预约", plans=plans, plan=query.plan, free=free)


class NewBooking(Behalf):
    """Somebody without WeChat, and a time."""

    slot_id: Annotated[int, Field(ge=1, le=2**63 - 1, title="时间")]
    note: Annotated[str, Field(max_length=200, title="备注")] = ""
    wait: bool = False


@pages.post("/counter/book", who=at_counter)
async def book(visit: Visit) -> web.StreamResponse:
    """Take a seat for them."""
    given = await visit.form(NewBooking)
    await need(visit.staff, Purpose.SERVICE)
    card = await bookings.book(
        visit.staff,
        given.slot_id,
        visit.now,
        other=given.other,
        note=given.note,
        wait=given.wait,
        counter=True,
        source=visit.source,
    )
    said = "已排上候补" if card.is_waiting else "约好了"
    return visit.go(f"/counter/bookings/{card.id}", f"{said}，请告诉{card.name}签到码 {card.code}。")


@pages.get("/counter/bookings/{booking_id:[0-9]{1,18}}", who=at_counter)
async def show_booking(visit: Visit) -> web.StreamResponse:
    """One booking with what can be done with it now."""
    card = await bookings.find_booking(visit.staff, _booking(visit))
    may_move = card.is_live and card.starts_at > visit.now and not card.is_activity
    others = await slots.free_slots(visit.staff, card.plan_code, visit.now) if may_move else []
    runs = await bookings.runs(visit.staff, card.area_id)
    return visit.render(
        "counter_booking.html",
        title=card.title,
        card=card,
        others=[slot for slot in others if slot.left > 0 and slot.id != card.slot_id],
        state=STATE_NAMES[card.state],
        is_today=today(card.starts_at) == today(visit.now),
        runs=runs,
        given=await _given(visit, card) if runs else "",
        may_print=runs and card.for_other,
        certificate=await certificates.certificate_of(visit.staff, card.id) if runs and card.for_other else None,
        may_correct=runs and card.kind is PlanKind.VOLUNTEER and card.ends_at <= visit.now,
    )


async def _given(visit: Visit, card: Card) -> str:
    """`这次 2 小时，一共 5 小时（3 次）`; "" where it gave no volunteer time."""
    account = await time_of_shift(visit.staff, card)
    if account is None:
        return ""
    now = say_minutes(sum(row.minutes for row in account.rows))
    return f"这次 {now}，一共 {say_minutes(account.minutes)}（{account.times} 次）"


def _booking(visit: Visit) -> int:
    return int(visit.request.match_info["booking_id"])


def _back(visit: Visit, sentence: str) -> web.Response:
    return visit.go(f"/counter/bookings/{_booking(visit)}", sentence)


@pages.post("/counter/bookings/{booking_id:[0-9]{1,18}}/arrive", who=at_counter)
async def arrive(visit: Visit) -> web.StreamResponse:
    """They have come and have shown a document."""
    card = await check_in_known(visit.staff, _booking(visit), visit.now, visit.source)
    return _back(visit, f"{card.name or '居民'}已签到。")


class Why(Form):
    """Why it is cancelled: they are told."""

    reason: Annotated[str, Field(min_length=1, max_length=100, title="原因")]


@pages.post("/counter/bookings/{booking_id:[0-9]{1,18}}/cancel", who=at_counter)
async def cancel(visit: Visit) -> web.StreamResponse:
    """Give the seat back; who waits moves up."""
    given = await visit.form(Why)
    await bookings.cancel(visit.staff, _booking(visit), visit.now, reason=given.reason, source=visit.source)
    return _back(visit, "已取消，原因已告诉预约人；有人候补的会自动补上。")


class NewTime(Form):
    """Another time of the same plan."""

    slot_id: Annotated[int, Field(ge=1, le=2**63 - 1, title="时间")]


@pages.post("/counter/bookings/{booking_id:[0-9]{1,18}}/move", who=at_counter)
async def move(visit: Visit) -> web.StreamResponse:
    """Another time."""
    given = await visit.form(NewTime)
    await booking_changes.move(visit.staff, _booking(visit), given.slot_id, visit.now, visit.source)
    return _back(visit, "时间改好了。")


@pages.post("/counter/bookings/{booking_id:[0-9]{1,18}}/excuse", who=at_counter)
async def excuse(visit: Visit) -> web.StreamResponse:
    """The mark for staying away is taken back."""
    await booking_changes.excuse(visit.staff, _booking(visit), visit.now, visit.source)
    return _back(visit, "这次没来不算爽约了。")


class Correction(Form):
    """Minutes more, or less (negative), and why: whoever gave them reads it."""

    minutes: Annotated[int, Field(ge=-1440, le=1440, title="分钟")]
    why: Annotated[str, Field(min_length=1, max_length=60, title="原因")]


@pages.post("/counter/bookings/{booking_id:[0-9]{1,18}}/volunteer-time", who=at_counter)
async def correct_time(visit: Visit) -> web.StreamResponse:
    """Volunteer time of this shift is put right."""
    given = await visit.form(Correction)
    account = await correct(visit.staff, _booking(visit), given.minutes, given.why, visit.now, source=visit.source)
    return _back(visit, f"时长改好了，一共 {say_minutes(account.minutes)}。")


@pages.post("/counter/bookings/{booking_id:[0-9]{1,18}}/certificate", who=at_counter)
async def make_certificate(visit: Visit) -> web.StreamResponse:
    """For somebody without WeChat: all they gave, on paper."""
    made = await certificates.make_for(visit.staff, _booking(visit), visit.now, source=visit.source)
    return _back(visit, f"证书开好了，编号 {made.number}。点“看证书”打印出来给本人。")


@pages.get("/counter/bookings/{booking_id:[0-9]{1,18}}/certificate.png", who=at_counter)
async def show_certificate(visit: Visit) -> web.StreamResponse:
    """The newest of theirs."""
    found = await certificates.certificate_of(visit.staff, _booking(visit))
    if found is None:
        raise NotFound(f"certificate of booking {_booking(visit)}", say="还没有开证书。")
    base = visit.office.public_url or str(visit.request.url.origin())
    drawn = await asyncio.to_thread(certificate_picture.draw, found, base)
    return visit.finish(web.Response(body=drawn, content_type="image/png"))
