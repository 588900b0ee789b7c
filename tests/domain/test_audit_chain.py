"""The audit trail shows what was changed, taken out or cut off, and names the first bad row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain import casework
from domain.audit import anchor, verify
from domain.people import find_person
from domain.reports import Draft, report
from errors import LinliError
from models.database import fetch, transaction
from tests.town import CHEN, LI, WANG, Town

Tamper = Callable[[], Awaitable[object]]


async def a_handled_case(town: Town, number: int) -> int:
    """A case with a chain of some rows, a refused attempt among them."""
    chen = await find_person(CHEN, town.clock())
    wang = await find_person(WANG, town.clock())
    case = (await report(chen, Draft(f"{number}栋路灯不亮", "light.street", "路灯不亮"), town.clock())).case
    await casework.sign(wang, case.id, town.clock())
    await casework.dispose(wang, case.id, "换了灯泡，已经亮了，请放心", town.clock())
    return case.id


async def test_an_untouched_trail_is_well_and_every_row_of_a_case_is_in_its_chain(town: Town):
    for number in range(3):
        await a_handled_case(town, number)
    await town.say(CHEN, "办好了 0001 我自己修的")
    found = await verify()
    assert (found.fault, found.chains) == ("", 3)
    assert await fetch("SELECT tag FROM audit_event WHERE tag LIKE 'case:%' AND object_id > 0 AND place IS NULL") == []


async def test_a_refused_attempt_is_part_of_the_chain(town: Town):
    case_id = await a_handled_case(town, 1)
    await town.say(LI, "办好了 0001 不是我的事")
    refused = await fetch("SELECT allowed, place, object_id FROM audit_event ORDER BY id DESC LIMIT 1")
    assert refused[0]["allowed"] is False
    assert refused[0]["object_id"] == case_id
    assert (await verify()).fault == ""


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE audit_event SET actor = 'staff:999' WHERE object_id = $1 AND place = 3", "place 3, case:dispatch)"),
        ("UPDATE audit_event SET at = at + interval '1 hour' WHERE object_id = $1 AND place = 2", "place 2"),
        ("UPDATE audit_event SET allowed = false WHERE object_id = $1 AND place = 4", "place 4, case:sign)"),
        ("DELETE FROM audit_event WHERE object_id = $1 AND place = 2", "place 2 is missing before it"),
        ("DELETE FROM audit_event WHERE object_id = $1 AND place > 4", "the chain ends here"),
        ("DELETE FROM audit_event WHERE object_id = $1 AND place IS NOT NULL", "all audit rows are missing"),
        ("UPDATE cases SET audit_head = repeat('0', 64) WHERE id = $1", "not the row the chain ended with"),
    ],
)
async def test_whatever_is_changed_taken_out_or_cut_off_is_named(town: Town, statement: str, named: str):
    await a_handled_case(town, 1)
    case_id = await a_handled_case(town, 2)
    await a_handled_case(town, 3)
    await fetch(statement, case_id)
    assert named in (await verify()).fault


async def test_a_row_that_belongs_to_no_case_cannot_be_changed_unseen(town: Town):
    await town.say(CHEN, "绑定 12345678")
    assert (await verify()).fault == ""
    await fetch("UPDATE audit_event SET actor = 'resident:999' WHERE tag = 'staff:bind'")
    assert "(staff:bind): changed" in (await verify()).fault


async def test_an_anchor_shows_a_chain_that_was_cut_together_with_the_case_that_remembers_it(town: Town):
    case_id = await a_handled_case(town, 1)
    town.clock.advance(timedelta(days=1))
    made = await anchor(town.clock())
    assert made is not None
    assert await anchor(town.clock()) is None
    await fetch("DELETE FROM audit_event WHERE object_id = $1 AND place > 4", case_id)
    await fetch(
        "UPDATE cases SET audit_count = 4, audit_head = "
        "(SELECT hash FROM audit_event WHERE object_id = $1 AND place = 4) WHERE id = $1",
        case_id,
    )
    assert f"anchor of {made.day}" in (await verify()).fault


async def test_anchors_of_several_days_hold_together(town: Town):
    for number in range(3):
        await a_handled_case(town, number)
        town.clock.advance(timedelta(days=1))
        await anchor(town.clock())
    found = await verify()
    assert (found.fault, found.anchors) == ("", 3)
    await fetch("UPDATE audit_anchor SET digest = repeat('0', 64) WHERE day = (SELECT min(day) FROM audit_anchor)")
    assert "anchor of" in (await verify()).fault


async def test_twenty_people_at_once_leave_one_unbroken_chain(town: Town):
    chen, wang = await find_person(CHEN, town.clock()), await find_person(WANG, town.clock())
    case = (await report(chen, Draft("路灯不亮", "light.street", "路灯不亮"), town.clock())).case

    async def sign() -> bool:
        try:
            async with transaction():
                await casework.sign(wang, case.id, town.clock())
        except LinliError:
            return False
        return True

    assert sum(await asyncio.gather(*(sign() for _ in range(20)))) == 1
    assert (await verify()).fault == ""
