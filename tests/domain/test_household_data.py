"""What is known of people belongs to them: exported, forgotten, merged, and deleted with the consent it stood on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import consents, erasure, facts, household_claims, opt_outs
from domain.homes import Home, read_home
from domain.linking import merge
from domain.people import find_person
from domain.personal_data import gather
from errors import BadRequest, Conflict, NotAllowed, NotFound, TooMany
from models.audit import AuditEvent
from models.enums import Purpose
from models.people import Household
from models.people_facts import HouseholdMember, OptOut
from tests.domain.homes import FAR, NOW, fact_kinds, follower, home, member
from tests.domain.neighbours import officer
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")


def test_homes_are_read_as_people_say_them():
    for said, found in (
        ("3栋2单元501", Home("3栋", "2单元", "501")),
        ("三号楼2单元501室", Home("3栋", "2单元", "501")),
        ("十二幢 301", Home("12栋", "", "301")),
        ("3-2-501", Home("3栋", "2单元", "501")),
        ("3-501", Home("3栋", "", "501")),
        ("Ａ座1203房", Home("A座", "", "1203")),
        ("3栋", None),
        ("3栋2单元501楼道灯坏了", None),
        ("1120-0037", None),
    ):
        assert read_home(said) == found, said


async def test_everything_known_of_somebody_is_in_their_package_and_goes_with_them():
    await fact_kinds()
    anna, other = await follower("anna"), await follower("other")
    mine = await member(await home("101"), "甲", "1950-01-02", follower=anna, t_poor=True)
    await opt_outs.opt_out(anna, "policy", NOW)
    await household_claims.claim(other, Home("3栋", "1单元", "101"), "乙邻居", NOW)
    package = await gather(anna, NOW)
    assert [(row["name"], row["facts"]) for row in package.household] == [("甲", {"t_poor": True})]
    assert [row["topic"] for row in package.opt_outs] == ["policy"]
    await erasure.erase(anna, NOW)
    assert not await HouseholdMember.filter(id=mine.id).exists()
    assert not await OptOut.filter(resident_id=anna.resident_id).exists()
    kept = await member(await home("102"), "丙")
    await HouseholdMember.filter(id=kept.id).update(resident_id=other.resident_id)
    await erasure.erase(other, NOW)
    assert [row.name for row in await HouseholdMember.all()] == ["丙"], "what staff have of somebody else stays"


async def test_who_becomes_one_with_their_follower_keeps_household_and_topics():
    await fact_kinds()
    mini, anna = await find_person("mini:anna", NOW), await follower("anna")
    mine = await member(await home("101"), "甲", follower=mini)
    await opt_outs.opt_out(mini, "policy", NOW)
    await opt_outs.opt_out(anna, "policy", NOW)
    await merge(mini.resident_id, anna.resident_id, NOW)
    assert (await HouseholdMember.get(id=mine.id)).resident_id == anna.resident_id
    assert await OptOut.filter(resident_id=anna.resident_id).count() == 1
    second = await find_person("mini:second", NOW)
    there = await member(await home("102"), "乙", follower=second)
    await merge(second.resident_id, anna.resident_id, NOW)
    assert (await HouseholdMember.get(id=there.id)).resident_id is None, "one follower is one member"


async def test_what_somebody_told_of_themselves_goes_with_the_consent_and_what_staff_keep_stays():
    await fact_kinds()
    anna = await follower("anna")
    await consents.say_age(anna, over_fourteen=True, now=NOW)
    for purpose in (Purpose.PROFILE, Purpose.NOTICES):
        await consents.give(anna, purpose, consents.texts()[purpose].version, NOW)
    own = await member(
        await home("101"), "甲", "1950-01-02", follower=anna, source=f"resident:{anna.resident_id}", t_kids=2
    )
    await consents.withdraw(anna, Purpose.NOTICES, NOW)
    found = await HouseholdMember.get(id=own.id)
    assert (found.facts, found.birthday) == ({}, None)
    await consents.withdraw(anna, Purpose.PROFILE, NOW)
    assert not await HouseholdMember.filter(id=own.id).exists()
    kept = await member(await home("102"), "乙", follower=anna, t_kids=1)
    await consents.give(anna, Purpose.PROFILE, consents.texts()[Purpose.PROFILE].version, NOW)
    await consents.withdraw(anna, Purpose.PROFILE, NOW)
    assert (await HouseholdMember.get(id=kept.id)).facts == {"t_kids": 1}


async def test_whoever_keeps_a_household_writes_facts_and_nobody_else():
    await fact_kinds()
    someone = await member(await home("101"), "甲")
    worker, elsewhere, street = await officer("G001"), await officer("G002"), await officer("J001")
    written = await facts.set_fact(worker, someone.id, "t_licence", "2027年1月15日", NOW)
    assert {fact.kind.code: fact.value for fact in written.known} == {"t_licence": "2027-01-15"}
    assert (await HouseholdMember.get(id=someone.id)).source == f"{worker.actor}"
    for value in ("明年", 3.5, "2027-02-30"):
        with pytest.raises(BadRequest) as refused:
            await facts.set_fact(worker, someone.id, "t_licence", value, NOW)
        assert refused.value.say.startswith("试驾照到期：")
    with pytest.raises(NotFound):
        await facts.set_fact(elsewhere, someone.id, "t_alone", True, NOW)
    for nobody in (street, await follower("anna")):
        with pytest.raises(NotAllowed):
            await facts.show_member(nobody, someone.id, NOW)
    with pytest.raises(NotFound):
        await facts.show_member(worker, (await member(await home("201", FAR), "己")).id, NOW)
    assert await AuditEvent.filter(tag="member:set_fact", object_id=someone.id, allowed=True).count() == 1


async def test_nobody_keeps_a_grid_workers_phone_ringing_with_claims():
    anna, place = await follower("anna"), Home("3栋", "1单元", "101")
    for name in ("甲一", "甲二", "甲三", "甲四", "甲五"):
        await household_claims.claim(anna, place, name, NOW)
    with pytest.raises(TooMany):
        await household_claims.claim(anna, place, "甲六", NOW)
    await household_claims.claim(anna, place, "甲六", NOW + timedelta(days=1, seconds=1))
    assert [row.name for row in await HouseholdMember.all()] == ["甲六"]


async def test_two_who_say_to_be_the_same_wait_side_by_side_and_one_who_is_known_stays(clock: Clock):
    worker, place = await officer("G001"), Home("3栋", "1单元", "101")
    anna, bo = await follower("anna"), await follower("bo")
    await member(await home("101"), "甲一")
    for person in (anna, bo):
        await household_claims.claim(person, place, "甲一", clock())
    first, second = sorted(await household_claims.waiting_claims(worker), key=lambda one: one.id)
    assert (first.resident_id, second.resident_id) == (anna.resident_id, bo.resident_id)
    assert second.name == f"甲一（{bo.resident_id}）"
    await household_claims.confirm(worker, first.id, clock())
    with pytest.raises(Conflict):
        await household_claims.claim(anna, place, "甲一", clock())
    known = await HouseholdMember.get(id=first.id)
    assert (known.resident_id, known.confirmed_at is None) == (anna.resident_id, False)
    await household_claims.refuse(worker, second.id, clock())
    with pytest.raises(Conflict):
        await household_claims.confirm(worker, first.id, clock())


async def test_who_moves_leaves_nothing_of_their_own_words_behind(clock: Clock):
    worker, anna = await officer("G001"), await follower("anna")
    for room in ("101", "102"):
        await household_claims.claim(anna, Home("70栋", "", room), "甲一", clock())
        [waiting] = await household_claims.waiting_claims(worker)
        await household_claims.confirm(worker, waiting.id, clock())
    assert [row.household.room for row in await HouseholdMember.all().select_related("household")] == ["102"]
    assert await Household.filter(building="70栋").count() == 1
    await household_claims.leave(anna, clock())
    assert await HouseholdMember.all().count() + await Household.filter(building="70栋").count() == 0
