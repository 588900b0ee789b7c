"""The mini-program's checks of texts, pictures and recordings: judge by a few plain words, under the rules that make
the real ones hard to use."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from simulator.call import Call, text_of
from simulator.refusals import ApiRefusal

VISITED_WITHIN: Final = timedelta(hours=2)
MAX_TEXT: Final = 2_500
RISKY: Final = {"办证刻章": 20006, "代开发票": 20006, "试探违规": 20006}
"""Words that are refused, with their label. The last of these and of those in doubt stand in nobody's list but this: to
try out what only WeChat finds."""
REVIEW: Final = {"加微信": 10001, "试探可疑": 21000}


def msg_sec_check(call: Call) -> dict[str, Any]:
    """`POST /wxa/msg_sec_check` version 2: the openid must have visited the mini-program within two hours (61010)."""
    body = call.json()
    content = text_of(body, "content")
    if not content:
        raise ApiRefusal(44002)
    if len(content) > MAX_TEXT:
        raise ApiRefusal(45002)
    _check_visitor(call, body)
    suggest, label = _judge(content)
    verdict = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": 0, **verdict, "prob": 90}]
    return {"errcode": 0, "errmsg": "ok", "trace_id": _trace(call), "result": verdict, "detail": detail}


def media_check_async(call: Call) -> dict[str, Any]:
    """`POST /wxa/media_check_async` version 2: the result is pushed to the mini-program's server."""
    body = call.json()
    url = text_of(body, "media_url")
    if not url.startswith(("http://", "https://")):
        raise ApiRefusal(44002)
    if body.get("media_type") not in (1, 2):
        raise ApiRefusal(40004)
    _check_visitor(call, body)
    trace = _trace(call)
    call.platform.check_later(trace, text_of(body, "openid"), url)
    return {"errcode": 0, "errmsg": "ok", "trace_id": trace}


def _check_visitor(call: Call, body: Mapping[str, Any]) -> None:
    """Raises ApiRefusal 40129 for another version or scene, 40003 for an unknown openid, 61010 for a stale one."""
    if body.get("version") != 2 or body.get("scene") not in (1, 2, 3, 4):
        raise ApiRefusal(40129)
    phone = call.platform.phones.find(text_of(body, "openid").removeprefix("mini_"))
    if phone is None:
        raise ApiRefusal(40003)
    if phone.visited_at is None or call.platform.now() - phone.visited_at > VISITED_WITHIN:
        # The wording of 61010 is unverified.
        raise ApiRefusal(61010)


def _trace(call: Call) -> str:
    return f"{call.platform.random.getrandbits(64):016x}"


def _judge(content: str) -> tuple[str, int]:
    for suggest, words in (("risky", RISKY), ("review", REVIEW)):
        for word, label in words.items():
            if word in content:
                return suggest, label
    return "pass", 100
