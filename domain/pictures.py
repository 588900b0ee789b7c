"""Draws a picture anew: what is kept is a plain JPEG of what can be seen, and nothing else of the file that was sent.

Where it was taken (GPS), who took it, comments, thumbnails, other files behind or inside it: all of that stays behind.
Runs as a process of its own with little memory, time and no environment, because decoders are where files attack:
`python -I domain/pictures.py FORMAT SOURCE TARGET` prints `{"width", "height"}`, or `{"refused": reason}`.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from pathlib import Path

from PIL import Image, ImageOps

#: Longest side of what is kept, pixels.
LONGEST = 4096
#: Pixels of what may come in, so that 256 MB are enough. A JPEG is decoded at a half or a quarter of its size, but a
#: progressive one has to be known whole before; the others are decoded whole.
MOST_PIXELS = {"JPEG": 120_000_000, "PNG": 12_600_000, "WEBP": 12_600_000, "GIF": 12_600_000}
_MOST_PROGRESSIVE = 60_000_000
_QUALITY = 88
_SHRINKS = (1, 2, 4, 8)  # what a JPEG decoder can divide by
_MEMORY, _SECONDS, _FILE = 1 << 30, 20, 32 << 20


class RefusedError(Exception):
    """The picture cannot be kept: `bomb` (too many pixels), `tiny`, or `broken`."""


def redraw(source: Path, target: Path, kind: str) -> tuple[int, int]:
    """Write the picture in `source`, of exactly this format, to `target` as a JPEG; gives its width and height.

    Raises RefusedError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # counted below, by format
            Image.MAX_IMAGE_PIXELS = max(MOST_PIXELS.values())
            with Image.open(source, formats=[kind]) as opened:
                return _draw(opened, target, kind)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise RefusedError("bomb") from error
    except RefusedError:
        raise
    except Exception as error:  # decoders raise whatever they like at a broken file
        raise RefusedError("broken") from error


def _draw(opened: Image.Image, target: Path, kind: str) -> tuple[int, int]:
    width, height = opened.size
    progressive = kind == "JPEG" and "progressive" in opened.info
    if width * height > (_MOST_PROGRESSIVE if progressive else MOST_PIXELS[kind]):
        raise RefusedError("bomb")
    if min(width, height) < 1:
        raise RefusedError("tiny")
    if kind == "JPEG":
        shrink = next((by for by in _SHRINKS if max(width, height) <= LONGEST * by), _SHRINKS[-1])
        opened.draft("RGB", (max(1, width // shrink), max(1, height // shrink)))
    opened.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    ImageOps.exif_transpose(opened, in_place=True)
    plain = _plain(opened)
    plain.save(target, "JPEG", quality=_QUALITY)
    return plain.size


def _plain(image: Image.Image) -> Image.Image:
    """The same in three colours on white, with nothing attached."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.new("RGB", clear.size, "white")
        image.paste(clear, mask=clear.getchannel("A"))
    drawn = image if image.mode == "RGB" else image.convert("RGB")
    drawn.info = {}
    return drawn


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, _FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main(kind: str, source: str, target: str) -> None:
    """What the process does."""
    _limit()
    try:
        width, height = redraw(Path(source), Path(target), kind)
        said: dict[str, int | str] = {"width": width, "height": height}
    except RefusedError as refused:
        said = {"refused": str(refused)}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
