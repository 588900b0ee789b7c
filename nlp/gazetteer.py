"""Which of a community's own places a message means, however residents write them.

A pure index: places as the registers have them in, ranked matches out. Names are found as written,
without 小区 or 花园 or with one too many, with their numbers in either script, by sound (杨光花园) and with one
character wrong in a long name. What is less sure than the name itself counts only where a place is plainly meant:
before a number, an ending or a side.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice

from ahocorasick_rs import AhoCorasick, MatchKind

from nlp.catalogue import place_words
from nlp.normalise import fold, tidy
from nlp.pinyin import sounds

READ = 1_000
"""Characters of a text in which places are looked for."""

# What a match is worth: the name itself, without its ending, by sound, with one character wrong.
_NAME, _CORE, _SOUND, _LETTER = 1.0, 0.9, 0.8, 0.7
_OTHER_NUMBER = 0.5  # of that: the name is known, the number is not
_NO_NUMBER = 0.8
_NEAR = 1.05
_LONG = 4
"""Characters of a name's core from which one may be wrong: of fewer too many are one apart, as roads are always."""
_SHORT = 2
"""Characters of a name that is a word as well: 和平."""
_ROAD = re.compile("(?:路|街|道|巷|弄|桥|线)$")
_LONGEST = 12
_MOST_HEADS = 24
"""Ends of names in a text that are compared by sound."""

_NUMERAL = "[一二三四五六七八九十百零〇两]"
_DIGITS = {mark: value for value, mark in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ENDINGS = "|".join(sorted(place_words()["generic"], key=len, reverse=True))
_ENDING = re.compile(f"(?:{_ENDINGS})$")
_NUMBERED = re.compile(
    rf"(?:{_ENDINGS})?\s?的?\s?第?([a-z]?\d{{1,4}}[a-z]?|[a-z](?=[栋幢座区])|{_NUMERAL}{{1,4}})"
    r"\s?(?:号楼|#楼|号院|栋|幢|座|#|号|-\d|舍|斋|$)"
)
"""The number of a house or building, right behind a name."""
_MEANT = re.compile(
    rf"(?:{_ENDINGS}|\s?第?[a-z\d一二三四五六七八九十]{{1,4}}[栋幢号#座]|门口|[东南西北正后大]门|楼下|对面|旁边|附近|那边|这边|里面)"
)
"""What shows, behind a word that is only part of a name, that a place is meant."""
_SPLIT = re.compile(
    rf"^(.*?)第?([a-z]?\d{{1,4}}[a-z]?|[a-z](?=[栋幢座])|{_NUMERAL}{{1,4}})\s?(?:号楼|#楼|号院|栋|幢|座|#|号|$)"
)
_CODE = re.compile(r"(?<![a-z\d])[a-z]{1,6}[-_. ]?\d[a-z\d\-_.]{1,24}|(?<!\d)\d{3,20}(?!\d)")
_SEPARATORS = str.maketrans("", "", " -_.")
_RUN = re.compile("[\u4e00-\u9fff]{2,}")


def plain_number(written: str) -> str:
    """A number of a house in one form: 十二 is "12", 03 is "3", B3 is "b3"."""
    written = written.lower()
    if written[0] not in _DIGITS and written[0] not in "十百":
        return written.lstrip("0") or written
    if not set(written) & {"十", "百"}:
        return "".join(str(_DIGITS[mark]) for mark in written).lstrip("0") or "0"
    total = value = 0
    for mark in written:
        if mark in "十百":
            total += (value or 1) * (10 if mark == "十" else 100)
            value = 0
        else:
            value = _DIGITS[mark]
    return str(total + value)


def spell_number(number: int) -> str:
    """A number below 100 as it is spoken: 12 is 十二."""
    marks = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else marks[tens]) + "十" if tens else ""
    return head + (marks[ones] if ones or not tens else "")


def split_number(written: str) -> tuple[str, str]:
    """A register's place as its name and its number: 阳光花园3栋 is 阳光花园 and "3", 菜场门口 has none."""
    plain = fold(tidy(written))
    found = _SPLIT.match(plain)
    return (found[1].strip(), plain_number(found[2])) if found else (plain, "")


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a register. `key` is whose it is, as the caller counts: a grid. `name` without its number; "" for a
    building that is only numbered. `label` is how people read it; `code` and `kind` are of a thing that carries one."""

    key: int
    name: str
    number: str = ""
    label: str = ""
    code: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A place that a text may mean, `score` 0 to 1 and a little more for one that is near; `exact`: by its own name and
    number, or its code."""

    place: Place
    score: float
    start: int
    end: int
    exact: bool


class Gazetteer:
    """An index of places. Building it takes some 20 µs a name, a search some microseconds whatever its size."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._named: dict[str, list[Place]] = defaultdict(list)
        self._codes: dict[str, list[Place]] = defaultdict(list)
        for place in places:
            if place.name:
                self._named[fold(tidy(place.name))].append(place)
            if place.code:
                self._add_code(place)
        self._worth: dict[str, list[tuple[str, float]]] = defaultdict(list)
        self._sounds: dict[str, list[str]] = defaultdict(list)
        self._shortened: dict[str, list[str]] = defaultdict(list)
        for name in self._named:
            self._add_name(name)
        self._words = list(self._worth)
        self._automaton = AhoCorasick(self._words, matchkind=MatchKind.LeftmostLongest) if self._words else None

    def __len__(self) -> int:
        return len(self._named)

    def _add_code(self, place: Place) -> None:
        code = plain_code(place.code)
        self._codes[code].append(place)
        digits = code.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        if digits != code and digits.isdigit():
            self._codes[digits].append(place)

    def _add_name(self, name: str) -> None:
        for spelt in _spelt(name):
            self._worth[spelt].append((name, _NAME))
        core = core_of(name)
        if core != name:
            self._worth[core].append((name, _CORE))
        for part in {name, core}:
            self._sounds[_sound(part)].append(name)
        if len(core) >= _LONG and not _ROAD.search(core):
            for short in _shorter(core):
                self._shortened[short].append(name)

    def find(self, text: str, near: Collection[int] = (), limit: int = 20) -> list[Found]:
        """What `text` may mean, the likeliest first; of two as likely one whose key is in `near`."""
        folded = fold(tidy(text[:READ]))
        best: dict[Place, Found] = {}
        for one in chain(self._by_code(folded), self._by_name(folded), self._by_sound(folded)):
            score = one.score * (_NEAR if one.place.key in near else 1.0)
            if one.place not in best or best[one.place].score < score:
                best[one.place] = Found(one.place, score, one.start, one.end, one.exact)
        return sorted(best.values(), key=lambda one: (-one.score, one.start, one.place.label))[:limit]

    def names_in(self, folded: str) -> bool:
        """Whether a name of ours stands in a folded text; asks far less than a search does."""
        return any(True for _ in self._by_name(folded[:READ]))

    def _by_code(self, text: str) -> Iterator[Found]:
        for found in _CODE.finditer(text) if self._codes else ():
            code = plain_code(found[0])
            for place in self._codes.get(code, ()):
                exact = plain_code(place.code) == code
                # Bare digits are a code only where the thing is named: 灯杆0231.
                if exact or any(word in text for word in _called(place.kind)):
                    yield Found(place, _NAME if exact else _CORE, *found.span(), exact)

    def _by_name(self, text: str) -> Iterator[Found]:
        if self._automaton is None:
            return
        for number, start, end in self._automaton.find_matches_as_indexes(text):
            word = self._words[number]
            for name, worth in self._worth[word]:
                sure = worth == _NAME and (end - start > _SHORT or _ENDING.search(word))
                if sure or _MEANT.match(text, end):
                    yield from self._numbered(name, worth, text, start, end)

    def _by_sound(self, text: str) -> Iterator[Found]:
        """Runs of characters before a number or an ending that sound like a name or differ from it in one."""
        for end, heads in islice(_heads(text), _MOST_HEADS):
            for start in heads:
                said = text[start:end]
                if said in self._worth:
                    break
                for name in self._sounds.get(_sound(said), ()):
                    yield from self._numbered(name, _SOUND, text, start, end)
                if len(said) >= _LONG:
                    alike = {name for short in _shorter(said) for name in self._shortened.get(short, ())}
                    for name in alike:
                        if _one_apart(said, name) or _one_apart(said, core_of(name)):
                            yield from self._numbered(name, _LETTER, text, start, end)

    def _numbered(self, name: str, worth: float, text: str, start: int, end: int) -> Iterator[Found]:
        """The places of a name; of those with a number the one that is said, if it is."""
        places = self._named[name]
        said = _NUMBERED.match(text, end) if any(place.number for place in places) else None
        number = plain_number(said[1]) if said else ""
        same = [place for place in places if place.number == number]
        reach = said.end() if said and same else end
        for place in same:
            yield Found(place, worth, start, reach, exact=worth == _NAME)
        if not same:
            share = worth * (_OTHER_NUMBER if number else _NO_NUMBER)
            for key, kind in dict.fromkeys((place.key, place.kind) for place in places):
                yield Found(Place(key, name, "", name, kind=kind), share, start, reach, exact=False)


def plain_code(code: str) -> str:
    """A code however it is typed: LD-0231, ld0231, LD 0231."""
    return code.translate(_SEPARATORS).upper()


def core_of(name: str) -> str:
    """What tells a name from others: 阳光 of 阳光花园小区; the name itself where little would be left."""
    core = name
    while (found := _ENDING.search(core)) and found.start() >= 2:
        core = core[: found.start()]
    return core


@cache
def _called(kind: str) -> tuple[str, ...]:
    """What people call a thing of this kind: 路灯 is 灯杆 as well."""
    alike = (place_words()[name] for name in ("lamps", "covers", "hydrants"))
    return next((words for words in alike if kind in words), (kind,))


def _spelt(name: str) -> set[str]:
    """A name with its numbers in both scripts: 第二网格, 第2网格."""
    ways = {name}
    for found in re.finditer(rf"\d{{1,2}}|{_NUMERAL}{{1,3}}", name):
        number = plain_number(found[0])
        if number.isdigit() and int(number) < 100 and "百" not in found[0]:
            other = spell_number(int(number)) if found[0].isascii() else number
            ways.add(name[: found.start()] + other + name[found.end() :])
    return ways


def _sound(text: str) -> str:
    return " ".join((sounds(letter) or (letter,))[0] for letter in text)


def _shorter(text: str) -> set[str]:
    return {text, *(text[:at] + text[at + 1 :] for at in range(len(text)))}


def _one_apart(one: str, other: str) -> bool:
    """Whether at most one character was changed, left out or added."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) <= 1
    long, short = (one, other) if len(one) > len(other) else (other, one)
    return short in _shorter(long)


def _heads(text: str) -> Iterator[tuple[int, Iterable[int]]]:
    """Ends of what may be a name, each with where it may begin, the longest first."""
    for run in _RUN.finditer(text):
        low, high = run.span()
        ends = {found.end() for found in re.finditer(_ENDINGS, text[low:high])}
        ends |= {found.start() for found in re.finditer(_ENDINGS, text[low:high])}
        stops = {low + end for end in ends} | ({high} if _NUMBERED.match(text, high) else set())
        stops |= {
            low + found.start() for found in re.finditer(rf"{_NUMERAL}{{1,3}}(?:号楼|栋|幢|座|号)", text[low:high])
        }
        for end in sorted(stops):
            yield end, range(max(low, end - _LONGEST), end - 1)
