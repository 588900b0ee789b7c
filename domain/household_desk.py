"""The register of households at a desk: one household by its number, the grids whose households one keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.facts import keeper
from domain.people import Person
from errors import NotFound
from models.database import fetch


@dataclass(frozen=True, slots=True)
class KeptGrid:
    """A grid whose households this person keeps."""

    id: int
    name: str


_GRIDS = "SELECT id, name FROM area WHERE level = 'grid' AND $1 IN (id, parent_id) ORDER BY code LIMIT 200"


async def kept_grids(person: Person) -> Sequence[KeptGrid]:
    """The grid of a grid worker, those of a community. Raises NotAllowed for who keeps no households."""
    return [KeptGrid(**row) for row in await fetch(_GRIDS, keeper(person, "household:list").area_id)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a household is. `note`: what its keepers wrote of it, or that a resident named it."""

    id: int
    grid: str
    place: str
    note: str


_ONE = """
SELECT h.id, g.name AS grid, h.building || h.unit || h.room AS place, h.note
FROM household h JOIN area g ON g.id = h.grid_id WHERE h.id = $1 AND $2 IN (g.id, g.parent_id)
"""


async def find_place(person: Person, household_id: int) -> Place:
    """A household that this person keeps. Raises NotFound, NotAllowed."""
    rows = await fetch(_ONE, household_id, keeper(person, "household:read", household_id).area_id)
    if not rows:
        raise NotFound(f"household {household_id}", tag="household:read", object_id=household_id)
    return Place(**rows[0])
