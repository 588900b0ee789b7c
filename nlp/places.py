"""Where it is: the places a message names, as the resident wrote them.

Names of roads and estates end in a known syllable (路, 小区) and begin somewhere before it, which Chinese does not
mark: the beginning is found by walking back to a word no name holds. Pieces that stand together (阳光花园 + 3栋 +
2单元 + 门口) become one place. Relative places (楼下) are given only when there is nothing better.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from nlp.catalogue import place_words

READ = 1_000
"""Characters of a message in which places are looked for: a letter says at its beginning where it is."""
MOST = 6
"""Places given back at most."""
_LONGEST_NAME = 6

Span = tuple[int, int]

_NUMBER = r"(?:\d{1,4}|[一二三四五六七八九十两]{1,3})"
_LETTERED = r"(?:[a-z]?\d{1,4}[a-z]?|[a-z]|[一二三四五六七八九十]{1,3}|[东南西北])"
_BUILDING = rf"{_LETTERED}(?:\s?#\s?楼|\s?#|\s?号楼|\s?号院|\s?栋|\s?幢)|[a-z\d]{{1,3}}座"
_UNIT = rf"{_LETTERED}\s?(?:单元|门洞|门栋|号门)"
_FLOOR = rf"(?:负|地下)?{_NUMBER}\s?(?:层|楼(?![房盘道梯市栋]))"
_ROOM = r"\d{3,4}\s?(?:室|号房|房|户)?(?![\d年元块度多人])"
_CHAIN = re.compile(
    rf"(?<![\da-z])(?:(?:{_BUILDING})楼?\s?(?:{_UNIT})?\s?(?:{_FLOOR})?\s?(?:{_ROOM})?"
    rf"|(?:{_UNIT})\s?(?:{_FLOOR})?\s?(?:{_ROOM})?|(?:{_FLOOR})(?:{_ROOM})?|\d{{3,4}}室"
    r"|\d{1,3}-\d{1,2}-\d{2,4}(?![\d-])|\d{1,2}-\d{3,4}(?![\d-]))"
)
_GATE = re.compile(r"(?:小区|学校|院子|公园)?(?<![部专])(?:[东南西北]{1,2}|正|侧|后|大|\d{1,2}号)门(?!诊|禁)(?:口|外|内|旁边|旁|附近)?")
_CODE = re.compile(
    r"(?:路灯|灯杆|电线杆|电杆|杆|井盖|箱体|变压器|设施)?\s?(?:编号|杆号|号码|编码)\s?[是为:：]?\s?[a-z]{0,4}-?\d{2,12}"
    r"|(?:路灯|灯杆|电线杆|电杆|井盖)\s?[a-z]{0,4}-?\d{2,12}\s?号?|\d{1,5}号(?:路灯|灯杆|电线杆|电杆|杆|井盖)"
)
_HOUSE_NUMBER = re.compile(r"\s?\d{1,4}号(?!线|楼)(?:院|附\d{1,2}号)?")
_JOINT = re.compile(r"[和与跟及,/&]|\s|的|靠近|-")


def find_places(text: str, folded: str) -> tuple[str, ...]:
    """Places in `text`, cut out of it as written; `folded` is the same text folded. The best one first."""
    folded = folded[:READ]
    exact = _merged(folded, [*_spans(_CHAIN, folded), *_spans(_GATE, folded), *_spans(_CODE, folded), *_names(folded),
                             *_landmarks(folded)])
    if not exact:
        exact = [found.span() for found in _relative().finditer(folded)]
    said = dict.fromkeys(text[start:end].strip(" ,，的") for start, end in exact)
    return tuple(sorted((place for place in said if place), key=len, reverse=True)[:MOST])


def _spans(pattern: re.Pattern[str], text: str) -> Iterable[Span]:
    return (found.span() for found in pattern.finditer(text) if found.end() > found.start())


def _names(text: str) -> Iterable[Span]:
    """Roads, with their house number, and estates, whose beginning is found by walking back."""
    for found in _endings().finditer(text):
        start = _name_start(text, found.start())
        end = found.end()
        name = text[start:end]
        if found.start() - start < (2 if len(found[0]) == 1 else 1) and name[:1] not in "东南西北中":
            continue
        if start == found.start() or any(name.endswith(word) for word in _no_names()):
            continue
        number = _HOUSE_NUMBER.match(text, end)
        yield start, number.end() if number else end


def _name_start(text: str, end: int) -> int:
    """Where the name that ends before `end` begins: after the last character no name holds."""
    low = max(0, end - _LONGEST_NAME)
    run = re.search(r"[\u4e00-\u9fffa-z\d]*$", text[low:end])
    start = low + run.start() if run else end
    while start < end and text[start].isascii():
        start += 1
    best = start
    for found in _before_name().finditer(text, start, end):
        if not found["whole"]:
            best = found.end()
    return best


def _landmarks(text: str) -> Iterable[Span]:
    return _spans(_landmark_pattern(), text)


def _merged(text: str, spans: list[Span]) -> list[Span]:
    """Spans that touch, overlap or are joined by 和 between two names become one; what follows a place joins it."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged:
            low, high = merged[-1]
            joint = text[high:start] if start > high else ""
            if start <= high or (len(joint) <= 2 and _JOINT.fullmatch(joint)):
                merged[-1] = (low, max(high, end))
                continue
        merged.append((start, end))
    extended: list[Span] = []
    for start, end in merged:
        more = _suffix().match(text, end)
        extended.append((start, more.end() if more else end))
    return extended


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@cache
def _endings() -> re.Pattern[str]:
    words = place_words()
    return re.compile(_either({*words["roads"], *words["estates"]}))


@cache
def _no_names() -> tuple[str, ...]:
    return place_words()["no_names"]


@cache
def _before_name() -> re.Pattern[str]:
    words = place_words()
    return re.compile(f"(?P<whole>{_either(words['whole_names'])})|{_either(words['before_name'])}")


@cache
def _landmark_pattern() -> re.Pattern[str]:
    words = place_words()
    side = "门口|楼下|对面|旁边|隔壁|附近|小区|路边|我们|村里|社区"
    return re.compile(f"(?:(?:{side})(?:的|那家|那个|这家|这个|新开的)?)?(?:{_either(words['landmarks'])})")


@cache
def _suffix() -> re.Pattern[str]:
    return re.compile(rf"(?:的?(?:{_either(place_words()['suffixes'])})){{1,2}}")


@cache
def _relative() -> re.Pattern[str]:
    return re.compile(_either(place_words()["relative"]))
