"""Whom a rule concerns and how each is reached; what is wrong with a rule is named; page by page all of them."""

from __future__ import annotations

from typing import Any

import pytest

from domain import consents, opt_outs
from domain.audience_pages import OUT, UNASKED, Reached, Via
from domain.audience_previews import preview
from domain.audiences import check_audience, list_people
from errors import BadRequest, NotAllowed
from models.audit import AuditEvent
from models.database import fetch
from models.enums import BadgeKind, Purpose
from models.people import Staff
from models.rooms import Badge
from tests.domain.homes import COMMUNITY, FAR, FIRST, NOW, SECOND, TODAY, area, fact_kinds, follower, home, member
from tests.domain.neighbours import officer

pytestmark = pytest.mark.usefixtures("orm")


async def told(rule: Any, **more: Any) -> list[Reached]:
    """Everybody of the community whom a rule concerns, read in pages of two."""
    found: list[Reached] = []
    while page := await list_people(rule, await area(), TODAY, after=found[-1].order if found else 0, limit=2, **more):
        found += page
    return found


async def names(rule: Any, **more: Any) -> list[str]:
    return sorted(one.name for one in await told(rule, **more))


async def refusal(rule: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        await check_audience(rule, await area())
    return refused.value.say


async def street() -> None:
    """Two grids of the community and one of another, with people of every kind."""
    await fact_kinds()
    first, second, third = await home("101"), await home("102"), await home("101", SECOND, "5栋")
    anna = await follower("anna")
    await member(first, "甲八十", "1946-11-20", t_alone=True, t_kids=0)
    await member(first, "乙七九", "1946-11-21", follower=anna, t_wed="已婚")
    await member(second, "丙独居", "1950-02-03", t_alone=True, t_poor=True, t_kids=3)
    await member(third, "丁司机", "1988-11-30", t_licence="2026-12-15", t_wed="未婚")
    await member(third, "戊孩子", "2020-08-31")
    await member(await home("201", FAR), "己外地", "1930-01-01", t_alone=True)
    await follower("bo", SECOND)


async def test_each_kind_of_rule_finds_exactly_those_it_is_about():
    await street()
    for rule, found in (
        ({"age": {"from": 80}}, ["甲八十"]),
        ({"age": {"from": 79, "to": 79}}, ["乙七九"]),
        ({"fact": "t_alone", "is": True}, ["丙独居", "甲八十"]),
        ({"fact": "t_wed", "is": ["未婚", "丧偶"]}, ["丁司机"]),
        ({"fact": "t_kids", "is": {"from": 1}}, ["丙独居"]),
        ({"fact": "t_kids", "is": 0}, ["甲八十"]),
        ({"fact": "t_licence", "is": {"to": "2026-12-31"}}, ["丁司机"]),
        ({"date": "t_licence", "within_days": 25}, ["丁司机"]),
        ({"date": "t_licence", "within_days": 24}, []),
        ({"birthday": "today"}, ["甲八十"]),
        ({"birthday": "month"}, ["丁司机", "乙七九", "甲八十"]),
        ({"building": "5栋"}, ["丁司机", "戊孩子"]),
        ({"household": {"age": {"to": 6}}}, ["丁司机", "戊孩子"]),
        ({"all": [{"fact": "t_alone", "is": True}, {"not": {"fact": "t_poor", "is": True}}]}, ["甲八十"]),
        ({"any": [{"age": {"from": 80}}, {"fact": "t_wed", "is": "未婚"}]}, ["丁司机", "甲八十"]),
        ({"all": [{"area": [FIRST]}, {"age": {"from": 70}}]}, ["丙独居", "乙七九", "甲八十"]),
        ({"not": {"fact": "t_wed", "is": "已婚"}}, ["丁司机"]),  # of the others nobody knows
        ({"role": ["community_staff"]}, ["李主任"]),
    ):
        assert await names(rule) == found, rule


async def test_people_are_reached_by_their_own_wechat_over_family_or_by_hand():
    await street()
    reached = {one.name: one for one in await told({"age": {"from": 70}})}
    own, family, hand = reached["乙七九"], reached["甲八十"], reached["丙独居"]
    assert (own.via, own.recipient) == (Via.WECHAT, f"resident:{own.resident_id}")
    assert (family.via, family.recipient, family.openid) == (Via.FAMILY, f"member:{family.member_id}", own.openid)
    assert (hand.via, hand.resident_id, hand.openid) == (Via.HAND, None, None)
    assert hand.grid_id == await area(FIRST)


async def test_a_notice_to_an_area_goes_to_followers_and_once_to_each_household_nobody_of_follows():
    await street()
    found = await told({"area": [COMMUNITY]})
    assert sorted(one.name for one in found if one.via is Via.HAND) == ["丁司机", "丙独居"]
    assert [one.name for one in found if one.via is Via.WECHAT and one.member_id] == ["乙七九"]
    assert len([one for one in found if one.openid == "o_home_bo"]) == 1
    assert [one for one in found if one.via is Via.FAMILY] == []


async def test_who_opted_out_or_never_agreed_is_listed_with_the_reason_and_warnings_reach_everybody():
    await street()
    anna, bo = await follower("anna"), await follower("bo", SECOND)
    await opt_outs.opt_out(anna, "policy", NOW)
    assert {one.openid: one.skip for one in await told({"followers": True}, topic="policy")} == {
        anna.openid: OUT,
        bo.openid: "",
    }
    assert all(not one.skip for one in await told({"followers": True}, topic="activity"))
    await opt_outs.opt_out(anna, opt_outs.ALL, NOW)
    assert all(not one.skip for one in await told({"followers": True}, topic="safety"))
    [family] = await told({"age": {"from": 80}}, topic="activity")
    assert family.via is Via.HAND, "family that wants no notices passes none on"
    mine = await member(await home("301"), "庚自报", "1940-01-01", follower=bo, source=f"resident:{bo.resident_id}")
    [found] = [one for one in await told({"age": {"from": 85}}) if one.member_id == mine.id]
    assert found.skip == UNASKED
    await consents.say_age(bo, over_fourteen=True, now=NOW)
    await consents.give(bo, Purpose.NOTICES, consents.texts()[Purpose.NOTICES].version, NOW)
    assert [one.skip for one in await told({"age": {"from": 85}})] == [""]


async def test_badges_count_once_the_wearer_agreed():
    await street()
    bo = await follower("bo", SECOND)
    granted = await Staff.get(code="S001")
    badge = await Badge.create(
        kind=BadgeKind.PARTY_MEMBER, resident_id=bo.resident_id, granted_by=granted, granted_at=NOW
    )
    assert await told({"badge": "party_member"}) == []
    await Badge.filter(id=badge.id).update(agreed_at=NOW)
    assert [one.openid for one in await told({"badge": "party_member"})] == [bo.openid]


async def test_rules_are_said_back_in_chinese():
    await fact_kinds()
    for rule, said in (
        (
            {"all": [{"area": [COMMUNITY]}, {"age": {"from": 80}}, {"fact": "t_alone", "is": True}]},
            "住在东亭社区、80 岁以上、试独居的人",
        ),
        (
            {"all": [{"area": [FIRST]}, {"any": [{"age": {"to": 6}}, {"fact": "t_poor", "is": True}]}]},
            "住在东亭社区第一网格、（6 岁以下或试低保）的人",
        ),
        ({"not": {"fact": "t_wed", "is": "已婚"}}, "不是试婚姻是已婚的人"),
        ({"household": {"age": {"from": 60, "to": 69}}}, "家里有人 60 到 69 岁的人"),
        ({"date": "t_licence", "within_days": 30}, "试驾照到期在 30 天以内的人"),
        ({"role": ["grid_worker"]}, "是网格员的人"),
    ):
        assert (await check_audience(rule, await area())).words == said


async def test_what_is_wrong_with_a_rule_is_named_in_plain_words():
    await fact_kinds()
    for rule, part in (
        ([], "要写成一条规则"),
        ({}, "要写成一条规则"),
        ({"age": {"from": 80}, "birthday": "today"}, "每条要写一种条件"),
        ({"ages": 80}, "每条要写一种条件"),
        ({"all": []}, "“all”后面要有一条以上的规则"),
        ({"all": [{"age": {"from": 80}}, {"age": {"from": 90, "to": 80}}]}, "人群第 2 条：年龄从 90 到 80 写反了"),
        ({"age": {"from": "80"}}, "年龄看不懂"),
        ({"area": [FAR]}, f"区域“{FAR}”不在您的范围里"),
        ({"fact": "t_gone", "is": True}, "没有“t_gone”这一项档案；可以用："),
        ({"fact": "t_alone"}, "“试独居”后面要写 is"),
        ({"fact": "t_alone", "is": "是"}, "请写 true 或 false"),
        ({"fact": "t_wed", "is": "离异"}, "“试婚姻”可以是：未婚、已婚、丧偶"),
        ({"fact": "t_wed", "is": {"from": 1}}, "不能写范围"),
        ({"date": "t_kids", "within_days": 3}, "“试子女数”不是日期"),
        ({"date": "t_licence", "within_days": -1}, "within_days 请写"),
        ({"not": {"role": ["grid_worker"]}}, "岗位不能放在“not”里"),
        ({"role": ["mayor"]}, "没有“mayor”这个岗位"),
        ({"age": {"from": 80}, "was": 1}, "不认识“was”"),
        ({"badge": "king"}, "没有这种身份"),
    ):
        assert part in await refusal(rule), rule
    deep: dict[str, Any] = {"age": {"from": 1}}
    for _ in range(9):
        deep = {"not": deep}
    assert "套得太深" in await refusal(deep)


async def test_a_preview_counts_ways_and_shows_a_masked_sample():
    await street()
    found = await preview(await officer("S001"), {"age": {"from": 70}}, NOW)
    assert (found.people, found.households) == (3, 2)
    assert found.ways == {Via.WECHAT: 1, Via.FAMILY: 1, Via.HAND: 1}
    assert sorted(one.name for one in found.sample) == ["丙**", "乙**", "甲**"]
    assert {one.place for one in found.sample} == {"3栋"}


async def test_few_people_are_not_shown_above_the_community_and_sensitive_facts_not_to_a_grid_worker():
    await street()
    above = await preview(await officer("J001"), {"fact": "t_poor", "is": True}, NOW)
    assert (above.people, above.sample) == (None, ())
    with pytest.raises(NotAllowed):
        await preview(await officer("G001"), {"fact": "t_poor", "is": True}, NOW)
    community = await preview(await officer("S001"), {"fact": "t_poor", "is": True}, NOW)
    assert community.people == 1
    assert await AuditEvent.filter(tag="audience:sensitive").count() == 2


_CROWD = """
WITH homes AS (
    INSERT INTO household (grid_id, building, unit, room, contact, phone, note)
    SELECT $1, b || '栋', '', r::text, '', '', '' FROM generate_series(1, 25) b, generate_series(1, 100) r RETURNING id
)
INSERT INTO household_member (household_id, name, relation, birthday, facts, source, changed_at)
SELECT homes.id, '某' || n, '', date '1930-01-01' + (homes.id * 7 + n * 9000)::int % 34000,
    jsonb_build_object('t_alone', homes.id % 3 = 0, 't_kids', n), 'import', now()
FROM homes, generate_series(1, 4) n
"""


_RECOUNT = """
SELECT count(*)::int AS people FROM household_member m WHERE (m.facts->>'t_alone')::boolean
AND m.birthday <= $1::date - interval '80 years' AND EXISTS (SELECT 1 FROM household_member o
    WHERE o.household_id = m.household_id AND o.birthday > $1::date - interval '31 years')
"""


async def test_page_by_page_a_large_community_is_looked_through_whole_and_nobody_twice():
    await fact_kinds()
    await fetch(_CROWD, await area(SECOND))
    rule = {"all": [{"age": {"from": 80}}, {"fact": "t_alone", "is": True}, {"household": {"age": {"to": 30}}}]}
    after, seen = 0, []
    while page := await list_people(rule, await area(), TODAY, after=after, limit=500):
        assert len(page) <= 500
        after, seen = page[-1].order, [*seen, *(one.member_id for one in page)]
    assert len(seen) == len(set(seen)) == (await fetch(_RECOUNT, TODAY))[0]["people"]
    assert len(seen) > 200
