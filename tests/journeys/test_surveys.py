"""投票, 问卷 and 回访 in the chat: asked in daytime, answered by numbers and words, results told; who says it happened
again is looked after at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from domain import broadcast_runs, follow_ups, survey_results, surveys
from domain.people import find_person
from models.cases import Case
from models.enums import FollowUpState, Outcome, SurveyKind
from models.messaging import Inbox
from models.people import Area
from models.people_facts import OptOut
from models.surveys import FollowUp, Survey, SurveyAnswer, SurveyDraft
from tests.town import CHEN, LI, WANG, ZHOU, Town

COMMUNITY, SUN = "429906001001", "o_sun_of_the_same_flat"
FOUR_WEEKS = timedelta(days=28)
QUESTIONS: list[dict[str, Any]] = [
    {"text": "同意加装电梯吗？", "type": "choice", "choices": ["同意", "不同意", "弃权"]},
    {"text": "还想改什么？", "type": "choices", "choices": ["门禁", "停车", "照明"], "required": False},
    {"text": "物业几颗星？", "type": "stars"},
    {"text": "还有什么要说？", "type": "text", "required": False},
]


async def handed_in(town: Town, **more: Any) -> Survey:
    """A survey that LI wrote and ZHOU, at the street, is to look at."""
    li = await find_person(LI, town.clock())
    given: dict[str, Any] = {"kind": SurveyKind.QUESTIONNAIRE, "title": "小区改造", "questions": QUESTIONS}
    given |= {"area_id": (await Area.get(code=COMMUNITY)).id, "opens_at": town.clock()}
    plan = surveys.Plan(**given | {"closes_at": town.clock() + timedelta(days=7)} | more)
    survey = await surveys.make_survey(li, plan, town.clock())
    await surveys.hand_in(li, survey.id, town.clock())
    return survey


async def let_out(town: Town, **more: Any) -> Survey:
    survey = await handed_in(town, **more)
    zhou = await find_person(ZHOU, town.clock())
    return await surveys.decide(zhou, survey.id, survey.version, True, town.clock())


async def test_a_questionnaire_is_answered_left_and_taken_up_again(town: Town):
    survey = await let_out(town)
    begun = await town.say(CHEN, "问卷")
    assert "“小区改造”，4 题，记名，11 月 27 日截止。" in begun
    assert "1/4 同意加装电梯吗？" in begun
    assert "没看明白" in await town.say(CHEN, "9")
    assert "2/4 还想改什么？\n1 门禁　2 停车　3 照明" in await town.say(CHEN, "1")
    assert "已取消" in await town.say(CHEN, "取消")
    assert "2/4 还想改什么？" in await town.say(CHEN, f"问卷 {survey.id}"), "where they stopped"
    assert "1/4 同意加装电梯吗？" in await town.say(CHEN, "上一题")
    assert "2/4" in await town.say(CHEN, "不同意")
    assert "3/4 物业几颗星？" in await town.say(CHEN, "1、3")
    assert "4/4" in await town.say(CHEN, "四颗星")
    assert "答完了。截止前都可以改。" in await town.say(CHEN, "跳过")
    assert "收到，谢谢您" in await town.say(CHEN, "1")
    assert (await SurveyAnswer.get()).answers == {"q1": 2, "q2": [1, 3], "q3": 4}
    assert await SurveyDraft.all().count() == 0
    assert "您答过了，再答一遍就按新的算" in await town.say(CHEN, "问卷")


async def test_a_sentence_about_something_else_goes_on_as_such(town: Town):
    await let_out(town, title="给八十岁以上的", audience={"age": {"from": 80}})
    assert "现在没有要投票" in await town.say(CHEN, "问卷"), "not meant for her"
    await let_out(town)
    await town.say(CHEN, "我要投票")
    assert "看起来您要反映" in await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    await town.say(CHEN, "取消")
    for words in ("投票", "1", "跳过", "5"):
        await town.say(CHEN, words)
    assert "请马上" in await town.say(CHEN, "我家着火了快来人"), "danger is no answer"


async def test_what_is_typed_into_an_anonymous_one_is_kept_nowhere_else(town: Town):
    survey = await let_out(town, anonymous=True)
    await town.say(CHEN, "问卷")
    assert "没看明白" in await town.say(CHEN, "要我说就弃权吧，装不装我都无所谓")
    for words in ("弃权", "停车", "2颗星", "门口的石狮子挪一挪"):
        await town.say(CHEN, words)
    await town.say(CHEN, "提交")
    kept = [one.body.decode() for one in await Inbox.all()]
    assert [body for body in kept if any(words in body for words in ("石狮子", "弃权", "停车", "2颗星"))] == []
    assert [one.id for one in await Inbox.all() if "石狮子" in (one.reply or "")] == []
    assert "不能改" in await town.say(CHEN, f"问卷 {survey.id}")
    assert "截止后才公布" in await town.say(CHEN, f"问卷结果 {survey.id}")


async def moves_in(town: Town, openid: str, name: str) -> None:
    """Somebody says where they live, and the grid's worker agrees."""
    for words in ("你好", "我住3栋2单元501", name):
        await town.say(openid, words)
    await town.deliver()
    await town.tap(WANG, "是这户的")


async def test_a_household_votes_once_and_hears_the_result(town: Town):
    vote = await let_out(town, kind=SurveyKind.VOTE, title="加装电梯", questions=QUESTIONS[:1])
    assert "先要知道您是哪一户" in await town.say(CHEN, f"投票 {vote.id}")
    await town.platform.follow(SUN, "grid:429906001001001")
    await moves_in(town, CHEN, "陈秀兰")
    await moves_in(town, SUN, "孙子")
    await town.say(CHEN, f"投票 {vote.id}")
    await town.say(CHEN, "同意")
    await town.say(CHEN, "提交")
    assert "是家里人投的，11 月 27 日前可以请他改" in await town.say(SUN, "投票")
    assert "3栋2单元501" not in await town.say(WANG, f"谁没投 {vote.id}")
    town.clock.advance(timedelta(days=7))
    await town.say(CHEN, "你好")
    await survey_results.close_due(town.clock())
    await town.deliver()
    assert town.last(CHEN).startswith("投票结束了，谢谢您参加。\n“加装电梯”1 户参加，占 100%。")
    assert "同意：1（100%）" in town.last(CHEN)
    assert "同意：1（100%）" in await town.tap(CHEN, "看结果")
    assert "同意：1（100%）" in await town.say(SUN, "投票结果")
    assert "马上发给您" in await town.say(SUN, "看图")
    await town.deliver()
    assert [push.kind for push in town.platform.pushes(SUN)][-2:] == ["image", "text"]
    assert "“加装电梯”的结果图" in town.last(SUN)
    assert "现在没有要投票" in await town.say(CHEN, "投票")


async def test_a_colleague_lets_it_out_from_the_chat_or_says_why_not(town: Town):
    survey = await handed_in(town)
    await town.say(ZHOU, "你好")
    await town.deliver()
    assert "待审问卷" in town.last(ZHOU)
    assert f"{survey.id} 小区改造" in await town.say(ZHOU, "待审问卷")
    assert "1. 同意加装电梯吗？（同意、不同意、弃权）" in await town.tap(ZHOU, "看题目")
    assert "说一句为什么" in await town.tap(ZHOU, "不同意")
    assert "没有发出去" in await town.say(ZHOU, "第二题问得不清楚")
    await town.say(LI, "你好")
    await town.deliver()
    assert "周" in town.last(LI)
    assert "第二题问得不清楚" in town.last(LI)
    assert "没有找到" in await town.say(CHEN, f"问卷 {survey.id}")
    again = await handed_in(town)
    await town.deliver()
    assert "1. 同意加装电梯吗？" in await town.tap(ZHOU, "看题目")
    assert "马上通知居民" in await town.tap(ZHOU, "同意")
    await town.say(CHEN, "你好")
    while await broadcast_runs.advance(town.clock()):
        pass
    await town.deliver()
    assert f"回复“问卷 {again.id}”就可以答" in town.last(CHEN)
    assert "1/4" in await town.say(CHEN, f"问卷 {again.id}")


async def solved(town: Town, days: int, **more: Any) -> Case:
    """A case of CHEN's that was solved so many days ago."""
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    case = await Case.all().order_by("-id").first()
    assert case
    closed = {"status": "closed", "outcome": Outcome.SOLVED, "solved": True}
    closed |= {"closed_at": town.clock() - timedelta(days=days)}
    await Case.filter(id=case.id).update(**closed | more)
    return await Case.get(id=case.id)


async def test_after_four_weeks_it_is_asked_once_whether_it_is_still_well(town: Town):
    await solved(town, 29)
    newest = await solved(town, 28)
    await solved(town, 27)
    await solved(town, 30, outcome=Outcome.EXPLAINED)
    town.clock.advance(timedelta(hours=13))
    assert await follow_ups.ask_due(town.clock(), FOUR_WEEKS) == 0, "not at eleven in the night"
    town.clock.advance(timedelta(hours=10))
    assert await follow_ups.ask_due(town.clock(), timedelta()) == 0, "0 days = never"
    both = await asyncio.gather(*(follow_ups.ask_due(town.clock(), FOUR_WEEKS) for _ in range(2)))
    assert sum(both) == 1, "one, the newest, however many were closed, and however many schedulers look"
    assert await follow_ups.ask_due(town.clock(), FOUR_WEEKS) == 0
    asked = await FollowUp.get()
    assert asked.case_id == newest.id
    await town.deliver()
    assert "楼道照明损坏”（3栋2单元楼道），现在还好吗？" in town.last(CHEN)
    assert "那就好" in await town.tap(CHEN, "还好")
    assert "已经答过了" in await town.tap(CHEN, "又出现了")
    town.clock.advance(timedelta(days=15))
    await follow_ups.ask_due(town.clock(), FOUR_WEEKS)
    assert (await FollowUp.get()).state is FollowUpState.FINE
    assert "回访 1 人：还好 1，又出现 0，还好的占 100%" in await town.say(WANG, "回访情况")


async def test_what_happened_again_gets_a_case_at_once(town: Town):
    old = await solved(town, 28)
    await follow_ups.ask_due(town.clock(), FOUR_WEEKS)
    answer = await town.say(CHEN, "又出现了，昨晚又不亮了")
    new = await Case.all().order_by("-id").first()
    assert new
    assert (new.id != old.id, new.category, new.place) == (True, old.category, old.place)
    assert new.description.startswith("昨晚又不亮了\n又出现了，上次是")
    assert f"编号 {new.number.split('-')[1]}" in answer
    assert (await FollowUp.get()).led_to_id == new.id
    await town.say(CHEN, "取消")
    assert "是哪件事" in await town.say(CHEN, "又出现了")


async def test_where_it_may_still_be_reopened_the_same_case_goes_on(town: Town):
    old = await solved(town, 10)
    assert await follow_ups.ask_due(town.clock(), timedelta(days=10)) == 1
    await town.deliver()
    assert "已交给网格员王芳" in await town.tap(CHEN, "又出现了")
    assert ((await Case.get(id=old.id)).reopened, await Case.all().count()) == (1, 1)
    assert (await FollowUp.get()).led_to_id == old.id


async def test_silence_is_not_fine_and_who_wants_none_is_not_asked(town: Town):
    await solved(town, 28)
    await follow_ups.ask_due(town.clock(), FOUR_WEEKS)
    town.clock.advance(timedelta(days=15))
    await follow_ups.ask_due(town.clock(), FOUR_WEEKS)
    wang = await find_person(WANG, town.clock())
    found = await follow_ups.figures(wang, town.clock())
    assert (found.asked, found.fine, found.silent, found.share_fine) == (1, 0, 1, None)
    assert "不再回访" in await town.say(CHEN, "不用再问我")
    assert [one.topic for one in await OptOut.all()] == ["follow_up"]
    town.clock.advance(timedelta(days=40))
    await solved(town, 28)
    assert await follow_ups.ask_due(town.clock(), FOUR_WEEKS) == 0
