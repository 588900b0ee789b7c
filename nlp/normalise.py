"""Bring a message into the one form the word lists are written in, without moving any character.

Residents type full-width letters, traditional characters, invisible marks, slips of the keyboard and the words of where
they come from. `tidy` drops what nobody sees and is the text as the resident wrote it; `fold` puts other characters in
place of some, one for one, so a position found in the folded text is a position in the tidy one. Telephone numbers and
numbers of identity cards, whole or masked, become so many `#`: they say nothing about the matter, and look like places.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from ahocorasick_rs import AhoCorasick, MatchKind
from opencc import OpenCC

from nlp.catalogue import same_length_forms, single_signs

LONGEST = 100_000
"""Characters of a message that are read; the rest of a longer one is cut off."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)
_COMPATIBLE = ((0x2460, 0x2474), (0x2F00, 0x2FD6), (0xF900, 0xFB00), (0x3220, 0x3230))
"""Circled figures, radicals and the like, which copying from other programs leaves behind."""
_OTHER_MARKS = {
    "、": ",",
    "。": ".",
    "？": "?",
    "！": "!",
    "—": "-",
    "–": "-",
    "―": "-",
    "−": "-",
    "\u3000": " ",
    "\xa0": " ",
}
_FREQUENT = (("，", ","), ("。", "."), ("、", ","), ("？", "?"), ("！", "!"))
_PICTURE = re.compile("[\U00010000-\U0010ffff]")
_LONG = re.compile(r"[\d*][\d*x -]{6}")
"""What a number of a person begins with, so that the search for one is spared most messages."""
_NUMBER = re.compile(
    r"(?<![\dx*])(?:1[3-9]\d(?:\d{8}|[*x]{4}\d{4}|-\d{4}-\d{4}|\ \d{4}\ \d{4})|0\d{2,3}-\d{7,8}"
    r"|\d{17}[\dx]|\d{3,6}[*x]{6,14}[\dx]{0,4})(?![\dx*])"
)


def tidy(text: str) -> str:
    """The message as its writer sees it: no invisible characters, at most `LONGEST` characters, no blank ends."""
    text = text[:LONGEST]
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
    return text.strip()


def fold(text: str) -> str:
    """The tidy text in the form of the word lists; always exactly as long as `text`."""
    if not text.isascii():
        for mark, plain in _FREQUENT:  # nearly every message has some, and few have any other
            text = text.replace(mark, plain)
        text = _foreign().sub(_plain, text)
        if _PICTURE.search(text):
            text = "".join(_singles().get(sign, sign) for sign in text)
        if _traditional().search(text):
            simple = str(_converter().convert(text))
            text = simple if len(simple) == len(text) else "".join(map(_simplified, text))
        text = _put_right(text)
    else:
        text = text.lower()
    return _NUMBER.sub(_hidden, text) if _LONG.search(text) else text


def _plain(sign: re.Match[str]) -> str:
    return _singles()[sign[0]]


def _hidden(number: re.Match[str]) -> str:
    return "#" * len(number[0])


def _put_right(text: str) -> str:
    """Slips and dialect replaced by what they stand for, of the same length."""
    automaton, meant = _slips()
    found = automaton.find_matches_as_indexes(text)
    if not found:
        return text
    pieces: list[str] = []
    last = 0
    for number, start, end in found:
        pieces += (text[last:start], meant[number])
        last = end
    pieces.append(text[last:])
    return "".join(pieces)


@cache
def _slips() -> tuple[AhoCorasick, tuple[str, ...]]:
    forms = same_length_forms()
    return AhoCorasick(list(forms), matchkind=MatchKind.LeftmostLongest), tuple(forms.values())


@cache
def _foreign() -> re.Pattern[str]:
    """Any character to be replaced: there are few in a message, so finding them beats looking every one up."""
    return re.compile("[" + re.escape("".join(sign for sign in _singles() if sign <= "\uffff")) + "]")


@cache
def _singles() -> dict[str, str]:
    """Characters to be replaced by one other: full width, capitals, compatibility forms, signs of `forms.toml`."""
    plain = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    plain |= {chr(code): chr(code + 0x20) for code in range(ord("A"), ord("Z") + 1)}
    plain |= {chr(0xFF21 + letter): chr(ord("a") + letter) for letter in range(26)}
    for sign in (chr(code) for low, high in _COMPATIBLE for code in range(low, high)):
        usual = unicodedata.normalize("NFKC", sign)
        if len(usual) == 1:
            plain[sign] = usual
    return plain | _OTHER_MARKS | single_signs()


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
