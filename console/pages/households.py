"""住户: households and who belongs to each, what is known of people, who says to live where."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit, staff
from console.values import MaybeDay, MaybeIdent
from domain import facts, household_claims, households
from domain.facts import KEEPERS
from domain.household_desk import find_place, kept_grids
from models.enums import FactType

pages = Pages()

_SHOWN = 50
_HOME = "/households/{household_id:[0-9]{1,18}}"
_MEMBER = "/households/members/{member_id:[0-9]{1,18}}"
Name = Annotated[str, Field(min_length=1, max_length=32, title="姓名")]
Relation = Annotated[str, Field(max_length=16, title="关系")]


def keeps(visit: Visit) -> bool:
    """Who keeps households: grid workers and the community."""
    return staff(visit) and visit.post.role in KEEPERS


class ListQuery(Form):
    """A place or a member's name; `after`: where the page before ended."""

    q: Annotated[str, Field(max_length=32, title="要找的")] = ""
    after: MaybeIdent = None


@pages.get("/households", who=keeps)
async def show_all(visit: Visit) -> web.StreamResponse:
    """Found by place or by name, and who waits to be confirmed."""
    query = visit.query(ListQuery)
    found = await households.find_households(visit.staff, query.q, after=query.after or 0, limit=_SHOWN)
    return visit.render(
        "households.html",
        title="住户",
        homes=found,
        claims=await household_claims.waiting_claims(visit.staff),
        grids=await kept_grids(visit.staff),
        query=query,
        more=len(found) == _SHOWN,
    )


class NewHome(Form):
    """A household as people say it: 3栋2单元501."""

    grid_id: Annotated[int, Field(ge=1, le=2**31 - 1, title="网格")]
    place: Annotated[str, Field(min_length=1, max_length=40, title="哪一户")]


@pages.post("/households", who=keeps)
async def add_home(visit: Visit) -> web.StreamResponse:
    """Write one down, or open the one that is there."""
    given = await visit.form(NewHome)
    made = await households.add_household(visit.staff, given.grid_id, given.place, visit.now, visit.source)
    return visit.go(f"/households/{made}", "这一户在册了。")


class Claim(Form):
    """Who says to be somebody."""

    member_id: Annotated[int, Field(ge=1, le=2**63 - 1, title="居民")]


@pages.post("/households/confirm", who=keeps)
async def confirm(visit: Visit) -> web.StreamResponse:
    """They are who they say."""
    given = await visit.form(Claim)
    member = await household_claims.confirm(visit.staff, given.member_id, visit.now, visit.source)
    return visit.go("/households", f"核对好了，{member.name}住{member.place}。")


@pages.post("/households/refuse", who=keeps)
async def refuse(visit: Visit) -> web.StreamResponse:
    """They are not."""
    given = await visit.form(Claim)
    await household_claims.refuse(visit.staff, given.member_id, visit.now, visit.source)
    return visit.go("/households", "已告诉对方没有对上。")


def _home(visit: Visit) -> int:
    return int(visit.request.match_info["household_id"])


@pages.get(_HOME, who=keeps)
async def show(visit: Visit) -> web.StreamResponse:
    """Who belongs to it, without what is sensitive."""
    place = await find_place(visit.staff, _home(visit))
    members = await households.list_members(visit.staff, place.id)
    return visit.render("household.html", title=f"{place.grid}{place.place}", home=place, members=members)


class NewMember(Form):
    """Who belongs to a household."""

    name: Name
    relation: Relation = ""
    birthday: MaybeDay = None


@pages.post(f"{_HOME}/members", who=keeps)
async def add_member(visit: Visit) -> web.StreamResponse:
    """Write them down."""
    given = await visit.form(NewMember)
    member = await households.add_member(
        visit.staff,
        _home(visit),
        given.name,
        visit.now,
        visit.source,
        relation=given.relation,
        birthday=given.birthday,
    )
    return visit.go(f"/households/members/{member.id}", f"{member.name}在册了，可以接着填档案。")


def _member(visit: Visit) -> int:
    return int(visit.request.match_info["member_id"])


@pages.get(_MEMBER, who=keeps)
async def show_member(visit: Visit) -> web.StreamResponse:
    """What is known of them; that it was looked at is noted where some of it is sensitive."""
    member = await facts.show_member(visit.staff, _member(visit), visit.now, visit.source)
    kinds = {"yes": FactType.YES, "choice": FactType.CHOICE, "date": FactType.DATE, "number": FactType.NUMBER}
    known_first = sorted(member.facts, key=lambda fact: not fact.said)
    return visit.render("member.html", title=member.name, member=member, facts=known_first, types=kinds)


@pages.post(_MEMBER, who=keeps)
async def change_member(visit: Visit) -> web.StreamResponse:
    """Put right who they are."""
    given = await visit.form(NewMember)
    member = await households.change_member(
        visit.staff,
        _member(visit),
        visit.now,
        visit.source,
        name=given.name,
        relation=given.relation,
        birthday=given.birthday,
    )
    return visit.go(f"/households/members/{member.id}", "改好了。")


class FactForm(Form):
    """What is known; blank = nothing any more."""

    code: Annotated[str, Field(min_length=1, max_length=20, title="档案项")]
    value: Annotated[str, Field(max_length=100, title="内容")] = ""


@pages.post(f"{_MEMBER}/facts", who=keeps)
async def set_fact(visit: Visit) -> web.StreamResponse:
    """Note it."""
    given = await visit.form(FactForm)
    value = given.value or None
    member = await facts.set_fact(visit.staff, _member(visit), given.code, value, visit.now, visit.source)
    named = next((fact.kind.name for fact in member.facts if fact.kind.code == given.code), given.code)
    return visit.go(f"/households/members/{member.id}", f"{named}记下了。" if value else f"{named}清掉了。")


@pages.post(f"{_MEMBER}/remove", who=keeps)
async def remove(visit: Visit) -> web.StreamResponse:
    """They moved out or died: what is known of them is deleted."""
    member = await facts.kept_member(visit.staff, _member(visit), "remove")
    await households.remove_member(visit.staff, member.id, visit.now, visit.source)
    return visit.go(f"/households/{member.household_id}", f"{member.name}的档案删掉了。")
