"""May everybody see this? The mini-program's msg_sec_check and media_check_async, version 2, with their limits.

Both want the openid of somebody who had the mini-program open within two hours: whom it has not seen for longer is not
asked about at all. Texts are cut at 2,500 characters with an overlap, so that no word hides at a cut; the worst answer
of the pieces counts. What WeChat does not answer with a plain "pass" is never taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any, Literal

from bot.api import Repeat, WeChatApi
from bot.transport import unreachable
from bot.wire import parse_body

TEXT_API, MEDIA_API = "wxa/msg_sec_check", "wxa/media_check_async"
VISITED_WITHIN = timedelta(hours=2)
LONGEST = 2_500
"""Characters of one call, counted as UTF-16 does: an emoji is two. The page does not say how WeChat counts."""
OVERLAP = 50
SCENE = 4
"""社交日志: what people write to each other (1 资料, 2 评论, 3 论坛)."""
_VERSION = 2
_MEDIA_TYPES = {"voice": 1, "image": 2}

#: What WeChat calls its labels; others are 其他.
LABELS: Mapping[int, str] = {
    10001: "广告",
    20001: "时政",
    20002: "色情",
    20003: "辱骂",
    20006: "违法犯罪",
    20008: "欺诈",
    20012: "低俗",
    20013: "版权",
    21000: "其他",
}


class Suggest(IntEnum):
    """What WeChat suggests, the worst last."""

    PASS = 0
    REVIEW = 1
    RISKY = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found; `label` is WeChat's class of the trouble in Chinese, "" where there is none."""

    suggest: Suggest
    label: str = ""


@dataclass(frozen=True, slots=True)
class MediaResult:
    """The late word on a picture or recording: which check it was, and what it found (None: it could not look)."""

    trace_id: str
    found: Found | None


class ContentCheck:
    """The checks of one mini-program. Methods raise what `WeChatApi` raises: no error means that all is well."""

    def __init__(self, api: WeChatApi) -> None:
        self._api = api

    async def text(self, openid: str, text: str) -> Found:
        """What WeChat says of a text of this person, of any length."""
        worst = Found(Suggest.PASS)
        for piece in pieces(text):
            body = {"version": _VERSION, "scene": SCENE, "openid": openid, "content": piece}
            found = _found((await self._api.ask(TEXT_API, body, Repeat.ALWAYS)).get("result"))
            if found is None:
                raise unreachable(TEXT_API, "no result in the answer", sent=True)
            worst = max(worst, found, key=lambda one: one.suggest)
            if worst.suggest is Suggest.RISKY:
                break
        return worst

    async def media(self, openid: str, url: str, kind: Literal["image", "voice"]) -> str:
        """Let WeChat fetch a file (10 MB at most) from a public address and look at it; the check's trace id, under
        which the result is pushed within half an hour."""
        body = {
            "version": _VERSION,
            "scene": SCENE,
            "openid": openid,
            "media_url": url,
            "media_type": _MEDIA_TYPES[kind],
        }
        trace_id = (await self._api.ask(MEDIA_API, body, Repeat.BUSY)).get("trace_id")
        if not isinstance(trace_id, str) or not trace_id:
            raise unreachable(MEDIA_API, "no trace_id in the answer", sent=True)
        return trace_id


def pieces(text: str) -> Iterator[str]:
    """The text in pieces a call takes, each beginning with the end of the one before; nothing for a blank text."""
    text = text.strip()
    while text:
        end = _fitting(text)
        yield text[:end]
        if end == len(text):
            return
        text = text[end - OVERLAP :]


def _fitting(text: str) -> int:
    """How many characters of the text one call takes."""
    units = 0
    for place, sign in enumerate(text[: LONGEST + 1]):
        units += 2 if ord(sign) > 0xFFFF else 1
        if units > LONGEST:
            return place
    return len(text)


def read_media_result(body: bytes) -> MediaResult | None:
    """The push `wxa_media_check` among the mini-program's pushes, decrypted, as XML or JSON; None for another one.

    Raises BadMessage for what is no push at all.
    """
    push = parse_body(body)
    if str(push.get("Event", "")).lower() != "wxa_media_check":
        return None
    failed = str(push.get("errcode") or 0) != "0"
    return MediaResult(str(push.get("trace_id", ""))[:64], None if failed else _found(push.get("result")))


def _found(result: Any) -> Found | None:
    """A verdict; None for one we cannot read, which is no verdict."""
    if not isinstance(result, dict):
        return None
    suggest = {"pass": Suggest.PASS, "review": Suggest.REVIEW, "risky": Suggest.RISKY}.get(str(result.get("suggest")))
    if suggest is None:
        return None
    if suggest is Suggest.PASS:
        return Found(suggest)
    label = str(result.get("label", ""))
    return Found(suggest, LABELS.get(int(label) if label.isascii() and label.isdigit() else 0, "其他"))
