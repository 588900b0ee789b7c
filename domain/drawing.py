"""Text in pictures: charts of surveys, certificates. The one place that knows where Chinese letters come from.

The font comes with the installation (a wheel that holds Noto Sans SC and nothing else); where it was left out, the
system's own is taken. Nothing is fetched while running.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from errors import Unavailable

Font = ImageFont.FreeTypeFont

INK, PALE, ACCENT, RULE, PAPER = "#1f2937", "#6b7280", "#0f766e", "#e5e7eb", "#ffffff"

_WHEEL = "pylopdf_fonts_zh_cn"
#: Where systems keep a Chinese font, with the face of the simplified forms in collections.
_SYSTEM = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/System/Library/Fonts/PingFang.ttc", 0),
    ("C:/Windows/Fonts/msyh.ttc", 0),
)

_WIDTH, _MARGIN = 750, 40  # pixels; 750 is a phone's width
_MOST_BARS = 40
_NO_FONT = "现在画不了图，请看文字版，或稍后再试。"


@lru_cache(maxsize=8)
def find_font(wheel: str = _WHEEL, system: tuple[tuple[str, int], ...] = _SYSTEM) -> tuple[Path, int]:
    """(file, face in it) of the font all pictures are written in. Raises Unavailable where there is none."""
    try:
        ours = Path(import_module(wheel).sans_path())
    except ImportError:
        ours = Path()
    for path, face in ((ours, 0), *((Path(name), face) for name, face in system)):
        if path.is_file():
            return path, face
    raise Unavailable("no Chinese font: pip install pylopdf-fonts-zh-cn, or install fonts-noto-cjk", say=_NO_FONT)


@lru_cache(maxsize=32)
def typeface(size: int) -> Font:
    """The font, `size` pixels high. Raises Unavailable."""
    path, face = find_font()
    return ImageFont.truetype(str(path), size, face)


def clean(text: str) -> str:
    """One line without what the font cannot show: control characters, joiners, line ends, emoji."""
    return " ".join("".join(char for char in text if char.isspace() or _shown(char)).split())


def _shown(char: str) -> bool:
    rare_letters = 0x20000 <= ord(char) < 0x33000
    return unicodedata.category(char)[0] != "C" and (ord(char) < 0x10000 or rare_letters)


def wrap(text: str, size: int, width: int, most: int = 3) -> list[str]:
    """The text in lines of at most `width` pixels, cut with … after `most` lines."""
    font, lines = typeface(size), [""]
    for char in clean(text):
        if font.getlength(lines[-1] + char) <= width:
            lines[-1] += char
        elif len(lines) < most:
            lines.append(char.strip())
        else:
            lines[-1] = _cut(lines[-1], font, width)
            break
    return lines


def _cut(line: str, font: Font, width: int) -> str:
    while line and font.getlength(line + "…") > width:
        line = line[:-1]
    return line + "…"


def to_png(image: Image.Image) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def bar_chart(title: str, bars: Sequence[tuple[str, int, float]], note: str = "") -> bytes:
    """A PNG of horizontal bars, one for each (label, count, share from 0 to 1), as wide as a phone. `note` stands below
    (what it counts, how many). A tenth of a second of work: call it in a thread. Raises Unavailable without a font."""
    heads, notes = wrap(title, 34, _WIDTH - 2 * _MARGIN), wrap(note, 22, _WIDTH - 2 * _MARGIN, 4) if note else []
    rows = [(wrap(label, 26, _WIDTH - 2 * _MARGIN, 2), count, share) for label, count, share in bars[:_MOST_BARS]]
    height = 2 * _MARGIN + 48 * len(heads) + sum(34 * len(lines) + 62 for lines, _, _ in rows) + 32 * len(notes)
    image = Image.new("RGB", (_WIDTH, height), PAPER)
    pen, y = ImageDraw.Draw(image), _MARGIN
    for line in heads:
        pen.text((_MARGIN, y), line, INK, typeface(34))
        y += 48
    for lines, count, share in rows:
        y = _bar(pen, y + 8, lines, f"{count}　{share:.0%}", min(1.0, max(0.0, share)))
    for line in notes:
        pen.text((_MARGIN, y), line, PALE, typeface(22))
        y += 32
    return to_png(image)


def _bar(pen: ImageDraw.ImageDraw, y: int, lines: Sequence[str], figures: str, share: float) -> int:
    """One bar below its label; gives where the next one begins."""
    for line in lines:
        pen.text((_MARGIN, y), line, INK, typeface(26))
        y += 34
    most = _WIDTH - 2 * _MARGIN - 150
    pen.rounded_rectangle((_MARGIN, y + 6, _MARGIN + most, y + 34), 6, RULE)
    if share > 0:
        pen.rounded_rectangle((_MARGIN, y + 6, _MARGIN + max(12, round(most * share)), y + 34), 6, ACCENT)
    pen.text((_MARGIN + most + 14, y + 2), figures, INK, typeface(24))
    return y + 54
