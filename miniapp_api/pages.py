"""Cursors: where a list goes on, signed, and good for the person and the list they were made for alone."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

import orjson

from errors import BadRequest
from miniapp_api.kernel import Call

_SIGNED = 32  # characters of a signature


def seal(call: Call, name: str, place: list[Any]) -> str:
    """A cursor of the list `name`; `place` is what the query goes on from (numbers, texts, times as ISO text)."""
    text = base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")
    return text + _signature(call, name, text)


def unseal(call: Call, name: str, cursor: str) -> list[Any] | None:
    """The place a cursor stands for; None for the start. Raises BadRequest for one that is not ours."""
    if not cursor:
        return None
    text, signature = cursor[:-_SIGNED], cursor[-_SIGNED:]
    if hmac.compare_digest(signature.encode(), _signature(call, name, text).encode()):
        try:
            place: list[Any] = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, ValueError, orjson.JSONDecodeError) as error:  # signed by an older version
            raise _unusable(name) from error
        return place
    raise _unusable(name)


def _signature(call: Call, name: str, text: str) -> str:
    return call.desk.sign("cursor", f"{name} {call.person.actor} {text}")


def _unusable(name: str) -> BadRequest:
    return BadRequest(f"cursor of {name}", say="翻页标记已失效，请从第一页重新看。")
