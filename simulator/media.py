"""Temporary media: what phones send and what the account uploads, kept for three days."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from simulator.refusals import ApiRefusal

KEPT: Final = timedelta(days=3)
MEMORY: Final = 256 * 1024 * 1024
"""Bytes held at most; past it the oldest media are gone early (ours, so that a long replay fits in
memory)."""

LIMITS: Final = {"image": 10 * 2**20, "voice": 2 * 2**20, "video": 10 * 2**20, "thumb": 64 * 2**10}
"""Largest upload by type. The official page also says 2 MB for images: the sources differ."""

_SIGNS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF8", "image/gif", "gif"),
    (b"#!AMR", "audio/amr", "amr"),
    (b"ID3", "audio/mp3", "mp3"),
    (b"\xff\xfb", "audio/mp3", "mp3"),
)
_ACCEPTED: Final = {"image": "image/", "voice": "audio/", "video": "video/", "thumb": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Media:
    """One media_id. Several may share the same bytes."""

    media_id: str
    kind: str
    content_type: str
    digest: str
    created: datetime

    @property
    def suffix(self) -> str:
        """File name ending for the Content-disposition."""
        return next((end for _, kind, end in _SIGNS if kind == self.content_type), "mp4")


class MediaShelf:
    """Media by id over bytes by digest, so that a sample photo sent a thousand times is held once."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` keeps the bytes over a restart; None keeps them in memory."""
        self._folder = folder
        self._media: OrderedDict[str, Media] = OrderedDict()
        self._bytes: dict[str, bytes] = {}
        self._uses: dict[str, int] = {}
        self._held = 0

    def add(self, kind: str, data: bytes, now: datetime) -> Media:
        """Keep what a phone sent; the content type is read from the bytes."""
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._bytes:
            self._bytes[digest] = data
            self._held += len(data)
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / digest).write_bytes(data)
        media = Media(secrets.token_urlsafe(48), kind, sniff(data), digest, now)
        self._keep(media)
        self._make_room(now)
        return media

    def upload(self, kind: str, data: bytes, now: datetime) -> Media:
        """Keep what the account uploads. Raises ApiRefusal 40004, 41005, 40006 or 40005."""
        if kind not in LIMITS:
            raise ApiRefusal(40004)
        if not data:
            raise ApiRefusal(41005)
        if len(data) > LIMITS[kind]:
            raise ApiRefusal(40006)
        if not sniff(data).startswith(_ACCEPTED[kind]):
            raise ApiRefusal(40005)
        return self.add(kind, data, now)

    def get(self, media_id: object, now: datetime) -> Media:
        """Raises ApiRefusal 40007 for unknown and for expired ids alike."""
        media = self._media.get(str(media_id))
        if media is None or now - media.created >= KEPT:
            raise ApiRefusal(40007)
        return media

    def find(self, media_id: str) -> Media | None:
        """The medium for the page: chats show a photo as long as the bytes are there."""
        return self._media.get(media_id)

    def read(self, media: Media) -> bytes:
        """The bytes of a medium."""
        return self._bytes[media.digest]

    def _keep(self, media: Media) -> None:
        self._media[media.media_id] = media
        self._uses[media.digest] = self._uses.get(media.digest, 0) + 1

    def _make_room(self, now: datetime) -> None:
        while len(self._media) > 1:
            oldest = next(iter(self._media.values()))
            if now - oldest.created < KEPT and self._held <= MEMORY:
                return
            self._drop(oldest)

    def _drop(self, media: Media) -> None:
        del self._media[media.media_id]
        self._uses[media.digest] -= 1
        if self._uses[media.digest]:
            return
        del self._uses[media.digest]
        self._held -= len(self._bytes.pop(media.digest))
        if self._folder is not None:
            (self._folder / media.digest).unlink(missing_ok=True)

    def as_json(self) -> list[list[str]]:
        """For the state file; the bytes are in the folder already."""
        return [[m.media_id, m.kind, m.content_type, m.digest, m.created.isoformat()] for m in self._media.values()]

    def load(self, stored: list[list[Any]]) -> None:
        """What `as_json` wrote, as far as the bytes are still in the folder."""
        for media_id, kind, content_type, digest, created in stored:
            file = self._folder / digest if self._folder else None
            if file is None or not file.is_file():
                continue
            if digest not in self._bytes:
                self._bytes[digest] = file.read_bytes()
                self._held += len(self._bytes[digest])
            self._keep(Media(media_id, kind, content_type, digest, datetime.fromisoformat(created)))


def sniff(data: bytes) -> str:
    """The content type by the first bytes."""
    if data[4:8] == b"ftyp":
        return "video/mp4"
    return next((kind for sign, kind, _ in _SIGNS if data.startswith(sign)), "application/octet-stream")
