"""Customer-service messages: who may be written to, how often, and until exactly when."""

from typing import Any

import pytest

from tests.simulator.simulator_stage import CHEN, Stage

SEND = "/cgi-bin/message/custom/send"
TYPING = "/cgi-bin/message/custom/typing"


async def send_all(stage: Stage, count: int) -> list[int]:
    return [await stage.api.send_text(CHEN) for _ in range(count)]


async def test_a_message_opens_five_for_48_hours_to_the_second(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    stage.clock.forward(hours=48, seconds=-1)
    await stage.api.renew()
    assert await send_all(stage, 6) == [0, 0, 0, 0, 0, 45047]
    stage.clock.forward(seconds=1)
    assert await send_all(stage, 1) == [45015]


async def test_a_new_message_starts_the_five_afresh(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="一")
    await send_all(stage, 4)
    await stage.platform.send(CHEN, text="二")
    assert await send_all(stage, 6) == [0, 0, 0, 0, 0, 45047]


@pytest.mark.parametrize("what", ["click", "tap", "scan", "follow"])
async def test_a_click_a_menu_tap_a_scan_and_a_follow_open_three_for_one_minute(stage: Stage, what: str) -> None:
    platform = stage.platform
    acts = {
        "click": lambda: platform.click(CHEN, "report"),
        "tap": lambda: platform.tap(CHEN, 101, "满意"),
        "scan": lambda: platform.scan(CHEN, "grid-7"),
        "follow": lambda: platform.follow(CHEN),
    }
    await acts[what]()
    stage.clock.forward(seconds=59)
    assert await send_all(stage, 4) == [0, 0, 0, 45047]
    stage.clock.forward(seconds=1)
    assert await send_all(stage, 1) == [45015]


async def test_windows_are_separate_per_trigger_and_the_shorter_is_used_first(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    await stage.platform.click(CHEN, "report")
    assert stage.platform.quota.left(CHEN, stage.clock()) == 8
    assert await send_all(stage, 3) == [0, 0, 0]
    stage.clock.forward(minutes=1)
    assert stage.platform.quota.left(CHEN, stage.clock()) == 5


async def test_a_view_button_opens_nothing(stage: Stage) -> None:
    await stage.platform.send(CHEN, "event", event="VIEW", key="https://example.com")
    assert await send_all(stage, 1) == [45015]


async def test_who_left_or_never_came_gets_nothing(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    await stage.platform.unfollow(CHEN)
    assert await send_all(stage, 1) == [45015]
    assert await stage.api.send_text("o_unknown") == 40003


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"msgtype": "text", "text": {"content": "a" * 2048}}, 0),
        ({"msgtype": "text", "text": {"content": "a" * 2049}}, 45002),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": "hi"}, 47001),
        ({"msgtype": "poem", "poem": {}}, 40008),
        ({"msgtype": "image", "image": {"media_id": "unknown"}}, 40007),
        ({"msgtype": "news", "news": {"articles": [{"title": "一"}]}}, 0),
        ({"msgtype": "news", "news": {"articles": [{"title": "一"}, {"title": "二"}]}}, 45008),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "?", "list": []}}, 47001),
    ],
)
async def test_the_content_of_a_message_is_checked_before_the_quota(
    stage: Stage, body: dict[str, Any], errcode: int
) -> None:
    await stage.platform.send(CHEN, text="在吗")
    assert (await stage.api.post(SEND, {"touser": CHEN, **body}))["errcode"] == errcode
    assert stage.platform.quota.left(CHEN, stage.clock()) == (4 if errcode == 0 else 5)


async def test_letters_written_as_escapes_are_refused(stage: Stage) -> None:
    escaped = rb'{"touser":"x","msgtype":"text","text":{"content":"\u60a8\u597d"}}'
    _, _, body = await stage.api.raw("POST", SEND, data=escaped)
    assert b"40033" in body


async def test_a_message_menu_shows_lines_whose_letters_come_back_as_zero(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    lines = [{"id": "101", "content": "满意"}, {"id": "bad", "content": "不满意"}]
    menu = {"head_content": "满意吗", "list": lines, "tail_content": "谢谢"}
    await stage.api.post(SEND, {"touser": CHEN, "msgtype": "msgmenu", "msgmenu": menu})
    [push] = stage.platform.pushes(CHEN)
    assert [(item.label, item.tap) for item in push.menu] == [("满意", 101), ("不满意", 0)]
    await stage.platform.choose(CHEN, "满意")
    assert stage.callback.received[-1].message.tap == 101


async def test_somebody_can_wait_for_a_push(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    await stage.api.send_text(CHEN, "一")
    first = await stage.platform.wait_for_push(CHEN)
    with pytest.raises(TimeoutError):
        await stage.platform.wait_for_push(CHEN, after=first.number, within=0.01)
    await stage.api.send_text(CHEN, "二")
    second = await stage.platform.wait_for_push(CHEN, after=first.number)
    assert (first.text, second.text, second.source) == ("一", "二", "kf")


async def test_typing_needs_a_fresh_interaction_and_is_not_repeated(stage: Stage) -> None:
    async def typing(command: str = "Typing") -> int:
        return int((await stage.api.post(TYPING, {"touser": CHEN, "command": command}))["errcode"])

    assert await typing() == 45080
    await stage.platform.send(CHEN, text="在吗")
    stage.clock.forward(seconds=14)
    assert [await typing(), await typing(), await typing("Dancing")] == [0, 45081, 45072]
    stage.clock.forward(seconds=15)
    assert [await typing(), await typing("CancelTyping"), await typing()] == [0, 0, 0]
    stage.clock.forward(seconds=30)
    assert await typing() == 45080
