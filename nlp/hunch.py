"""What a message sounds like: weights of one and of two characters, learnt from sentences we made up (`nlp.sayings`).

Cues know the words somebody thought of; the sound of a sentence also tells those nobody did. Each piece of text carries
one whole number that holds a weight for every sound (five intents, no danger and its kinds, the domains), packed into
digits of some bits, so that a message is weighed by one addition per piece.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import repeat
from operator import add

from ahocorasick_rs import AhoCorasick

WIDTH = 32
"""Bits of one digit while learning; sums stay far below half of it."""
NARROW = 16
"""Bits of one digit of what was learnt: the less memory a message touches, the faster it is weighed. Sums of the
heaviest pieces that `LONGEST` characters can hold stay below half of it."""
LONGEST = 160
"""Characters that are listened to: half of them from the beginning, half from the end of a longer text."""
INTENTS = ("report", "consult", "progress", "rate", "chat")
UNIT = 100.0
"""The size of whole-number weights that makes 1.0 of a hunch."""

_HEAD = 5
_DIGITS = re.compile(r"\d+")
_MARKS = re.compile(r"[^\w?\[\]]+")


@dataclass(frozen=True, slots=True)
class Hunch:
    """How much a message sounds like each intent, like which danger how much more than like none, and like each domain
    (in the order of `Weights.domains`)."""

    intents: Mapping[str, float]
    danger: str
    alarm: float
    domains: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """Packed weights by piece of text, dangers and domains in the order of their digits, and a mark of the source."""

    dangers: tuple[str, ...]
    domains: tuple[str, ...]
    pieces: Mapping[str, int]
    source: str

    @property
    def sounds(self) -> int:
        return len(INTENTS) + 1 + len(self.dangers) + len(self.domains)


def pieces(folded: str) -> set[str]:
    """What is weighed of a folded text: its characters and pairs of neighbours; `^` and `$` are its ends."""
    text = _trimmed(folded)
    return {*text, *map(add, text, text[1:])}


def _trimmed(folded: str) -> str:
    """What is listened to: numbers are one character, and so is whatever separates words."""
    if len(folded) > LONGEST:
        folded = folded[: LONGEST // 2] + " " + folded[-LONGEST // 2 :]
    return f"^{_MARKS.sub(' ', _DIGITS.sub('0', folded)).strip()}$"


def _heard(folded: str) -> set[str]:
    """Those of the pieces that have weights."""
    return {*_finder().find_matches_as_strings(_trimmed(folded), overlapping=True)}


@cache
def _finder() -> AhoCorasick:
    """Finds them all in one pass: cutting a text into pieces costs more than all the rest of listening."""
    return AhoCorasick(list(weights(NARROW).pieces), store_patterns=True)


def unpack(packed: int, count: int, width: int = WIDTH) -> tuple[int, ...]:
    """The `count` signed digits of a packed number."""
    lift = _lift(count, width)  # gives back what the digits below borrowed; then each stands by itself
    return tuple(_digits(count, width).unpack((packed + lift ^ lift).to_bytes(count * width // 8, "little")))


def pack(digits: Iterable[tuple[int, int]], width: int = WIDTH) -> int:
    """One number of signed digits, each given with its place."""
    return sum(digit << width * place for place, digit in digits)


def weigh(found: Iterable[str], known: Mapping[str, int], count: int, width: int = WIDTH) -> tuple[int, ...]:
    """The sums of all weights of the pieces `found`, sound by sound."""
    return unpack(sum(map(known.get, found, repeat(0))), count, width)


@cache
def _lift(count: int, width: int) -> int:
    """What makes every digit of a packed number positive."""
    return pack(((place, 1 << width - 1) for place in range(count)), width)


@cache
def _digits(count: int, width: int) -> struct.Struct:
    return struct.Struct(f"<{count}{'h' if width == NARROW else 'i'}")


def listen(folded: str) -> Hunch:
    """What the folded text sounds like."""
    learnt = weights(NARROW)
    sums = weigh(_heard(folded), learnt.pieces, learnt.sounds, NARROW)
    intents = {name: amount / UNIT for name, amount in zip(INTENTS, sums, strict=False)}
    first = len(INTENTS) + 1
    last = first + len(learnt.dangers)
    dangers = sums[first:last]
    most = max(dangers)
    alarm = (most - sums[first - 1]) / UNIT
    return Hunch(intents, learnt.dangers[dangers.index(most)], alarm, [amount / UNIT for amount in sums[last:]])


def telling(folded: str, sound: str, most: int = 3) -> list[tuple[str, float]]:
    """The words that speak loudest for a sound, an intent or a kind of danger, with their weights."""
    learnt = weights(NARROW)
    shift = NARROW * (INTENTS.index(sound) if sound in INTENTS else len(INTENTS) + 1 + learnt.dangers.index(sound))
    lift, half = _lift(learnt.sounds, NARROW), 1 << NARROW - 1
    mask = 2 * half - 1
    heard = []
    for piece in _heard(folded):
        if len(piece) > 1 and piece in folded:
            weight = ((learnt.pieces[piece] + lift) >> shift & mask) - half
            if weight > 0:
                heard.append((piece, weight / UNIT))
    return sorted(heard, key=lambda one: (-one[1], one[0]))[:most]


@cache
def weights(width: int = WIDTH) -> Weights:
    """The shipped weights, read once: a line holds a piece of text and the places and weights of its sounds."""
    lines = files("nlp.data").joinpath("sayings_weights.tsv").read_text(encoding="utf-8").splitlines()
    head = dict(line[2:].split(": ", 1) for line in lines[:_HEAD] if ": " in line)
    known = {}
    for line in lines[_HEAD:]:
        piece, numbers = line.split("\t")
        each = [*map(int, numbers.split(" "))]
        known[piece] = pack(zip(each[::2], each[1::2], strict=True), width)
    return Weights(tuple(head["dangers"].split()), tuple(head["domains"].split()), known, head["source"])


def write(learnt: Weights) -> str:
    """What `weights` reads."""
    lines = ["# Learnt from sayings_*.toml and voices_*.tsv by `python -m nlp.sayings`; not written by hand."]
    lines += [f"# source: {learnt.source}"]
    lines += [f"# dangers: {' '.join(learnt.dangers)}", f"# domains: {' '.join(learnt.domains)}"]
    lines += [f"# piece of text, place and weight of each sound: {' '.join(INTENTS)}, no danger, dangers, domains"]
    for piece, packed in learnt.pieces.items():
        digits = enumerate(unpack(packed, learnt.sounds))
        lines.append(f"{piece}\t{' '.join(f'{place} {digit}' for place, digit in digits if digit)}")
    return "\n".join(lines) + "\n"
