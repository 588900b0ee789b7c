"""Pushes to the callback: modes, tries, and how answers are judged."""

import pytest
from simulator_stage import CHEN, Stage

from bot.messages import Kind


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_text_reaches_the_callback_and_its_reply_the_phone(stage: Stage) -> None:
    stage.callback.always("收到")
    delivery = await stage.platform.send(CHEN, text="灯坏了 <b> ]]> &")
    assert (delivery.outcome, delivery.text, delivery.attempts) == ("reply", "收到", 1)
    message = stage.callback.received[0].message
    assert (message.kind, message.text, message.openid) == (Kind.TEXT, "灯坏了 <b> ]]> &", CHEN)
    assert message.msg_id == delivery.msg_id
    assert [(b.direction, b.text) for b in stage.platform.history(CHEN)] == [
        ("in", "灯坏了 <b> ]]> &"),
        ("out", "收到"),
    ]
