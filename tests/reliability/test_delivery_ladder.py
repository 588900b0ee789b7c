"""Notices on their way: quotas against the platform's own ledger, the rungs in order, refusals, what staff see."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from domain.journal import Journal, Notice
from models.cases import Case
from models.database import fetch, to_json
from models.people import Area, Resident, Staff
from simulator.quotas import Trigger
from tests.reliability.wire import WeChat, event, text
from tests.town import CHEN, LI, WANG, Town

GRID = "grid:429906001001001"
CUSTOM = "/cgi-bin/message/custom/send"
OVER_QUOTA = ("45015", "45047")
FIELDS = {
    "number": "20261120-0001",
    "subject": "路灯",
    "status": "处理中",
    "time": "2026-11-20 10:00",
    "note": "已接手",
}


async def reported(town: Town) -> int:
    """A case of 陈阿姨's; gives its id, with everything delivered."""
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    await town.deliver()
    return int((await fetch("SELECT max(id) AS id FROM cases"))[0]["id"])


async def tell(town: Town, openid: str, case_id: int, sentence: str, kind: str = "case", **more: str) -> dict[str, Any]:
    """One notice by itself, delivered; gives its row."""
    journal = Journal(town.clock())
    journal.tell(Notice(openid, sentence, (), FIELDS | more, kind=kind))
    await journal.write(await Case.get(id=case_id))
    await town.deliver()
    return (await fetch("SELECT * FROM outbox WHERE kind = 'notice' ORDER BY id DESC LIMIT 1"))[0]


def refusals(town: Town) -> list[str]:
    """What the platform refused for the quota."""
    return [note.detail for note in town.platform.journal if note.detail.startswith(OVER_QUOTA)]


async def test_after_a_message_five_are_sent_in_48_hours_and_then_templates(town: Town) -> None:
    case_id = await reported(town)
    town.clock.advance(timedelta(hours=1))
    await town.say(CHEN, "你好")
    rungs = []
    for hour in range(8):
        town.clock.advance(timedelta(hours=1))
        rungs.append((await tell(town, CHEN, case_id, f"进展 {hour}"))["channel"])
    assert rungs == ["service"] * 5 + ["template"] * 3
    assert town.platform.quota.left(CHEN, town.clock()) == 0
    await town.say(CHEN, "你好")
    town.clock.advance(timedelta(hours=47, minutes=58))
    assert (await tell(town, CHEN, case_id, "快到头"))["channel"] == "service"
    town.clock.advance(timedelta(minutes=3))
    assert (await tell(town, CHEN, case_id, "过了头"))["channel"] == "template"
    assert refusals(town) == []


async def test_after_a_tap_three_are_sent_within_a_minute_and_no_more(town: Town) -> None:
    case_id = await reported(town)
    town.clock.advance(timedelta(days=3))
    await town.platform.click(CHEN, "help")
    assert [(await tell(town, CHEN, case_id, f"进展 {n}"))["channel"] for n in range(4)] == ["service"] * 3 + [
        "template"
    ]
    town.clock.advance(timedelta(hours=1))
    await town.platform.click(CHEN, "help")
    town.clock.advance(timedelta(minutes=1))
    assert (await tell(town, CHEN, case_id, "一分钟后"))["channel"] == "template"
    assert refusals(town) == []


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_people_do_the_platform_never_refuses_for_its_quota(town: Town, seed: int) -> None:
    dice = random.Random(seed)
    case_id = await reported(town)
    for step in range(40):
        town.clock.advance(timedelta(seconds=dice.choice((1, 1, 20, 45, 70, 3_600, 40_000, 90_000))))
        match dice.randrange(9):
            case 0:
                await town.say(CHEN, "你好")
            case 1:
                await town.platform.click(CHEN, "help")
            case 2:
                await town.platform.scan(CHEN, GRID)
            case 3 if dice.random() < 0.3:
                await town.platform.unfollow(CHEN)
                await town.platform.follow(CHEN, GRID)
            case _:
                for number in range(dice.randrange(1, 5)):
                    await tell(town, CHEN, case_id, f"进展 {step}.{number}")
    assert refusals(town) == []
    rungs = {row["channel"] for row in await fetch("SELECT DISTINCT channel FROM outbox WHERE recipient = $1", CHEN)}
    assert rungs == {"service", "template"}


async def test_a_message_that_reached_us_late_opens_its_window_at_its_own_time(town: Town, wechat: WeChat) -> None:
    case_id = await reported(town)
    town.clock.advance(timedelta(days=3))
    written = town.clock()
    await town.platform.follow(CHEN)  # three for a minute, known to both sides
    town.clock.advance(timedelta(seconds=10))
    await tell(town, CHEN, case_id, "在这之间")
    town.clock.advance(timedelta(seconds=1))
    await wechat.push(text(CHEN, "你好", written), town.clock())  # the third try of a message of ten seconds ago
    town.clock.advance(timedelta(minutes=2))
    town.platform.quota.open(CHEN, Trigger.MESSAGE, written)
    town.platform.quota.spend(CHEN, town.clock())  # WeChat counted the one in between against the window
    assert [(await tell(town, CHEN, case_id, f"进展 {n}"))["channel"] for n in range(5)] == ["service"] * 4 + [
        "template"
    ]
    assert refusals(town) == []


async def test_leaving_the_account_closes_what_a_message_had_opened(town: Town) -> None:
    case_id = await reported(town)
    await town.say(CHEN, "你好")
    await town.platform.unfollow(CHEN)
    town.clock.advance(timedelta(minutes=5))
    await town.platform.follow(CHEN, GRID)
    town.clock.advance(timedelta(minutes=5))
    assert (await tell(town, CHEN, case_id, "回来以后"))["channel"] == "template"
    assert refusals(town) == []


async def test_the_rungs_are_taken_in_order_and_the_last_is_visible_to_staff(town: Town) -> None:
    case_id = await reported(town)
    subscription = town.services.wechat.subscriptions["case"]
    town.clock.advance(timedelta(days=3))
    await town.platform.subscribe_consent(CHEN, subscription.template_id)
    assert [(await tell(town, CHEN, case_id, f"进展 {n}"))["channel"] for n in range(2)] == ["subscription", "template"]
    assert [push.source for push in town.platform.pushes(CHEN)][-2:] == ["subscription", "template"]
    await town.platform.unfollow(CHEN)
    lost = await tell(town, CHEN, case_id, "送不到")
    assert (lost["state"], lost["channel"]) == ("undelivered", "")
    assert "关注" in lost["error"]
    assert "路灯" not in await town.say(LI, "未送达")  # the case's own subject is shown
    assert "楼道" in await town.say(LI, "未送达")
    assert "这是工作人员用的" in await town.say("o_somebody", "未送达")


async def test_a_template_that_was_blocked_is_undelivered_though_it_was_taken(town: Town) -> None:
    case_id = await reported(town)
    town.clock.advance(timedelta(days=3))
    town.platform.phones.find(CHEN).blocks_templates = True
    taken = await tell(town, CHEN, case_id, "被拒收")
    await town.platform.settle()
    town.clock.advance(timedelta(minutes=1))
    await town.deliver()
    row = (await fetch("SELECT state, error FROM outbox WHERE id = $1", taken["id"]))[0]
    assert row == {"state": "undelivered", "error": "模板消息没有送到：对方拒收"}
    assert "对方拒收" in await town.say(LI, "未送达")


async def test_a_report_that_is_faster_than_our_note_waits_for_it(town: Town, wechat: WeChat) -> None:
    case_id = await reported(town)
    town.clock.advance(timedelta(days=3))
    taken = await tell(town, CHEN, case_id, "被拒收")
    await fetch("UPDATE outbox SET reference = '' WHERE id = $1", taken["id"])
    failed = f"<MsgID>{taken['reference']}</MsgID><Status>failed:user block</Status>"
    await wechat.push(event(CHEN, "TEMPLATESENDJOBFINISH", town.clock(), failed), town.clock())
    await fetch("UPDATE outbox SET reference = $2 WHERE id = $1", taken["id"], taken["reference"])
    town.clock.advance(timedelta(seconds=10))
    await town.deliver()
    [row] = await fetch("SELECT state, finished_at FROM outbox WHERE id = $1", taken["id"])
    assert row == {"state": "undelivered", "finished_at": town.clock()}


async def test_staff_see_who_was_not_reached_about_a_booking_too(town: Town) -> None:
    await reported(town)
    await town.platform.unfollow(CHEN)
    await Resident.filter(openid=CHEN).update(name="陈桂兰")
    booked = Notice(CHEN, "约好了", (), FIELDS | {"subject": "居住证办理"}, kind="booking")
    await fetch(
        "INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, "
        "created_at) VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, $3, '', '', 0, '', $3)",
        CHEN,
        to_json(booked.payload()),
        town.clock(),
    )
    await town.deliver()
    assert "陈桂兰 居住证办理（" in await town.say(LI, "未送达")
    await Staff.filter(openid=LI).update(area_id=(await Area.get(code="429906001002")).id)
    assert "陈桂兰" not in await town.say(LI, "未送达"), "another community's staff do not read it"


REFUSALS = {
    # errcode: where the notice goes, and what staff read of it
    45009: ("later", "今天的调用次数已用完"),
    45011: ("later", "这一分钟调用太快"),
    -1: ("later", "微信系统繁忙"),
    40164: ("later", "白名单"),
    45015: ("template", "对方超过 48 小时没有互动"),
    45047: ("template", "条数已用完"),
    43004: ("template", "没有关注公众号"),
    48002: ("template", "关闭了接收消息"),
    45002: ("template", "内容太长"),
    40033: ("parked", "不接受的字符"),
    47001: ("parked", "格式不对"),
    98765: ("parked", "没见过的错误"),
}


@pytest.mark.parametrize("errcode", REFUSALS)
async def test_each_refusal_is_retried_passed_on_or_parked_with_its_reason(town: Town, errcode: int) -> None:
    case_id = await reported(town)
    await town.say(CHEN, "你好")
    town.platform.faults.fail_api("errcode", CUSTOM, errcode=errcode)
    row = await tell(town, CHEN, case_id, "进展")
    wanted, reason = REFUSALS[errcode]
    assert reason in row["error"]
    if wanted == "later":
        assert (row["state"], row["due_at"] > town.clock()) == ("pending", True)
        town.platform.faults.reset()
        town.clock.advance(row["due_at"] - town.clock())
        await town.deliver()
        row = (await fetch("SELECT * FROM outbox WHERE id = $1", row["id"]))[0]
        assert (row["state"], row["channel"]) == ("sent", "service")
    elif wanted == "template":
        assert (row["state"], row["channel"]) == ("sent", "template")
    else:
        assert row["state"] == "parked"
        assert reason in await town.say(LI, "未送达")


BIZSEND, TEMPLATE = "/cgi-bin/message/subscribe/bizsend", "/cgi-bin/message/template/send"
INVALID = "argument invalid! data.phrase3.value invalid rid: 1"


@pytest.mark.parametrize(
    ("path", "errcode", "ended", "reason"),
    [
        (CUSTOM, 45015, ("sent", "subscription"), "对方超过 48 小时没有互动，或已取消关注（45015）"),
        (BIZSEND, 43101, ("sent", "template"), "对方没有同意接收订阅通知，或同意次数已用完（43101）"),
        (BIZSEND, 47003, ("sent", "template"), "模板字段 phrase3 不合要求（47003）"),
        (TEMPLATE, 47003, ("parked", ""), "模板字段 phrase3 不合要求（47003）"),
        ("*", 43019, ("undelivered", ""), "对方在公众号黑名单里（43019）"),
    ],
)
async def test_why_a_rung_did_not_do_stays_with_the_notice_whoever_took_it_then(
    town: Town, path: str, errcode: int, ended: tuple[str, str], reason: str
) -> None:
    case_id = await reported(town)
    await town.platform.subscribe_consent(CHEN, "sub_case_progress")
    if path in (BIZSEND, TEMPLATE):
        town.platform.faults.fail_api("errcode", CUSTOM, errcode=45047)
    if path == TEMPLATE:
        town.platform.consents.withdraw(CHEN, town.platform.subscriptions.get("sub_case_progress"))
    town.platform.faults.fail_api("errcode", path, errcode=errcode, errmsg=INVALID if errcode == 47003 else "")
    row = await tell(town, CHEN, case_id, "进展")
    assert ((row["state"], row["channel"]), reason in row["error"]) == (ended, True), row["error"]


async def test_a_booking_goes_by_its_own_template_and_by_that_of_cases_while_it_has_no_code(town: Town) -> None:
    case_id = await reported(town)
    town.clock.advance(timedelta(days=3))
    booked = await tell(town, CHEN, case_id, "约好了", kind="booking", place="服务站二楼", code="471102")
    waiting = await tell(town, CHEN, case_id, "排上了", kind="booking", place="服务站二楼", code="")
    assert [row["channel"] for row in (booked, waiting)] == ["template"] * 2
    cards = [push for push in town.platform.pushes(CHEN) if push.source == "template"][-2:]
    assert [card.title for card in cards] == ["预约提醒", "事项办理进度提醒"]
    assert ("签到码", "471102") in cards[0].rows


async def test_a_consent_that_wechat_denies_is_forgotten_and_the_template_goes_out(town: Town) -> None:
    case_id = await reported(town)
    subscription = town.services.wechat.subscriptions["case"]
    town.clock.advance(timedelta(days=3))
    for _ in range(3):
        await town.platform.subscribe_consent(CHEN, subscription.template_id)
    town.platform.faults.fail_api("errcode", "/cgi-bin/message/subscribe/bizsend", errcode=43101, left=1)
    assert (await tell(town, CHEN, case_id, "进展"))["channel"] == "template"
    left = await fetch("SELECT remaining FROM consent WHERE openid = $1", CHEN)
    assert left == [{"remaining": 0}]


@pytest.mark.parametrize("kind", ["http_500", "garbage", "reset", "reset_after"])
async def test_an_answer_that_never_came_is_tried_again_and_comes_at_most_twice(town: Town, kind: str) -> None:
    case_id = await reported(town)
    await town.say(CHEN, "你好")
    town.platform.faults.fail_api(kind, CUSTOM, left=1)
    before = len(town.heard(CHEN))
    row = await tell(town, CHEN, case_id, "进展")
    assert (row["state"], row["tries"]) == ("pending", 1)
    town.clock.advance(timedelta(minutes=1))
    await town.deliver()
    assert len(town.heard(CHEN)) - before == (2 if kind == "reset_after" else 1)
    assert (await fetch("SELECT state FROM outbox WHERE id = $1", row["id"])) == [{"state": "sent"}]


async def test_wechat_away_for_ten_minutes_loses_no_notice_and_keeps_their_order(town: Town) -> None:
    case_id = await reported(town)
    for openid in (CHEN, WANG):
        await town.say(openid, "你好")
    heard = {openid: len(town.heard(openid)) for openid in (CHEN, WANG)}
    town.platform.faults.fail_api("http_500")
    for number in range(4):
        for openid in (CHEN, WANG):
            await tell(town, openid, case_id, f"第{number}条")
        town.clock.advance(timedelta(minutes=2, seconds=30))
    town.platform.faults.reset()
    for _ in range(20):
        town.clock.advance(timedelta(minutes=1))
        await town.deliver()
    for openid in (CHEN, WANG):
        said = "\n".join(town.heard(openid)[heard[openid] :])
        assert [said.count(f"第{number}条") for number in range(4)] == [1] * 4
        assert sorted(range(4), key=lambda number: said.index(f"第{number}条")) == [0, 1, 2, 3]
