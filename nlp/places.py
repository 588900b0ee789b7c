"""Where it is: the places a message names, as the resident wrote them.

Names of roads and estates end in a known syllable (路, 小区) and begin somewhere before it, which Chinese does not
mark: the beginning is found by walking back to a word no name holds. Pieces that stand together (阳光花园 + 3栋 +
2单元 + 门口) become one place. What is a place only to who stands there (楼上, 电梯) belongs to a better one beside it
and is none alone: the bot then asks where.
"""

from __future__ import annotations

from collections.abc import Iterator

from nlp import place_forms as forms
from nlp import place_words as tables
from nlp.place_words import KIND, NONE, RELATIVE, SIDE, SIGHT, SURE

READ = 1_000
"""Characters of a message in which places are looked for: a letter says at its beginning where it is."""
MOST = 6
"""Places given back at most."""


_ANSWER = 10
"""Characters of the longest answer to the question where something is."""
_LONGEST_NAME = 6
_LONGEST_OWN = 4
_SHORT_NAMES = frozenset("老新东西南北中镇县市区村校厂")
"""Names of one character: 老粮库, 镇中学."""

Piece = tuple[int, int, int]
"""Where a piece begins and ends, and how well it says where."""


def find_places(text: str, folded: str, *, vague: bool = True) -> tuple[str, ...]:
    """Places in `text`, cut out of it as written; `folded` is the same text folded. The best one first.

    Without `vague` only names, numbers and codes, for messages that ask or chat: they speak of places as such.
    """
    return _cut(text, [piece for piece in find_pieces(folded[:READ]) if vague or piece[2] == SURE])


def is_answer(intent: str, text: str) -> bool:
    """Whether a message may be no more than the answer to "where": 小广场."""
    return intent == "chat" and len(text) <= _ANSWER


def find_public_places(text: str, folded: str) -> tuple[str, ...]:
    """Places in `text` that anybody may read: forms and words that are in our lists, and nothing that may be
    somebody's name (王大妈家门口). 楼下 is one of them."""
    pieces = [*_formed(folded[:READ], free=False), *_words(folded[:READ], [], free=False)]
    return _cut(text, [piece for piece in _merged(folded, pieces, RELATIVE) if piece[2] != SIDE])


def _cut(text: str, found: list[Piece]) -> tuple[str, ...]:
    found.sort(key=lambda piece: (-piece[2], piece[0] - piece[1]))
    said = dict.fromkeys(text[start:end].strip(" ,，的") for start, end, _ in found)
    return tuple(place for place in said if place)[:MOST]


def find_pieces(text: str) -> list[Piece]:
    """Every place in a folded text with its strength."""
    cues: list[int] = []
    pieces = [*_formed(text, free=True), *_words(text, cues, free=True)]
    found = _merged(text, pieces, KIND) if pieces else []
    if cues:
        found += _after_cues(text, cues, found)
    if not any(strength > KIND for _, _, strength in found):
        found += _heads(text, found)
    return found


def _formed(text: str, *, free: bool) -> Iterator[Piece]:
    """What has a form rather than a name; if `free`, with the name before it that is in no list (金域3栋)."""
    if forms.CHAIN_SIGN.search(text):
        for found in forms.CHAIN.finditer(text):
            start, end = found.span()
            if forms.FLOOR_ONLY.fullmatch(text, start, end):
                yield start, end, NONE
            else:
                yield _free_name(text, start, 0) if free else start, end, SURE
    if "门" in text:
        yield from _gates(text)
    for sign, pattern, strength in forms.SIGNED:
        if sign.search(text):
            whole = (found for found in pattern.finditer(text) if not forms.CASE_NUMBER.search(found[0]))
            yield from ((found.start(), found.end(), strength) for found in whole)


def _gates(text: str) -> Iterator[Piece]:
    for found in forms.GATE.finditer(text):
        if not forms.BACK_DOOR.search(text, max(0, found.start() - 1), found.start()):
            yield found.start(), found.end(), SIGHT


def _words(text: str, cues: list[int], *, free: bool) -> Iterator[Piece]:
    """Names with their house number, sights and sides; the ends of cues go into `cues`."""
    automaton, known = tables.known_words()
    last, before = 0, NONE  # where the last piece ended, and how well it says where
    for number, start, end in automaton.find_matches_as_indexes(text):
        word = known[number]
        if word.cue:
            cues.append(end)
            continue
        if word.ends_name:
            named = _name(text, word, start, end, last, before)
            if named:
                _, last, before = named
                yield named
                continue
        strength = NONE if word.bare else word.strength
        if strength is None:
            continue
        begin = start
        if strength == SIDE:
            begin, strength = _beside(text, start, last, inward=word.inward) if free else (start, SIDE)
        elif strength >= KIND and (free or word.public) and (begin := _own_name(text, start, last)) < start:
            strength = SURE
        last, before = end, RELATIVE if word.bare else strength
        yield begin, end, strength


def _name(text: str, word: tables.Word, start: int, end: int, last: int, before: int) -> Piece | None:
    """The road or estate that ends here, if one does; an ending right behind a place goes with it (和平里 + 小区)."""
    number = forms.HOUSE_NUMBER.match(text, end)
    if word.doubtful and not number and not forms.GOES_ON.match(text, end):
        return None
    begin = max(_name_start(text, start), last)
    if begin < start or last < start:
        if not _is_name(text[begin:end], start - begin):
            return None
    elif word.doubtful or last == 0:
        return None
    strength = SURE if begin < start else SIGHT if before >= (SURE if word.plain else NONE) else NONE
    return begin, number.end() if number else end, strength


def _is_name(name: str, before: int) -> bool:
    """Whether `name`, of which `before` characters stand before its ending, names one road or estate."""
    ending = len(name) - before
    if before < (2 if ending == 1 else 1) and (not before or name[0] not in "东南西北中老新一二三四五六七八九十"):
        return False
    if ending == 1 and name[before - 1].isdigit():  # a bus: 602路
        return False
    return not _is_common(name)


def _is_common(name: str) -> bool:
    """Whether `name` is a common word that only looks like a name: 道路, 这条路."""
    bare, no_names = tables.no_names()
    return name in bare or name[-2:] in no_names or name[-3:] in no_names


def _name_start(text: str, end: int) -> int:
    """Where the name that ends before `end` begins: after the last character no name holds."""
    low = max(0, end - _LONGEST_NAME)
    word_before = forms.LAST_WORD.search(text, low, end)
    start = word_before.start() if word_before else end
    while start < end and text[start].isascii():
        start += 1
    automaton, part_of_name = tables.before_name()
    for number, _, after in reversed(automaton.find_matches_as_indexes(text[start:end])):
        if number >= part_of_name:
            return start + after
    return start


def _own_name(text: str, start: int, last: int) -> int:
    """Where a sight begins: with its own name (实验小学, 新华书店), if there is one that has an end."""
    begin = max(_name_start(text, start), last)
    if start - begin < 2 or start - begin > _LONGEST_OWN:
        return start - 1 if last < start and text[start - 1] in _SHORT_NAMES else start
    return begin


def _beside(text: str, start: int, last: int, *, inward: bool) -> tuple[int, int]:
    """Where what stands beside a side begins, and what it is worth: 店后头, 大润发门口."""
    if last >= start:
        return start, SIDE
    begin = max(_name_start(text, start), last)
    if text[start - 1] in tables.place_ends() and start - begin <= _LONGEST_OWN:
        return (start, SIDE) if tables.no_place().of(text, begin, start) else (begin, SIGHT)
    begin = start if inward else _free_name(text, start, last)
    return begin, KIND if begin < start else SIDE


def _free_name(text: str, end: int, last: int) -> int:
    """Where the name begins that stands before a side or a building and ends like no place; `end` if there is none."""
    begin = _name_start(text, end)
    bounded = begin - max(0, end - _LONGEST_NAME) > 0 or begin == 0 or text[begin - 1] in " ,.!?;:"
    if begin < last or end - begin < 2 or not bounded or tables.not_name().search(text, begin, end):
        return end
    return begin


def _merged(text: str, pieces: list[Piece], least: int) -> list[Piece]:
    """Pieces that touch, overlap or are joined become one; what follows a place joins it. Those of `least` strength."""
    pieces.sort()
    merged: list[Piece] = []
    for piece in pieces:
        if merged and _joined(text, merged[-1], piece):
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], piece[1]), _together(before[2], piece[2]))
        else:
            merged.append(piece)
    whole = []
    for start, end, strength in merged:
        if strength >= least:
            more = forms.SUFFIX.match(text, end)
            whole.append((start, more.end() if more else end, strength))
    return whole


def _joined(text: str, before: Piece, piece: Piece) -> bool:
    gap = piece[0] - before[1]
    if gap <= 0:
        return True
    if gap > forms.LONGEST_JOINT or piece[2] < SIDE:
        return False
    between = text[before[1] : piece[0]]
    if forms.THAT.fullmatch(between):
        return piece[2] >= NONE or (between == "的" and before[2] >= NONE)
    return gap <= 2 and piece[2] >= NONE <= before[2] and forms.JOINT.fullmatch(between) is not None


def _together(one: int, other: int) -> int:
    """The better strength; a side behind it says that a part or a kind of place is meant as a place."""
    if other == SIDE and NONE <= one <= KIND:
        return one + 1
    return RELATIVE if {one, other} == {RELATIVE, SIDE} else max(one, other)


def _after_cues(text: str, cues: list[int], found: list[Piece]) -> Iterator[Piece]:
    """Names nobody told us of, after 就在 and the like: 就在磨盘岭."""
    for at in cues:
        piece = forms.PIECE.match(text, at)
        if piece is None or any(start <= piece.start(1) < end for start, end, _ in found):
            continue
        start = piece.start(1)
        stop = tables.verb().search(text, start, piece.end())
        yield from _ending_as_places_do(text, start, stop.start() if stop else piece.end(), SIGHT)


def _heads(text: str, found: list[Piece]) -> Iterator[Piece]:
    """What has no better place may say where in a clause that is nothing else, or at the head of one."""
    head, verb = tables.head(), tables.verb()
    clauses = [clause.span() for clause in forms.CLAUSE.finditer(text)]
    for number, (start, end) in enumerate(clauses):
        if found and any(low < end and high > start for low, high, _ in found):
            continue
        outer = number in (0, len(clauses) - 1) and len(clauses) > 1
        if outer and end - start <= forms.LONGEST_CLAUSE:
            if forms.LAST_NUMBER.fullmatch(text, start, end):
                yield start, end, SIGHT
                continue
            if not verb.search(text, start, end):
                yield from _ending_as_places_do(text, start, end, KIND)
                continue
        opening = head.match(text, start, end)
        if opening and not verb.search(opening[1]):
            yield from _ending_as_places_do(text, *opening.span(1), KIND)


def _ending_as_places_do(text: str, start: int, end: int, strength: int) -> Iterator[Piece]:
    more = forms.THERE.search(text, start, end)
    core = more.start() if more else end
    part = tables.part().of(text, start, end) if strength == KIND else 0
    if part and end - part - start > 1 and not tables.common().search(text, start, end - part):
        yield start, end, strength
    if part or core - start < 2 or text[core - 1] not in tables.place_ends() or _is_common(text[start:core]):
        return
    if not tables.no_place().of(text, start, core) and not forms.FLOOR_END.match(text, start, core):
        yield start, end, strength
