"""Template messages and subscription notices: typed keywords, consents, result events."""

from typing import Any

import pytest

from simulator.notices import CHECKS
from tests.simulator.simulator_stage import CHEN, Stage

TEMPLATE = "/cgi-bin/message/template/send"
NOTICE = "/cgi-bin/message/subscribe/bizsend"
GOOD = {
    "character_string1": "1120-0037",
    "thing2": "楼道照明损坏",
    "phrase3": "处理完成",
    "time4": "2026年11月20日 16:20",
    "thing5": "请确认",
}


def body(template_id: str, **changes: str | None) -> dict[str, Any]:
    values = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return {
        "touser": CHEN,
        "template_id": template_id,
        "data": {key: {"value": value} for key, value in values.items()},
    }


async def test_a_template_message_arrives_as_a_card_and_is_reported_back(stage: Stage) -> None:
    answer = await stage.api.post(TEMPLATE, body("tpl_case_progress", first="您好", remark="谢谢"))
    await stage.platform.settle()
    [card] = stage.platform.pushes(CHEN)
    assert (card.kind, card.source) == ("card", "template")
    assert [value for _, value in card.rows] == list(GOOD.values())
    finished = stage.callback.received[-1].message
    assert (finished.event, finished.fields["Status"]) == ("templatesendjobfinish", "success")
    assert int(finished.fields["MsgID"]) == answer["msgid"] > 2**53


async def test_text_after_a_line_break_is_cut(stage: Stage) -> None:
    await stage.api.post(TEMPLATE, body("tpl_case_progress", thing5="第一行\n第二行"))
    assert stage.platform.pushes(CHEN)[0].rows[4][1] == "第一行"


@pytest.mark.parametrize(
    ("changes", "errmsg"),
    [
        ({"thing2": "字" * 21}, "argument invalid! data.thing2.value invalid rid: "),
        ({"phrase3": "处理完成了啊"}, "argument invalid! data.phrase3.value invalid rid: "),
        ({"phrase3": "done"}, "argument invalid! data.phrase3.value invalid rid: "),
        ({"time4": ""}, "argument invalid! data.time4.value is empty rid: "),
        ({"time4": None}, "argument invalid! data.time4.value is empty rid: "),
        ({"character_string1": "编号1"}, "argument invalid! data.character_string1.value invalid rid: "),
    ],
)
@pytest.mark.parametrize("path", [TEMPLATE, NOTICE])
async def test_a_keyword_that_does_not_fit_is_named(
    stage: Stage, changes: dict[str, str | None], errmsg: str, path: str
) -> None:
    await stage.platform.subscribe_consent(CHEN, "sub_case_progress")
    template_id = "tpl_case_progress" if path == TEMPLATE else "sub_case_progress"
    answer = await stage.api.post(path, body(template_id, **changes))
    assert answer["errcode"] == 47003
    assert answer["errmsg"].startswith(errmsg)
    assert stage.platform.pushes(CHEN) == []


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("thing", ["字" * 20, "3栋, A!"], ["字" * 21]),
        ("number", ["1", "-3.50", "1" * 32], ["1" * 33, "1a", "."]),
        ("letter", ["abcXYZ"], ["a1", "a" * 33]),
        ("symbol", ["#!?"], ["######", "a", "字"]),
        ("character_string", ["A-1 #", "x" * 32], ["x" * 33, "编号"]),
        (
            "time",
            ["15:01", "2019年10月1日 15:01", "2026-11-20 16:20", "15:01~16:01"],
            ["明天", "2019年10月1日", "15点"],
        ),
        ("date", ["2019年10月1日", "2019-12-25 09:42", "2026-01-01~2026-01-02"], ["15:01", "10月1日"]),
        ("amount", ["¥100.50", "100元", "1234567890"], ["12345678901", "一百元"]),
        ("phone_number", ["13800001234", "+86-027-8888"], ["1" * 18, "电话"]),
        ("car_number", ["鄂A12345", "鄂A1234挂"], ["鄂A1234567", "a b"]),
        ("name", ["欧阳", "字" * 10, "x" * 20], ["字" * 11, "x" * 21, "张3"]),
        ("phrase", ["处理中"], ["处理完成了啊", "ok", "处理 中"]),
    ],
)
def test_each_keyword_type_takes_what_the_table_says(kind: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not CHECKS[kind](value)] == []
    assert [value for value in bad if CHECKS[kind](value)] == []


async def test_one_client_msg_id_sends_once_in_ten_minutes(stage: Stage) -> None:
    message = body("tpl_case_progress") | {"client_msg_id": "n-1"}
    first = await stage.api.post(TEMPLATE, message)
    stage.clock.forward(minutes=10, seconds=-1)
    assert await stage.api.post(TEMPLATE, message) == first
    assert len(stage.platform.pushes(CHEN)) == 1
    stage.clock.forward(seconds=1)
    assert (await stage.api.post(TEMPLATE, message))["msgid"] != first["msgid"]
    assert len(stage.platform.pushes(CHEN)) == 2


async def test_who_left_unknown_people_and_unknown_templates_are_refused(stage: Stage) -> None:
    unknown = body("tpl_case_progress") | {"touser": "o_unknown"}
    assert (await stage.api.post(TEMPLATE, unknown))["errcode"] == 40003
    assert (await stage.api.post(TEMPLATE, body("sub_case_progress")))["errcode"] == 40037
    await stage.platform.unfollow(CHEN)
    assert (await stage.api.post(TEMPLATE, body("tpl_case_progress")))["errcode"] == 43004


async def test_who_blocks_templates_gets_none_and_the_account_learns_it(stage: Stage) -> None:
    phone = next(phone for phone in stage.platform.phones if phone.openid == CHEN)
    phone.blocks_templates = True
    assert (await stage.api.post(TEMPLATE, body("tpl_case_progress")))["errcode"] == 0
    await stage.platform.settle()
    assert stage.platform.pushes(CHEN) == []
    assert stage.callback.received[-1].message.fields["Status"] == "failed:user block"


async def test_one_consent_is_one_notice(stage: Stage) -> None:
    assert (await stage.api.post(NOTICE, body("sub_case_progress")))["errcode"] == 43101
    await stage.platform.subscribe_consent(CHEN, "sub_case_progress")
    answers = [await stage.api.post(NOTICE, body("sub_case_progress")) for _ in range(2)]
    assert [answer["errcode"] for answer in answers] == [0, 43101]
    assert answers[1]["errmsg"].startswith("user refuse to accept the msg")
    await stage.platform.settle()
    sent = stage.callback.received[-1].message
    assert sent.event == "subscribe_msg_sent_event"
    assert sent.fields["List"][0]["ErrorStatus"] == "success"


async def test_a_refusal_in_the_popup_and_a_later_withdrawal_leave_no_consent(stage: Stage) -> None:
    await stage.platform.subscribe_consent(CHEN, "sub_case_progress", accept=False)
    assert (await stage.api.post(NOTICE, body("sub_case_progress")))["errcode"] == 43101
    await stage.platform.subscribe_consent(CHEN, "sub_case_progress")
    await stage.platform.withdraw_consent(CHEN, "sub_case_progress")
    assert (await stage.api.post(NOTICE, body("sub_case_progress")))["errcode"] == 43101
    assert stage.callback.received[-1].message.event == "subscribe_msg_change_event"
