"""UNION jobs: WeChat says who a follower is in the mini-program, and what is theirs there becomes theirs here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.api import WeChatApi
from bot.outbox import Done, Job, TryLater, parked, sent
from bot.verdicts import Verdict, ruling
from domain.linking import link_union
from errors import LinliError


class Unions:
    """The outbox's handler of UNION jobs."""

    def __init__(self, api: WeChatApi, *, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Ask about each. Raises TryLater while WeChat does not answer."""
        for job in jobs:
            try:
                info = await self._api.user_info(str(job.payload["openid"]))
            except LinliError as error:
                seen = ruling(error)
                if seen.verdict is Verdict.RETRY_LATER:
                    raise TryLater(seen.reason, _after(seen.retry_after)) from error
                end(job, parked(seen.reason))
                continue
            await link_union(info.openid, info.unionid, self._now(), f"job:{job.id}")
            end(job, sent("union"))


def _after(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None
