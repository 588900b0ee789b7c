"""How somebody can still be told something in their chat with the account.

WeChat counts: five messages after each one of theirs, within 48 hours, three after a tap, within a minute. Who keeps
that count is set once at start; it is the same that the delivery ladder goes by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.journal import MINI, is_platform


class Quota(Protocol):
    """Messages WeChat would still take for one person, and why there are none."""

    @property
    def left(self) -> int: ...
    @property
    def reason(self) -> str: ...


Count = Callable[[str, datetime], Awaitable[Quota]]

_count: Count | None = None


@contextmanager
def use(count: Count) -> Iterator[None]:
    """Let this count be asked, for the life of the context; without one nothing is left for anybody."""
    global _count  # noqa: PLW0603 - a setting of the process, as its working hours are
    before, _count = _count, count
    try:
        yield
    finally:
        _count = before


class Way(StrEnum):
    """By what the next words to somebody would go."""

    SERVICE = "service"  # 客服消息: the words themselves, in the chat
    NOTICE = "notice"  # 订阅通知或模板消息: that there is something to read
    MINIAPP = "miniapp"  # they have the mini-program alone and read it there
    NONE = "none"  # no WeChat that we know of


@dataclass(frozen=True, slots=True)
class Reach:
    """How somebody is reached now; `left` customer-service messages, and why there are none."""

    way: Way
    left: int
    reason: str = ""


async def reach_of(openid: str, now: datetime) -> Reach:
    """How the person with this openid ("" = none) is reached now."""
    if openid.startswith(MINI):
        return Reach(Way.MINIAPP, 0, "对方只用小程序，在那里看得到")
    if not openid or is_platform(openid):
        return Reach(Way.NONE, 0, "对方没有微信，请打电话")
    if _count is None:
        return Reach(Way.NOTICE, 0)
    quota = await _count(openid, now)
    return Reach(Way.SERVICE if quota.left else Way.NOTICE, quota.left, "" if quota.left else quota.reason)
