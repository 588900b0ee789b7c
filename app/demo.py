"""The demo community: loaded into an empty database, and its people's phones in the simulator."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from bot.qrcodes import grid_scene
from domain import badges, consents, profile, room_messages, rooms
from domain.anniversaries import years_after
from domain.clock import SHANGHAI
from domain.community import Loaded, load_community
from domain.fact_tables import MEMBERS
from domain.life_events import add_shipped_events, add_shipped_kinds
from domain.organisation import import_tables
from domain.organisation_tables import HOUSEHOLDS
from domain.people import Person, find_operator, find_person
from domain.room_words import Words
from domain.service_plans import add_shipped_services
from domain.tables import Cell, Sheet
from errors import SettingsError
from models.database import transaction
from models.enums import BadgeKind, MessageKind, Purpose
from models.people import Area, Household
from simulator import Platform


@cache
def demo_data() -> Mapping[str, Any]:
    """The file as written, read once a process."""
    return tomllib.loads(files("simulator").joinpath("demo_community.toml").read_text(encoding="utf-8"))


def demo_phones() -> dict[str, Any]:
    """The phones the simulator's page shows first, and what the codes on the walls are called."""
    data = demo_data()
    names = {area["code"]: area["name"] for area in data["area"]}
    grids = [area for area in data["area"] if area["level"] == "grid"]
    scenes = {grid_scene(grid["code"]): f"{names[grid['parent']]}{grid['name']}" for grid in grids}
    return {"phones": data["phones"], "scenes": scenes}


async def load_demo(*, simulator: bool) -> Loaded:
    """Add what is missing of the demo community."""
    async with transaction():
        loaded = await load_community(demo_data(), bind_openids=simulator)
        await add_shipped_services()
        await add_shipped_kinds()
    return loaded


async def settle_homes(now: datetime) -> int:
    """Let invented people live in the demo's households, and lay out the reminders of their lives as drafts; gives how
    many people. In a community that has households already nothing happens."""
    rows = tomllib.loads(files("simulator").joinpath("demo_households.toml").read_text(encoding="utf-8"))["member"]
    if await Household.exists():
        return 0
    kinds = sorted({code for row in rows for code in row.get("facts", {})})
    people = [_inhabitant(row, kinds, now) for row in rows]
    places = list(dict.fromkeys(tuple(cells[:4]) for cells in people))
    heads = ["grid", "building", "unit", "room", "name", "relation", "birthday", *kinds]
    report = await import_tables([_sheet(HOUSEHOLDS.name, heads[:4], places), _sheet(MEMBERS.name, heads, people)], now)
    if report.faults:
        raise SettingsError(f"demo_households.toml: {report.faults[0]}")
    await add_shipped_events(await find_operator("S001"), now)
    return len(people)


def _sheet(name: str, heads: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> Sheet:
    return Sheet(name, list(enumerate([heads, *rows], 1)))


def _inhabitant(row: Mapping[str, Any], kinds: Sequence[str], now: datetime) -> list[Cell]:
    """Somebody as a row of the table, with days counted from today as dates."""
    today = now.astimezone(SHANGHAI).date()
    birthday = years_after(today + timedelta(days=row["in_days"]), -row["turns"])
    facts = [row.get("facts", {}).get(kind) for kind in kinds]
    dated = [today + timedelta(days=fact) if isinstance(fact, int) else fact for fact in facts]
    return [row["grid"], *row["home"], row["name"], row["relation"], birthday, *dated]


async def settle_rooms(now: datetime) -> int:
    """Let the demo's neighbours talk in their grid's room, as if it had been today; gives how much was said. In a
    community whose rooms have been used nothing happens."""
    data = demo_data()
    async with transaction():
        grid = await Area.get(code=data["neighbour"][0]["grid"])
        room = await rooms.room_of_grid(grid.id)
        if room.last_seq:
            return 0
        people = {row["nickname"]: await _neighbour(row, now) for row in data["neighbour"]}
        for row in data["said"]:
            person = people[row["neighbour"]] if "neighbour" in row else await find_operator(row["staff"])
            kind = MessageKind(row.get("kind", MessageKind.TEXT))
            words = Words(kind, row["text"], f"demo-{row['minutes_ago']}")
            await room_messages.post(person, room.id, words, now - timedelta(minutes=row["minutes_ago"]))
        await _set_badges(data, people, room.id, now)
    return len(data["said"])


async def _neighbour(row: Mapping[str, Any], now: datetime) -> Person:
    """A grown-up who uses the mini-program alone and lets neighbours read nickname and words."""
    person = await find_person(f"mini:demo {row['nickname']}", now)
    await consents.say_age(person, over_fourteen=True, now=now)
    for purpose in (Purpose.PROFILE, Purpose.ROOM):
        await consents.give(person, purpose, consents.texts()[purpose].version, now)
    await profile.set_names(person, now, nickname=row["nickname"])
    await profile.choose_grid(person, now, code=row["grid"])
    return await find_person(person.openid, now)


async def _set_badges(data: Mapping[str, Any], people: Mapping[str, Person], room_id: int, now: datetime) -> None:
    """The community sets a badge, and who is to wear it agrees."""
    community = await find_operator("S001")
    for row in data["neighbour"]:
        if kind := row.get("badge"):
            wearer = people[row["nickname"]]
            seat = (await rooms.seats(room_id, [wearer.actor]))[wearer.actor]
            badge = await badges.grant(community, room_id, rooms.handle(seat), BadgeKind(kind), "", now)
            await badges.agree(wearer, badge, now)


async def settle_phones(platform: Platform) -> None:
    """Let the demo's people follow the account, once: residents through their grid's code; staff say 待办, as they do
    each morning, which opens their 48 hours for messages."""
    for phone in demo_data()["phones"]:
        if platform.history(phone["openid"]):
            continue
        grid = phone.get("grid")
        await platform.follow(phone["openid"], grid_scene(grid) if grid else None)
        if not grid:
            await platform.send(phone["openid"], "text", text="待办")
