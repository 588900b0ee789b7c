"""Photos, voice and video are fetched from WeChat, which keeps them for three days, and kept below the media folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from bot.api import WeChatApi
from bot.outbox import Done, Job, parked, sent
from bot.verdicts import Verdict, ruling
from domain.attachments import store_attachment
from errors import LinliError

_EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
}


class MediaFetcher:
    """The outbox's handler of MEDIA jobs. `folder` is the media folder; files are named by us, never by the sender."""

    def __init__(self, api: WeChatApi, folder: Path, *, now: Callable[[], datetime]) -> None:
        self._api = api
        self._folder = folder
        self._now = now

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Fetch each; expired ones end with a reason staff can read."""
        for job in jobs:
            end(job, await self._fetch(job))

    async def _fetch(self, job: Job) -> Done:
        try:
            media = await self._api.download_media(str(job.payload["media_id"]))
        except LinliError as error:
            seen = ruling(error)
            if seen.verdict is Verdict.RETRY_LATER:
                raise
            return parked(f"照片没有取到：{seen.reason}")
        content_type = media.content_type.split(";")[0].strip().lower()
        name = f"{self._now():%Y/%m/%d}/{uuid4().hex}{_EXTENSIONS.get(content_type, '.bin')}"
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(media.data)
        await store_attachment(int(job.payload["attachment"]), name, content_type, len(media.data))
        return sent("media")
