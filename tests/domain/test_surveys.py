"""Questionnaires and household votes: four eyes, one answer each, what residents see, and how an anonymous one stays
so even for who reads the tables."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

import pytest
from openpyxl import load_workbook

from domain import survey_answers, survey_results, surveys
from domain.erasure import erase
from domain.linking import merge
from domain.people import Person, find_person, join_grid, post_of
from domain.personal_data import gather
from domain.survey_questions import check_answers, check_questions, read_answer
from errors import BadRequest, Conflict, LinliError, NotAllowed, NotFound
from models.broadcasts import Broadcast
from models.database import database, fetch, transaction
from models.enums import SurveyKind, SurveyState
from models.messaging import Outbox
from models.people import Area, Household, Staff
from models.people_facts import HouseholdMember
from models.surveys import Survey, SurveyAnswer, SurveyDraft, SurveyVoter
from tests.domain.tables import NOW

GRID, COMMUNITY = "429906001001001", "429906001001"
DONE = NOW + timedelta(days=8)
LIFT = {"text": "同意加装电梯吗？", "type": "yes_no"}
ASKED: Sequence[dict[str, Any]] = (
    {"text": "物业做得怎么样？", "type": "stars"},
    {"text": "最想改什么？", "type": "choices", "choices": ["卫生", "停车", "安全"]},
    {"text": "想说的话", "type": "text", "required": False},
)


async def neighbour(openid: str, home: Household | None = None, *, name: str = "", born: int = 1970) -> Person:
    """Somebody of the first grid, known as a member of a household if one is given."""
    await join_grid(await find_person(openid, NOW), NOW, code=GRID)
    person = await find_person(openid, NOW)
    if home:
        await HouseholdMember.create(
            household=home,
            resident_id=person.resident_id,
            name=name or openid,
            birthday=NOW.date().replace(year=born),
            confirmed_at=NOW,
            changed_at=NOW,
        )
    return person


async def home(room: str) -> Household:
    found, _ = await Household.get_or_create(
        grid=await Area.get(code=GRID), building="3栋", unit="2单元", room=room, defaults={}
    )
    return found


async def staff(code: str) -> Person:
    return Person("", 0, None, await post_of((await Staff.get(code=code)).id))


async def second() -> Person:
    """A colleague of S001 who may let out what they wrote."""
    there = await Staff.get(code="S001")
    other, _ = await Staff.get_or_create(
        code="S009", defaults={"name": "何主任", "role": there.role, "area_id": there.area_id, "openid": "o_second"}
    )
    return Person("", 0, None, await post_of(other.id))


async def opened(questions: Sequence[dict[str, Any]] = (LIFT,), **more: Any) -> Survey:
    """A survey of the community that both have looked at."""
    area = await Area.get(code=COMMUNITY)
    given: dict[str, Any] = {"kind": SurveyKind.VOTE, "title": "3 栋加装电梯"} | more
    plan = surveys.Plan(questions=questions, area_id=area.id, opens_at=NOW, closes_at=NOW + timedelta(days=7), **given)
    survey = await surveys.make_survey(await staff("S001"), plan, NOW)
    await surveys.hand_in(await staff("S001"), survey.id, NOW)
    return await surveys.decide(await second(), survey.id, 1, True, NOW)


async def said(error: type[LinliError], action: Any) -> str:
    """The sentence of the refusal."""
    with pytest.raises(error) as refusal:
        await action
    return refusal.value.say


async def told(openid: str) -> list[str]:
    return [job.payload["text"] for job in await Outbox.filter(recipient=openid).order_by("id")]


async def test_who_wrote_it_does_not_let_it_out_and_what_waits_is_not_changed(orm: None):
    li, ho, zhou = await staff("S001"), await second(), await staff("J001")
    area = await Area.get(code=COMMUNITY)
    plan = surveys.Plan(
        SurveyKind.QUESTIONNAIRE, "物业满意度", ASKED, area.id, NOW, NOW + timedelta(days=7), words="请说说物业"
    )
    survey = await surveys.make_survey(li, plan, NOW)
    resident = await neighbour("o_reader")
    await said(NotFound, surveys.find_survey(resident, survey.id, NOW))
    await said(NotAllowed, surveys.make_survey(await staff("G001"), plan, NOW))
    await surveys.hand_in(li, survey.id, NOW)
    assert "待审问卷" in (await told("o_second"))[-1]
    assert "另一位同事" in await said(NotAllowed, surveys.decide(li, survey.id, 1, True, NOW))
    assert "不能再改" in await said(Conflict, surveys.change_survey(ho, survey.id, plan, NOW))
    assert "写一句原因" in await said(BadRequest, surveys.decide(ho, survey.id, 1, False, NOW))
    await surveys.decide(ho, survey.id, 1, False, NOW, why="第二题少一个选项")
    await surveys.change_survey(ho, survey.id, plan, NOW)
    await surveys.hand_in(ho, survey.id, NOW)
    await said(NotAllowed, surveys.decide(ho, survey.id, 2, True, NOW))
    assert "刚刚改过" in await said(Conflict, surveys.decide(zhou, survey.id, 1, True, NOW)), "they read the first"
    survey = await surveys.decide(zhou, survey.id, 2, True, NOW)
    broadcast = await Broadcast.get(id=survey.broadcast_id)
    assert (survey.state, broadcast.topic, broadcast.audience) == (SurveyState.OPEN, "survey", {"area": [COMMUNITY]})
    assert (broadcast.author_id, broadcast.approver_id) == (ho.post and ho.post.id, zhou.post and zhou.post.id)
    assert f"回复“问卷 {survey.id}”" in broadcast.text
    assert [one.survey.id for one in await surveys.list_surveys(resident, NOW)] == [survey.id]
    await surveys.cancel(li, survey.id, "题目有误", NOW)
    assert (await Broadcast.get(id=survey.broadcast_id)).state == "cancelled"
    assert await surveys.list_surveys(resident, NOW) == []


async def test_a_survey_that_would_not_do_is_refused_in_words(orm: None):
    given: dict[str, Any] = {
        "kind": SurveyKind.VOTE,
        "title": "试试",
        "questions": [LIFT],
        "area_id": (await Area.get(code=COMMUNITY)).id,
        "opens_at": NOW,
        "closes_at": NOW + timedelta(days=1),
    }
    for changed, sentence in (
        ({"questions": []}, "1 到 20 道题"),
        ({"questions": [LIFT] * 21}, "1 到 20 道题"),
        ({"questions": [{"text": "选哪个？", "type": "choice", "choices": ["好"]}]}, "第 1 题要有 2 到 9 个"),
        ({"questions": [LIFT, {"text": "几分", "type": "points"}]}, "第 2 题的类型"),
        ({"questions": [{**LIFT, "choices": ["是", "否"]}]}, "第 1 题不用写选项"),
        ({"questions": [{**LIFT, "key": "q"}, {**LIFT, "key": "q"}]}, "代号要不一样"),
        ({"title": ""}, "标题"),
        ({"closes_at": NOW}, "截止时间"),
        ({"opens_at": NOW + timedelta(days=400), "closes_at": NOW + timedelta(days=401)}, "提前一年"),
        ({"anonymous": True, "results": "all"}, "不记名的要等结束后"),
        ({"audience": {"age": "old"}}, "人群"),
    ):
        plan = surveys.Plan(**given | changed)
        assert sentence in await said(BadRequest, surveys.make_survey(await staff("S001"), plan, NOW))


@pytest.mark.parametrize(
    ("place", "typed", "meant"),
    [
        (0, "４", 4),
        (0, "五颗星", 5),
        (0, "3分", 3),
        (1, "1 3", [1, 3]),
        (1, "31", [1, 3]),
        (1, "停车", [2]),
        (1, "1、2，3。", [1, 2, 3]),
        (2, "早点修门。", "早点修门"),
        (3, "是", True),
        (3, "②", False),
        (3, "不同意", False),
    ],
)
def test_what_people_type_is_read(place: int, typed: str, meant: Any):
    questions = check_questions([*ASKED, LIFT])
    assert read_answer(questions[place], typed) == meant


@pytest.mark.parametrize(("place", "typed"), [(0, "6"), (0, "很好"), (1, "4"), (1, "14"), (2, "。"), (3, "也许")])
def test_what_cannot_be_read_says_how_to_answer(place: int, typed: str):
    with pytest.raises(BadRequest) as refusal:
        read_answer(check_questions([*ASKED, LIFT])[place], typed)
    assert "没看明白" in refusal.value.say


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"q1": 6, "q2": [1]},
        {"q1": True, "q2": [1]},
        {"q1": 3, "q2": [1, 1]},
        {"q1": 3, "q2": [1], "q9": 1},
        {"q1": 3, "q2": [1], "q3": "长" * 501},
        {"q1": 3, "q2": "1"},
        {"q1": "3", "q2": [1]},
    ],
)
def test_answers_that_do_not_fit_are_refused(given: dict[str, Any]):
    with pytest.raises(BadRequest):
        check_answers(check_questions(ASKED), given)
    assert check_answers(check_questions(ASKED), {"q1": 3, "q2": [2, 1], "q3": ""}) == {"q1": 3, "q2": [1, 2]}


async def test_a_household_votes_once_and_only_who_voted_changes_it(orm: None):
    flat = await home("501")
    father, son = await neighbour("o_father", flat), await neighbour("o_son", flat)
    stranger, survey = await neighbour("o_tenant"), await opened()
    assert "先要知道您是哪一户" in await said(NotAllowed, survey_answers.answer(stranger, survey.id, {"q1": True}, NOW))
    await survey_answers.answer(father, survey.id, {"q1": True}, NOW)
    assert "家里人投的" in await said(Conflict, survey_answers.answer(son, survey.id, {"q1": False}, NOW))
    assert "您家已经投过了" in await survey_answers.may_answer(son, survey, NOW)
    await survey_answers.answer(father, survey.id, {"q1": False}, NOW)
    assert await survey_answers.my_answers(father, survey.id) == {"q1": False}
    assert (await SurveyVoter.all().count(), await SurveyAnswer.all().count()) == (1, 1)
    assert [one.answered for one in await surveys.list_surveys(son, NOW)] == [True]
    assert "已经截止了" in await said(Conflict, survey_answers.answer(father, survey.id, {"q1": True}, DONE))
    foreign = Household(grid=await Area.get(code="429906001002001"), building="1栋", room="101")
    await foreign.save()
    far = await find_person("o_far", NOW)
    await join_grid(far, NOW, code="429906001002001")
    await said(NotFound, survey_answers.answer(await find_person("o_far", NOW), survey.id, {"q1": True}, NOW))


async def test_of_two_who_vote_at_once_for_a_household_one_counts(orm: None):
    flat, survey = await home("502"), await opened()
    family = [await neighbour(f"o_family_{number}", flat) for number in range(6)]
    answers = await asyncio.gather(
        *(survey_answers.answer(one, survey.id, {"q1": True}, NOW) for one in family), return_exceptions=True
    )
    assert Counter(type(one) for one in answers) == {Survey: 1, Conflict: 5}
    assert (await SurveyVoter.all().count(), await SurveyAnswer.all().count()) == (1, 1)


async def test_staff_write_down_what_an_elder_says_once(orm: None):
    flat, survey, wang = await home("503"), await opened(), await staff("G001")
    granny = await HouseholdMember.create(household=flat, name="赵奶奶", changed_at=NOW)
    away = await Household.create(grid=await Area.get(code="429906001002001"), building="1栋", room="102")
    stranger = await HouseholdMember.create(household=away, name="远方", changed_at=NOW)
    await survey_answers.answer_for(wang, survey.id, granny.id, {"q1": True}, NOW)
    assert (await SurveyVoter.get()).by == wang.actor
    await said(NotFound, survey_answers.answer_for(wang, survey.id, stranger.id, {"q1": True}, NOW))
    grandson = await neighbour("o_grandson", flat)
    assert "网格员替您家登记的" in await said(Conflict, survey_answers.answer(grandson, survey.id, {"q1": True}, NOW))
    assert "3栋2单元503" not in await survey_results.waited_for(wang, survey.id, NOW)
    await home("504")
    assert "3栋2单元504" in await survey_results.waited_for(wang, survey.id, NOW)


async def test_only_those_it_is_meant_for_are_asked_and_counted(orm: None):
    rule = {"all": [{"area": [GRID]}, {"age": {"from": 60}}]}
    for room, born in (("601", 1950), ("602", 1990)):
        await neighbour(f"o_{room}", await home(room), born=born)
    survey = await opened(ASKED, kind=SurveyKind.QUESTIONNAIRE, audience=rule)
    old, young = await find_person("o_601", NOW), await find_person("o_602", NOW)
    assert survey.expected == 1
    assert "不是问您的" in await said(NotAllowed, survey_answers.answer(young, survey.id, {"q1": 3, "q2": [1]}, NOW))
    await survey_answers.answer(old, survey.id, {"q1": 3, "q2": [1]}, NOW)
    assert (await survey_results.count(survey)).rate == 1


async def test_results_have_counts_shares_and_rate_and_close_by_themselves(orm: None):
    survey = await opened(ASKED, kind=SurveyKind.QUESTIONNAIRE, title="物业满意度")
    people = [await neighbour(f"o_asked_{number}") for number in range(4)]
    given = [{"q1": 5, "q2": [1, 2]}, {"q1": 4, "q2": [2]}, {"q1": 3, "q2": [2, 3], "q3": "=1+1 早点修门"}]
    for person, answers in zip(people, given, strict=False):
        await survey_answers.answer(person, survey.id, answers, NOW)
    await survey_answers.save_draft(people[3], survey.id, {"q1": 1}, NOW)
    assert "截止后才公布" in await said(NotAllowed, survey_results.result_of(people[0], survey.id, NOW))
    early = await survey_results.result_of(await staff("S001"), survey.id, NOW)
    assert [one.answered for one in early.questions] == [3, 3, 1]
    assert await survey_results.close_due(NOW) == 0
    ended = await asyncio.gather(*(survey_results.close_due(DONE) for _ in range(2)))
    assert (sum(ended), await SurveyDraft.all().count()) == (1, 0)
    [stars, wishes, words] = (await survey_results.result_of(people[0], survey.id, DONE)).questions
    assert (stars.mean, [bar.count for bar in stars.bars]) == (4.0, [0, 0, 1, 1, 1])
    assert [(bar.label, bar.count, bar.share) for bar in wishes.bars] == [
        ("卫生", 1, 1 / 3),
        ("停车", 3, 1.0),
        ("安全", 1, 1 / 3),
    ]
    assert (words.answered, list(words.texts)) == (1, []), "what people wrote is for staff"
    assert [len(await told(f"o_asked_{number}")) for number in range(4)] == [1, 1, 1, 0]
    assert "3 人参加" in (await told("o_asked_0"))[0]
    assert (await survey_results.draw(people[0], survey.id, 2, DONE)).startswith(b"\x89PNG")
    await said(NotFound, survey_results.draw(people[0], survey.id, 3, DONE))
    await said(NotAllowed, survey_results.export(people[0], survey.id, DONE))
    book = load_workbook(io.BytesIO(await survey_results.export(await staff("S001"), survey.id, DONE)))
    cells = [
        cell for row in book["每份回答"].iter_rows() for cell in row if cell.value and "早点修门" in str(cell.value)
    ]
    assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1 早点修门", "s")]


async def test_results_for_staff_stay_with_staff(orm: None):
    survey = await opened(results="staff")
    person = await neighbour("o_kept", await home("701"))
    await survey_answers.answer(person, survey.id, {"q1": True}, NOW)
    await survey_results.close_due(DONE)
    assert "不公布" in await said(NotAllowed, survey_results.result_of(person, survey.id, DONE))
    assert "给社区参考" in (await told("o_kept"))[-1]
    assert (await survey_results.result_of(await staff("G001"), survey.id, DONE)).questions[0].answered == 1


async def test_who_reads_the_tables_cannot_tell_whose_anonymous_answer_is_whose(orm: None):
    choices = [{"text": "几号？", "type": "choice", "choices": [f"{number} 号" for number in range(1, 10)]}]
    survey = await opened(choices, kind=SurveyKind.QUESTIONNAIRE, anonymous=True)
    people = [await neighbour(f"o_hidden_{number}") for number in range(1, 10)]
    for number, person in enumerate(people, 1):
        await survey_answers.answer(person, survey.id, {"q1": number}, NOW + timedelta(minutes=number))
    assert "不能改" in await said(Conflict, survey_answers.answer(people[0], survey.id, {"q1": 2}, NOW))
    li = await staff("S001")
    assert "截止后才能看" in (await survey_results.result_of(li, survey.id, NOW)).hidden
    await said(Conflict, survey_results.export(li, survey.id, NOW))
    columns = {row["name"] for row in await fetch(_COLUMNS)}
    assert columns == {"id", "survey_id", "voter_id", "answers", "grid_id"}, "no time, no name of anybody"
    for moment in ("open", "closed"):
        rows = await fetch(_SEEN)
        assert [(row["voter_id"], row["grid_id"]) for row in rows] == [(None, None)] * 9
        assert len({row["xmin"] for row in rows}) == 1, f"all {moment} were written by one transaction"
        assert sorted(int(row["said"]) for row in rows) == list(range(1, 10)), "none is lost, none is doubled"
        for name in ("id", "ctid"):
            order = [int(row["said"]) for row in sorted(rows, key=itemgetter(name))]
            assert order != list(range(1, 10)), f"{name} is not the order in which they answered"
        await survey_results.close_due(DONE)
    assert (await survey_results.count(await Survey.get(id=survey.id))).questions[0].answered == 9
    assert (await gather(people[0], DONE)).surveys[0]["answers"] is None


_COLUMNS = "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'survey_answer'"
_SEEN = """
SELECT id, voter_id, grid_id, xmin::text, ctid, answers->>'q1' AS said FROM survey_answer
"""


async def test_few_anonymous_answers_are_not_shown(orm: None):
    survey = await opened(kind=SurveyKind.QUESTIONNAIRE, anonymous=True)
    for number in range(4):
        await survey_answers.answer(await neighbour(f"o_few_{number}"), survey.id, {"q1": True}, NOW)
    await survey_results.close_due(DONE)
    result = await survey_results.result_of(await staff("S001"), survey.id, DONE)
    assert (result.answered, list(result.questions), "不到 5 份" in result.hidden) == (4, [], True)


async def test_anonymous_answers_of_many_at_once_over_two_pools_are_all_there(database_url: str):
    async with database(database_url, 12):
        survey = await opened(kind=SurveyKind.QUESTIONNAIRE, anonymous=True)
        people = [await neighbour(f"o_crowd_{number}") for number in range(80)]
        await asyncio.gather(
            *(survey_answers.answer(one, survey.id, {"q1": place % 4 == 0}, NOW) for place, one in enumerate(people))
        )
        written = await fetch("SELECT count(*) AS n FROM survey_answer GROUP BY xmin::text ORDER BY n DESC")
        assert written[0]["n"] == survey_answers.MIXED, "the last is hidden among so many, however many come at once"
        await survey_results.close_due(DONE)
        [bars] = [one.bars for one in (await survey_results.count(await Survey.get(id=survey.id))).questions]
        assert [bar.count for bar in bars] == [20, 60]


async def test_who_is_forgotten_leaves_counts_and_no_words(orm: None):
    survey = await opened(ASKED, kind=SurveyKind.QUESTIONNAIRE)
    gone, stays = await neighbour("o_gone"), await neighbour("o_stays")
    for person in (gone, stays):
        await survey_answers.answer(person, survey.id, {"q1": 2, "q2": [1], "q3": f"我是{person.openid}"}, NOW)
    [mine] = (await gather(gone, NOW)).surveys
    assert (mine["title"], mine["handed_in"]) == ("3 栋加装电梯", True)
    assert mine["answers"] == {"1. 物业做得怎么样？": "2 星", "2. 最想改什么？": "卫生", "3. 想说的话": "我是o_gone"}
    await erase(gone, NOW)
    assert sorted(one.answers.get("q3", "") for one in await SurveyAnswer.all()) == ["", "我是o_stays"]
    assert (await survey_results.count(survey)).answered == 2
    assert await SurveyVoter.filter(resident_id=gone.resident_id).count() == 0


async def test_one_person_known_twice_is_one_voter_afterwards(orm: None):
    survey = await opened(ASKED, kind=SurveyKind.QUESTIONNAIRE)
    mini, chat = await neighbour("mini:one"), await neighbour("o_one")
    for person, stars in ((mini, 1), (chat, 5)):
        await survey_answers.answer(person, survey.id, {"q1": stars, "q2": [1]}, NOW)
    async with transaction():
        await merge(mini.resident_id, chat.resident_id, NOW)
    assert [one.resident_id for one in await SurveyVoter.all()] == [chat.resident_id]
    assert [one.answers["q1"] for one in await SurveyAnswer.all()] == [5]
