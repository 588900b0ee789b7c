"""我要说事: any order, any kind, corrected by a tap or a word, resumed after hours, cancelled at any time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.cases import Attachment, Case
from models.messaging import Conversation
from models.people import Area, Household
from tests.town import CHEN, WANG, Town


async def test_the_menu_starts_a_report_and_the_bot_says_what_to_do(town: Town):
    asked = (await town.platform.click(CHEN, "report")).text
    assert "是什么事，在哪里" in asked
    assert "取消" in asked


async def test_photos_place_and_words_may_come_in_any_order(town: Town):
    assert "请再说一句是什么事" in await town.photo(CHEN)
    assert "2 张照片" in await town.photo(CHEN)
    await town.send(CHEN, "location", latitude=30.564, longitude=114.37, label="东门垃圾点")
    await town.say(CHEN, "你们看看")
    offered = await town.say(CHEN, "这垃圾多少天没人收了")
    assert "垃圾" in offered
    assert "东门垃圾点" in offered
    assert "2 张照片" in offered
    await town.say(CHEN, "1")
    case = await Case.get()
    assert (case.place, case.latitude, case.description) == ("东门垃圾点", 30.564, "你们看看\n这垃圾多少天没人收了")
    assert await Attachment.filter(case_id=case.id).count() == 2


async def test_voice_and_video_are_collected_too(town: Town):
    await town.say(CHEN, "楼上半夜装修太吵了")
    await town.send(CHEN, "voice", data=b"#!AMR\n" + bytes(64))
    shown = await town.send(CHEN, "video", data=b"\0\0\0\x18ftypmp42" + bytes(64))
    assert "1 条语音，1 段视频" in shown
    await town.say(CHEN, "好的")
    assert sorted([row.kind for row in await Attachment.all()]) == ["video", "voice"]


async def test_the_worker_fetches_media_before_wechat_forgets_them(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.photo(CHEN)
    await town.say(CHEN, "1")
    await town.deliver()
    row = await Attachment.get()
    stored = town.services.media / row.path
    assert (row.content_type, row.size) == ("image/png", stored.stat().st_size)


async def test_the_kind_is_corrected_by_one_word(town: Town):
    await town.say(CHEN, "3栋门口这个情况太烦人了 没人管")
    await town.say(CHEN, "2")
    assert "改好了" in await town.say(CHEN, "乱停车")
    await town.say(CHEN, "1")
    assert "停" in (await Case.get()).subject


async def test_the_place_is_corrected_by_tap_and_sentence(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    await town.tap(CHEN, "改一下")
    assert "在哪里" in await town.tap(CHEN, "地点")
    assert "地点：东门第二个门洞" in await town.say(CHEN, "东门第二个门洞")
    await town.say(CHEN, "好")
    assert (await Case.get()).place == "东门第二个门洞"


async def test_a_place_in_other_words_is_shown_as_the_register_has_it_and_goes_to_its_grid(town: Town):
    second = await Area.get(code="429906001001002")
    await Household.create(grid=second, building="阳光花园3栋", unit="1单元", room="101")
    assert "地点：杨光花园三栋楼道（阳光花园3栋）" in await town.say(CHEN, "杨光花园三栋楼道灯坏了")
    await town.say(CHEN, "1")
    assert (await Case.get()).grid_id == second.id


async def test_the_kind_can_be_chosen_from_what_it_might_be(town: Town):
    await town.say(CHEN, "楼道灯坏了 垃圾也没人收")
    await town.tap(CHEN, "改一下")
    asked = await town.tap(CHEN, "事情类型")
    assert "都不是" in asked
    assert "其他问题" in await town.tap(CHEN, "都不是")


async def test_saying_it_again_starts_over_and_keeps_the_photos(town: Town):
    await town.photo(CHEN)
    await town.say(CHEN, "楼道灯坏了")
    await town.tap(CHEN, "改一下")
    assert "1 张照片还在" in await town.tap(CHEN, "重新说一遍")
    await town.say(CHEN, "5栋门口井盖松了")
    await town.say(CHEN, "1")
    case = await Case.get()
    assert case.description == "5栋门口井盖松了"
    assert await Attachment.filter(case_id=case.id).count() == 1


async def test_more_words_join_the_report_until_it_is_handed_in(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    assert "3栋2单元" in await town.say(CHEN, "在3栋2单元")
    await town.say(CHEN, "1")
    assert (await Case.get()).description == "楼道灯坏了\n在3栋2单元"


@pytest.mark.parametrize("word", ["取消", "算了", "退出"])
async def test_cancelling_works_at_any_step_and_nothing_is_handed_in(town: Town, word: str):
    await town.say(CHEN, "楼道灯坏了")
    await town.tap(CHEN, "改一下")
    assert "什么都没有提交" in await town.say(CHEN, word)
    assert "没有" in await town.say(CHEN, "继续")
    assert await Case.all().count() == 0


async def test_it_was_no_report(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    assert "不当作反映问题" in await town.say(CHEN, "3")
    assert await Case.all().count() == 0


async def test_a_report_left_for_hours_is_resumed(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    town.clock.advance(timedelta(hours=9))
    assert "已交给" in await town.say(CHEN, "1")


async def test_after_hours_another_sentence_is_asked_about_not_mixed_in(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    town.clock.advance(timedelta(hours=9))
    assert "是同一件事吗" in await town.say(CHEN, "楼下烧烤店油烟太大")
    offered = await town.say(CHEN, "2")
    assert "油烟" in offered
    await town.say(CHEN, "1")
    assert (await Case.get()).description == "楼下烧烤店油烟太大"


async def test_looking_at_ones_cases_keeps_the_report_at_hand(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "我的事项")
    assert "楼道照明损坏" in await town.say(CHEN, "继续")
    assert "已交给" in await town.say(CHEN, "1")


async def test_a_number_that_is_no_choice_is_explained(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    assert "请回复 1、2 或 3" in await town.say(CHEN, "7")
    assert "已交给" in await town.say(CHEN, "1")


async def test_too_many_photos_are_told_and_not_lost_silently(town: Town):
    for _ in range(20):
        await town.photo(CHEN)
    assert "最多 20 个" in await town.photo(CHEN)
    assert len((await Conversation.get(openid=CHEN)).data["draft"]["media"]) == 20


async def test_a_resident_without_a_grid_chooses_it_when_handing_in(town: Town):
    await town.platform.follow("o_new")
    await town.say("o_new", "楼道灯坏了")
    asked = await town.say("o_new", "1")
    assert "您住在哪个网格" in asked
    assert "东亭社区第二网格" in asked
    assert "已交给网格员刘洋" in await town.say("o_new", "2")


async def test_scanning_a_grids_code_binds_the_resident(town: Town):
    welcome = (await town.platform.follow("o_new", "grid:429906001001002")).text
    assert "东亭社区第二网格，网格员刘洋为您服务" in welcome
    assert "027-55503456" in welcome
    moved = (await town.platform.scan("o_new", "grid:429906001002001")).text
    assert "茶港社区第一网格，网格员孙丽" in moved


async def test_a_code_of_somebody_else_is_told_so(town: Town):
    assert "不是网格码" in (await town.platform.follow("o_new", "coupon-77")).text


async def test_the_grid_can_be_changed_by_words(town: Town):
    assert "第一网格" in await town.say(CHEN, "我的网格")
    assert "网格员赵敏" in await town.say(CHEN, "3")


async def test_one_confirmation_makes_one_case_however_often_it_is_delivered(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    town.platform.faults.duplicates = 3
    await town.say(CHEN, "1")
    assert await Case.all().count() == 1


async def test_a_withdrawn_case_needs_nobody_any_more(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    await town.say(CHEN, "1")
    assert "已撤回" in await town.say(CHEN, "撤回 0001")
    await town.deliver()
    assert "居民已撤回" in town.last(WANG)
    assert "没有待办" in await town.say(WANG, "待办")


async def test_a_second_complaint_is_not_mixed_into_the_first(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    assert "是同一件事吗" in await town.say(CHEN, "楼下烧烤店油烟太大")
    answer = await town.say(CHEN, "3")
    assert "已交给网格员王芳，编号 1120-0001" in answer
    assert "油烟" in answer
    await town.say(CHEN, "1")
    assert [case.description for case in await Case.all().order_by("id")] == [
        "3栋2单元楼道灯坏了",
        "楼下烧烤店油烟太大",
    ]


async def test_a_place_never_reaches_from_one_message_into_the_next(town: Town):
    await town.say(CHEN, "楼上漏水漏到我家厨房了物业不管怎么办")
    await town.say(CHEN, "在小区门口那一栋")
    await town.say(CHEN, "1")
    assert "\n" not in (await Case.get()).place


async def test_the_number_to_call_is_given_when_asked_for(town: Town):
    assert "027-55503456" in await town.say(CHEN, "社区电话多少")


async def test_urging_in_words_means_the_one_open_case(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    assert "已催网格员王芳" in await town.say(CHEN, "催一下")
    assert "补充什么" in await town.say(CHEN, "补充")
