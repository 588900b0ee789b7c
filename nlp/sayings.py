"""Sentences we made up, and what is learnt from them: `python -m nlp.sayings` writes `data/sayings_weights.tsv` anew.

The sentences stand in `data/sayings_*.toml` as patterns people can read and change, and singly in `data/voices_*.tsv`
as several people typed them who knew neither the patterns nor the rules. Learning is an averaged perceptron with a
margin: whole numbers alone, no library, the same weights on every machine.
"""

from __future__ import annotations

import random
import re
import tomllib
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import errors
from nlp.hunch import INTENTS, UNIT, WIDTH, Weights, pack, pieces, unpack, weigh, write
from nlp.normalise import fold, tidy

TABLES = ("intents", "wide", "life", "ways", "voices", "traps", "scenes", "shades", "more", "dangers", "calm")
VOICES = (1, 2, 3, 4, 5, 6, 7)
MOST = 60
"""How many sentences are made of one pattern at most."""
COURSES = 3
"""How often everything is learnt from nothing, each time in another order; the mean is steadier than one of them."""
ROUNDS = 8
"""How often each sentence is looked at in a course."""
SNAPSHOTS = 4
"""How often a round the weights are looked at; what is learnt is the mean of what was seen."""
MARGIN = 40
"""How far the right sound must be ahead of the next before nothing more is learnt from a sentence."""
RARE = 2
"""Pieces that occur in fewer sentences are not learnt."""
SLIGHT = 2
"""Weights nearer to nothing are left out."""

Example = tuple[list[str], tuple[int, int, int]]
"""Pieces, and the places of its intent, its danger (or none) and its domain (`UNTOLD` where nobody said)."""
UNTOLD = -1

_CHOICE = re.compile(r"\{([^{}]*)\}")
_PART = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence, what its writer wants, the kind of danger it tells of, if any, and what it is about, where told."""

    text: str
    intent: str
    danger: str = ""
    domain: str = ""


def sayings() -> list[Saying]:
    """All sentences of all tables and voices; the same ones in the same order every time."""
    made = [saying for name in TABLES for saying in _table(name)]
    return made + [saying for number in VOICES for saying in _voice(number)]


def source() -> str:
    """A fingerprint of the tables and voices: what the weights were learnt from."""
    read = [_read(f"sayings_{name}.toml") for name in TABLES] + [_read(f"voices_{number}.tsv") for number in VOICES]
    return f"{zlib.crc32(b''.join(read)):08x}"


def learn(rows: Sequence[Saying], rounds: int = ROUNDS) -> Weights:
    """Weights by which each of `rows` sounds like what it is."""
    dangers = tuple(sorted({row.danger for row in rows if row.danger}))
    domains = tuple(sorted({row.domain for row in rows if row.domain}))
    examples, blank = _examples(rows, dangers, domains)
    last = len(INTENTS) + 1 + len(dangers)
    count = last + len(domains)
    heads = (range(len(INTENTS)), range(len(INTENTS), last), range(last, count))
    gathered = blank.copy()
    for course in range(COURSES):
        order = random.Random(course)  # noqa: S311 - the same order every time, nothing secret
        current = blank.copy()
        for _ in range(rounds):
            order.shuffle(examples)
            for start in range(SNAPSHOTS):
                _study(examples[start::SNAPSHOTS], current, heads)
                for piece, weight in current.items():
                    gathered[piece] += weight
    scale = MARGIN * COURSES * rounds * SNAPSHOTS
    kept = {piece: _rounded(unpack(packed, count), scale) for piece, packed in gathered.items()}
    return Weights(dangers, domains, {piece: pack(kept[piece]) for piece in sorted(kept) if kept[piece]}, source())


def _rounded(digits: Sequence[int], scale: int) -> list[tuple[int, int]]:
    """Weights worth keeping, with their places."""
    weights = [(place, round(digit * UNIT / scale)) for place, digit in enumerate(digits)]
    return [(place, weight) for place, weight in weights if abs(weight) >= SLIGHT]


def _study(examples: Sequence[Example], current: dict[str, int], heads: Sequence[range]) -> None:
    """One look at each example: what is not `MARGIN` ahead of its strongest rival is taught."""
    count = heads[-1].stop
    for found, aims in examples:
        sums = weigh(found, current, count)
        change = 0
        for head, aim in zip(heads, aims, strict=True):
            if aim == UNTOLD:
                continue
            rival = max((place for place in head if place != aim), key=sums.__getitem__)
            if sums[aim] - sums[rival] < MARGIN:
                change += (1 << WIDTH * aim) - (1 << WIDTH * rival)
        if change:
            for piece in found:
                current[piece] += change


def _examples(
    rows: Sequence[Saying], dangers: Sequence[str], domains: Sequence[str]
) -> tuple[list[Example], dict[str, int]]:
    """Each sentence as the pieces learnt of it and the sounds it should have; and every piece, weighing nothing."""
    danger = {"": len(INTENTS)} | {kind: len(INTENTS) + 1 + at for at, kind in enumerate(dangers)}
    last = len(INTENTS) + 1 + len(dangers)
    domain = {"": UNTOLD} | {name: last + at for at, name in enumerate(domains)}
    marks = [
        (pieces(fold(tidy(row.text))), (INTENTS.index(row.intent), danger[row.danger], domain[row.domain]))
        for row in rows
    ]
    times = Counter(piece for found, _ in marks for piece in found)
    known = {piece: 0 for piece, seen in times.items() if seen >= RARE}
    return [([piece for piece in found if piece in known], aims) for found, aims in marks], known


def _table(name: str) -> list[Saying]:
    try:
        table = tomllib.loads(_read(f"sayings_{name}.toml").decode())
        parts: Mapping[str, str] = table.pop("parts")
        return [
            Saying(text, *_meaning(first, second))
            for first, group in table.items()
            for second, row in group.items()
            for pattern in row["lines"].strip().splitlines()
            for text in _spoken(_whole(pattern, parts))
        ]
    except (tomllib.TOMLDecodeError, KeyError) as wrong:
        raise errors.SettingsError(f"nlp/data/sayings_{name}.toml: {wrong}") from wrong


def _voice(number: int) -> list[Saying]:
    """The sentences of one person: a line holds intent, danger, domain and text."""
    rows = [line.split("\t") for line in _read(f"voices_{number}.tsv").decode().splitlines()[1:]]
    return [Saying(text, intent, danger, domain) for intent, danger, domain, text in rows]


def _read(name: str) -> bytes:
    return files("nlp.data").joinpath(name).read_bytes()


def _meaning(first: str, second: str) -> tuple[str, str]:
    """Intent and danger of [danger.gas], [calm.chat] or [consult.how]."""
    if first == "danger":
        return "report", second
    return (second, "") if first == "calm" else (first, "")


def _whole(pattern: str, parts: Mapping[str, str]) -> str:
    """The pattern with its <parts> written out, parts of parts as well."""
    while _PART.search(pattern):
        pattern = _PART.sub(lambda part: parts[part[1]], pattern)
    return pattern


def _spoken(pattern: str) -> list[str]:
    """As many sentences of a pattern as its longest choice has words and two more, drawn the same way every time."""
    draw = random.Random(zlib.crc32(pattern.encode()))  # noqa: S311 - nothing secret
    wanted = min(MOST, 2 + max((choice[1].count("|") + 1 for choice in _CHOICE.finditer(pattern)), default=0))
    made = set()
    for _ in range(wanted):
        text = pattern
        while _CHOICE.search(text):
            text = _CHOICE.sub(lambda choice: draw.choice(choice[1].split("|")), text)
        made.add(text)
    return sorted(made)


def main() -> None:
    """Learn everything anew and write it down."""
    Path(str(files("nlp.data").joinpath("sayings_weights.tsv"))).write_text(write(learn(sayings())), encoding="utf-8")


if __name__ == "__main__":
    main()
