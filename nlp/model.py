"""A linear model that was learned from cases: what it makes of a message, and the file it is kept in.

A feature's weights for all classes stand in one whole number, so that a message is weighed by one addition a feature.
The file is one line that says what it is, one line of JSON (format, classes, scores, day of training, rows learned
from, the features' names, checksum), and plain numbers: nothing in it is ever executed. It holds no text but pieces of
up to three characters that stood in several rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from itertools import repeat
from math import exp, sqrt
from pathlib import Path
from struct import Struct
from typing import Any
from uuid import uuid4

import orjson
from ahocorasick_rs import AhoCorasick

from errors import SettingsError
from nlp.classify import Weighed
from nlp.features import Features, Find
from nlp.features import read as read_features
from nlp.lexicon import Hit

FORMAT = 1
"""Number of the file's form; a file with another number was written by another version of Linli."""
MAGIC = b"LINLI MODEL\n"
BLOCKS = ("whole", "opening", "entries", "categories", "domains")
PARTS = (1.0, 0.7, 0.7, 0.6, 0.7)
"""What each block counts. The last, the domains' shares, keeps its size, as it says how much the rules found."""
UNIT = 4000.0
"""Weights are whole numbers in the file and in memory; this many make 1. No sum over a text leaves 32 bits."""
LARGEST = 400_000
"""Size of the largest weight."""
HALF = 1 << 31
"""Half of what a digit of 32 bits can be: added to each, it makes all of them positive."""
WHOLE = float(1 << 32)
"""What stands for a share of 1 where shares are multiplied as whole numbers."""
_FIRST = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class About:
    """What a model says of itself. `scores` were measured on rows it had not seen."""

    classes: tuple[str, ...]
    rows: int
    trained: date
    scores: dict[str, float]
    sharpness: float


class _Digits:
    """Reads numbers that hold `count` signed digits of 32 or 64 bits."""

    def __init__(self, count: int, bits: int) -> None:
        self._struct = Struct(f"<{count}{'i' if bits == 32 else 'q'}")
        self.lift = sum(1 << bits * place + bits - 1 for place in range(count))

    def of(self, packed: int) -> tuple[int, ...]:
        """The digits. The lift gives back what those below borrowed; taken off bit by bit, it leaves each its sign."""
        return tuple(self._struct.unpack((packed + self.lift ^ self.lift).to_bytes(self._struct.size, "little")))


class Model:
    """Weighs messages. `known` has, for each of `BLOCKS`, the numbers of its features by name.

    The first digit of such a number is the square of what the feature counts for being rare; then comes its weight for
    each class, times that.
    """

    def __init__(self, about: About, known: Sequence[Mapping[str, int]]) -> None:
        self.about, self.known = about, tuple(known)
        self._digits = _Digits(len(about.classes) + 1, 32)
        self._wide = _Digits(len(about.classes) + 1, 64)
        self._shares = {
            name: sum(digit << 64 * place for place, digit in enumerate(self._digits.of(packed)))
            for name, packed in self.known[-1].items()
        }
        self._find = finder(self.known[0].keys() | self.known[1].keys())

    def look(self, text: str, hits: Mapping[int, Hit], weighed: Weighed) -> Features:
        """The features of the folded `text`, as far as they are known here."""
        return read_features(text, hits, weighed, self._find)

    def margins(self, features: Features) -> list[float]:
        """How far on the good side of each class's border the message lies."""
        (one, first), (two, second), (three, third), (four, fourth) = self._blocks(features)
        shares = features.shares
        five = PARTS[-1] / UNIT / WHOLE
        fifth = self._wide.of(sum(int(share * WHOLE) * self._shares.get(name, 0) for name, share in shares.items()))
        size = sum(part * part for part, factor in zip(PARTS, (one, two, three, four), strict=False) if factor)
        length = sqrt(size + PARTS[-1] ** 2 * sum(share * share for share in shares.values())) or 1.0
        return [
            (one * a + two * b + three * c + four * d + five * e) / length
            for a, b, c, d, e in zip(first[1:], second[1:], third[1:], fourth[1:], fifth[1:], strict=True)
        ]

    def _blocks(self, features: Features) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Of each block but the last: the factor that gives it the length it counts, 0 for an empty one; its digits."""
        for pieces, known, part in zip(features[:2], self.known, PARTS, strict=False):
            digits = self._digits.of(sum(map(known.get, pieces, repeat(0))))
            yield part / sqrt(digits[0] * UNIT) if digits[0] > 0 else 0.0, digits
        for amounts, known, part in zip(features[2:4], self.known[2:], PARTS[2:], strict=False):
            alike: dict[int, int] = {}  # most features there are as much of as of others: they are multiplied together
            for name, amount in amounts.items():
                alike[amount] = alike.get(amount, 0) + known.get(name, 0)
            square = sum(amount * amount * (packed & _FIRST) for amount, packed in alike.items())
            digits = self._digits.of(sum(amount * packed for amount, packed in alike.items()))
            yield part / sqrt(square * UNIT) if square > 0 else 0.0, digits

    def shares(self, margins: Iterable[float]) -> list[float]:
        """How likely each class is, in the order of `about.classes`."""
        raised = [exp(one * self.about.sharpness) for one in margins]
        total = sum(raised)
        return [one / total for one in raised]

    def reasons(self, features: Features, number: int, most: int = 3) -> list[tuple[str, float]]:
        """The pieces of the text that speak most for class `number`, with what each of them weighs for it."""
        shift = 32 * (number + 1)
        known, lift = self.known[0], self._digits.lift
        weighed = [
            (((known[piece] + lift) >> shift & _FIRST) - HALF, piece)
            for piece in features.whole
            if len(piece) > 1 and piece in known
        ]
        found: list[tuple[str, float]] = []
        for weight, piece in sorted(weighed, reverse=True)[: 4 * most]:
            if weight > 0 and not any(piece in other or other in piece for other, _ in found):
                found.append((piece, round(weight / UNIT, 3)))
        return found[:most]


def finder(known: Iterable[str]) -> Find:
    """Finds all the pieces `known` in one pass over a text."""
    automaton = AhoCorasick([*known], store_patterns=True)
    return lambda text: {*automaton.find_matches_as_strings(text, overlapping=True)}


def digits_of(about: About) -> Struct:
    """How the digits of one feature stand in a file."""
    return Struct(f"<{len(about.classes) + 1}I")


def lift_of(about: About) -> int:
    """What makes every digit positive, as it is in a file."""
    return sum(HALF << 32 * place for place in range(len(about.classes) + 1))


def build(about: About, names: Sequence[Sequence[str]], body: bytes) -> Model:
    """A model of the features `names`, block by block, whose digits stand in `body` in the same order."""
    size, lift, start = digits_of(about).size, lift_of(about), 0
    known: list[dict[str, int]] = []
    for block in names:
        ends = range(start + size, start + size * (len(block) + 1), size)
        known.append(
            {
                name: int.from_bytes(body[end - size : end], "little") - lift
                for name, end in zip(block, ends, strict=True)
            }
        )
        start += size * len(block)
    return Model(about, known)


def dump(model: Model) -> bytes:
    """The model as the bytes of a file."""
    size, lift = digits_of(model.about).size, lift_of(model.about)
    body = b"".join((packed + lift).to_bytes(size, "little") for known in model.known for packed in known.values())
    features = {block: list(known) for block, known in zip(BLOCKS, model.known, strict=True)}
    line = orjson.dumps(asdict(model.about) | {"format": FORMAT, "features": features})
    return MAGIC + sha256(line + body).hexdigest().encode() + b"\n" + line + b"\n" + body


def load(data: bytes) -> Model:
    """The model in the bytes of a file. Raises `errors.SettingsError` that says what is wrong with it."""
    if not data.startswith(MAGIC):
        raise SettingsError("this is no model of Linli: make one with linli train")
    checksum, _, rest = data[len(MAGIC) :].partition(b"\n")
    line, _, body = rest.partition(b"\n")
    try:
        head = orjson.loads(line)
        if head["format"] != FORMAT:
            raise SettingsError(f"the model has form {head['format']}, this version reads {FORMAT}: run linli train")
        if sha256(line + body).hexdigest().encode() != checksum:
            raise SettingsError("the model's file is damaged or cut off: run linli train, or copy it again")
        about = _about(head)
        names = [tuple(map(str, head["features"][block])) for block in BLOCKS]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as wrong:
        raise SettingsError("the model's file is damaged or cut off: run linli train, or copy it again") from wrong
    if len(body) != sum(map(len, names)) * digits_of(about).size:
        raise SettingsError("the model's file holds fewer weights than it says: run linli train")
    return build(about, names, body)


def _about(head: dict[str, Any]) -> About:
    return About(
        classes=tuple(str(name) for name in head["classes"]),
        rows=int(head["rows"]),
        trained=date.fromisoformat(head["trained"]),
        scores={str(name): float(value) for name, value in head["scores"].items()},
        sharpness=float(head["sharpness"]),
    )


def read(path: Path) -> Model:
    """The model at `path`. Raises `errors.SettingsError` that names the file and says what is wrong with it."""
    try:
        return load(path.read_bytes())
    except OSError as wrong:
        raise SettingsError(f"{path}: {wrong.strerror}") from wrong
    except SettingsError as wrong:
        raise SettingsError(f"{path}: {wrong.detail}") from wrong


def write(model: Model, path: Path) -> None:
    """Put the model at `path`; whoever reads meanwhile gets the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with fresh.open("xb") as file:
            file.write(dump(model))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


class _Held:
    model: Model | None = None


_held = _Held()


def adopt(model: Model | None) -> None:
    """From now on this model is asked in this process; with None the rules decide alone."""
    _held.model = model


def adopted() -> Model | None:
    """The model that is asked in this process."""
    return _held.model
