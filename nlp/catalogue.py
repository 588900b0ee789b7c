"""The tables under `nlp/data` as values: categories with their word lists, emergencies, intent cues, sets and masks.

Read once, at the first use or by `prepare`. A mistake in a table fails here, with the file's name in the message.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, get_args

import errors
from nlp.lexicon import Lexicon
from nlp.values import Category, Emergency, Intent

WEIGHTS = {"strong": 4.0, "normal": 2.0, "weak": 1.0}
"""What one entry of a list weighs, by the name of the list."""

DOMAINS = (
    "城乡建设",
    "党务政务",
    "国土资源",
    "环境保护",
    "纪检监察",
    "交通运输",
    "经济管理",
    "科技与信息产业",
    "民政",
    "农村农业",
    "商贸旅游",
    "卫生计生",
    "政法",
    "教育文体",
    "劳动和社会保障",
)
"""The fifteen first-level classes of citizens' letters (Teddy Cup 2020 C, annex 1)."""

_SIGNS = ("now", "over", "past", "recent", "unreal", "talk", "asking")
_UNITS = {"h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class CategoryWords:
    """The entries that speak for a category, those it cannot do without (any of them) and those that rule it out."""

    category: Category
    weights: Mapping[int, float]
    needs: frozenset[int]
    excludes: frozenset[int]


@dataclass(frozen=True, slots=True)
class EmergencyWords:
    """Entries that announce an emergency and those that calm it, and the category it speaks for.

    A `standing` danger, such as an open manhole, is one tomorrow as well.
    """

    emergency: Emergency
    category: str
    standing: bool
    triggers: frozenset[int]
    calm: frozenset[int]


@dataclass(frozen=True, slots=True)
class UrgencyTable:
    """All emergencies in order of precedence, with the signs that one is real or only talked about."""

    kinds: tuple[EmergencyWords, ...]
    now: frozenset[int]
    over: frozenset[int]
    past: frozenset[int]
    recent: frozenset[int]
    unreal: frozenset[int]
    talk: frozenset[int]
    asking: frozenset[int]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything read from the tables, over one built lexicon."""

    lexicon: Lexicon
    words: tuple[CategoryWords, ...]
    domains: Mapping[str, Mapping[int, float]]
    urgency: UrgencyTable
    cues: Mapping[str, Mapping[int, float]]


@cache
def catalogue() -> Catalogue:
    """The whole catalogue; about 60 ms at the first call."""
    lexicon = Lexicon(_table("sets.toml", words=True), _table("masks.toml", words=True)["masks"])
    words = tuple(
        _category(row, group, lexicon)
        for name in _category_files()
        for group in _table(name)["group"]
        for row in group["category"]
    )
    domains = {name: _weights(row, lexicon) for name, row in _table("domains.toml").items()}
    if unknown := {*domains, *(entry.category.domain for entry in words)} - set(DOMAINS):
        raise errors.SettingsError(f"nlp/data: no such domain: {unknown}")
    if len({entry.category.code for entry in words}) < len(words):
        raise errors.SettingsError("nlp/data: a category code is used twice")
    urgency = _urgency(_table("emergencies.toml"), lexicon)
    cues = {name: _weights(row, lexicon) for name, row in _table("intents.toml")["cues"].items()}
    lexicon.build()
    return Catalogue(lexicon, words, domains, urgency, cues)


@cache
def categories() -> Sequence[Category]:
    """Every category, in the order of the tables: first those of one group, then the next group."""
    return tuple(entry.category for entry in catalogue().words)


def category(code: str) -> Category:
    """The category `code`. Raises `errors.NotFound`."""
    try:
        return _by_code()[code]
    except KeyError:
        raise errors.NotFound(f"no category {code!r}") from None


def emergency(kind: str) -> Emergency:
    """What to say in an emergency of `kind`. Raises `errors.NotFound`."""
    for entry in catalogue().urgency.kinds:
        if entry.emergency.kind == kind:
            return entry.emergency
    raise errors.NotFound(f"no emergency {kind!r}")


@cache
def whole_messages() -> Mapping[Intent, Sequence[str]]:
    """Regular expressions of complete messages, by intent."""
    whole = _table("intents.toml")["whole"]
    return {name: tuple(whole[name]) for name in get_args(Intent) if name in whole}


@cache
def place_words() -> Mapping[str, tuple[str, ...]]:
    """The word lists the place patterns are made of."""
    return {name: tuple(words) for name, words in _table("places.toml", words=True).items()}


def community_words() -> Sequence[str]:
    """Words segmentation should keep whole."""
    return tuple(_table("words.toml", words=True)["words"])


@cache
def _by_code() -> Mapping[str, Category]:
    return {entry.code: entry for entry in categories()}


def _category_files() -> list[str]:
    return sorted(file.name for file in files("nlp.data").iterdir() if file.name.startswith("categories_"))


def _table(name: str, *, words: bool = False) -> dict[str, Any]:
    try:
        table = tomllib.loads(files("nlp.data").joinpath(name).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise errors.SettingsError(f"nlp/data/{name}: {wrong}") from wrong
    return {key: value.split() for key, value in table.items()} if words else table


def _weights(row: Mapping[str, str], lexicon: Lexicon) -> dict[int, float]:
    """The lists of a row, weighed; a single character is part of too many words to be worth much."""
    weights: dict[int, float] = {}
    for name, weight in WEIGHTS.items():
        for entry in row.get(name, "").split():
            number = lexicon.add(entry)
            worth = weight if len(entry) > 1 else min(weight, WEIGHTS["weak"])
            weights[number] = max(worth, weights.get(number, 0.0))
    return weights


def _numbers(row: Mapping[str, str], name: str, lexicon: Lexicon) -> frozenset[int]:
    return frozenset(lexicon.add(entry) for entry in row.get(name, "").split())


def _category(row: Mapping[str, Any], group: Mapping[str, Any], lexicon: Lexicon) -> CategoryWords:
    limit = row.get("limit", group.get("limit", "7d"))
    value = Category(
        code=row["code"],
        name=row["name"],
        subject=row.get("subject", row["name"]),
        domain=row.get("domain", group.get("domain", "")),
        group=group["name"],
        urgency=row.get("urgency", "normal"),
        time_limit=timedelta(**{_UNITS[limit[-1]]: int(limit[:-1])}),
        level=row.get("level", group.get("level", "community")),
        department=row.get("department", group.get("department", "")),
        closing_photo=row.get("photo", group.get("photo", False)),
        service=row.get("service", group.get("service", False)),
        examples=tuple(row.get("examples", ())),
    )
    return CategoryWords(value, _weights(row, lexicon), _numbers(row, "needs", lexicon), _numbers(row, "not", lexicon))


def _urgency(table: Mapping[str, Any], lexicon: Lexicon) -> UrgencyTable:
    kinds = tuple(
        EmergencyWords(
            Emergency(row["kind"], row["name"], row["advice"].strip(), tuple(row["numbers"])),
            row["category"],
            row.get("standing", False),
            _numbers(row, "triggers", lexicon),
            _numbers(row, "calm", lexicon),
        )
        for row in table["emergency"]
    )
    signs = table["signs"]
    return UrgencyTable(kinds, *(_numbers(signs, name, lexicon) for name in _SIGNS))
