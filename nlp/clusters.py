"""Hot spots in a heap of messages: what many people write about at once, with a figure for how hot it is.

Messages are grouped by average linkage over the pairs that `nlp.similar` finds: the likeliest pair first, two groups
become one if their messages are, on average over all pairs, at least `BOUND` alike. So one sentence that two matters
share does not chain them together.

**Heat** of a group = Σ over its people of ½^(age / `HALF_LIFE`) × (1 + log₁₀(1 + likes) / 2), × (1 + log₂(days) / 8):

* people: each writer counts once, with their newest message; where nobody knows who wrote, those who wrote the same
  words are one;
* recency: what was said `HALF_LIFE` before `now` counts half;
* likes: ten people who clicked "me too" weigh as another half writer;
* days: what comes up on many different days lasts; 16 days make it half as hot again.

One person who has written once, today, has the heat 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest
from math import log2, log10
from typing import Any, Generic, TypeVar

from nlp.catalogue import category
from nlp.normalise import fold, tidy
from nlp.places import find_places
from nlp.similar import Index, Sketch, everyday, name_of_place, sketch
from nlp.understanding import understand

Key = TypeVar("Key", bound=Hashable)

LINK = 0.25
"""How alike a pair must be to bring two groups together."""
BOUND = 0.19
"""How alike two groups must be on average over all pairs, by words alone."""
NEIGHBOURS = 30
"""Pairs looked at of one message at most."""
HALF_LIFE = timedelta(days=90)
SUMMED = 400
"""Terms kept of a group's sum: this bounds its cost however large it grows."""
READERS = 50
"""Messages of a group that are read to find its kind and its place."""
READ = 120
"""Characters of each that are read for it."""
SHORTEST_NAME, LONGEST_NAME = 3, 12
"""Characters of a name, where it is not known to be one, and of any."""
MOST, NO_NAME = 0.6, frozenset("省市县区镇乡街道的在对请问到于和与及把将由被让是")
"""Share of writers who must put a character before a name for it to be part of it, and characters that never are."""
CLEARLY = 0.5
"""Share of messages that must be of one kind for the group to be called so."""
LONGEST_OPENING = 40
"""Characters at the beginning that may hold one."""
EXAMPLE = 40
OTHER = "其他事项"
"""The kind of a group nobody can name."""


_COURTESY = re.compile("^(?:请问|请求|请|问问|咨询|投诉|反映|举报|建议|关于|希望|对)+")


@dataclass(frozen=True, slots=True)
class Said(Generic[Key]):
    """One message: when it was said, by whom ("" = unknown), how many liked it, and its kind where it is known."""

    key: Key
    text: str
    at: datetime
    title: str = ""
    who: str = ""
    place: str = ""
    likes: int = 0
    category: str = ""


@dataclass(frozen=True, slots=True)
class Cluster(Generic[Key]):
    """A matter several messages are about; `keys` with the most typical message first, then by time."""

    keys: tuple[Key, ...]
    people: int
    heat: float
    first: datetime
    last: datetime
    days: int
    """On how many days something was said."""
    place: str
    category: str
    subject: str
    example: str
    """The most typical message in its writer's words: its title, or its beginning."""

    @property
    def headline(self) -> str:
        """阳光花园 施工噪声：46 人反映（2026-10-02 至 2026-11-06）；of what people ask rather than report: 9 人咨询."""
        first, last = (f"{moment:%Y-%m-%d}" for moment in (self.first, self.last))
        span = first if first == last else f"{first} 至 {last}"
        does = "咨询" if self.category and category(self.category).service else "反映"
        return f"{self.place} {self.subject}：{self.people} 人{does}（{span}）".strip()


def find_clusters(
    messages: Iterable[Said[Key]], now: datetime, *, least: int = 2, half_life: timedelta = HALF_LIFE
) -> list[Cluster[Key]]:
    """Groups of `least` people or more, the hottest first. About two milliseconds a message, 5 kB of memory."""
    said = [one if one.category else replace(one, category=_kind_of(one)) for one in messages]
    sketches = [sketch(one.text, title=one.title, place=one.place, kind=_known(one.category)) for one in said]
    clusters = []
    for group in group_alike(sketches, [one.at for one in said]):
        members = [said[at] for at in group]
        if len({_writer(one) for one in members}) >= least:
            clusters.append(_cluster(members, now, half_life))
    return sorted(clusters, key=lambda one: (-one.heat, one.first))


def _kind_of(one: Said[Any]) -> str:
    return understand(f"{one.title}。{one.text[:READ]}").category


def _known(code: str) -> str:
    """The code, but of no kind what nobody could name: that two are "other" makes them no more alike."""
    return "" if code.startswith("other") else code


def group_alike(sketches: Sequence[Sketch], times: Sequence[datetime | None]) -> list[list[int]]:
    """Positions of messages about one matter, the most typical of each group first; who is alone is left out."""
    index: Index[int] = Index(max(1, len(sketches)), everyday())
    for at, one in enumerate(sketches):
        index.add(at, one, times[at])
    pairs: dict[tuple[int, int], float] = {}
    for at, one in enumerate(sketches):
        for found in index.search(one, times[at], limit=NEIGHBOURS, least=LINK, but=at):
            pairs[min(at, found.key), max(at, found.key)] = found.likeness
    groups = _Groups([index.weigh(one) for one in sketches])
    for pair in sorted(pairs, key=lambda pair: (-pairs[pair], pair)):
        groups.join(*pair)
    return [groups.typical_first(members) for members in groups.members.values() if len(members) > 1]


class _Groups:
    """Groups that grow together, with the sum of their vectors: a product of two sums is the sum over all pairs."""

    def __init__(self, vectors: Sequence[Mapping[str, float]]) -> None:
        self._vectors = vectors
        self._of = list(range(len(vectors)))
        self._sums: dict[int, dict[str, float]] = {}
        self._refused: set[tuple[int, int, int, int]] = set()
        self.members: dict[int, list[int]] = {at: [at] for at in range(len(vectors))}

    def join(self, one: int, other: int) -> None:
        """Make one group of the two these are in, if the groups are alike enough."""
        small, large = sorted((self._of[one], self._of[other]), key=lambda group: (len(self.members[group]), -group))
        sizes = len(self.members[small]), len(self.members[large])
        if small == large or (small, large, *sizes) in self._refused:
            return
        if _product(self._sum(small), self._sum(large)) < BOUND * sizes[0] * sizes[1]:
            self._refused.add((small, large, *sizes))
            return
        total = dict(self._sum(large))
        for term, worth in self._sum(small).items():
            total[term] = total.get(term, 0.0) + worth
        self._sums[large] = dict(nlargest(SUMMED, total.items(), key=lambda item: item[1]))
        self._sums.pop(small, None)
        for at in self.members[small]:
            self._of[at] = large
        self.members[large] += self.members.pop(small)

    def typical_first(self, members: Sequence[int]) -> list[int]:
        """The member most like all others, then the rest in order."""
        total = self._sum(self._of[members[0]])
        best = max(sorted(members), key=lambda at: _product(self._vectors[at], total))
        return [best, *sorted(at for at in members if at != best)]

    def _sum(self, group: int) -> Mapping[str, float]:
        return self._sums.get(group) or self._vectors[group]


def _product(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(worth * other[term] for term, worth in one.items() if term in other)


def _writer(one: Said[Any]) -> str:
    return one.who or "".join(f"{one.title}{one.text}".split())


def heat_of(messages: Iterable[Said[Any]], now: datetime, half_life: timedelta = HALF_LIFE) -> float:
    """The heat of messages about one matter, as above."""
    people: dict[str, float] = {}
    days = set()
    for one in messages:
        days.add(one.at.date())
        fresh = 0.5 ** (max(now - one.at, timedelta()) / half_life) * (1 + log10(1 + max(0, one.likes)) / 2)
        people[_writer(one)] = max(fresh, people.get(_writer(one), 0.0))
    return sum(people.values()) * (1 + log2(len(days)) / 8) if days else 0.0


def _cluster(members: Sequence[Said[Key]], now: datetime, half_life: timedelta) -> Cluster[Key]:
    """`members` with the most typical first."""
    typical, times = members[0], sorted(one.at for one in members)
    place = _place(members)
    code, subject = _kind(members, place)
    return Cluster(
        keys=(typical.key, *(one.key for one in sorted(members[1:], key=lambda one: one.at))),
        people=len({_writer(one) for one in members}),
        heat=heat_of(members, now, half_life),
        first=times[0],
        last=times[-1],
        days=len({moment.date() for moment in times}),
        place=place,
        category=code,
        subject=subject,
        example=(typical.title or typical.text)[:EXAMPLE],
    )


def _kind(members: Sequence[Said[Key]], place: str) -> tuple[str, str]:
    """The kind most of them are of, with its name; where they are of many, in the words most of them write."""
    codes = Counter(code for one in members if (code := _known(one.category)))
    code = max(codes, key=lambda code: (codes[code], code), default="")
    if code and codes[code] >= len(members) * CLEARLY:
        return code, category(code).name
    openings = [{_opening(one).partition(place)[2] if place else _opening(one)} for one in members[:READERS]]
    words = _shared(openings, len(openings) * CLEARLY, SHORTEST_NAME)
    return code, words or (category(code).name if code else OTHER)


def _place(members: Sequence[Said[Key]]) -> str:
    """What most of them call the place: of all stretches of the names they give, the one with most letters written.

    Where few give a name that is known to be one, what a good part of them write in their titles or beginnings.
    """
    shown = members[:READERS]
    openings = [_opening(one) for one in shown]
    name = _shared([_names(one) for one in shown], len(shown) / 3, 2)
    name = _whole(name, openings) if name else ""
    if len(name) >= SHORTEST_NAME:
        return name
    return _whole(_shared([{one} for one in openings], len(shown) * 0.4, SHORTEST_NAME), openings) or name


def _whole(name: str, openings: Sequence[str]) -> str:
    """The name with what most put before it: 凉塘路 where 塘路 was taken for the name."""
    while name and len(name) < LONGEST_NAME:
        before = Counter(text[at - 1] for text in openings if (at := text.find(name)) > 0)
        letter, times = before.most_common(1)[0] if before else ("", 0)
        if times < MOST * sum(before.values()) or not "\u4e00" <= letter <= "\u9fff" or letter in NO_NAME:
            return name
        name = letter + name
    return name


def _shared(written: Sequence[Collection[str]], least: float, shortest: int) -> str:
    parts = Counter(part for names in written for part in {part for name in names for part in _parts(name, shortest)})
    enough = [part for part, times in parts.items() if times >= max(2, least)]
    return max(enough, key=lambda part: (parts[part] * (len(part) - 1), part), default="")


def _names(one: Said[Any]) -> set[str]:
    """Names in a message's place, else in its title, or its beginning where it has none."""
    for text in (one.place, one.title or one.text):
        plain = tidy(text[: 2 * READ])[:READ]
        if found := {name for place in find_places(plain, fold(plain)) if (name := name_of_place(place))}:
            return {name[:LONGEST_NAME] for name in found}
    return set()


def _opening(one: Said[Any]) -> str:
    return _COURTESY.sub("", tidy((one.title or one.text)[:LONGEST_OPENING]))


def _parts(name: str, shortest: int) -> Iterator[str]:
    """Every stretch of a name that may be a name."""
    for low in range(len(name)):
        for high in range(low + shortest, min(len(name), low + LONGEST_NAME) + 1):
            if name[low:high].isalnum():
                yield name[low:high]
