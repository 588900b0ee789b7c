"""One call of the account's API: what came in, and the checks every endpoint shares."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from simulator.phones import Phone
from simulator.platform import Platform
from simulator.refusals import ApiRefusal

# Non-ASCII letters written as \uXXXX reach users as escapes; WeChat refuses them.
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[0-7])[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class Call:
    """A call as an endpoint sees it. `appid` is the token's owner, "" where no token is asked for."""

    platform: Platform
    path: str
    query: Mapping[str, str]
    body: bytes
    appid: str = ""
    files: Mapping[str, bytes] | None = None

    def json(self) -> dict[str, Any]:
        """The body. Raises ApiRefusal 44002 (empty), 47001 (not a JSON object) or 40033 (escaped letters)."""
        if not self.body:
            raise ApiRefusal(44002)
        try:
            parsed = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ApiRefusal(47001) from error
        if not isinstance(parsed, dict):
            raise ApiRefusal(47001)
        if _ESCAPED.search(self.body):
            raise ApiRefusal(40033)
        return parsed

    def follower_or_not(self, openid: object) -> Phone:
        """A person the account knows. Raises ApiRefusal 40003."""
        phone = self.platform.phones.find(openid) if isinstance(openid, str) else None
        if phone is None:
            raise ApiRefusal(40003)
        return phone


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is no JSON."""

    content: bytes
    content_type: str
    name: str


def text_of(part: Mapping[str, Any], name: str) -> str:
    """A string inside a body. Raises ApiRefusal 47001 for anything else."""
    value = part.get(name, "")
    if not isinstance(value, str):
        raise ApiRefusal(47001)
    return value


def part_of(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside a body. Raises ApiRefusal 47001 for anything else."""
    value = body.get(name)
    if not isinstance(value, Mapping):
        raise ApiRefusal(47001)
    return value
