"""May this text be read by everybody? Insults, threats, adverts of vice and fraud, and what tells who somebody is.

Words are found as they are disguised: with spaces or signs between the characters, in full width or traditional
characters, with homophones (`stand_ins`) and characters written as two. A homophone of a word of two characters is
only looked at, never refused: chance makes such pairs. Each check reads the text a fixed number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from itertools import pairwise
from typing import Any

from ahocorasick_rs import AhoCorasick, MatchKind

import errors
from nlp.normalise import fold, tidy
from nlp.wordlists import groups, parse_table, word_table

LONGEST = 20_000
"""Characters that are read; a longer text is looked at by staff whatever else it holds."""
FARTHEST = 3
"""Signs that may stand between two characters of a word."""

SHORT = 2
"""Characters up to which a word's homophone may be there by chance."""

_KEPT = re.compile(r"[\u4e00-\u9fffa-z\d]")
_SENTENCE = frozenset(",.!?;:\n，；：")
_FIGURES = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|(?<!\d)1(?:[ ._*~,-]{1,2}\d){10}(?!\d)")
_IDENTITY = re.compile(
    r"(?<!\d)(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])\d{4}"
    r"[ -]?(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dx](?![\dx])"
)
_BANK_CARD = re.compile(r"(?<!\d)[3-6]\d{3}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)")
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][a-hj-np-z][ ·.-]?[a-hj-np-z\\d]{5,6}(?![a-z\\d])"
)
_CHAT_NUMBER = re.compile(r"(?:qq|微信号?|vx|wx|v信)\s?(?:号|群)?\s?[:：是为]?\s?(?=[a-z\d_-]*\d)[a-z\d_-]{5,20}")


class Outcome(IntEnum):
    """What becomes of a text; the worst of its findings counts."""

    PASS = 0
    REVIEW = 1
    """Shown after staff have looked at it."""
    BLOCK = 2
    """Not shown; its writer is told why and may change it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason: the category's code and Chinese name, the words as they stand in the text, and where."""

    category: str
    name: str
    words: str
    start: int
    end: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome with its reasons, the worst first."""

    outcome: Outcome = Outcome.PASS
    findings: tuple[Finding, ...] = ()

    @property
    def reason(self) -> str:
        """For its writer: 含有辱骂、手机号码；"" for what passes."""
        if not self.findings:
            return "" if self.outcome is Outcome.PASS else "太长"
        return "含有" + "、".join(dict.fromkeys(one.name for one in self.findings))


@dataclass(frozen=True, slots=True)
class _Entry:
    word: str
    category: str
    name: str
    outcome: Outcome


class Checker:
    """The word lists of one or more tables, ready; the tables given first go before the others. About 5 ms to make."""

    def __init__(self, tables: Sequence[Mapping[str, Any]]) -> None:
        self._stand_ins = str.maketrans(
            {other: group[0] for table in tables for group in groups(table.get("stand_ins", "")) for other in group[1:]}
        )
        splits = [tuple(pair) for table in tables for pair in groups(table.get("split_characters", ""))]
        known: dict[str, _Entry | None] = {}
        for table in reversed(tables):
            for entry in _entries(table):
                for spelling in _spellings(entry.word, splits):
                    known[spelling.translate(self._stand_ins)] = entry
        harmless = {word for table in tables for word in str(table.get("harmless", "")).split()}
        known |= {word.translate(self._stand_ins): None for word in harmless}
        words = sorted(known)
        self._entries = tuple(known[word] for word in words)
        self._written = frozenset(entry.word for table in tables for entry in _entries(table))
        self._automaton = AhoCorasick(words, matchkind=MatchKind.LeftmostLongest)

    def check(self, text: str) -> Verdict:
        """Whether `text` may be public, and why not."""
        plain = tidy(text)
        folded = fold(plain[:LONGEST])
        found = [*self._words(plain, folded), *_private(plain[:LONGEST])]
        outcome = max((one.outcome for one in found), default=Outcome.PASS)
        if len(plain) > LONGEST:
            outcome = max(outcome, Outcome.REVIEW)
        return Verdict(outcome, tuple(sorted(found, key=lambda one: (-one.outcome, one.start))))

    def _words(self, plain: str, folded: str) -> Iterable[Finding]:
        places = [found.start() for found in _KEPT.finditer(folded)]
        letters = "".join([folded[place] for place in places])
        for word, low, high in self._automaton.find_matches_as_indexes(letters.translate(self._stand_ins)):
            entry = self._entries[word]
            if entry is None:
                continue
            gaps = [folded[one + 1 : other] for one, other in pairwise(places[low:high])]
            if not _one_word(gaps, high - low) or _inside_latin(folded, places[low], places[high - 1]):
                continue
            start, end = places[low], places[high - 1] + 1
            chance = high - low <= SHORT and letters[low:high] not in self._written
            outcome = Outcome.REVIEW if chance else entry.outcome
            yield Finding(entry.category, entry.name, plain[start:end], start, end, outcome)


def _entries(table: Mapping[str, Any]) -> Iterable[_Entry]:
    for row in table.get("category", ()):
        for outcome in (Outcome.REVIEW, Outcome.BLOCK):
            for word in str(row.get(outcome.name.lower(), "")).split():
                yield _Entry(word.lower(), row["code"], row["name"], outcome)


def _spellings(word: str, splits: Iterable[tuple[str, ...]]) -> set[str]:
    """The word, and with characters written as two."""
    apart = word
    for two, one in splits:
        apart = apart.replace(one, two)
    return {word, apart}


def _one_word(gaps: Sequence[str], letters: int) -> bool:
    """Whether signs between the letters disguise one word rather than part two sentences."""
    filled = [gap for gap in gaps if gap]
    if not filled:
        return True
    if max(map(len, filled)) > FARTHEST:
        return False
    if not any(sign in _SENTENCE for gap in filled for sign in gap):
        return True
    return letters > 2 and len(filled) == len(gaps)


def _inside_latin(text: str, first: int, last: int) -> bool:
    """Whether a word in Latin letters is only part of a longer one."""
    if not (text[first].isascii() and text[first].isalpha()):
        return False
    before, after = text[first - 1 : first], text[last + 1 : last + 2]
    return any(sign.isascii() and sign.isalnum() for sign in (before, after) if sign)


def _private(plain: str) -> Iterable[Finding]:
    """Numbers that tell who somebody is."""
    text = plain.translate(_plain_signs())
    taken: list[tuple[int, int]] = []
    for code, name, pattern, holds in _NUMBERS:
        for found in pattern.finditer(text):
            start, end = found.span()
            if holds(found[0]) and not any(low < end and start < high for low, high in taken[-8:]):
                taken.append((start, end))
                yield Finding(code, name, plain[start:end], start, end, Outcome.REVIEW)


@cache
def _plain_signs() -> dict[int, int]:
    """Full width, capitals and Chinese figures to what the patterns are written in, one for one."""
    wide = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
    lower = {code: code + 0x20 for code in range(ord("A"), ord("Z") + 1)}
    return wide | lower | {0xFF21 + letter: ord("a") + letter for letter in range(26)} | _FIGURES


def _luhn(number: str) -> bool:
    """ISO/IEC 7812-1: what a bank card's last digit must be."""
    digits = [int(sign) for sign in number if sign.isdigit()][::-1]
    return sum(digits[0::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _always(_: str) -> bool:
    return True


_NUMBERS = (
    ("identity", "身份证号码", _IDENTITY, _always),
    ("bank_card", "银行卡号", _BANK_CARD, _luhn),
    ("phone", "手机号码", _PHONE, _always),
    ("plate", "车牌号码", _PLATE, _always),
    ("chat_number", "微信号或 QQ 号", _CHAT_NUMBER, _always),
)


@cache
def read_checker(own: str = "", name: str = "") -> Checker:
    """The shipped lists, with the operator's `own` table (its text, and the file's `name` for messages) before them.
    Made once a process.

    Raises SettingsError for a table that cannot be read.
    """
    if not own:
        return Checker([_shipped()])
    table = parse_table(own, name)
    for row in table.get("category", ()):
        if not {"code", "name"} <= set(row):
            raise errors.SettingsError(f"{name}: a [[category]] needs code and name")
    return Checker([table, _shipped()])


@cache
def _shipped() -> Mapping[str, Any]:
    return word_table("sensitive.toml")
