"""Where a report is about: what its words, its position and its codes say of the grid it belongs to.

In order of certainty: a location code (一号定位), a position inside a boundary, names and buildings, the resident's own
grid. What the resident's community needs no look-up for is left to the routing statement itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain import register
from domain.geo import contains
from domain.people import Home
from domain.register import AREA, BESIDE, BUILDING, Register
from models.database import fetch, from_json
from nlp.gazetteer import Found, plain_number
from nlp.normalise import fold, tidy

_READ = 1_000  # characters in which places are looked for
_MOST = 60  # names and codes asked for at most
_NUMERAL = "[一二三四五六七八九十]{1,3}"
_BUILDING = re.compile(rf"(?<![a-z\d])([a-z]?\d{{1,3}}[a-z]?|[a-z]|{_NUMERAL})\s?(?:号楼|#楼|栋|幢|座|#)")
_SPELLINGS = ("栋", "幢", "号楼", "座", "#", "#楼", "")

# B12栋 is a building, K602路 a bus.
_LETTERED = re.compile(
    r"(?<![a-z\d])[a-z]{1,6}[-_. ]?\d[a-z\d\-_.]{1,24}(?![a-z\d\-_.])(?!\s?(?:号楼|#|栋|幢|座|单元|层|楼|室|路|线))"
)
_BARE = re.compile(
    r"(?:编号|编码|杆号|号码|灯杆|路灯|电杆|井盖|箱体|消火栓)\s?(?:是|为|:|号)?\s?(\d{3,20})(?!\d)"
    r"|(?<!\d)(\d{3,20})\s?号?(?:路灯|灯杆|电杆|井盖|消火栓)"
)
_SEPARATORS = str.maketrans("", "", " -_.")
_NAME_ENDS = re.compile("社区|网格|小区|花园|家园|公寓|新城|大院|村|苑|庄|坊|湾|[路街道巷弄][\\d一二三四五六七八九十]")
_NAMED = re.compile("[\u4e00-\u9fff](?![住在到我们家是去找于的了那这有来说和跟与及或坏灭漏停臭味气])[\u4e00-\u9fff]$")
_SURE = 0.7  # from which a building whose number is said may be meant
_LIKELY = 0.45  # from which an estate may be meant


def _read(text: str) -> str:
    """The part of a text in which places are looked for, folded."""
    return fold(tidy(text[:_READ]))


def find_buildings(text: str) -> tuple[str, ...]:
    """The buildings a text names, each in one form: 3栋, 三幢 and 3号楼 are all "3"."""
    return _buildings(_read(text))


def _buildings(folded: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain_number(found[1]) for found in _BUILDING.finditer(folded)))


def _spelled(building: str) -> list[str]:
    """How a register may write a building."""
    return [written + ending for written in {building, building.upper()} for ending in _SPELLINGS]


def find_codes(text: str) -> tuple[str, ...]:
    """What may be a location code: letters with digits, or digits that the text calls a number of a thing."""
    return _codes(_read(text))


def _codes(folded: str) -> tuple[str, ...]:
    codes = [found[0].translate(_SEPARATORS).upper() for found in _LETTERED.finditer(folded)]
    codes += [found[1] or found[2] for found in _BARE.finditer(folded)]
    return tuple(dict.fromkeys(code for code in codes if len(code) >= 3))[:_MOST]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where routing starts: the grid, else the community; `buildings` may still name another grid of `community_id`."""

    area_id: int | None = None
    community_id: int | None = None
    component_id: int | None = None
    buildings: list[str] = field(default_factory=list)


_SETTLE = """
SELECT CASE WHEN bool_or(g.id = $1) THEN $1::int WHEN count(*) = 1 THEN min(g.id) ELSE $1 END AS id
FROM area g WHERE g.parent_id = $2::int AND g.level = 'grid'
    AND EXISTS (SELECT FROM household h WHERE h.grid_id = g.id AND h.building = ANY($3))
"""


async def settle(spot: Spot) -> int | None:
    """The grid or community a spot means, its building looked up: the start's own if it has the building, else the one
    other grid of the community that has it."""
    if not spot.buildings:
        return spot.area_id
    rows = await fetch(_SETTLE, spot.area_id, spot.community_id, spot.buildings)
    return int(rows[0]["id"]) if rows[0]["id"] else None


# The version of what is known in memory, things with their code in the text, areas whose box holds the point.
_LOCATE = """
SELECT 'version' AS source, version::text, NULL::bigint AS id, NULL AS level, NULL::int AS area_id,
    NULL::int AS parent_id, NULL::jsonb AS boundary, 0 AS place FROM place_version
UNION ALL
SELECT 'code', NULL, c.id, 'grid', c.grid_id, g.parent_id, NULL,
    array_position($1::text[], upper(translate(c.code, ' -_.', '')))
FROM component c JOIN area g ON g.id = c.grid_id WHERE upper(translate(c.code, ' -_.', '')) = ANY($1)
UNION ALL
SELECT 'point', NULL, a.id, a.level, a.id, a.parent_id, a.boundary, 0 FROM area a
WHERE a.boundary IS NOT NULL AND boundary_box(a.boundary) @> box(point($2, $3), point($2, $3))
    AND a.level IN ('grid', 'community')
ORDER BY source, place, area_id
"""


async def locate(
    words: str, home: Home | None, *, longitude: float | None = None, latitude: float | None = None
) -> Spot:
    """Where `words` (and a position, if one was sent) belong; asks the database only when they name more than a
    building."""
    folded = _read(words)
    codes = _codes(folded)
    buildings = [spelling for building in _buildings(folded)[:1] for spelling in _spelled(building)]
    if not codes and latitude is None and not _names_something(folded):
        return _at_home(home, buildings)
    rows = await fetch(_LOCATE, list(codes), longitude, latitude)
    for row in rows:
        if row["source"] == "code":
            return Spot(row["area_id"], row["parent_id"], component_id=row["id"])
    around = [row for row in rows if row["source"] == "point" and _holds(row, longitude, latitude)]
    grids = [row for row in around if row["level"] == "grid"]
    if grids:
        chosen = next((row for row in grids if home and row["area_id"] == home.grid_id), grids[0])
        return Spot(chosen["area_id"], chosen["parent_id"])
    version = next((UUID(row["version"]) for row in rows if row["source"] == "version"), None)
    within = {row["area_id"] for row in around}
    return _known(folded, await register.current(version), within, home, buildings)


def _names_something(folded: str) -> bool:
    """Whether there may be a name in the words: what ends as names do, is known, or stands before a building."""
    known = register.held()
    if known is None or _NAME_ENDS.search(folded):
        return True
    if known.index.names_in(folded):
        return True
    return any(_NAMED.search(folded, max(0, at.start() - 2), at.start()) for at in _BUILDING.finditer(folded))


def _holds(row: dict[str, Any], longitude: float | None, latitude: float | None) -> bool:
    return longitude is not None and latitude is not None and contains(from_json(row["boundary"]), longitude, latitude)


def _at_home(home: Home | None, buildings: list[str]) -> Spot:
    return Spot(home.grid_id, home.community_id, buildings=buildings) if home else Spot()


def _near(known: Register, home: Home | None) -> frozenset[int]:
    return known.grids.get(home.community_id, frozenset()) | {home.community_id} if home else frozenset()


def _known(folded: str, known: Register, within: set[int], home: Home | None, buildings: list[str]) -> Spot:
    """By the names in the text, of the community the position is in where that is known.

    A grid's name (第二网格) is clear inside a community that is named or the resident's own; elsewhere only if no other
    grid has it.
    """
    near = _near(known, home)
    found = known.index.find(folded, near, limit=_MOST)
    areas = [one.place.key for one in found if one.place.kind == AREA and one.score >= _SURE]
    communities = within or {key for key in areas if key not in known.communities}
    grids = [key for key in areas if key in known.communities]
    if communities:
        grids = [key for key in grids if known.communities[key] in communities]
    sure = [key for key in grids if key in near] or (grids if len(set(grids)) == 1 else [])
    if sure:
        return Spot(sure[0], known.communities[sure[0]])
    spot = _by_code_end(found, known, near) or _by_estate(found, known, communities, near, home)
    if spot:
        return spot
    if len(communities) != 1 or (home and home.community_id in communities):
        return _at_home(home, buildings)
    community = next(iter(communities))
    return Spot(community, community, buildings=buildings)


def _by_code_end(found: Sequence[Found], known: Register, near: frozenset[int]) -> Spot | None:
    """A thing of the own community by the digits of its code: 灯杆0231 for LD-0231."""
    things = [one.place for one in found if one.place.code and one.place.key in near]
    if len(things) != 1:
        return None
    return Spot(things[0].key, known.communities[things[0].key], component_id=known.components[things[0].code])


def _by_estate(
    found: Sequence[Found], known: Register, communities: set[int], near: frozenset[int], home: Home | None
) -> Spot | None:
    """By the name of an estate or road, with its number if there is one; what stands in two grids says the community.

    Where a thing stands (菜场门口) says something only of the own community, and only word for word.
    """
    meant = [one for one in found if _counts(one, near)]
    if communities:
        meant = [one for one in meant if known.communities[one.place.key] in communities]
    if not meant:
        return None
    keys = {one.place.key for one in meant if one.score > meant[0].score - 0.01}
    if home and home.grid_id in keys:
        return Spot(home.grid_id, home.community_id)
    above = {known.communities[key] for key in keys}
    if len(above) != 1 or (len(keys) > 1 and home and home.community_id in above):
        return None
    community = next(iter(above))
    return Spot(next(iter(keys)) if len(keys) == 1 else community, community)


def _counts(one: Found, near: frozenset[int]) -> bool:
    if one.place.kind == BESIDE:
        return one.exact and (bool(one.place.number) or one.place.key in near)
    return one.place.kind == BUILDING and one.score >= (_SURE if one.place.number else _LIKELY)


def known_as(place: str, home: Home | None) -> str:
    """How the register writes the place somebody means in other words (杨光花园三栋: 阳光花园3栋); "" where it is
    written so already, or nothing is sure. Asks nobody: it knows what this process has read."""
    known = register.held()
    near = _near(known, home) if known else frozenset()
    found = known.index.find(place, near) if known else []
    best = [one for one in found if one.place.kind == BUILDING and one.place.number and one.score >= _SURE]
    if not best or best[0].exact or (len(best) > 1 and best[1].score == best[0].score):
        return ""
    return best[0].place.label
