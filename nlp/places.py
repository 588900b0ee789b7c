"""Where it is: the places a message names, as the resident wrote them.

Names of roads and estates end in a known syllable (路, 小区) and begin somewhere before it, which Chinese does not
mark: the beginning is found by walking back to a word no name holds. Pieces that stand together (阳光花园 + 3栋 +
2单元 + 门口) become one place. Relative places (楼下) are given only when there is nothing better.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from ahocorasick_rs import AhoCorasick, MatchKind

from nlp.catalogue import place_words

READ = 1_000
"""Characters of a message in which places are looked for: a letter says at its beginning where it is."""
MOST = 6
"""Places given back at most."""
_LONGEST_NAME = 6

Span = tuple[int, int]

_NUMBER = r"(?:\d{1,4}|[一二三四五六七八九十两]{1,3})"
_LETTERED = r"(?:[a-z]?\d{1,4}[a-z]?|[a-z]|[一二三四五六七八九十]{1,3}|[东南西北])"
_BUILDING = rf"(?:[a-z东南西北]区)?{_LETTERED}(?:\s?#\s?楼|\s?#|\s?号楼|\s?号院|\s?栋|\s?幢)|[a-z\d]{{1,3}}座"
_UNIT = rf"{_LETTERED}\s?(?:单元|门洞|门栋|号门(?![前口外牌]))"
_FLOOR = rf"(?:负|地下)?{_NUMBER}\s?(?:层|楼(?![房盘道梯市栋]))"
_ROOM = r"\d{3,4}\s?(?:室|号房|房|户)?(?![\d年元块度多人])"
_CHAIN = re.compile(
    rf"(?=[\da-z一二三四五六七八九十两东南西北负地])(?<![\da-z])(?:(?:{_BUILDING})楼?\s?(?:{_UNIT})?\s?(?:{_FLOOR})?\s?(?:{_ROOM})?"
    rf"|(?:{_UNIT})\s?(?:{_FLOOR})?\s?(?:{_ROOM})?|(?:{_FLOOR})(?:{_ROOM})?|\d{{3,4}}室"
    r"|\d{1,3}-\d{1,2}-\d{2,4}(?![\d-])|\d{1,2}-\d{3,4}(?![\d-]))"
)
_UNIT_SIGN = re.compile(r"[栋幢座层楼室#]|单元|[号门][楼院门洞栋]|\d-\d")
_GATE = re.compile(
    r"(?:小区|学校|院子|公园)?(?<![部专])(?:[东南西北]{1,2}|正|侧|后|大|\d{1,2}号)门"
    r"(?![诊禁前牌])(?:口|外|内|旁边|旁|附近)?"
)
_CODE = re.compile(
    r"(?:路灯|灯杆|电线杆|电杆|杆|井盖|箱体|变压器|设施)?\s?(?:编号|杆号|号码|编码)\s?[是为:：]?\s?[a-z]{0,4}-?\d{2,12}"
    r"|(?:路灯|灯杆|电线杆|电杆|井盖)\s?[a-z]{0,4}-?\d{2,12}\s?号?|\d{1,5}号(?:路灯|灯杆|电线杆|电杆|杆|井盖)"
)
_HOUSE_NUMBER = re.compile(r"\s?\d{1,4}号(?!线|楼)(?:院|附\d{1,2}号)?|(?<=[村区])[\d一二三四五六七八九十]{1,3}[组队]")
_STATION = re.compile(r"(?:地铁)?\d{1,2}号线[\u4e00-\u9fff]{2,6}?站(?:[a-z]\d?出?口)?")
_SIDE = re.compile(
    "(?:门口|楼下|对面|旁边|隔壁|附近|小区|路边|村里|社区)(?:的|那家|那个|这家|这个|新开的|里的?|里面的?)?$"
)
_JOINT = re.compile(r"[和与跟及到至~,/&]|\s|的|靠近|-")


def find_places(text: str, folded: str) -> tuple[str, ...]:
    """Places in `text`, cut out of it as written; `folded` is the same text folded. The best one first."""
    folded = folded[:READ]
    spans = [*_spans(_CHAIN, folded)] if _UNIT_SIGN.search(folded) else []
    if "门" in folded:
        spans += _spans(_GATE, folded)
    if any(map(folded.__contains__, "灯杆盖编")):
        spans += _spans(_CODE, folded)
    if "号线" in folded:
        spans += _spans(_STATION, folded)
    spans += _named(folded)
    exact = _merged(folded, spans) if spans else [found.span() for found in _relative().finditer(folded)]
    said = dict.fromkeys(text[start:end].strip(" ,，的") for start, end in exact)
    return tuple(sorted((place for place in said if place), key=len, reverse=True)[:MOST])


def _spans(pattern: re.Pattern[str], text: str) -> Iterable[Span]:
    return (found.span() for found in pattern.finditer(text) if found.end() > found.start())


def _named(text: str) -> Iterable[Span]:
    """Roads with their house number, estates, whose beginning is found by walking back, and landmarks."""
    automaton, landmarks, names = _known()
    last = -1
    for word, start, end in automaton.find_matches_as_indexes(text):
        if word >= names:
            continue
        if word < landmarks:
            begin = _landmark_start(text, start, end)
        else:
            begin = _name_start(text, start)
            if not _is_name(text[begin:end], start - begin) and start != last:
                continue
        number = _HOUSE_NUMBER.match(text, end)
        last = number.end() if number else end
        yield begin, last


def _landmark_start(text: str, start: int, end: int) -> int:
    """Where a landmark begins: with the side it is on (门口那家超市), or with its own name (实验小学)."""
    side = _SIDE.search(text, max(0, start - _LONGEST_NAME), start)
    if side:
        return side.start()
    if text[start:end] not in _named_landmarks():
        return start
    begin = _name_start(text, start)
    return begin if start - begin > 1 else start


def _is_name(name: str, before: int) -> bool:
    """Whether `name`, of which `before` characters stand before its ending, names one road or estate."""
    ending = len(name) - before
    if before < (2 if ending == 1 else 1) and (not before or name[0] not in "东南西北中"):
        return False
    if ending == 1 and name[before - 1].isdigit():  # a bus: 602路
        return False
    return name not in place_words()["bare"] and not any(map(name.endswith, _no_names()))


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


def _merged(text: str, spans: list[Span]) -> list[Span]:
    """Spans that touch, overlap or are joined by 和 become one; what follows a place joins it."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        more = _suffix().match(text, end)
        reach = more.end() if more else end
        if merged:
            low, high = merged[-1]
            if start <= high or (start - high <= 2 and _JOINT.fullmatch(text, high, start)):
                merged[-1] = (low, max(high, reach))
                continue
        merged.append((start, reach))
    return merged


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@cache
def _known() -> tuple[AhoCorasick, int, int]:
    """One automaton of landmarks, endings of names and words that only look like them, and where each part ends."""
    words = place_words()
    endings = sorted({*words["roads"], *words["estates"]})
    landmarks = [word for word in words["landmarks"] if word not in endings]
    all_words = [*landmarks, *endings, *words["lookalikes"]]
    automaton = AhoCorasick(all_words, matchkind=MatchKind.LeftmostLongest)
    return automaton, len(landmarks), len(landmarks) + len(endings)


@cache
def _named_landmarks() -> frozenset[str]:
    return frozenset(place_words()["named"])


@cache
def _no_names() -> tuple[str, ...]:
    return place_words()["no_names"]


@cache
def _before_name() -> re.Pattern[str]:
    words = place_words()
    return re.compile(f"(?P<whole>{_either(words['whole_names'])})|{_either(words['before_name'])}")


@cache
def _suffix() -> re.Pattern[str]:
    return re.compile(rf"(?:的?(?:{_either(place_words()['suffixes'])})){{1,2}}(?<![上下里内外口](?=[不来去有没]))")


@cache
def _relative() -> re.Pattern[str]:
    return re.compile(_either(place_words()["relative"]))
