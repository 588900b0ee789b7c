"""网上申请 in the chat: filled in one question at a time, worked on by staff, supplemented, finished, rated."""

from __future__ import annotations

from datetime import timedelta

from domain.application_watch import forget_forms
from models.accounts import Upload
from models.bookings import Application, ApplicationFile, ServiceForm
from models.messaging import Conversation
from tests.domain.applied import ID_NUMBER, PHONE
from tests.town import CHEN, LI, WANG, Town

FILLED = ("陈美兰", ID_NUMBER, PHONE, "1", "6222021234567890123")


async def fill(town: Town, *answers: str) -> str:
    """From the item's guide to the last question but the photos."""
    await town.say(CHEN, "高龄津贴怎么办")
    said = await town.say(CHEN, "网上申请")
    assert "一共 6 项，交了以后 10工作日内办好" in said
    said = await town.say(CHEN, "1")
    for answer in answers:
        said = await town.say(CHEN, answer)
    return said


async def hand_in(town: Town) -> str:
    """The whole way to a number."""
    await fill(town, *FILLED)
    await town.photo(CHEN)
    await town.photo(CHEN)
    return await town.say(CHEN, "1")


async def test_from_a_guide_to_a_result_and_how_it_went(town: Town):
    assert "（6/6）身份证照片" in await fill(town, *FILLED)
    assert "收到 1 张" in await town.photo(CHEN)
    preview = await town.photo(CHEN)
    for line in ("老人姓名：陈美兰", f"老人身份证号：{ID_NUMBER}", "户口在本社区吗：是", "身份证照片：2 张照片"):
        assert line in preview
    assert await town.say(CHEN, "1") == (
        "交好了，编号 B1120-0001，最晚 12 月 4 日前办好。\n有进展会告诉您。\n随时回复“我的申请”看进度。"
    )
    await town.deliver()
    assert "新的申请 B1120-0001 高龄津贴" in town.last(LI)
    pictures = [file.upload for file in await ApplicationFile.all().select_related("upload")]
    assert [(one.path.startswith("uploads/"), one.content_type) for one in pictures] == [(True, "image/jpeg")] * 2
    listed = await town.say(LI, "申请待办")
    assert "1 B1120-0001 高龄津贴（待审核，没人接，最晚 12 月 4 日前）" in listed
    seen = await town.say(LI, "1")
    assert "填了什么只有经办人看得到" in seen
    assert ID_NUMBER not in seen
    taken = await town.say(LI, "1")
    assert "归您办了" in taken
    assert f"老人身份证号：{ID_NUMBER}" in taken
    pushed = len(town.platform.pushes(LI))
    await town.say(LI, "看照片")
    await town.deliver()
    assert len(town.platform.pushes(LI)) == pushed + 3, "two pictures and a line"
    await town.say(LI, "受理")
    await town.say(LI, "办好了 B1120-0001 津贴从下月起发")
    await town.deliver()
    assert "办好了：津贴从下月起发\n这次办得怎么样？" in town.last(CHEN)
    assert "谢谢您" in await town.tap(CHEN, "满意")
    await town.say(CHEN, "很快，谢谢")
    found = await Application.get()
    assert (found.state, found.stars, found.comment) == ("done", 5, "很快，谢谢")


async def test_an_answer_that_does_not_fit_is_asked_again_and_one_is_amended(town: Town):
    said = await fill(town, "陈美兰", "110105194912310021")
    assert "好像有一位写错了" in said
    assert "（3/6）联系电话" in await town.say(CHEN, ID_NUMBER)
    assert "手机号是 11 位" in await town.say(CHEN, "138")
    for answer in (PHONE, "是", "6222021234567890123"):
        await town.say(CHEN, answer)
    assert "这一项要照片" in await town.say(CHEN, "没有照片")
    assert "还缺身份证照片" in await town.say(CHEN, "好了")
    await town.photo(CHEN)
    assert "提交" in await town.say(CHEN, "好了")
    assert "改哪一项" in await town.say(CHEN, "2")
    assert "老人姓名" in await town.say(CHEN, "1")
    assert "老人姓名：陈美珍" in await town.say(CHEN, "陈美珍")


async def test_what_is_tapped_or_sent_beside_the_question_is_no_answer(town: Town):
    await hand_in(town)
    await town.say(LI, "补材料 B1120-0001")
    assert "请先点“我来办”" in await town.say(LI, "身份证背面")
    await town.say(LI, "我来办 B1120-0001")
    await town.say(LI, "办好了 B1120-0001")
    assert "待办" in await town.say(LI, "待办"), "no result for the applicant"
    await town.say(CHEN, "网上申请")
    await town.say(CHEN, "老年人优待证和公交卡")
    assert "请用文字回答" in await town.photo(CHEN)
    await town.say(CHEN, "1")
    assert "这一项不用照片：老人姓名" in await town.photo(CHEN)
    await town.say(LI, "补材料 B1120-0001 身份证背面")
    await town.deliver()
    assert "还差：身份证背面" in await town.tap(CHEN, "去补充"), "a notice's line is no name"
    await town.say(CHEN, "继续申请")
    for answer in ("陈美兰", ID_NUMBER, PHONE, "1"):
        await town.say(CHEN, answer)
    assert "一寸照片：1 张照片" in await town.photo(CHEN)
    assert "这一张没有收，照片够了" in await town.photo(CHEN)
    assert "交好了，编号 B1120-0002" in await town.say(CHEN, "1")


async def test_what_is_half_filled_in_waits_while_one_does_something_else(town: Town):
    await fill(town, "陈美兰", ID_NUMBER)
    assert "看起来您要反映" not in await town.say(CHEN, "我的事项")
    assert "填到一半，回复“继续申请”" in await town.say(CHEN, "我的申请")
    assert "（3/6）联系电话" in await town.say(CHEN, "继续申请")
    assert "什么都没有提交" in await town.say(CHEN, "取消")
    assert "没有填到一半的申请" in await town.say(CHEN, "继续申请")
    kept = await Conversation.get(openid=CHEN)
    assert ID_NUMBER not in str(kept.data)


async def test_danger_is_heard_where_a_name_or_a_sentence_is_asked_for_and_the_form_waits(town: Town):
    await fill(town)
    heard = await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "已同时通知网格员王芳" in heard
    assert heard.endswith("填的表还在，没事了回复“继续申请”。")
    assert "（1/6）老人姓名" in await town.say(CHEN, "继续申请")
    assert "（2/6）" in await town.say(CHEN, "煤气味"), "said again it is the answer"
    await town.say(CHEN, "取消")
    await town.say(CHEN, "怎么预约社区律师咨询")
    await town.say(CHEN, "问网格员")
    assert "119" in await town.say(CHEN, "我家着火了")


async def test_what_is_left_half_filled_in_is_forgotten_after_a_week_or_with_everything_else(town: Town):
    await fill(town, "陈美兰", ID_NUMBER)
    assert await forget_forms(town.clock() + timedelta(days=6)) == 0
    assert await forget_forms(town.clock() + timedelta(days=8)) == 1
    assert "没有填到一半的申请" in await town.say(CHEN, "继续申请")
    await fill(town, "陈美兰", ID_NUMBER)
    await town.say(CHEN, "删除我的信息")
    await town.say(CHEN, "1")
    assert ID_NUMBER not in str(await Conversation.all().values_list("data", flat=True))


async def test_a_form_that_changed_meanwhile_is_filled_in_anew(town: Town):
    await fill(town, *FILLED)
    await town.photo(CHEN)
    await town.say(CHEN, "好了")
    form = await ServiceForm.get(item__code="gljt")
    await ServiceForm.create(item_id=form.item_id, version=2, fields_=form.fields_[:1], created_at=town.clock())
    said = await town.say(CHEN, "1")
    assert said.startswith("这张表刚刚改过，请重新填一遍。高龄津贴，一共 1 项")
    await town.say(CHEN, "1")
    assert "提交" in await town.say(CHEN, "陈美兰")
    assert "交好了，编号 B1120-0001" in await town.say(CHEN, "1")


async def test_what_is_missing_is_sent_as_photo_or_words(town: Town):
    await hand_in(town)
    await town.say(LI, "我来办 B1120-0001")
    assert "已请申请人补材料" in await town.say(LI, "补材料 B1120-0001 身份证背面")
    await town.deliver()
    assert "还差一点：身份证背面" in town.last(CHEN)
    town.clock.advance(timedelta(days=1))
    await town.tap(CHEN, "去补充")
    assert "收到 1 张" in await town.photo(CHEN)
    await town.say(CHEN, "背面在这里")
    assert "B1120-0001 补充好了" in await town.say(CHEN, "好了")
    await town.deliver()
    assert "补充好了 B1120-0001" in town.last(LI)
    seen = await town.tap(LI, "看申请")
    assert "补充：背面在这里" in seen
    assert "后来又发了 1 张照片" in seen


async def test_the_same_twice_is_said_before_anything_is_filled_in_and_can_be_withdrawn(town: Town):
    await hand_in(town)
    assert "您已经申请过了：B1120-0001，待审核" in await fill(town)
    assert "网上申请的事，回复“我的申请”看" in await town.say(CHEN, "我的事项")
    assert "B1120-0001 高龄津贴：待审核" in await town.say(CHEN, "查 B1120-0001")
    assert "没有找到这个编号的申请" in await town.say(WANG, "查 B1120-0009")
    seen = await town.say(WANG, "查 B1120-0001")
    assert seen.endswith("高龄津贴：待审核，最晚 12 月 4 日前。\n填了什么只有经办人看得到。"), (
        "nothing she could do with it"
    )
    assert "1 B1120-0001 高龄津贴：待审核" in await town.say(CHEN, "我的申请")
    assert "撤回申请" in await town.say(CHEN, "1")
    assert "确定撤回吗" in await town.say(CHEN, "1")
    assert "已撤回" in await town.say(CHEN, "1")
    assert (await Application.get()).state == "withdrawn"
    assert "没有等着办的" in await town.say(LI, "申请待办")


async def test_family_and_the_grids_worker_apply_for_an_elder(town: Town):
    await town.say(CHEN, "网上申请")
    await town.say(CHEN, "志愿者注册")
    assert "姓名" in await town.say(CHEN, "2")
    await town.say(CHEN, "李桂英")
    assert "手机号是 11 位" in await town.say(CHEN, "123")
    assert "您是李桂英的什么人" in await town.say(CHEN, PHONE)
    assert "（1/4）姓名" in await town.say(CHEN, "子女")
    for answer in ("李桂英", PHONE, "1 3"):
        said = await town.say(CHEN, answer)
    preview = await town.say(CHEN, "跳过")
    assert "没有就回复“跳过”" in said
    assert f"替李桂英申请，电话 {PHONE}" in preview
    assert "想做什么：陪伴老人、环境清洁" in preview
    await town.say(CHEN, "提交")
    await town.say(WANG, "网上申请")
    assert "请写老人或居民的姓名" in await town.say(WANG, "志愿者注册")
    for answer in ("王建国", PHONE, "王建国", PHONE, "2", "跳过"):
        await town.say(WANG, answer)
    assert "交好了，编号 B1120-0002" in await town.say(WANG, "1")
    made = {one.number[-1]: (one.by.split(":")[0], one.relation) for one in await Application.all()}
    assert made == {"1": ("resident", "子女"), "2": ("staff", "网格员")}


async def test_photos_that_were_kept_for_too_long_are_asked_for_again(town: Town):
    await fill(town, *FILLED)
    await town.photo(CHEN)
    await town.say(CHEN, "好了")
    await Upload.all().delete()
    assert "没有传好" in await town.say(CHEN, "1")
    await town.photo(CHEN)
    await town.say(CHEN, "好了")
    assert "交好了" in await town.say(CHEN, "1")
