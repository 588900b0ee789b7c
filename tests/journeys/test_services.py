"""服务导航 in the chat: from a sentence or the menu to what to bring and where to go, and to a person where it ends."""

from __future__ import annotations

import pytest

from models.cases import Case
from models.services import Checklist, MissingItem, Provider, ProviderComplaint, ProviderRating, ServiceItem
from tests.town import CHEN, LI, WANG, Town

UNKNOWN = "怎么申请吉尼斯世界纪录"


def short(reply: str) -> bool:
    """Six lines at most before the choices, none of them long."""
    lines = [line for line in reply.split("\n") if line and not line[0].isdigit()]
    return len(lines) <= 7 and all(len(line) <= 60 for line in lines)


async def test_a_question_is_answered_with_the_guide_at_once(town: Town):
    said = await town.say(CHEN, "怎么办法律援助")
    assert said.startswith("法律援助\n")
    assert "要带：身份证、经济困难说明、案件材料" in said
    assert "12348" in said
    assert short(said)
    steps = await town.say(CHEN, "2")
    assert "1. 打 12348 先问" in steps
    place = await town.say(CHEN, "3")
    assert "街道司法所" in place
    assert "以窗口答复为准" in place
    assert await Case.all().count() == 0


async def test_from_the_menu_it_is_three_taps_to_a_guide(town: Town):
    menu = (await town.platform.click(CHEN, "services")).text
    for name in ("政务服务", "生活服务", "法律服务", "文体服务", "关爱服务", "党员服务", "附近的家政维修"):
        assert name in menu
    assert "社区律师咨询" in await town.say(CHEN, "3")
    said = await town.say(CHEN, "2")
    assert said.startswith("社区律师咨询\n")
    assert short(said)


async def test_a_class_goes_on_page_by_page_and_begins_again(town: Town):
    await town.say(CHEN, "办事")
    first = await town.say(CHEN, "党员服务")
    assert "党员组织关系转接" in first
    second = await town.say(CHEN, "看更多")
    assert "党员组织关系转接" not in second
    assert "党员身份证明" in second
    assert "党员组织关系转接" in await town.say(CHEN, "更多")


async def test_several_that_fit_are_offered_by_number(town: Town):
    said = await town.say(CHEN, "身份证")
    assert "您要找的是" in said
    assert "都不是，问网格员" in said
    chosen = next(line for line in said.split("\n") if "身份证丢失补领" in line)
    assert (await town.say(CHEN, chosen[0])).startswith("身份证丢失补领")


async def test_a_misspelt_word_is_asked_back(town: Town):
    said = await town.say(CHEN, "低宝怎么办")
    assert "您是不是要找" in said
    assert (await town.say(CHEN, "1")).startswith("最低生活保障申请")


async def test_materials_are_ticked_and_sent_on(town: Town):
    await town.say(CHEN, "结婚登记怎么办")
    listed = await town.say(CHEN, "材料")
    assert "还差 2 样" in listed
    assert "☐ 双方身份证（原件 2 份）" in listed
    ticked = await town.say(CHEN, "1")
    assert "还差 1 样" in ticked
    assert "☑ 双方身份证" in ticked
    assert "都备齐了" in await town.say(CHEN, "2")
    await town.say(CHEN, "2")
    shared = await town.say(CHEN, "发给家人")
    assert shared.startswith("结婚登记 要带：\n☑ 双方身份证")
    assert "☐ 两寸合影" in shared
    assert (await Checklist.get()).ticked == ["双方身份证"]


async def test_an_item_without_materials_says_so_and_the_guide_is_one_tap_away(town: Town):
    await ServiceItem.filter(code="jhdj").update(materials=[])
    await town.say(CHEN, "结婚登记怎么办")
    assert "不用带材料" in await town.say(CHEN, "1")
    await ServiceItem.filter(code="lhdj").update(hours="周一至周五")
    await town.say(CHEN, "离婚登记怎么办")
    await town.say(CHEN, "1")
    assert (await town.say(CHEN, "回到办事指南")).startswith("离婚登记")


async def test_am_i_eligible_is_asked_step_by_step(town: Town):
    await town.say(CHEN, "失业金申领怎么办")
    assert "交满一年" in await town.say(CHEN, "我能不能办")
    assert "主动辞职" in await town.say(CHEN, "1")
    refused = await town.say(CHEN, "2")
    assert "现在还不能办" in refused
    assert "以窗口答复为准" in refused
    assert "交满一年" in await town.say(CHEN, "5")
    for _ in range(2):
        await town.say(CHEN, "1")
    assert "您可以办失业金申领" in await town.say(CHEN, "1")


async def test_what_people_ask_in_front_of_a_guide_is_answered_from_it(town: Town):
    await town.say(CHEN, "高龄津贴怎么办")
    assert "费用和时间：免费" in await town.say(CHEN, "要多少钱？")
    assert "去之前最好先打电话" in await town.say(CHEN, "在哪里办")
    assert "这样办：" in await town.say(CHEN, "怎么办")
    assert "户口在本地吗" in await town.say(CHEN, "我妈79能办吗")
    await town.say(CHEN, "高龄津贴")
    assert "备好一样点一样" in await town.say(CHEN, "要带什么东西")


async def test_who_looks_for_a_plumber_reports_no_burst_pipe(town: Town):
    said = await town.say(CHEN, "附近修水管")
    assert "邻家水电维修 027-55501201" in said
    shown = await town.say(CHEN, "1")
    assert "上门费 30 元" in shown
    assert "0 位邻居打过分" in shown
    await town.say(CHEN, "1")
    assert "打了 4 分" in await town.say(CHEN, "2 来得快")
    rating = await ProviderRating.get()
    assert (rating.stars, rating.words) == (4, "来得快")
    assert await Case.all().count() == 0


async def test_a_burst_pipe_is_still_a_report(town: Town):
    assert "附近的维修" not in await town.say(CHEN, "3栋楼下水管爆了到处是水")


async def test_a_complaint_about_a_provider_reaches_the_grid_worker(town: Town):
    await town.say(CHEN, "服务导航")
    kinds = await town.say(CHEN, "7")
    assert "维修" in kinds
    await town.say(CHEN, "维修")
    await town.say(CHEN, "1")
    assert "哪里不满意" in await town.say(CHEN, "投诉")
    assert "已交给" in await town.say(CHEN, "修个水龙头收我三百")
    await town.deliver()
    assert "修个水龙头收我三百" in town.last(WANG) + town.last(LI)
    complaint = await ProviderComplaint.get().select_related("provider", "case")
    assert complaint.provider.code == "wx01"
    assert complaint.case.subject == "投诉邻家水电维修"


async def test_a_question_nobody_wrote_an_answer_to_goes_to_the_grid_worker_and_is_counted(town: Town):
    assert "请网格员王芳来回答吗" in await town.say(CHEN, UNKNOWN)
    assert "已交给网格员王芳" in await town.say(CHEN, "1")
    await town.deliver()
    assert UNKNOWN in town.last(WANG)
    missing = await MissingItem.get()
    assert (missing.count, (await Case.get(id=missing.case_id)).description) == (1, UNKNOWN)


async def test_none_of_what_was_offered_is_an_answer_too(town: Town):
    await town.say(CHEN, "身份证")
    assert "已交给网格员王芳" in await town.say(CHEN, "都不是")
    assert await MissingItem.all().count() == 1
    assert "户口迁移" in await town.say(CHEN, "怎么给猫上户口")  # surely meant, and wrong
    await town.say(CHEN, "步骤")
    assert "已交给网格员王芳" in await town.say(CHEN, "不是这个")
    assert await MissingItem.all().count() == 2


async def test_what_the_guide_does_not_say_is_asked_of_the_grid_worker(town: Town):
    await town.say(CHEN, "结婚登记怎么办")
    assert "您想问什么" in await town.say(CHEN, "问网格员")
    assert "已交给网格员王芳" in await town.say(CHEN, "周六能领证吗")
    assert (await Case.get()).description == "结婚登记：周六能领证吗"
    assert await MissingItem.all().count() == 0, "the item is there"


@pytest.mark.parametrize("before", ["服务导航", "怎么办法律援助", "附近修水管", "身份证"])
async def test_leaving_and_reporting_work_from_everywhere(town: Town, before: str):
    await town.say(CHEN, before)
    assert "楼道照明损坏" in await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "取消")
    await town.say(CHEN, before)
    assert "已取消" in await town.say(CHEN, "取消")


async def test_where_there_are_no_providers_the_grid_worker_helps(town: Town):
    await Provider.all().update(active=False)
    await town.say(CHEN, "服务导航")
    assert "回复“人工”" in await town.say(CHEN, "7")


async def test_place_and_steps_lead_to_the_map_and_to_the_page_where_there_is_one(town: Town):
    page = "https://example.com/jhdj"
    await ServiceItem.filter(code="jhdj").update(latitude=30.5454, longitude=114.3418, link=page)
    await town.say(CHEN, "结婚登记怎么办")
    assert page in await town.say(CHEN, "步骤")
    assert "position=114.3418,30.5454" in await town.say(CHEN, "地点")


async def test_staff_read_what_is_missing_and_what_to_look_at_again(town: Town):
    assert "没有居民问倒过" in await town.say(LI, "缺的事项")
    await town.say(CHEN, UNKNOWN)
    await town.say(CHEN, "1")
    assert f"1 次：{UNKNOWN}" in await town.say(LI, "缺的事项")
    assert "都在半年内核对过" in await town.say(LI, "待核对")
    await ServiceItem.filter(code="flyz").update(reviewed_on=None)
    assert "法律援助（没核对过）" in await town.say(LI, "待核对")
    assert "记下了：法律援助，2026-11-20 由李主任核对" in await town.say(LI, "已核对 法律援助")
    assert "都在半年内核对过" in await town.say(LI, "待核对")
    assert "没有找到“开飞艇”" in await town.say(LI, "已核对 开飞艇")
    assert f"1 1 次：{UNKNOWN}" in await town.say(LI, "缺的事项")
    assert "哪个事项能回答了" in await town.say(LI, "1")
    assert "由“居住证办理”回答" in await town.say(LI, "居住证办理")
    assert "没有居民问倒过" in await town.say(LI, "缺的事项")
    assert UNKNOWN not in await town.say(CHEN, "缺的事项"), "residents do not read what others asked"
