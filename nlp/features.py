"""What the learned model looks at in a message: pieces of its text, and what the rules found in it.

Five blocks, each brought to a length of its own before they are put together: pieces of one to three characters of the
whole text, in which all digits are one; those of its beginning, where the title of a letter or the point of a message
stands; the entries of the word lists that hold; the categories they speak for; and the share of each domain in the
rules' evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import log, log1p
from operator import add
from typing import NamedTuple

from nlp.catalogue import Catalogue, catalogue
from nlp.classify import Weighed
from nlp.lexicon import Hit

READ = 2000
"""Characters of a letter that are looked at."""
OPENING = 40
"""Characters of its beginning that are looked at once more."""
DOUBT = 4.0
"""Evidence set aside for "none of these" in the shares of the domains."""

_MOST = 50
_OFTEN = tuple(int(4 * (1 + log(seen)) + 0.5) if seen else 0 for seen in range(_MOST + 1))
_DIGITS = re.compile(r"\d")


Find = Callable[[str], set[str]]
"""Cuts a text into the pieces that matter."""


class Features(NamedTuple):
    """One message as the model sees it. Of pieces it only matters which there are; entries and categories count more
    the more there is of them, by the logarithm, in quarters."""

    whole: set[str]
    opening: set[str]
    entries: dict[str, int]
    categories: dict[str, int]
    shares: dict[str, float]


def pieces(text: str) -> set[str]:
    """Every run of one, two or three characters."""
    pairs = [*map(add, text, text[1:])]
    return {*text, *pairs, *map(add, pairs, text[2:])}


def read(text: str, hits: Mapping[int, Hit], weighed: Weighed, find: Find = pieces) -> Features:
    """The features of the folded `text`, in which the rules found `hits` that weigh what `weighed` says.

    `find` cuts a text into pieces: a model has no use for those it does not know.
    """
    entries, categories = _names(catalogue())
    plain = _DIGITS.sub("0", text[:READ])
    total = sum(weighed.domains.values()) + DOUBT
    return Features(
        find(plain),
        find(plain[:OPENING]),
        {entries[number]: _OFTEN[min(seen, _MOST)] for number, (_, _, seen) in hits.items()},
        {categories[position]: int(4 * log1p(score) + 0.5) for position, score in weighed.scores.items()},
        {name: weight / total for name, weight in weighed.domains.items()},
    )


class _Names(NamedTuple):
    entries: tuple[str, ...]
    categories: tuple[str, ...]


@lru_cache(maxsize=4)
def _names(book: Catalogue) -> _Names:
    return _Names(book.lexicon.entries, tuple(one.category.code for one in book.words))
