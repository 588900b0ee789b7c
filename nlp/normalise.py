"""Bring a message into the one form the word lists are written in, without moving any character.

Residents type full-width letters, traditional characters and invisible marks. `tidy` drops what nobody sees and is the
text as the resident wrote it; `fold` changes characters one for one, so a position found in the folded text is a
position in the tidy one.
"""

from __future__ import annotations

import re
from functools import cache

from opencc import OpenCC

LONGEST = 10_000
"""Characters of a message that are read; the rest of a longer one is cut off."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)
_SINGLE_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SINGLE_FORMS |= {0x3000: 0x20, 0x00A0: 0x20, 0x2013: 0x2D, 0x2014: 0x2D, 0x2015: 0x2D, 0x2212: 0x2D}
_SINGLE_FORMS |= {code: code + 0x20 for code in range(ord("A"), ord("Z") + 1)}
_SINGLE_FORMS |= {0xFF21 + letter: ord("a") + letter for letter in range(26)}
_SINGLE_FORMS |= {ord(mark): ord(plain) for mark, plain in (("、", ","), ("。", "."), ("？", "?"), ("！", "!"))}
_FOREIGN = re.compile("[A-Z\xa0\u2013-\u2015\u2212\u3000、。！？\uff01-\uff5e]")


def tidy(text: str) -> str:
    """The message as its writer sees it: no invisible characters, at most `LONGEST` characters, no blank ends."""
    text = text[:LONGEST]
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
    return text.strip()


def fold(text: str) -> str:
    """The tidy text in half-width, lower-case, simplified characters; always exactly as long as `text`."""
    if _FOREIGN.search(text):
        text = text.translate(_SINGLE_FORMS)
    if _traditional().search(text):
        simple = _converter().convert(text)
        if len(simple) == len(text):
            return str(simple)
        return "".join(_simplified(letter) for letter in text)
    return text


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


@cache
def _traditional() -> re.Pattern[str]:
    """Every character that only traditional writing uses: asking this costs far less than converting each message."""
    block = "".join(map(chr, range(0x4E00, 0xA000)))
    simple = _converter().convert(block)
    return re.compile("[" + "".join(old for old, new in zip(block, simple, strict=True) if old != new) + "]")


@cache
def _simplified(letter: str) -> str:
    simple = str(_converter().convert(letter))
    return simple if len(simple) == 1 else letter
