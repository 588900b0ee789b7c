"""Residents find a service by however they ask: the right one is among the first three."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.people import Person, find_person, join_grid
from domain.services import Found, find_item, search
from errors import NotFound
from models.people import Area
from models.services import ServiceClass, ServiceItem
from tests.domain.tables import NOW

QUESTIONS = Path(__file__).parent / "data" / "service_questions.txt"


def rows() -> list[list[str]]:
    """Kind, question, what is wanted."""
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    return [[field.strip() for field in line.split("|")] for line in lines if line.strip() and line[0] != "#"]


def keys(found: Found) -> list[str]:
    """An answer's items and kinds of providers, the best first."""
    return [hit.item.code if hit.item else f"kind:{hit.kind}" for hit in found.hits]


async def resident() -> Person:
    """Somebody of the first grid."""
    await join_grid(await find_person("o_searcher", NOW), NOW, code="429906001001001")
    return await find_person("o_searcher", NOW)


async def test_the_right_service_is_among_the_first_three(orm: None):
    person = await resident()
    asked = [(question, set(wanted.split())) for kind, question, wanted in rows() if kind != "none"]
    assert len(asked) >= 150
    answers = {question: keys(await search(person, question)) for question, _ in asked}
    missed = [f"{question}: {answers[question]}" for question, wanted in asked if not wanted & {*answers[question][:3]}]
    first = sum(bool(wanted & {*answers[question][:1]}) for question, wanted in asked) / len(asked)
    third = 1 - len(missed) / len(asked)
    assert third >= 0.95, missed
    assert first >= 0.85


async def test_what_names_no_service_finds_none(orm: None):
    person = await resident()
    found = {question: keys(await search(person, question)) for kind, question, *_ in rows() if kind == "none"}
    assert len(found) >= 5
    assert sum(map(bool, found.values())) <= 1, found


async def test_what_was_guessed_is_asked_back(orm: None):
    person = await resident()
    assert "最低生活保障申请" in (await search(person, "低宝")).meant
    assert (await search(person, "法律援助")).meant == ()


async def test_an_item_is_found_where_it_is_offered_and_below_and_nowhere_else(orm: None):
    community = await Area.get(code="429906001001")
    await ServiceItem.filter(code="tss").update(area_id=community.id)
    assert "tss" in keys(await search(await resident(), "社区图书室借书"))
    elsewhere = await find_person("o_elsewhere", NOW)
    await join_grid(elsewhere, NOW, code="429906001002001")
    elsewhere = await find_person("o_elsewhere", NOW)
    assert "tss" not in keys(await search(elsewhere, "社区图书室借书"))
    with pytest.raises(NotFound) as foreign:
        await find_item(elsewhere, "tss")
    with pytest.raises(NotFound) as absent:
        await find_item(elsewhere, "no-such")
    assert foreign.value.say == absent.value.say


async def test_what_is_switched_off_is_found_no_more(orm: None):
    person = await resident()
    assert keys(await search(person, "法律援助"))[0] == "flyz"
    await ServiceItem.filter(code="flyz").update(active=False)
    assert "flyz" not in keys(await search(person, "法律援助"))
    await ServiceClass.filter(code="party").update(active=False)
    assert "zzgx" not in keys(await search(person, "党员组织关系转接"))
