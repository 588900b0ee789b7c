"""A process's copy of the community's places: areas, named buildings, things with a code, as one index.

It is as new as `place_version`, which changes with every change of them: whoever reads the version and finds another
one asks for a new copy. A named building is one whose register says more than a number (阳光花园3栋).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.database import fetch
from nlp.gazetteer import Gazetteer, Place, split_number

MOST = 20_000
"""Components, and named buildings, beyond which the rest are left out: they are then found by code and number alone.
So many take half a second to index, beside the work of the others, and some 25 MB."""

AREA, BUILDING, BESIDE = "area", "building", "beside"
"""Kinds of places: an area; a building; what the register says of where a thing stands."""


@dataclass(frozen=True, slots=True)
class Register:
    """`communities`: that of each grid. `grids`: those of each community. `components`: ids by code."""

    version: UUID | None
    index: Gazetteer
    communities: Mapping[int, int]
    grids: Mapping[int, frozenset[int]]
    components: Mapping[str, int]


_AREAS = "SELECT id, parent_id, level::text AS level, name FROM area WHERE level IN ('grid', 'community')"
_BUILDINGS = """
SELECT grid_id, building FROM household WHERE building ~ '^[^0-9A-Za-z一二三四五六七八九十]{2}'
GROUP BY grid_id, building ORDER BY grid_id, building LIMIT $1
"""
_COMPONENTS = "SELECT id, code, kind, place, grid_id FROM component ORDER BY id LIMIT $1"


async def load(version: UUID | None) -> Register:
    """A new copy; `version` was read before it."""
    areas = await fetch(_AREAS)
    buildings, components = await fetch(_BUILDINGS, MOST), await fetch(_COMPONENTS, MOST)
    places = [Place(row["id"], row["name"], "", row["name"], kind=AREA) for row in areas]
    places += [_building(row) for row in buildings]
    for row in components:
        places.append(Place(row["grid_id"], "", "", f"{row['kind']}{row['code']}", code=row["code"], kind=row["kind"]))
    places += {_beside(row) for row in components if row["place"]}
    communities = {row["id"]: row["parent_id"] for row in areas if row["level"] == "grid"}
    grids: dict[int, set[int]] = defaultdict(set)
    for grid, community in communities.items():
        grids[community].add(grid)
    return Register(
        version,
        await asyncio.to_thread(Gazetteer, places),
        communities,
        {community: frozenset(below) for community, below in grids.items()},
        {row["code"]: row["id"] for row in components},
    )


def _building(row: dict[str, Any]) -> Place:
    return Place(row["grid_id"], *split_number(row["building"]), label=row["building"], kind=BUILDING)


def _beside(row: dict[str, Any]) -> Place:
    return Place(row["grid_id"], *split_number(row["place"]), label=row["place"], kind=BESIDE)


class _Held:
    """The copy this process has."""

    register: Register | None = None


def held() -> Register | None:
    """The copy this process has, however old; None before the first."""
    return _Held.register


async def current(version: UUID | None) -> Register:
    """The copy of this version, read anew if the one this process has is of another."""
    copy = _Held.register
    if copy is None or version is None or copy.version != version:
        copy = _Held.register = await load(version)
    return copy
