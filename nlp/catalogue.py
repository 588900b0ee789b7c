"""The tables under `nlp/data` as values: categories with their word lists, emergencies, intent cues, sets and masks.

Read once, at the first use or by `prepare`. A mistake in a table fails here, with the file's name in the message.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, get_args

import errors
from nlp.lexicon import Lexicon
from nlp.overlay import Rule, RuleSet, active
from nlp.values import Category, Emergency, Intent

WEIGHTS = {"key": 6.0, "strong": 4.0, "normal": 2.0, "weak": 1.0}
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


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Everything read from the tables, over one built lexicon. `domains` are the words of a domain without a category,
    `letters` those that count more in letters.

    Whatever rules staff add, the entries of the tables keep their numbers: what was looked up by number stays true.
    """

    lexicon: Lexicon
    words: tuple[CategoryWords, ...]
    domains: Mapping[str, Mapping[int, float]]
    letters: Mapping[str, frozenset[int]]
    urgency: UrgencyTable
    cues: Mapping[str, Mapping[int, float]]


def catalogue() -> Catalogue:
    """The whole catalogue with the rules that hold here; about 100 ms at the first call after a change of these."""
    return _catalogue(active())


@lru_cache(maxsize=4)
def _catalogue(held: RuleSet) -> Catalogue:
    lexicon = Lexicon(_word_table("sets.toml"), _word_table("masks.toml")["masks"], other_forms())
    words = tuple(
        CategoryWords(value, _weights(row, lexicon), _numbers(row, "needs", lexicon), _numbers(row, "not", lexicon))
        for value, (row, _) in zip(categories(), _rows(), strict=True)
    )
    domains = {name: _weights(row, lexicon) for name, row in _table("domains.toml").items()}
    if unknown := set(domains) - set(DOMAINS):
        raise errors.SettingsError(f"nlp/data/domains.toml: no such domain: {unknown}")
    urgency = _urgency(_table("emergencies.toml"), lexicon)
    cues = {name: _weights(row, lexicon) for name, row in _table("intents.toml")["cues"].items()}
    letters = {name: _numbers(row, "letters", lexicon) for name, row in _table("domains.toml").items()}
    words, domains = _changed(words, domains, held.rules, lexicon)
    for rule in held.rules:
        if rule.kind == "off" and is_general(rule.category):
            domain = category(rule.category).domain
            letters[domain] = letters.get(domain, frozenset()) - {lexicon.add(rule.entry)}
    lexicon.build()
    return Catalogue(lexicon, words, domains, letters, urgency, cues)


def _changed(
    words: tuple[CategoryWords, ...], domains: dict[str, dict[int, float]], rules: Sequence[Rule], lexicon: Lexicon
) -> tuple[tuple[CategoryWords, ...], dict[str, dict[int, float]]]:
    """Words and domains with the rules of staff applied; rules for a category there is no more are left out."""
    changed = {entry.category.code: entry for entry in words}
    for rule in rules:
        entry = changed.get(rule.category)
        if entry is None:
            continue
        changed[rule.category] = _ruled(entry, rule, lexicon.add(rule.entry))
    for code, entry in changed.items():
        if is_general(code) and entry.weights:
            known = domains.get(entry.category.domain, {})
            domains[entry.category.domain] = {
                number: weight for number, weight in {**known, **entry.weights}.items() if weight
            }
            changed[code] = replace(entry, weights={})
    return tuple(changed.values()), domains


def _ruled(entry: CategoryWords, rule: Rule, number: int) -> CategoryWords:
    if rule.kind == "needs":
        return replace(entry, needs=entry.needs | {number})
    if rule.kind == "not":
        return replace(entry, excludes=entry.excludes | {number})
    if rule.kind == "word":
        return replace(entry, weights={**entry.weights, number: rule.weight})
    silent = {number}
    weights = {one: weight for one, weight in entry.weights.items() if one != number}
    if is_general(entry.category.code):
        weights[number] = 0.0
    return replace(entry, weights=weights, needs=entry.needs - silent, excludes=entry.excludes - silent)


def is_general(code: str) -> bool:
    """Whether the category stands for its whole domain: its words are those of the domain."""
    return code.startswith("other.")


@cache
def categories() -> Sequence[Category]:
    """Every category, in the order of the tables: first those of one group, then the next group."""
    found = tuple(_category(row, group) for row, group in _rows())
    if unknown := {one.domain for one in found} - set(DOMAINS):
        raise errors.SettingsError(f"nlp/data: no such domain: {unknown}")
    if len({one.code for one in found}) < len(found):
        raise errors.SettingsError("nlp/data: a category code is used twice")
    return found


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
    return {name: tuple(words) for name, words in _word_table("places.toml").items()}


def community_words() -> Sequence[str]:
    """Words segmentation should keep whole."""
    return tuple(_word_table("words.toml")["words"])


@cache
def circumstances() -> frozenset[str]:
    """Words that say who, where or when rather than what."""
    return frozenset(_word_table("circumstances.toml")["words"])


@cache
def other_forms() -> Mapping[str, tuple[str, ...]]:
    """Writings of a word that are of another length than the word itself."""
    return {word: tuple(others.split()) for word, others in _table("forms.toml").get("longer", {}).items()}


@cache
def same_length_forms() -> Mapping[str, str]:
    """From what people write to what they mean, of the same length; a word that only looks like one leads to itself."""
    table = _table("forms.toml")
    meant = {
        other: word for name in ("typos", "dialect") for word, others in table[name].items() for other in others.split()
    }
    if wrong := [other for other, word in meant.items() if len(other) != len(word)]:
        raise errors.SettingsError(f"nlp/data/forms.toml: not as long as what they stand for: {wrong}")
    return meant | {word: word for word in table["keep"]["words"].split()}


@cache
def _by_code() -> Mapping[str, Category]:
    return {entry.code: entry for entry in categories()}


@cache
def _rows() -> Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The row of each category and the group it stands in."""
    names = sorted(file.name for file in files("nlp.data").iterdir() if file.name.startswith("categories_"))
    return [(row, group) for name in names for group in _table(name)["group"] for row in group["category"]]


@cache
def _table(name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(files("nlp.data").joinpath(name).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise errors.SettingsError(f"nlp/data/{name}: {wrong}") from wrong


def _word_table(name: str) -> dict[str, list[str]]:
    return {key: value.split() for key, value in _table(name).items()}


@cache
def shipped_entries(code: str) -> frozenset[str]:
    """Every entry the tables list for a category: words, needs and exclusions. Raises `errors.NotFound`."""
    value = category(code)
    row: Mapping[str, Any] = next(row for row, _ in _rows() if row["code"] == code)
    row = _table("domains.toml").get(value.domain, {}) if is_general(code) else row
    return frozenset(entry for name in (*WEIGHTS, "needs", "not", "letters") for entry in row.get(name, "").split())


def check_entry(entry: str) -> None:
    """Raises ValueError, with what is wrong, for an entry that could never match."""
    Lexicon(_word_table("sets.toml"), ()).add(entry)


@cache
def single_signs() -> dict[str, str]:
    """From a sign to the one character it stands for."""
    table = _table("forms.toml")["signs"]
    signs = {sign: word for word, others in table.items() for sign in others.split()}
    if wrong := [sign for sign, word in signs.items() if len(sign) + len(word) != 2]:
        raise errors.SettingsError(f"nlp/data/forms.toml: not one character: {wrong}")
    return signs


def _weights(row: Mapping[str, str], lexicon: Lexicon) -> dict[int, float]:
    """The lists of a row, weighed; single characters, being part of so much, and circumstances are worth little."""
    weights: dict[int, float] = {}
    little = circumstances()
    for name, weight in WEIGHTS.items():
        for entry in row.get(name, "").split():
            number = lexicon.add(entry)
            worth = min(weight, WEIGHTS["weak"]) if len(entry) == 1 or entry in little else weight
            weights[number] = max(worth, weights.get(number, 0.0))
    return weights


def _numbers(row: Mapping[str, str], name: str, lexicon: Lexicon) -> frozenset[int]:
    return frozenset(lexicon.add(entry) for entry in row.get(name, "").split())


def _category(row: Mapping[str, Any], group: Mapping[str, Any]) -> Category:
    limit = row.get("limit", group.get("limit", "7d"))
    return Category(
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
