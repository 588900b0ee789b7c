"""ROOM jobs of the outbox: what became of a case, said in its room; likely reports looked at; the helper's answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from prometheus_client import Counter

from bot.outbox import Done, Job, parked, sent
from domain.room_helper import answer
from domain.room_replies import tell_room
from domain.room_rules import look
from errors import LinliError

log = structlog.get_logger(__name__)

ROOM_JOBS = Counter(
    "linli_room_jobs_total", "Work on what is said in rooms, by what and by outcome", ["what", "outcome"]
)


class RoomWork:
    """The outbox's handler. `sure`: confidence from which a report opens a case by itself, where the room is set so."""

    def __init__(self, *, now: Callable[[], datetime], sure: float) -> None:
        self._now = now
        self._sure = sure

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Each in turn. What the domain refuses is refused for good; a fault is tried again."""
        for job in jobs:
            what = str(job.payload.get("do", "tell"))
            try:
                await self._do(job, what)
            except LinliError as error:
                log.warning("room job refused", job=job.id, what=what, reason=error.detail)
                ROOM_JOBS.labels(what, "refused").inc()
                end(job, parked(error.detail))
            else:
                ROOM_JOBS.labels(what, "done").inc()
                end(job, sent("room"))

    async def _do(self, job: Job, what: str) -> None:
        message_id = int(job.payload.get("message", 0))
        if what == "look":
            await look(message_id, self._now(), self._sure)
        elif what == "help":
            await answer(message_id, self._now())
        elif message_id and job.case_id:
            await tell_room(
                message_id, job.case_id, job.payload["events"], self._now(), client_id=f"{job.kind}:{job.id}"
            )
