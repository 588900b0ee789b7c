"""Voice recordings: read frame by frame, and only the frames kept.

Whatever else a file may carry (titles, pictures, a place, another file before or behind the sound) stays behind. What
does not hold together as sound from the first byte to the last is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from struct import unpack_from
from typing import Final

Data = bytes | bytearray | memoryview

#: Longest recording, seconds.
LONGEST = 600
_MOST_PARTS = 1_000  # chunks or boxes next to each other; a recording has ten


class NotSoundError(Exception):
    """It is no recording of this format, or a broken one."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is kept of a recording: pieces to write one after the other, and how long it takes to hear."""

    pieces: list[Data]
    seconds: float


# --- AMR (RFC 4867 §5): a magic line, then frames of 20 ms whose size their type gives.

_AMR: Final = {
    b"#!AMR\n": (12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0),
    b"#!AMR-WB\n": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0),
}
_EMPTY = (14, 15)  # lost, or nothing said


def read_amr(data: Data) -> Sound:
    """A recording of a telephone."""
    magic = next((line for line in _AMR if bytes(data[: len(line)]) == line), None)
    if magic is None:
        raise NotSoundError("magic")
    sizes, at, frames = _AMR[magic], len(magic), 0
    while at < len(data):
        kind = data[at] >> 3 & 15
        if data[at] & 0b10000011 or not (sizes[kind] or kind in _EMPTY):
            raise NotSoundError(f"frame at {at}")
        at += 1 + sizes[kind]
        frames += 1
    if at != len(data) or not frames:
        raise NotSoundError("cut off")
    return Sound([data], frames / 50)


# --- MP3 (ISO 11172-3): frames with a header of four bytes. ID3 before and behind is left out.

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_ID3V1 = 128


def read_mp3(data: Data) -> Sound:
    """Layer III alone, as the mini-program records it."""
    at, end, seconds = _after_id3(data), len(data), 0.0
    if end - at > _ID3V1 and bytes(data[end - _ID3V1 : end - _ID3V1 + 3]) == b"TAG":
        end -= _ID3V1
    first = at
    while at + 4 <= end:
        size, duration = _mp3_frame(data, at)
        if at + size > end:
            break  # recorders stop where they stop: the last frame may be cut off
        at += size
        seconds += duration
    if at == first or end - at > 1441:
        raise NotSoundError("frames")
    return Sound([data[first:at]], seconds)


def _after_id3(data: Data) -> int:
    if bytes(data[:3]) != b"ID3":
        return 0
    if len(data) < 10 or any(byte & 0x80 for byte in data[6:10]):
        raise NotSoundError("ID3")
    return 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9])


def _mp3_frame(data: Data, at: int) -> tuple[int, float]:
    """(bytes, seconds) of the frame there."""
    version, layer = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    bitrate, rate, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    synchronised = data[at] == 0xFF and data[at + 1] >= 0xE0
    if not synchronised or layer != 1 or version == 1 or rate == 3 or bitrate in (0, 15):
        raise NotSoundError(f"frame at {at}")
    hertz = _RATES[version][rate]
    kilobits = (_BITRATES_1 if version == 3 else _BITRATES_2)[bitrate]
    samples = 1152 if version == 3 else 576
    return samples * kilobits * 125 // hertz + padding, samples / hertz


# --- WAV: RIFF chunks; format and sound are kept, under a header of our own.

_PCM, _EXTENSIBLE = 1, 0xFFFE


def read_wav(data: Data) -> Sound:
    """Uncompressed sound."""
    if len(data) < 12 or bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        raise NotSoundError("magic")
    (size,) = unpack_from("<I", data, 4)
    if not len(data) - 1 <= size + 8 <= len(data):
        raise NotSoundError("size")
    chunks = dict(_chunks(data))
    form, sound = chunks.get(b"fmt "), chunks.get(b"data")
    if form is None or sound is None or not 16 <= len(form) <= 40:
        raise NotSoundError("chunks")
    kind, channels, hertz, per_second, block, bits = unpack_from("<HHIIHH", form)
    if kind not in (_PCM, _EXTENSIBLE) or channels not in (1, 2) or bits not in (8, 16, 24, 32) or not hertz:
        raise NotSoundError("format")
    if block != channels * bits // 8 or per_second != block * hertz:
        raise NotSoundError("rates")
    head = b"WAVEfmt " + len(form).to_bytes(4, "little") + bytes(form) + b"data" + len(sound).to_bytes(4, "little")
    riff = b"RIFF" + (len(head) + len(sound)).to_bytes(4, "little")
    return Sound([riff + head, sound], len(sound) / per_second)


def _chunks(data: Data) -> Iterator[tuple[bytes, Data]]:
    at, many = 12, 0
    while at + 8 <= len(data):
        (size,) = unpack_from("<I", data, at + 4)
        many += 1
        if at + 8 + size > len(data) or many > _MOST_PARTS:
            raise NotSoundError(f"chunk at {at}")
        yield bytes(data[at : at + 4]), data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


# --- M4A (ISO 14496-12): boxes. Their places matter to each other, so what is not sound is blanked where it stands.

_KEPT = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"meta", b"udta"}
_BLANKED = {b"free", b"skip", b"wide", b"uuid", b"meta", b"udta"}
_NESTED = {b"moov", b"trak", b"mdia"}
_MOST_BRANDS = 64  # bytes of the first box


def read_m4a(data: Data) -> Sound:
    """AAC as telephones record it. Raises NotSoundError for a film."""
    kept = bytearray(data)
    boxes = [kind for kind, *_ in _boxes(kept, 0, len(kept))]
    if len(data) < 8 or int.from_bytes(data[:4], "big") > _MOST_BRANDS:
        raise NotSoundError("brands")
    if boxes[:1] != [b"ftyp"] or not {b"moov", b"mdat"} <= set(boxes) or set(boxes) - _KEPT:
        raise NotSoundError("boxes")
    seen: dict[bytes, list[bytes]] = {}
    _blank(kept, 0, len(kept), seen)
    handlers = {one[8:12] for one in seen.get(b"hdlr", [])}
    if handlers != {b"soun"} or len(seen.get(b"mvhd", [])) != 1:
        raise NotSoundError("tracks")
    return Sound([kept], _m4a_seconds(seen[b"mvhd"][0]))


def _boxes(data: bytearray, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the content, end) of each box."""
    many = 0
    while at < end:
        many += 1
        if at + 8 > end or many > _MOST_PARTS:
            raise NotSoundError(f"box at {at}")
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        if size == 0:
            size = end - at
        if at + size > end or at + size < start:
            raise NotSoundError(f"box at {at}")
        yield bytes(data[at + 4 : at + 8]), start, at + size
        at += size


def _blank(data: bytearray, at: int, end: int, seen: dict[bytes, list[bytes]], depth: int = 0) -> None:
    if depth > len(_NESTED):
        raise NotSoundError("depth")
    for kind, start, stop in list(_boxes(data, at, end)):
        if kind in _NESTED:
            _blank(data, start, stop, seen, depth + 1)
        elif kind in _BLANKED:
            data[start:stop] = bytes(stop - start)
            name = data.rindex(kind, at, start)
            data[name : name + 4] = b"free"
        elif kind in (b"hdlr", b"mvhd"):
            seen.setdefault(kind, []).append(bytes(data[start : min(stop, start + 40)]))


def _m4a_seconds(head: bytes) -> float:
    wide = head[:1] == b"\1"
    try:
        scale, length = unpack_from(">IQ", head, 20) if wide else unpack_from(">II", head, 12)
    except Exception as error:
        raise NotSoundError("mvhd") from error
    if not scale:
        raise NotSoundError("mvhd")
    return float(length / scale)


READERS: Mapping[str, Callable[[Data], Sound]] = {
    "audio/amr": read_amr,
    "audio/mpeg": read_mp3,
    "audio/wav": read_wav,
    "audio/mp4": read_m4a,
}
