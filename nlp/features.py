"""What the learned model looks at in a message, as numbers: character n-grams and what the rules found.

Five blocks, each brought to a length of its own before they are put together: runs of one to three characters of the
whole text; the same of its beginning, where the title of a letter or the point of a message stands; the entries of the
word lists that hold; the categories they speak for; and the share of each domain in the rules' evidence.

A feature is known by a bucket, a number of 20 bits that its name or its characters hash to, so no text is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlp.catalogue import DOMAINS, Catalogue, catalogue
from nlp.classify import Weighed
from nlp.lexicon import Hit

BITS = 20
"""Buckets are numbers below 2 to the power of this."""
READ = 3000
"""Characters of a letter that are looked at."""
OPENING = 40
"""Characters of its beginning that are looked at once more."""
LONGEST = 3
"""Characters of the longest run."""
DOUBT = 4.0
"""Evidence set aside for "none of these" in the shares of the domains."""

Buckets = NDArray[np.int64]
Numbers = NDArray[np.float32]

_DIGIT, _SPACE = ord("0"), ord(" ")
_BLOCKS = np.arange(2, 5)
"""Numbers of the blocks after those of the runs: entries, categories, domains."""
_SALT = np.uint64(0x5BD1E)
"""Tells a run in the beginning from the same run anywhere."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_HALF, _TOP = np.uint64(29), np.uint64(64 - BITS)


@dataclass(frozen=True, slots=True)
class Features:
    """One message as the model sees it: each feature's bucket, how much there is of it, the block it belongs to.

    First come the runs; `first` says at which place of all runs each stood first, for those who must show it.
    """

    text: str
    buckets: Buckets
    amounts: Numbers
    blocks: Buckets
    first: Buckets


def read(text: str, hits: Mapping[int, Hit], weighed: Weighed) -> Features:
    """The features of the folded `text`, in which the rules found `hits` that weigh what `weighed` says."""
    text = text[:READ]
    buckets, counts, first, late = _counted(*_runs(text))
    book = _named(catalogue())
    scores, domains = weighed.scores, weighed.domains
    numbers = [number for number in hits if number < len(book.entries)]
    total = sum(domains.values()) + DOUBT
    amounts = [hits[number].seen for number in numbers]
    shares = [domains.get(name, 0.0) / total for name in DOMAINS]
    return Features(
        text,
        np.concatenate((buckets, book.entries[numbers], book.categories[list(scores)], domain_buckets())),
        np.concatenate((np.log(np.concatenate((counts, amounts))) + 1, np.log1p(list(scores.values())), shares)).astype(
            np.float32
        ),
        np.concatenate((late, _BLOCKS.repeat((len(numbers), len(scores), len(shares))))),
        first,
    )


def run_at(text: str, place: int) -> tuple[int, int]:
    """Where in `text` the run stands that came at `place` of all its runs: its start and end."""
    for length in (len(text), min(len(text), OPENING)):
        for size in range(1, min(LONGEST, length) + 1):
            many = length - size + 1
            if place < many:
                return place, place + size
            place -= many
    raise IndexError(place)


def bucket(name: str) -> int:
    """The bucket of a feature that has a name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> (64 - BITS)


@lru_cache(maxsize=1)
def domain_buckets() -> Buckets:
    """The buckets of the domains' shares, in the order of `DOMAINS`."""
    return np.array([bucket(f"domain:{name}") for name in DOMAINS], np.int64)


def _runs(text: str) -> tuple[Buckets, int]:
    """The buckets of all runs, shortest first, and how many they are; behind them those of the beginning."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    codes[(codes > _DIGIT) & (codes <= _DIGIT + 9)] = _DIGIT
    codes[codes < _SPACE] = _SPACE
    spread = codes * _ODD
    run, hashed, early = spread, [], []
    for size in range(1, min(LONGEST, len(text)) + 1):
        if size > 1:
            run = (run[:-1] ^ (run[:-1] >> _HALF)) * _MIX + spread[size - 1 :]
        mixed = (run ^ (run >> _HALF)) * _LAST >> _TOP
        hashed.append(mixed)
        early.append(mixed[: OPENING - size + 1] ^ _SALT)
    if not hashed:
        return np.zeros(0, np.int64), 0
    return np.concatenate(hashed + early).astype(np.int64), sum(map(len, hashed))


def _counted(runs: Buckets, whole: int) -> tuple[Buckets, Buckets, Buckets, Buckets]:
    """Each bucket once, how often it came, where first, and in which block: 0 in the whole text, 1 in the beginning."""
    if not whole:
        return runs, runs, runs, runs
    order = runs.argsort(kind="stable")
    ordered = runs[order]
    fresh = np.empty(len(runs), np.bool_)
    fresh[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    starts = fresh.nonzero()[0]
    counts = np.empty(len(starts), np.int64)
    np.subtract(starts[1:], starts[:-1], out=counts[:-1])
    counts[-1] = len(runs) - starts[-1]
    first = order[starts]
    return ordered[starts], counts, first, (first >= whole).astype(np.int64)


class _Names(NamedTuple):
    entries: Buckets
    categories: Buckets


@lru_cache(maxsize=4)
def _named(book: Catalogue) -> _Names:
    """The buckets of the catalogue's entries and categories, by number and position."""
    return _Names(
        np.array([bucket(f"entry:{entry}") for entry in book.lexicon.entries], np.int64),
        np.array([bucket(f"category:{one.category.code}") for one in book.words], np.int64),
    )
