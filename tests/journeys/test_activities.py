"""活动 on the phones: an officer writes one, neighbours sign up, wait, come, get their time and a certificate."""

from __future__ import annotations

import io
from datetime import timedelta

from PIL import Image

from domain.volunteers import credit
from tests.town import CHEN, LI, WANG, Town

HOUR = timedelta(hours=1)


async def publish(town: Town, *answers: str) -> str:
    """Write one question by question and publish it; gives the code for the wall."""
    await town.say(LI, "发活动")
    for answer in answers:
        await town.say(LI, answer)
    said = await town.say(LI, "1")
    assert "发布了" in said, said
    return said.split("现场签到码 ")[1][:4]


async def test_a_shift_from_the_officers_phone_to_the_certificate(town: Town):
    assert "要发布哪一种" in await town.say(LI, "发活动")
    assert "叫什么名字" in await town.say(LI, "3")
    assert "什么时候" in await town.say(LI, "楼道清扫")
    assert "时间没看清" in await town.say(LI, "过几天吧")
    assert "开始时间要在现在之后" in await town.say(LI, "今天早上6点到7点")
    assert "在哪里" in await town.say(LI, "明天上午9点到11点")
    assert "多少个名额" in await town.say(LI, "3栋楼下")
    assert "请写一个数" in await town.say(LI, "越多越好")
    assert "还要告诉居民什么" in await town.say(LI, "1个")
    preview = await town.say(LI, "戴好手套")
    assert (
        "楼道清扫（志愿服务，记 2 小时）\n戴好手套\n时间：明天（周六）9:00–11:00\n地点：3栋楼下\n名额：每场 1 人"
        in preview
    )
    code = (await town.say(LI, "发布")).split("现场签到码 ")[1][:4]

    assert "楼道清扫，明天（周六）9:00" in await town.say(CHEN, "志愿服务")
    assert "还有 1 个名额" in await town.say(CHEN, "1")
    joined = await town.say(CHEN, "我要报名")
    assert "报好了：楼道清扫\n明天（周六）9:00，3栋楼下" in joined
    await town.say(WANG, "活动")
    assert "已经报满，0 人在候补" in await town.say(WANG, "楼道清扫")
    assert "先排上候补，前面有 0 人" in await town.say(WANG, "候补")
    assert "已报 1 人，候补 1 人，已签到 0 人" in await _first_list(town)

    assert "楼道清扫，明天（周六）9:00，签到码" in await town.say(CHEN, "我的活动")
    assert "取消好了" in await town.say(CHEN, "1")
    await town.deliver()
    assert "排到了" in town.last(WANG)
    await town.say(CHEN, "活动")
    await town.say(CHEN, "1")
    assert "先排上候补" in await town.say(CHEN, "候补")
    await town.say(WANG, "取消报名")
    await town.say(WANG, "1")

    assert "还没到签到时间" in await town.say(CHEN, f"签到 {code}")
    town.clock.advance(23 * HOUR)
    assert "签到好了：楼道清扫" in await town.say(CHEN, f"签到{code}")
    assert "没有空位" in await town.say(WANG, f"签到 {code}")
    assert "还没有记到志愿时长" in await town.say(CHEN, "我的志愿时长")
    town.clock.advance(2 * HOUR)
    await credit(town.clock())
    assert "志愿时长共 2 小时，1 次" in await town.say(CHEN, "我的志愿时长")

    assert "写什么姓名" in await town.say(CHEN, "开证书")
    assert "陈秀兰的证书开好了，共 2 小时" in await town.say(CHEN, "陈秀兰")
    await town.deliver()
    picture = next(push for push in reversed(town.platform.pushes(CHEN)) if push.kind == "image")
    sent = town.platform.media.get(picture.media_id, town.clock())
    with Image.open(io.BytesIO(town.platform.media.read(sent))) as image:
        assert image.size == (1240, 877)
    number = town.last(CHEN).split("编号 ")[1][:16]
    assert "有这张证书：陈**" in await town.say(WANG, f"查证书 {number}")
    assert "没有这张证书" in await town.say(WANG, f"查证书 V{'2' * 15}")


async def _first_list(town: Town) -> str:
    await town.say(LI, "报名名单")
    return await town.say(LI, "1")


async def test_five_wrong_codes_and_one_must_ask_who_is_there(town: Town):
    code = await publish(town, "1", "包饺子", "今天下午1点到3点", "活动室", "5", "没有")
    await town.say(CHEN, "活动")
    await town.say(CHEN, "1")
    await town.say(CHEN, "报名")
    town.clock.advance(3 * HOUR)
    wrong = [f"{(int(code) - 1000 + step) % 9000 + 1000}" for step in range(1, 6)]
    for one in wrong:
        assert "签到码不对" in await town.say(CHEN, f"签到 {one}")
    assert "找现场工作人员签到" in await town.say(CHEN, f"签到 {code}")
    await _first_list(town)
    await town.say(LI, "登记来的人")
    assert "没看清" in await town.say(LI, "王大爷")
    assert "王**签到好了" in await town.say(LI, "王大爷 13800005678")
    town.clock.advance(timedelta(minutes=16))
    assert "签到好了" in await town.say(CHEN, f"签到 {code}")


async def test_family_is_signed_up_for_a_course_and_told_when_it_is_called_off(town: Town):
    await publish(town, "2", "手机课", "周日下午2点到4点\n下周日下午2点到4点", "二楼", "10", "自带手机")
    await town.say(CHEN, "课程")
    shown = await town.say(CHEN, "1")
    assert "时间：共 2 场，第一场 后天（周日）14:00，每次都要来" in shown
    assert "请发家人的姓名、电话" in await town.say(CHEN, "帮家人报名")
    assert "没看清" in await town.say(CHEN, "我妈")
    assert "给李**报好了：手机课\n后天（周日）14:00 起，共 2 次，二楼" in await town.say(
        CHEN, "李桂英 13800001234 母亲"
    )
    assert "手机课（李**），后天（周日）14:00 起 2 次" in await town.say(CHEN, "我的活动")
    assert "取消好了：手机课，后天（周日）14:00 起 2 次" in await town.say(CHEN, "1")
    await town.say(CHEN, "课程")
    await town.say(CHEN, "1")
    await town.say(CHEN, "帮家人报名")
    await town.say(CHEN, "李桂英，13800001234，母亲")
    assert "已报 1 人" in await _first_list(town)
    assert "来的人姓名、电话" in await town.say(LI, "1")
    assert "现在没有在办的场次" in await town.say(LI, "王大爷 13800005678")
    await _first_list(town)
    assert "为什么取消" in await town.say(LI, "2")
    assert "手机课取消了，报了名的 1 人都会收到通知" in await town.say(LI, "老师病了")
    await town.deliver()
    assert "您给李**约的手机课" in town.last(CHEN)
    assert "老师病了" in town.last(CHEN)
    assert "没有报名的活动" in await town.say(CHEN, "我的活动")


async def test_residents_write_none_and_who_gave_no_time_gets_no_certificate(town: Town):
    assert "要发布哪一种" not in await town.say(CHEN, "发活动")
    await town.say(CHEN, "取消")
    assert "最近没有可以报名的活动" in await town.send(CHEN, "event", event="CLICK", key="activities")
    assert "还没有记到志愿时长" in await town.say(CHEN, "志愿时长")
    await town.say(CHEN, "志愿证书")
    assert "还没有记到志愿时长" in await town.say(CHEN, "陈秀兰")
    assert "回复“签到”加数字" in await town.say(CHEN, "签到")
