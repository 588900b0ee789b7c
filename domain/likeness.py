"""Are two reports about one matter? By the thing itself, by position, by building and place, and by what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from domain.geo import distance
from domain.places import find_buildings
from nlp.normalise import fold, tidy
from nlp.similar import Sketch, same_matter, sketch

#: Kinds of public matters and how near the same one is, in metres: a category's own entry goes before its group's.
_RADIUS = {
    "lighting": 60,
    "drain": 80,
    "road": 100,
    "rubbish": 100,
    "green": 100,
    "street": 150,
    "fire.exit": 80,
    "fire.charging": 80,
    "fire.equipment": 80,
    "lift": 50,
    "utility.water_off": 500,
    "utility.water_quality": 500,
    "utility.water_pipe": 150,
    "utility.power": 500,
    "utility.heating": 500,
    "noise.site": 400,
    "noise.square": 250,
    "noise.shop": 150,
    "noise.traffic": 300,
    "air": 300,
    "pollution": 400,
    "parking": 100,
    "property.service": 200,
    "property.guard": 200,
    "property.cleaning": 150,
    "property.clutter": 80,
    "repair.wall": 60,
    "safety": 100,
    "dog.unleashed": 200,
    "animal": 200,
    "traffic": 150,
    "transit.bus": 200,
    "transit.road": 200,
    "sport": 100,
    "culture.venue": 150,
}
#: From this radius on it is a matter of the whole grid: the building does not tell two of them apart.
_WIDE = 250
_FAR = 3  # radii beyond which positions speak against what the words say
_ALIKE = 0.5  # share of common letter pairs from which two places are the same

_UNIT = re.compile(r"([\d一二三四五六七八九十]{1,3})\s?(?:单元|门洞|号门)")


def radius_of(category: str) -> int:
    """How near the same matter is; 0 for what neighbours are not shown."""
    return _RADIUS.get(category) or _RADIUS.get(category.partition(".")[0], 0)


@dataclass(frozen=True, slots=True)
class Matter:
    """What is compared of a report or case."""

    category: str
    place: str
    words: str
    grid_id: int | None
    component_id: int | None = None
    longitude: float | None = None
    latitude: float | None = None

    @property
    def position(self) -> tuple[float, float] | None:
        return None if self.longitude is None or self.latitude is None else (self.longitude, self.latitude)


def likeness(here: Matter, there: Matter) -> float:
    """0: another matter. 3: the same thing. 2 to 3: near by position. 1 to 2: the same by its words.

    What was put under another kind is the same only if its words say so, and then it is less sure than the others.
    """
    same_kind = here.category == there.category
    if here.component_id and there.component_id and (same_kind or here.component_id != there.component_id):
        return 3.0 if here.component_id == there.component_id else 0.0
    radius = radius_of(here.category) or 100
    if here.position and there.position:
        metres = distance(here.position, there.position)
        if metres <= radius and same_kind:
            return 3.0 - metres / radius
        if metres > _FAR * radius:
            return 0.0
    return _by_words(here, there, wide=radius >= _WIDE) if same_kind else min(1.0, _in_words(here, there))


def _by_words(here: Matter, there: Matter, *, wide: bool) -> float:
    same_grid = here.grid_id is not None and here.grid_id == there.grid_id
    if not same_grid:
        return 0.0
    mine, theirs = (find_buildings(f"{one.place}。{one.words}") for one in (here, there))
    if set(mine) & set(theirs):
        units = [set(_UNIT.findall(f"{one.place}。{one.words}")) for one in (here, there)]
        other_entrance = all(units) and not units[0] & units[1]
        return 0.0 if other_entrance and not wide else 2.0 if all(units) else 1.8
    if wide:
        return 1.2
    if mine or theirs:
        return 0.0
    alike = _alike(here.place, there.place)
    if alike >= _ALIKE:
        return 1.0 + alike
    said = _in_words(here, there)
    return 1.0 + min(1.0, said) if said else 0.0


def may_be_same(here: Matter, there: Matter) -> bool:
    """Whether it is worth finding out where `here` is exactly: of one kind, or alike in words."""
    return here.category == there.category or likeness(here, there) > 0


def _in_words(here: Matter, there: Matter) -> float:
    """How alike two reports of one grid are in what they say; 0 for too little."""
    if here.grid_id is None or here.grid_id != there.grid_id:
        return 0.0
    sketches = _sketched(here.words, here.place), _sketched(there.words, there.place)
    return same_matter(*sketches, same_kind=here.category == there.category)


@lru_cache(maxsize=2048)
def _sketched(words: str, place: str) -> Sketch:
    """Open cases are compared with every new report of their grid."""
    return sketch(words, place=place)


def _alike(one: str, other: str) -> float:
    """Dice's share of common letter pairs; 1 where one place holds the other."""
    one, other = ("".join(fold(tidy(place)).split()) for place in (one, other))
    if len(one) < 2 or len(other) < 2:
        return 0.0
    if one in other or other in one:
        return 1.0
    pairs = [{text[at : at + 2] for at in range(len(text) - 1)} for text in (one, other)]
    return 2 * len(pairs[0] & pairs[1]) / (len(pairs[0]) + len(pairs[1]))
