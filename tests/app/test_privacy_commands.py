"""`linli privacy` as an operator uses it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.engines import Engines
from domain.consents import give, say_age, withdraw
from domain.data_requests import children_in
from domain.people import find_person
from models.database import database
from models.enums import Purpose
from models.people import Resident
from tests.app.conftest import Linli

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(started_engines: Engines, database_url: str, folder: Path) -> dict[str, Any]:
    return {"home": folder, "database_url": database_url, "redis_url": started_engines.redis_url}


async def settle(database_url: str) -> int:
    """Somebody with a telephone number."""
    async with database(database_url, 2):
        person = await find_person("o_he", NOW)
        await Resident.filter(id=person.resident_id).update(name="何建国", phone="13800138000")
    return person.resident_id


async def test_somebody_is_found_exported_and_forgotten(linli: Linli, settings: dict[str, Any], database_url: str):
    ident = await settle(database_url)
    assert "何建国" in (await linli("privacy", "find", "13800138000", **settings)).said
    assert "nobody" in (await linli("privacy", "find", "138001380", **settings)).said
    package = json.loads((await linli("privacy", "export", str(ident), **settings)).said)
    assert (package["account"]["name"], package["account"]["phone"]) == ("何建国", "13800138000")
    unsure = await linli("privacy", "forget", str(ident), **settings)
    assert (unsure.code, "--yes" in unsure.said) == (1, True)
    done = await linli("privacy", "forget", str(ident), "--yes", **settings)
    assert (done.code, "forgotten: 1" in done.said) == (0, True)
    assert "nobody" in (await linli("privacy", "find", "13800138000", **settings)).said
    listed = (await linli("privacy", "forgotten", **settings)).said.split()
    assert listed[0] == str(ident)


async def test_after_a_restore_the_list_is_gone_through_again(
    linli: Linli, settings: dict[str, Any], database_url: str
):
    ident = await settle(database_url)
    await linli("privacy", "forget", str(ident), "--yes", **settings)
    once_more = await linli("privacy", "forget", str(ident), "--yes", **settings)
    again = await linli("privacy", "forget", str(ident), "--yes", "--again", **settings)
    assert (once_more.code, again.code) == (1, 0)


@pytest.mark.usefixtures("orm")
async def test_the_yearly_account_counts_children_and_their_guardians():
    for number in range(3):
        child = await find_person(f"o_child_{number}", NOW)
        await say_age(child, False, NOW)
        if number:
            await give(child, Purpose.GUARDIAN, 1, NOW)
        if number == 2:
            await withdraw(child, Purpose.GUARDIAN, NOW)
    grown = await find_person("o_grown", NOW)
    await say_age(grown, True, NOW)
    year = await children_in(2026)
    assert (year.children, year.with_guardian, year.without_guardian) == (3, 1, 2)
    assert (year.guardians_agreed, year.guardians_withdrew, year.kept_without_guardian) == (2, 1, 0)
    before = await children_in(2025)
    assert (before.guardians_agreed, before.guardians_withdrew) == (0, 0)
