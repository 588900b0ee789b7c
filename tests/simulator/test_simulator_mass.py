"""Mass sends (群发): who gets one, month and day, the minute, the client's own id, the report; lists of templates."""

from typing import Any

from simulator.mass import MassBook
from tests.simulator.simulator_stage import CHEN, Stage

SEND, ALL = "/cgi-bin/message/mass/send", "/cgi-bin/message/mass/sendall"
OTHER, LEFT = "o_sim_grid_wang", "o_sim_street_li"


def text(content: str = "停水通知", **more: Any) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content}} | more


def heard(stage: Stage, openid: str) -> list[str]:
    return [push.text for push in stage.platform.pushes(openid) if push.source == "mass"]


async def test_four_reach_a_person_in_a_month_and_the_fifth_leaves_them_out_without_a_word(stage: Stage) -> None:
    await stage.platform.unfollow(LEFT)
    for number in range(4):
        assert (await stage.api.post(SEND, text(f"第{number}条", touser=[CHEN, LEFT])))["errcode"] == 0
    fifth = await stage.api.post(SEND, text("第四条", touser=[CHEN, OTHER, LEFT]))
    await stage.platform.settle()
    assert heard(stage, CHEN) == [f"第{number}条" for number in range(4)]
    assert (heard(stage, OTHER), heard(stage, LEFT)) == (["第四条"], [])
    report = stage.callback.received[-1].message
    counts = {name: int(report.fields[name]) for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")}
    assert counts == {"TotalCount": 3, "FilterCount": 1, "SentCount": 1, "ErrorCount": 0}
    assert (report.event, int(report.fields["MsgID"])) == ("masssendjobfinish", fifth["msg_id"])
    found = await stage.api.post("/cgi-bin/message/mass/get", {"msg_id": fifth["msg_id"]})
    assert found == {"msg_id": fifth["msg_id"], "msg_status": "SEND_SUCCESS"}
    stage.clock.forward(days=11)
    await stage.api.renew()
    await stage.api.post(SEND, text("十二月", touser=[CHEN, OTHER]))
    assert heard(stage, CHEN)[-1] == "十二月"


async def test_to_everybody_once_a_day_and_four_times_a_month(stage: Stage) -> None:
    everybody = text("全体", filter={"is_to_all": True})
    for day in range(4):
        assert (await stage.api.post(ALL, everybody))["errcode"] == 0
        assert (await stage.api.post(ALL, everybody))["errcode"] == 45028, day
        stage.clock.forward(days=1)
        await stage.api.renew()
    assert (await stage.api.post(ALL, everybody))["errcode"] == 45028
    assert len(heard(stage, CHEN)) == 4
    assert (await stage.api.post(ALL, text(filter={"is_to_all": False, "tag_id": 2})))["errcode"] == 0
    assert len(heard(stage, OTHER)) == 4


async def test_the_61st_call_of_a_minute_is_refused(stage: Stage) -> None:
    answers = [(await stage.api.post(SEND, text(touser=["o_a", "o_b"])))["errcode"] for _ in range(61)]
    assert answers == [0] * 60 + [45011]
    stage.clock.forward(minutes=1)
    assert (await stage.api.post(SEND, text(touser=["o_a", "o_b"])))["errcode"] == 0


async def test_one_client_id_is_sent_once_a_day_and_says_as_what(stage: Stage) -> None:
    message = text(touser=[CHEN, OTHER], clientmsgid="linli-7")
    first = await stage.api.post(SEND, message)
    assert (await stage.api.post(SEND, message))["errcode"] == 45066
    stage.clock.forward(minutes=1)
    known = await stage.api.post(SEND, message)
    assert (known["errcode"], known["msg_id"]) == (45065, first["msg_id"])
    assert len(heard(stage, CHEN)) == 1


async def test_lists_too_short_unknown_ids_and_other_kinds_are_refused(stage: Stage) -> None:
    bodies = [text(touser=[CHEN]), text(touser=["o"] * 10_001), text("", touser=[CHEN, OTHER])]
    bodies += [{"touser": [CHEN, OTHER], "msgtype": "mpnews", "mpnews": {"media_id": "m"}}]
    bodies += [text(touser=[CHEN, OTHER], clientmsgid="x" * 33)]
    assert [(await stage.api.post(SEND, body))["errcode"] for body in bodies] == [40130, 40130, 44004, 40008, 40131]
    assert (await stage.api.post("/cgi-bin/message/mass/get", {"msg_id": 7}))["errcode"] == 40059
    assert heard(stage, CHEN) == []


async def test_a_preview_is_seen_by_one_and_counts_for_nothing(stage: Stage) -> None:
    assert (await stage.api.post("/cgi-bin/message/mass/preview", text("试看", touser=CHEN)))["errcode"] == 0
    assert heard(stage, CHEN) == ["试看"]
    assert stage.platform.mass.receivers([CHEN], stage.clock()) == [CHEN]


async def test_a_failed_mass_send_reaches_nobody_and_what_was_sent_is_kept(stage: Stage) -> None:
    stage.platform.faults.mass_status = "err(20001)"
    sent = await stage.api.post(SEND, text(touser=[CHEN, OTHER], clientmsgid="linli-8"))
    await stage.platform.settle()
    assert stage.callback.received[-1].message.fields["Status"] == "err(20001)"
    assert heard(stage, CHEN) == []
    again = MassBook()
    again.load(stage.platform.mass.as_json() | {"sends": _as_kept(stage)})
    assert (again.get(sent["msg_id"]).status, again.get(str(sent["msg_id"])).client_id) == ("SEND_FAIL", "linli-8")


def _as_kept(stage: Stage) -> list[dict[str, Any]]:
    """The sends as they come out of the state file: times as text."""
    sends = stage.platform.mass.as_json()["sends"]
    return [send | {"at": send["at"].isoformat()} for send in sends]


async def test_the_accounts_templates_are_listed_with_their_keywords(stage: Stage) -> None:
    templates = (await stage.api.get("/cgi-bin/template/get_all_private_template"))["template_list"]
    booking = next(one for one in templates if one["template_id"] == "tpl_booking")
    assert "签到码:{{character_string6.DATA}}" in booking["content"].splitlines()
    subscriptions = (await stage.api.get("/wxaapi/newtmpl/gettemplate"))["data"]
    assert {one["priTmplId"]: one["type"] for one in subscriptions}["sub_policy"] == 3
