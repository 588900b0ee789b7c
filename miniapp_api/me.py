"""Who the caller is, and what they tell of themselves."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from domain import profile
from domain.people import Home, Person
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.sign_in import Code

routes = Routes("me")


class Place(Body):
    """A resident's grid and its community."""

    grid_id: int
    grid: str
    community: str
    duty_phone: str


class Duty(Body):
    """A member of staff's post."""

    role: str
    label: str
    area_id: int
    area: str


class Me(Body):
    """The caller. `minor` is null until they said whether they are fourteen; `linked`: they follow the official account
    too, and are told things there."""

    actor: str
    home: Place | None
    post: Duty | None
    nickname: str
    name: str
    phone: str
    minor: bool | None
    linked: bool


class Names(Body):
    """What changes; "" takes a name away, null leaves it."""

    nickname: Annotated[str, Field(max_length=16, description="as rooms show it")] | None = None
    name: Annotated[str, Field(max_length=32, description="for staff who handle your cases")] | None = None


class PhoneCode(Body):
    """A code of the phone-number button (`getPhoneNumber`)."""

    code: Code


class GridChoice(Body):
    """A grid by its id, or by the code in its QR."""

    grid_id: Id | None = None
    code: Annotated[str, Field(max_length=20)] = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.grid_id is None) == (not self.code):
            raise ValueError("grid_id 和 code 填一个。")
        return self


class GridQuery(Page):
    """Which grids."""

    words: Annotated[str, Field(max_length=40, description="part of the name of grid or community")] = ""


class Grid(Body):
    """A grid to choose."""

    grid_id: int
    grid: str
    community: str


class Grids(Body):
    """A page of them."""

    items: list[Grid]
    next: str


@routes.get("/me", rule="me:read")
async def me(call: Call) -> Me:
    """Who you are: your grid, your post, what you told of yourself."""
    return await _shown(call.person)


@routes.patch("/me", rule="me:change")
async def set_names(call: Call, body: Names) -> Me:
    """Change nickname or name; needs your consent to `profile`."""
    await profile.set_names(call.person, call.now, nickname=body.nickname, name=body.name, source=call.source)
    return await _shown(call.person)


@routes.put("/me/phone", rule="me:change", network=True)
async def set_phone(call: Call, body: PhoneCode) -> Me:
    """Leave the number WeChat knows; needs your consent to `phone`."""
    await profile.may_give_phone(call.person)  # WeChat counts each number it tells us
    number = await call.desk.logins.phone_number(body.code)
    await profile.set_phone(call.person, number, call.now, call.source)
    return await _shown(call.person)


@routes.delete("/me/phone", rule="me:change")
async def drop_phone(call: Call) -> Me:
    """Take the number away."""
    await profile.set_phone(call.person, "", call.now, call.source)
    return await _shown(call.person)


@routes.put("/me/grid", rule="me:change")
async def choose_grid(call: Call, body: GridChoice) -> Place:
    """Choose the grid you live in."""
    home = await profile.choose_grid(call.person, call.now, grid_id=body.grid_id or 0, code=body.code)
    return _place(home)


@routes.get("/grids", rule="grid:list")
async def grids(call: Call, query: GridQuery) -> Grids:
    """Grids to choose from."""
    place = unseal(call, "grids", query.cursor)
    found = await profile.search_grids(query.words, place[0] if place else 0, query.limit)
    items = [Grid(grid_id=one.id, grid=one.name, community=one.community) for one in found]
    return Grids(items=items, next=seal(call, "grids", [found[-1].id]) if len(found) == query.limit else "")


async def _shown(person: Person) -> Me:
    told, home, post = await profile.read_profile(person), person.home, person.post
    return Me(
        actor=person.actor,
        home=_place(home) if home else None,
        post=Duty(role=post.role, label=post.label, area_id=post.area_id, area=post.area_name) if post else None,
        nickname=told.nickname,
        name=told.name,
        phone=told.phone,
        minor=told.minor,
        linked=told.linked,
    )


def _place(home: Home) -> Place:
    return Place(grid_id=home.grid_id, grid=home.grid_name, community=home.community_name, duty_phone=home.duty_phone)
