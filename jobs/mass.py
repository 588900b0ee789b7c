"""MASS jobs of the outbox: one call of WeChat's mass send, and later what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.api import WeChatApi
from bot.mass import MassSender
from bot.outbox import Done, Job, TryLater, parked, sent, undelivered
from bot.verdicts import Verdict, ruling
from domain import mass_calls
from domain.mass_calls import Ready, Refused
from errors import LinliError

_LOOK_AGAIN, _REPORT_AGAIN = timedelta(hours=1), timedelta(minutes=1)


class MassSends:
    """The outbox's handler. A payload has `call` (make it), `look` (ask what became of it) or `report` (a report that
    came before our own note)."""

    def __init__(self, api: WeChatApi, *, now: Callable[[], datetime]) -> None:
        self._sender = MassSender(api)
        self._now = now

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Each in turn; raises TryLater when the rest must wait."""
        for job in jobs:
            end(job, await self._do(job))

    async def _do(self, job: Job) -> Done:
        payload = job.payload
        if "report" in payload:
            counts = {str(name): int(count) for name, count in payload["counts"].items()}
            if not await mass_calls.note_kept_report(str(payload["report"]), str(payload["status"]), counts):
                raise TryLater("还不知道是哪一次群发的结果", _REPORT_AGAIN)
            return sent("mass")
        return await (self._look(str(payload["look"])) if "look" in payload else self._call(int(payload["call"])))

    async def _call(self, call_id: int) -> Done:
        ready = await mass_calls.prepare(call_id, self._now())
        if isinstance(ready, Refused):
            return undelivered(ready.reason) if ready.reason else sent("mass")
        try:
            msg_id = await self._make(ready)
        except LinliError as error:
            seen = ruling(error)
            if seen.verdict is not Verdict.RETRY_LATER:
                await mass_calls.note_failed(call_id, seen.reason, self._now())
                return parked(seen.reason)
            await mass_calls.note_put_off(call_id, seen.reason, maybe_sent=seen.maybe_sent or ready.again)
            raise TryLater(seen.reason, timedelta(seconds=seen.retry_after) if seen.retry_after else None) from error
        await mass_calls.note_taken(call_id, msg_id, self._now())
        return sent("mass", reference=msg_id)

    async def _make(self, ready: Ready) -> str:
        if ready.everybody:
            return await self._sender.send_all(ready.text, ready.client_id)
        return await self._sender.send(ready.openids, ready.text, ready.client_id)

    async def _look(self, msg_id: str) -> Done:
        status = await self._sender.status(msg_id)
        if status == "SENDING":
            raise TryLater("群发还在进行", _LOOK_AGAIN)
        await mass_calls.note_status(msg_id, status)
        return sent("mass")
