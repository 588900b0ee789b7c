"""A linear model that was learned from cases: what it makes of a message, and the file it is kept in.

The file is one line that says what it is, one line of JSON (format, classes, scores, day of training, rows learned
from, checksum), and three arrays of plain numbers: nothing in it is ever executed. It holds no text, only hashes.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import orjson
from numpy.typing import NDArray

from errors import SettingsError
from nlp.features import BITS, Features, Numbers, run_at

FORMAT = 1
"""Number of the file's form; a file with another number was written by another version of Linli."""
MAGIC = b"LINLI MODEL\n"
PARTS = np.array((1.0, 0.7, 0.7, 0.35))
"""What the blocks count: whole text, beginning, entries of the word lists, categories."""
DOMAIN_PART = 0.7
"""What the domains' shares count; they keep their size, as it says how much the rules found."""
AT_HAND = 8 * 1024 * 1024
"""Weights that take no more bytes than this are held in the form they are used in, which takes twice as many."""

Rows = NDArray[np.int64] | NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class About:
    """What a model says of itself. `scores` were measured on rows it had not seen."""

    classes: tuple[str, ...]
    rows: int
    trained: date
    scores: dict[str, float]
    sharpness: float


class Part(NamedTuple):
    """One message in the model's own numbers: rows of its table, how much of each, and of which features they came."""

    rows: Rows
    values: Numbers
    places: Rows


class Reason(NamedTuple):
    """A word or run of characters, as it stands in the text from `start` to `end`, and what it weighs."""

    start: int
    end: int
    weight: float


class Model:
    """Weights by feature and class. `buckets` are sorted; `rarity` is what a feature counts for being rare."""

    def __init__(self, about: About, buckets: Rows, rarity: Numbers, weights: NDArray[np.floating[Any]]) -> None:
        self.about = about
        self.buckets, self.rarity = buckets, rarity
        self.weights = weights.astype(np.float32) if weights.nbytes <= AT_HAND else weights
        self._usual = self.weights.sum(axis=1, dtype=np.float32) / max(self.weights.shape[1], 1)
        self._row = np.full(1 << BITS, -1, np.int32)
        self._row[buckets] = np.arange(len(buckets), dtype=np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes it takes in memory."""
        return sum(one.nbytes for one in (self.buckets, self.rarity, self.weights, self._usual, self._row))

    def margins(self, part: Part) -> Numbers:
        """How far on the good side of each class's border the message lies."""
        scores: Numbers = part.values @ self.table(part)
        return scores

    def table(self, part: Part) -> Numbers:
        """The weights of the message's features, by feature and class."""
        table: Numbers = self.weights[part.rows].astype(np.float32, copy=False)
        return table

    def shares(self, margins: Numbers) -> Numbers:
        """How likely each class is, in the order of `about.classes`."""
        return softmax(margins * self.about.sharpness)

    def part(self, features: Features) -> Part:
        """`features` as rows and values: every block brought to what it counts, all together of length one."""
        rows = self._row[features.buckets]
        places = (rows >= 0).nonzero()[0]
        rows, blocks = rows[places], features.blocks[places]
        values = features.amounts[places] * self.rarity[rows]
        sizes = np.bincount(blocks, values * values, len(PARTS) + 1)
        factors = np.full(len(sizes), DOMAIN_PART)
        factors[:-1] = PARTS / np.sqrt(np.maximum(sizes[:-1], 1e-9))
        factors /= max(float(np.sqrt(sizes @ (factors * factors))), 1e-9)
        return Part(rows, values * factors.astype(np.float32)[blocks], places)

    def reasons(self, features: Features, part: Part, table: Numbers, number: int, most: int = 3) -> list[Reason]:
        """The runs of the text that spoke most for class `number` against the others."""
        runs = int(part.places.searchsorted(len(features.first)))
        worth = part.values[:runs] * (table[:runs, number] - self._usual[part.rows[:runs]])
        found: list[Reason] = []
        for one in worth.argsort()[: -4 * most - 1 : -1].tolist():
            place = int(features.first[part.places[one]])
            if worth[one] <= 0 or place < len(features.text):
                continue
            start, end = run_at(features.text, place)
            # one character says nothing to a reader
            if end - start > 1 and all(end <= other.start or other.end <= start for other in found):
                found.append(Reason(start, end, round(float(worth[one]) * self.about.sharpness, 3)))
                if len(found) == most:
                    break
        return found


def softmax(scores: Numbers) -> Numbers:
    """Shares that grow with the exponential of the scores."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Numbers = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def dump(model: Model) -> bytes:
    """The model as the bytes of a file."""
    body = b"".join(
        (
            model.buckets.astype("<i4").tobytes(),
            model.rarity.astype("<f4").tobytes(),
            model.weights.astype("<f2").tobytes(),
        )
    )
    head = {"format": FORMAT, "features": len(model.buckets), "sha256": _checksum(body), **asdict(model.about)}
    return MAGIC + orjson.dumps(head) + b"\n" + body


def load(data: bytes) -> Model:
    """The model in the bytes of a file. Raises `errors.SettingsError` that says what is wrong with it."""
    if not data.startswith(MAGIC):
        raise SettingsError("this is no model of Linli: make one with linli train")
    line, _, body = data[len(MAGIC) :].partition(b"\n")
    try:
        head = orjson.loads(line)
        if head["format"] != FORMAT:
            raise SettingsError(f"the model has form {head['format']}, this version reads {FORMAT}: run linli train")
        about, features = _about(head), int(head["features"])
        checksum = str(head["sha256"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as wrong:
        raise SettingsError(f"the model's description cannot be read ({wrong!r}): run linli train") from wrong
    classes = len(about.classes)
    if _checksum(body) != checksum or len(body) != features * (8 + 2 * classes):
        raise SettingsError("the model's file is damaged or cut off: run linli train, or copy it again")
    buckets = np.frombuffer(body, "<i4", features).astype(np.int64)
    rarity = np.frombuffer(body, "<f4", features, 4 * features)
    weights = np.frombuffer(body, "<f2", features * classes, 8 * features).reshape(features, classes)
    if features and (buckets[0] < 0 or buckets[-1] >= 1 << BITS or not np.isfinite(weights).all()):
        raise SettingsError("the model's file holds impossible numbers: run linli train")
    return Model(about, buckets, rarity, weights)


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


def _checksum(body: bytes) -> str:
    return sha256(body).hexdigest()


class _Held:
    model: Model | None = None


_held = _Held()


def adopt(model: Model | None) -> None:
    """From now on this model is asked in this process; with None the rules decide alone."""
    _held.model = model


def adopted() -> Model | None:
    """The model that is asked in this process."""
    return _held.model
