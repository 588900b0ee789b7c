"""Photos, voice and video are fetched from WeChat, which keeps them for three days, and kept below the media folder.

The photos of other platforms are fetched from there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp

from bot.api import Media, WeChatApi
from bot.outbox import Done, Job, TryLater, parked, sent
from bot.transport import MEDIA_LIMIT
from bot.verdicts import Verdict, ruling
from domain.attachments import store_attachment
from domain.uploads import receive_expected
from errors import BadRequest, LinliError

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=4)
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

    def __init__(
        self, api: WeChatApi, folder: Path, session: aiohttp.ClientSession, *, now: Callable[[], datetime]
    ) -> None:
        self._api = api
        self._folder = folder
        self._session = session
        self._now = now

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Fetch each; expired ones end with a reason staff can read."""
        for job in jobs:
            end(job, await self._fetch(job))

    async def _fetch(self, job: Job) -> Done:
        media_id = str(job.payload["media_id"])
        try:
            media = (
                await self._from_platform(media_id) if "://" in media_id else await self._api.download_media(media_id)
            )
        except LinliError as error:
            seen = ruling(error)
            if seen.verdict is Verdict.RETRY_LATER:
                raise
            return parked(f"照片没有取到：{seen.reason}")
        if media is None:
            return parked("照片没有取到：平台没有给出图片")
        if "upload" in job.payload:
            return await self._draw_anew(UUID(str(job.payload["upload"])), media)
        content_type = media.content_type.split(";")[0].strip().lower()
        name = f"{self._now():%Y/%m/%d}/{uuid4().hex}{_EXTENSIONS.get(content_type, '.bin')}"
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(media.data)
        await store_attachment(int(job.payload["attachment"]), name, content_type, len(media.data))
        return sent("media")

    async def _draw_anew(self, ident: UUID, media: Media) -> Done:
        """A photo for an application: kept as what people upload is."""
        try:
            await receive_expected(ident, _whole(media.data), self._folder, self._now())
        except BadRequest as refused:
            return parked(f"照片打不开：{refused.detail}")
        return sent("media")

    async def _from_platform(self, address: str) -> Media | None:
        """A picture another platform named (its host was checked when it did); None where there is none.

        Raises TryLater when the platform does not answer.
        """
        try:
            async with self._session.get(address, timeout=_TIMEOUT, allow_redirects=False) as answer:
                if answer.status >= 500:
                    raise TryLater(f"照片地址答复 {answer.status}")
                if answer.status != 200 or not answer.content_type.startswith("image/"):
                    return None
                data = bytearray()
                async for part in answer.content.iter_chunked(64 * 1024):
                    data += part
                    if len(data) > MEDIA_LIMIT:
                        answer.close()
                        return None
                return Media(bytes(data), answer.content_type)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TryLater(f"照片地址连不上：{type(error).__name__}") from error


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
