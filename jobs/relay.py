"""Rooms in the chat: the outbox's handler of RELAY jobs. An entry is told to those who read the room in their chat;
what they photographed is fetched from WeChat, made anew and put into the room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

from bot.api import WeChatApi
from bot.outbox import Done, Job, parked, sent
from bot.verdicts import Verdict, ruling
from domain import relay, relay_mode, uploads
from domain.people import person_of
from errors import LinliError, Unavailable


class Relay:
    """`folder` is the media folder."""

    def __init__(self, api: WeChatApi, folder: Path, *, now: Callable[[], datetime]) -> None:
        self._api = api
        self._folder = folder
        self._now = now

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Do each in its order."""
        for job in jobs:
            end(job, await (self._put_in(job) if "media" in job.payload else self._tell(job)))

    async def _tell(self, job: Job) -> Done:
        await relay.tell(int(job.payload["message"]), self._now())
        return sent("relay")

    async def _put_in(self, job: Job) -> Done:
        """Raises what passes by itself; what is refused is told to whoever sent it."""
        given = dict(job.payload)
        try:
            media = await self._api.download_media(str(given["media"]))
        except LinliError as error:
            seen = ruling(error)
            if seen.verdict is Verdict.RETRY_LATER:
                raise
            return parked(f"没有取到：{seen.reason}")
        try:
            person = await person_of(given["resident"])
            upload = await uploads.receive(person, _whole(media.data), self._folder, self._now())
            await relay_mode.post_media(given, str(upload.id), self._now())
        except Unavailable:
            raise
        except LinliError as refused:
            await relay_mode.tell_refused(given, refused, self._now())
            return parked(refused.detail)
        return sent("relay")


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
