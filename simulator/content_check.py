"""The mini-program's text check: judges by a few plain words, under the rules that make the real one hard to
use."""

from datetime import timedelta
from typing import Any, Final

from simulator.call import Call, text_of
from simulator.refusals import ApiRefusal

VISITED_WITHIN: Final = timedelta(hours=2)
MAX_TEXT: Final = 2_500
RISKY: Final = {"办证刻章": 20006, "代开发票": 20006}
"""Words that are refused, with their label."""
REVIEW: Final = {"加微信": 10001}


def msg_sec_check(call: Call) -> dict[str, Any]:
    """`POST /wxa/msg_sec_check` version 2: the openid must have used its phone within two hours (61010)."""
    body = call.json()
    platform, now = call.platform, call.platform.now()
    content = text_of(body, "content")
    if not content:
        raise ApiRefusal(44002)
    if len(content) > MAX_TEXT:
        raise ApiRefusal(45002)
    if body.get("version") != 2 or body.get("scene") not in (1, 2, 3, 4):
        raise ApiRefusal(40129)
    phone = platform.phones.find(text_of(body, "openid").removeprefix("mini_"))
    if phone is None:
        raise ApiRefusal(40003)
    if phone.interacted_at is None or now - phone.interacted_at > VISITED_WITHIN:
        # The wording of 61010 is unverified.
        raise ApiRefusal(61010)
    suggest, label = _judge(content)
    trace = f"{platform.random.getrandbits(64):016x}"
    verdict = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": 0, **verdict, "prob": 90}]
    return {"errcode": 0, "errmsg": "ok", "trace_id": trace, "result": verdict, "detail": detail}


def _judge(content: str) -> tuple[str, int]:
    for suggest, words in (("risky", RISKY), ("review", REVIEW)):
        for word, label in words.items():
            if word in content:
                return suggest, label
    return "pass", 100
