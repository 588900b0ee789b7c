"""What people send as files: told by what is inside, made anew, kept private.

Neither the name nor what the sender calls it is believed. A picture is drawn anew (`domain.pictures`), of a recording
the frames are kept (`domain.voices`): what is stored can be nothing else than a picture or a sound.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog

from domain import voices
from domain.people import Person
from domain.reports import Media
from domain.voices import NotSoundError
from errors import BadRequest, NotFound, Unavailable
from models.accounts import Upload
from models.database import fetch
from models.enums import UploadKind

log = structlog.get_logger(__name__)

#: Bytes of a file as it is sent.
MOST_BYTES = 20 * 1024 * 1024
#: How old a file may be that nobody has used for anything.
UNUSED_FOR = timedelta(days=2)
#: Before the path of a file we have, where WeChat's files have its media id.
OURS = "upload:"
_NOBODY = "nobody"

_COMING = ".part"
_HEAD = 64  # bytes by which a format is told
_DRAWING_SECONDS = 30
_TOO_LARGE_PICTURE = "照片太大了，请用手机的“标准”画质拍，或截图后再传。"
_BROKEN = "这个文件打不开，可能没有传完，请重新选一次。"
_UNKNOWN = "只能传照片（JPG、PNG、WebP、GIF）和语音（MP3、AMR、M4A、WAV），请换一个文件。"


@dataclass(frozen=True, slots=True)
class Format:
    """One format that is taken. `name`: Pillow's name of a picture's."""

    kind: UploadKind
    content_type: str
    extension: str
    name: str = ""


_JPEG = Format(UploadKind.IMAGE, "image/jpeg", ".jpg", "JPEG")
_PNG = Format(UploadKind.IMAGE, "image/png", ".png", "PNG")
_GIF = Format(UploadKind.IMAGE, "image/gif", ".gif", "GIF")
_WEBP = Format(UploadKind.IMAGE, "image/webp", ".webp", "WEBP")
_MP3 = Format(UploadKind.VOICE, "audio/mpeg", ".mp3")
_AMR = Format(UploadKind.VOICE, "audio/amr", ".amr")
_M4A = Format(UploadKind.VOICE, "audio/mp4", ".m4a")
_WAV = Format(UploadKind.VOICE, "audio/wav", ".wav")

_MAGIC = (
    (0, b"\xff\xd8\xff", _JPEG),
    (0, b"\x89PNG\r\n\x1a\n", _PNG),
    (0, b"GIF87a", _GIF),
    (0, b"GIF89a", _GIF),
    (8, b"WEBP", _WEBP),
    (8, b"WAVE", _WAV),
    (0, b"#!AMR", _AMR),
    (0, b"ID3", _MP3),
    (4, b"ftyp", _M4A),
)


def sniff(head: bytes) -> Format | None:
    """What a file is by its first bytes; None for what is not taken."""
    for at, magic, form in _MAGIC:
        if head[at : at + len(magic)] == magic and (at != 8 or head[:4] == b"RIFF"):
            return form
    layer_3 = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
    return _MP3 if layer_3 else None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file made anew, not yet known to the database."""

    path: Path
    content_type: str
    width: int | None = None
    height: int | None = None
    seconds: int | None = None


# Pictures drawn and recordings read at a time, in this process: each may take a hundred megabytes for a moment.
_at_work = asyncio.Semaphore(2)


async def receive(person: Person, pieces: AsyncIterator[bytes], folder: Path, now: datetime) -> Upload:
    """Keep a file that comes in, piece by piece, below the media folder; nothing stays of one that is refused.

    Raises BadRequest for what is neither picture nor sound, and whatever `pieces` raises.
    """
    ident = uuid4()
    async with _made_anew(pieces, folder, ident, now) as kept:
        upload = Upload(id=ident, owner=person.actor, created_at=now, **await _facts(folder, kept))
        await upload.save(force_create=True)
        return upload


_EXPECTED = """
WITH made AS (
    INSERT INTO upload (id, owner, kind, state, path, content_type, size, digest, trace_id, created_at)
    VALUES ($1, $2, 'image', 'new', '', 'image/jpeg', 0, '', '', $4)
)
INSERT INTO outbox
    (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at)
VALUES ('media', 'pending', 'upload:' || $1, jsonb_build_object('upload', $1::text, 'media_id', $3::text), 0, 0, $4,
    '', '', 0, '', $4)
"""


async def expect_picture(person: Person, media_id: str, now: datetime) -> UUID:
    """A photo sent in the chat: it has its name at once, and a worker fetches it from WeChat."""
    ident = uuid4()
    await fetch(_EXPECTED, ident, f"resident:{person.resident_id}", media_id, now)
    return ident


async def receive_expected(ident: UUID, pieces: AsyncIterator[bytes], folder: Path, now: datetime) -> None:
    """The photo is here; nothing is kept of one that nobody waits for any more. Raises as `receive`."""
    async with _made_anew(pieces, folder, ident, now) as kept:
        if not await Upload.filter(id=ident).update(**await _facts(folder, kept)):
            kept.path.unlink(missing_ok=True)


@asynccontextmanager
async def _made_anew(pieces: AsyncIterator[bytes], folder: Path, ident: UUID, now: datetime) -> AsyncIterator[_Kept]:
    """The file as it is kept; it goes again when what is done with it fails."""
    coming = folder / _folder_of(now) / f"{ident.hex}{_COMING}"
    kept: _Kept | None = None
    try:
        form = await _write(coming, pieces)
        async with _at_work:
            kept = await (_keep_picture if form.kind is UploadKind.IMAGE else _keep_voice)(coming, form)
        yield kept
    except BaseException:
        if kept:
            kept.path.unlink(missing_ok=True)
        raise
    finally:
        coming.unlink(missing_ok=True)


def _folder_of(day: datetime) -> str:
    return f"uploads/{day:%Y/%m/%d}"


async def _write(target: Path, pieces: AsyncIterator[bytes]) -> Format:
    """What comes in, as it is, told by its first bytes. Raises BadRequest as soon as these say that it is nothing."""
    head, form = b"", None
    with _opened(target) as handle:
        async for piece in pieces:
            if form is None:
                head += piece[:_HEAD]
                form = sniff(head)
                if form is None and len(head) >= _HEAD:
                    raise BadRequest("format", say=_UNKNOWN)
            handle.write(piece)
    if form is None:
        raise BadRequest("format", say=_UNKNOWN if head else "这个文件是空的，请重新选一次。")
    return form


@contextmanager
def _opened(target: Path) -> Any:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as handle:
        yield handle


async def _keep_picture(coming: Path, form: Format) -> _Kept:
    target = coming.with_suffix(_JPEG.extension)
    try:
        size = await _draw(coming, target, form.name)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return _Kept(target, _JPEG.content_type, *size)


async def _draw(source: Path, target: Path, name: str) -> tuple[int, int]:
    """Draw it anew in a process of its own. Raises BadRequest."""
    program = Path(__file__).with_name("pictures.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", str(program), name, str(source), str(target)),
        env={},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_DRAWING_SECONDS):
            out, err = await process.communicate()
    except BaseException as error:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if isinstance(error, TimeoutError):
            raise BadRequest("picture took too long", say=_TOO_LARGE_PICTURE) from error
        raise
    code = process.returncode or 0
    if code == 0:
        said = orjson.loads(out)
        if "refused" in said:
            bomb = said["refused"] == "bomb"
            raise BadRequest(f"picture: {said['refused']}", say=_TOO_LARGE_PICTURE if bomb else _BROKEN)
        return said["width"], said["height"]
    if code < 0:  # killed by its limits, or by what was in the file
        raise BadRequest(f"picture killed by signal {-code}", say=_BROKEN)
    log.error("pictures cannot be drawn", stderr=err.decode(errors="replace")[-500:])
    raise Unavailable("no Pillow", say="现在收不了照片，请先用文字说，或稍后再传。")


async def _keep_voice(coming: Path, form: Format) -> _Kept:
    target = coming.with_suffix(form.extension)
    try:
        seconds = await asyncio.to_thread(_copy_sound, coming, target, form.content_type)
    except NotSoundError as error:
        target.unlink(missing_ok=True)
        raise BadRequest(f"{form.content_type}: {error}", say=_BROKEN) from error
    if seconds > voices.LONGEST:
        target.unlink(missing_ok=True)
        raise BadRequest("long", say=f"语音最长 {voices.LONGEST // 60} 分钟，请分几段说。")
    return _Kept(target, form.content_type, seconds=max(1, round(seconds)))


def _copy_sound(source: Path, target: Path, content_type: str) -> float:
    sound = voices.READERS[content_type](memoryview(source.read_bytes()))
    _write_pieces(target, sound.pieces)
    return sound.seconds


def _write_pieces(target: Path, pieces: Sequence[voices.Data]) -> None:
    with target.open("xb") as handle:
        for piece in pieces:
            handle.write(piece)


def _measure(path: Path) -> tuple[int, str]:
    """(bytes, SHA-256) of a stored file."""
    with path.open("rb") as handle:
        return path.stat().st_size, hashlib.file_digest(handle, "sha256").hexdigest()


async def _facts(folder: Path, kept: _Kept) -> dict[str, Any]:
    """What is noted of a stored file."""
    size, digest = await asyncio.to_thread(_measure, kept.path)
    return {
        "kind": UploadKind.IMAGE if kept.width else UploadKind.VOICE,
        "path": str(kept.path.relative_to(folder)),
        "content_type": kept.content_type,
        "size": size,
        "width": kept.width,
        "height": kept.height,
        "seconds": kept.seconds,
        "digest": digest,
    }


async def own_uploads(person: Person, ids: Sequence[UUID]) -> list[Media]:
    """Files this person sent, in this order, as a report or an action takes them. Raises NotFound for any other."""
    return await media_of(ids, [person.actor, f"resident:{person.resident_id}"])


async def media_of(ids: Sequence[UUID], owners: Sequence[str]) -> list[Media]:
    """The same for files that one of `owners` sent: who shows something in a room hands it to whoever makes a case of
    it. Raises NotFound."""
    found = {upload.id: upload for upload in await Upload.filter(id__in=list(ids), owner__in=list(owners))}
    if missing := [ident for ident in ids if ident not in found]:
        raise NotFound(
            f"upload {missing[0]}", say="有一个文件没有传好，请重新选一次再提交。", tag="upload:use", object_id=None
        )
    uploads = [found[ident] for ident in dict.fromkeys(ids)]
    return [
        Media(one.kind.value, f"{OURS}{one.path}", path=one.path, content_type=one.content_type, size=one.size)
        for one in uploads
    ]


async def disown(paths: Sequence[str]) -> None:
    """Forget who sent these files, in the running transaction: they belong to a report without a name."""
    await Upload.filter(path__in=list(paths)).update(owner=_NOBODY)


# Nothing shows it, neither a case, a room nor an application, two days after it came (and for a month after that it is
# looked for).
_UNUSED = """
DELETE FROM upload WHERE id IN (
    SELECT id FROM upload u WHERE created_at < $1 AND created_at > $2
    AND NOT EXISTS (SELECT FROM attachment a WHERE a.path = u.path AND starts_with(a.path, 'uploads/'))
    AND NOT EXISTS (SELECT FROM room_message m WHERE m.data ? 'upload' AND m.data->>'upload' = u.id::text)
    AND NOT EXISTS (SELECT FROM application_file f WHERE f.upload_id = u.id)
    ORDER BY created_at LIMIT 500 FOR UPDATE SKIP LOCKED
) RETURNING path
"""
_LOOKED_FOR = timedelta(days=30)


async def drop_unused(folder: Path, now: datetime) -> int:
    """Forget files that were sent and then not used for anything, and what a process that died left half written;
    gives how many."""
    rows = await fetch(_UNUSED, now - UNUSED_FOR, now - UNUSED_FOR - _LOOKED_FOR)
    gone = [folder / row["path"] for row in rows if row["path"]]
    for days in range(UNUSED_FOR.days, UNUSED_FOR.days + _LOOKED_FOR.days):
        gone += (folder / _folder_of(now - timedelta(days=days))).glob(f"*{_COMING}")
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
