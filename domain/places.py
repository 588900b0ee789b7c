"""Where a report is about: what its words, its position and its codes say of the grid it belongs to.

In order of certainty: a location code (一号定位), a position inside a boundary, names and buildings, the resident's own
grid. What the resident's community needs no look-up for is left to the routing statement itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.geo import contains
from domain.people import Home
from models.database import fetch, from_json
from nlp.normalise import fold, tidy

_READ = 1_000  # characters in which places are looked for
_MOST = 60  # names and codes asked for at most
_LONGEST_NAME = 10

_NUMERAL = "[一二三四五六七八九十]{1,3}"
_BUILDING = re.compile(rf"(?<![a-z\d])([a-z]?\d{{1,3}}[a-z]?|[a-z]|{_NUMERAL})\s?(?:号楼|#楼|栋|幢|座|#)")
_DIGITS = {mark: place for place, mark in enumerate("一二三四五六七八九", 1)}
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
_NAME_ENDS = re.compile("社区|网格|小区|花园|家园|公寓|新城|大院|村|苑|庄|坊|湾")


def _read(text: str) -> str:
    """The part of a text in which places are looked for, folded."""
    return fold(tidy(text[:_READ]))


def find_buildings(text: str) -> tuple[str, ...]:
    """The buildings a text names, each in one form: 3栋, 三幢 and 3号楼 are all "3"."""
    folded = _read(text)
    return tuple(dict.fromkeys(_plain_number(found[1]) for found in _BUILDING.finditer(folded)))


def _plain_number(written: str) -> str:
    if written[0] not in _DIGITS and written[0] != "十":
        return written.lstrip("0") or written
    tens, _, ones = written.rpartition("十")
    return str((_DIGITS.get(tens, 1) * 10 if "十" in written else 0) + _DIGITS.get(ones, 0))


def _spelled(building: str) -> list[str]:
    """How a register may write a building."""
    return [written + ending for written in {building, building.upper()} for ending in _SPELLINGS]


def find_codes(text: str) -> tuple[str, ...]:
    """What may be a location code: letters with digits, or digits that the text calls a number of a thing."""
    folded = _read(text)
    codes = [found[0].translate(_SEPARATORS).upper() for found in _LETTERED.finditer(folded)]
    codes += [found[1] or found[2] for found in _BARE.finditer(folded)]
    return tuple(dict.fromkeys(code for code in codes if len(code) >= 3))[:_MOST]


def _names(text: str) -> list[str]:
    """Every stretch that may be the name of a grid or community: it ends as such names do."""
    plain = tidy(text[:_READ])
    ends = {found.end() for found in _NAME_ENDS.finditer(plain)}
    found = {plain[end - length : end] for end in ends for length in range(2, min(end, _LONGEST_NAME) + 1)}
    return sorted(found, key=len, reverse=True)[: _MOST * 3]


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


# Things with their code in the text, areas whose box holds the point, areas named.
_LOCATE = """
SELECT 'code' AS source, c.id, 'grid' AS level, c.grid_id AS area_id, g.parent_id, NULL AS boundary,
    array_position($1::text[], upper(translate(c.code, ' -_.', ''))) AS place
FROM component c JOIN area g ON g.id = c.grid_id WHERE upper(translate(c.code, ' -_.', '')) = ANY($1)
UNION ALL
SELECT 'point', a.id, a.level, a.id, a.parent_id, a.boundary, 0 FROM area a
WHERE a.boundary IS NOT NULL AND boundary_box(a.boundary) @> box(point($2, $3), point($2, $3))
    AND a.level IN ('grid', 'community')
UNION ALL
SELECT 'name', a.id, a.level, a.id, a.parent_id, NULL, -length(a.name) FROM area a
WHERE a.name = ANY($4) AND a.level IN ('grid', 'community')
ORDER BY source, place, area_id
"""


async def locate(
    words: str, home: Home | None, *, longitude: float | None = None, latitude: float | None = None
) -> Spot:
    """Where `words` (and a position, if one was sent) belong; asks the database only when they name more than a
    building."""
    codes, names = find_codes(words), _names(words)
    buildings = [spelling for building in find_buildings(words)[:1] for spelling in _spelled(building)]
    if not codes and not names and latitude is None:
        return _at_home(home, buildings)
    rows = await fetch(_LOCATE, list(codes), longitude, latitude, names)
    for row in rows:
        if row["source"] == "code":
            return Spot(row["area_id"], row["parent_id"], component_id=row["id"])
    around = [row for row in rows if row["source"] == "point" and _holds(row, longitude, latitude)]
    grids = [row for row in around if row["level"] == "grid"]
    if grids:
        chosen = next((row for row in grids if home and row["area_id"] == home.grid_id), grids[0])
        return Spot(chosen["area_id"], chosen["parent_id"])
    within = {row["area_id"] for row in around}
    return _named([row for row in rows if row["source"] == "name"], within, home, buildings)


def _holds(row: dict[str, Any], longitude: float | None, latitude: float | None) -> bool:
    return longitude is not None and latitude is not None and contains(from_json(row["boundary"]), longitude, latitude)


def _at_home(home: Home | None, buildings: list[str]) -> Spot:
    return Spot(home.grid_id, home.community_id, buildings=buildings) if home else Spot()


def _named(rows: Sequence[dict[str, Any]], within: set[int], home: Home | None, buildings: list[str]) -> Spot:
    """By the names in the text, of the community the position is in where that is known.

    A grid's name (第二网格) is clear inside a community that is named or the resident's own; elsewhere only if no other
    grid has it.
    """
    communities = within or {row["area_id"] for row in rows if row["level"] == "community"}
    grids = [row for row in rows if row["level"] == "grid"]
    if communities:
        grids = [row for row in grids if row["parent_id"] in communities]
    near = [row for row in grids if home and row["parent_id"] == home.community_id]
    sure = near or (grids if len({row["area_id"] for row in grids}) == 1 else [])
    if sure:
        return Spot(sure[0]["area_id"], sure[0]["parent_id"])
    if len(communities) != 1 or (home and home.community_id in communities):
        return _at_home(home, buildings)
    community = next(iter(communities))
    return Spot(community, community, buildings=buildings)
