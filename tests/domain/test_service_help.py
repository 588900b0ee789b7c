"""Eligibility, checklists, questions without an answer, providers: what residents do with the directory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import providers, service_help
from domain.erasure import erase
from domain.linking import merge
from domain.people import Person, find_person, join_grid, post_of
from domain.personal_data import gather
from domain.services import find_item
from errors import BadRequest, NotAllowed, NotFound
from models.audit import AuditEvent
from models.cases import Case
from models.database import transaction
from models.people import Area, Staff
from models.services import Checklist, MissingItem, Provider, ProviderRating
from tests.domain.tables import NOW

GRID = "429906001001001"
UNKNOWN = "在社区里怎么开无人机飞行许可"


async def resident(openid: str = "o_helped", grid: str = GRID) -> Person:
    await join_grid(await find_person(openid, NOW), NOW, code=grid)
    return await find_person(openid, NOW)


async def staff(code: str = "S001") -> Person:
    return Person("", 0, None, await post_of((await Staff.get(code=code)).id))


async def test_questions_are_asked_one_by_one_until_there_is_an_answer(orm: None):
    item = await find_item(await resident(), "sybx")
    first = service_help.judge(item, [])
    assert (first.verdict, first.question) == ("next", item.questions[0])
    assert service_help.judge(item, [1]).question == item.questions[1]
    assert service_help.judge(item, [1, 1, 1]).verdict == "yes"
    refused = service_help.judge(item, [2])
    assert (refused.verdict, "临时救助" in refused.say) == ("no", True)


@pytest.mark.parametrize("answers", [[3], [0], [-1], [1, 1, 1, 1]])
async def test_an_answer_there_is_not_is_refused(orm: None, answers: list[int]):
    item = await find_item(await resident(), "sybx")
    with pytest.raises(BadRequest):
        service_help.judge(item, answers)


async def test_an_item_without_questions_asks_none(orm: None):
    with pytest.raises(BadRequest) as refusal:
        service_help.judge(await find_item(await resident(), "tss"), [])
    assert "直接看材料" in refusal.value.say


async def test_every_shipped_question_can_end_in_every_answer(orm: None):
    person = await resident()
    item = await find_item(person, "gzf")
    assert {service_help.judge(item, [1, end]).verdict for end in (1, 2, 3)} == {"yes", "ask", "no"}


async def test_what_is_ticked_stays_and_can_be_sent_on(orm: None):
    person = await resident()
    await service_help.tick(person, "dibao", ["全家身份证和户口簿"], NOW)
    item = await find_item(person, "dibao")
    at_hand = await service_help.ticked(person, item)
    lines = service_help.share_text(item, at_hand).split("\n")
    assert lines[0] == "最低生活保障申请 要带："
    assert [line[0] for line in lines[1:4]] == ["☑", "☐", "☐"]
    assert "地点：街道便民服务中心或社区" in lines
    assert await service_help.ticked(await resident("o_other"), item) == set(), "each their own"
    await service_help.tick(person, "dibao", [], NOW)
    assert await service_help.ticked(person, item) == set()
    with pytest.raises(BadRequest):
        await service_help.tick(person, "dibao", ["金条"], NOW)


async def test_a_question_without_an_answer_goes_to_the_grid_worker_and_is_counted(orm: None):
    first = await service_help.ask(await resident(), UNKNOWN, NOW)
    assert first.holder is not None
    assert (first.holder.name, first.case.description) == ("王芳", UNKNOWN)
    await service_help.ask(await resident("o_next"), f"请问{UNKNOWN}", NOW + timedelta(hours=1))
    counted = await MissingItem.get()
    assert (counted.count, counted.last_at - counted.first_at) == (2, timedelta(hours=1))
    [line] = await service_help.missing_items(await staff())
    assert (line.count, line.words) == (2, f"请问{UNKNOWN}")
    assert await service_help.missing_items(await resident()) == [], "only staff see what others asked"


async def test_a_question_about_an_item_that_is_there_misses_nothing(orm: None):
    item = await find_item(await resident(), "jzz")
    receipt = await service_help.ask(await resident(), "周六开门吗", NOW, about=item)
    assert (receipt.case.subject, receipt.case.description) == ("咨询：居住证办理", "居住证办理：周六开门吗")
    assert await MissingItem.all().count() == 0


async def test_a_missing_item_is_done_with_the_item_that_answers_and_open_when_asked_in_vain_again(orm: None):
    await service_help.ask(await resident(), UNKNOWN, NOW)
    [line] = await service_help.missing_items(await staff())
    for who in (await resident(), await staff("G001")):
        with pytest.raises(NotAllowed):
            await service_help.answer_missing(who, line.id, "jzz", NOW)
    for code, missing_id in (("no-such", line.id), ("jzz", 10**6)):
        with pytest.raises(NotFound):
            await service_help.answer_missing(await staff(), missing_id, code, NOW)
    with pytest.raises(NotFound):
        await service_help.answer_missing(await staff("S002"), line.id, "jzz", NOW)
    await service_help.answer_missing(await staff(), line.id, "jzz", NOW)
    assert await service_help.missing_items(await staff()) == []
    assert await AuditEvent.filter(tag="missing:done", object_id=line.id, allowed=True).count() == 1
    await service_help.ask(await resident("o_next"), UNKNOWN, NOW)
    assert [one.count for one in await service_help.missing_items(await staff())] == [2]


async def test_who_looked_at_an_item_is_noted_and_its_version_stays(orm: None):
    later = NOW + timedelta(days=3)
    item = await service_help.review(await staff(), "jzz", later)
    assert (f"{item.reviewed_on}", item.reviewer, item.version) == ("2026-11-23", "李主任", 1)
    for who in (await resident(), await staff("G001")):
        with pytest.raises(NotAllowed):
            await service_help.review(who, "jzz", later)
    assert await AuditEvent.filter(tag="service:review", object_id=item.id, allowed=True).count() == 1


async def test_numbers_of_people_are_not_counted_nor_shown(orm: None):
    await service_help.ask(await resident(), f"{UNKNOWN} 我电话13812345678", NOW)
    [line] = await service_help.missing_items(await staff())
    assert "13812345678" not in line.words + line.wanted
    assert "13812345678" not in (await MissingItem.get()).wanted


async def test_missing_items_stay_in_their_community(orm: None):
    await service_help.ask(await resident("o_far", "429906001002001"), UNKNOWN, NOW)
    assert await service_help.missing_items(await staff("S001")) == []
    assert len(await service_help.missing_items(await staff("J001"))) == 1, "the street sees both communities"


async def test_ratings_count_once_a_resident_and_the_best_come_first(orm: None):
    plumbers = [one.id for one in await providers.list_providers(await resident(), "维修", NOW)]
    for number in range(3):
        rater = await resident(f"o_rater{number}")
        await providers.rate_provider(rater, plumbers[0], 1, "迟到", NOW)
        rated = await providers.rate_provider(rater, plumbers[0], 2, "", NOW)
        assert (rated.ratings, rated.stars) == (number + 1, 2.0 if number == 2 else None)
    assert [one.id for one in await providers.best_providers(await resident(), "维修", NOW)] == plumbers[::-1]
    for stars in (0, 6):
        with pytest.raises(BadRequest):
            await providers.rate_provider(await resident(), plumbers[0], stars, "", NOW)
    assert await ProviderRating.all().count() == 3
    assert await AuditEvent.filter(tag="provider:rate").count() == 6


async def test_a_complaint_is_a_case_and_is_counted(orm: None):
    person = await resident()
    shop = await Provider.get(code="wx01")
    receipt = await providers.complain(person, shop.id, "说好三十结果收了三百", NOW)
    case = await Case.get(id=receipt.case.id)
    assert (case.subject, "说好三十结果收了三百" in case.description) == ("投诉邻家水电维修", True)
    assert (await providers.find_provider(person, shop.id, NOW)).complaints == 1
    with pytest.raises(BadRequest):
        await providers.complain(person, shop.id, "  ", NOW)
    assert await Case.all().count() == 1


async def test_a_provider_of_another_area_is_as_one_there_is_not(orm: None):
    far = await resident("o_far", "429906001002001")
    shop = await Provider.get(code="wx01").select_related("area")
    assert shop.area == await Area.get(code="429906001001")
    says = []
    for provider_id in (shop.id, 10**6):
        with pytest.raises(NotFound) as refusal:
            await providers.rate_provider(far, provider_id, 5, "", NOW)
        says.append(refusal.value.say)
    assert says[0] == says[1]


async def test_what_a_resident_did_here_is_in_their_package_and_goes_with_them(orm: None):
    person = await resident()
    await service_help.tick(person, "dibao", ["全家身份证和户口簿"], NOW)
    await providers.rate_provider(person, (await Provider.get(code="wx01")).id, 4, "师傅姓张", NOW)
    await service_help.ask(person, UNKNOWN, NOW)
    package = await gather(person, NOW)
    assert package.ratings[0]["words"] == "师傅姓张"
    assert package.checklists[0]["ticked"] == ["全家身份证和户口簿"]
    await Case.all().update(status="closed", closed_at=NOW)
    await erase(person, NOW, even_open=True)
    rating = await ProviderRating.get()
    assert (rating.stars, rating.words) == (4, "")
    assert await Checklist.all().count() == 0
    assert await MissingItem.all().count() == 0


async def test_who_turns_out_to_be_one_person_keeps_what_both_ticked_and_rated(orm: None):
    follower, visitor = await resident("o_follower"), await resident("mini:o_visitor")
    shop = (await Provider.get(code="wx01")).id
    await providers.rate_provider(visitor, shop, 5, "好", NOW)
    await service_help.tick(visitor, "dibao", ["全家身份证和户口簿"], NOW)
    await service_help.tick(visitor, "jhdj", ["两寸合影"], NOW)
    await service_help.tick(follower, "jhdj", ["双方身份证"], NOW)
    async with transaction():
        await merge(visitor.resident_id, follower.resident_id, NOW)
    assert (await ProviderRating.get()).resident_id == follower.resident_id
    for code, kept in (("dibao", "全家身份证和户口簿"), ("jhdj", "双方身份证")):
        assert await service_help.ticked(follower, await find_item(follower, code)) == {kept}
