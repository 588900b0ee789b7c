"""People in a room, for what is said there."""

from __future__ import annotations

import pytest

from tests.domain.grid_room import Grid
from tests.domain.neighbours import first_room, neighbour, officer
from tests.town import LI, WANG, Town


@pytest.fixture
async def grid(town: Town) -> Grid:
    """Four neighbours, the grid's worker and the community's staff, whose phones can be reached."""
    await town.say(WANG, "待办")
    await town.say(LI, "待办")
    people = {name: await neighbour(name, town.clock()) for name in ("chen", "zhao", "sun", "qian")}
    people |= {"wang": await officer("G001"), "li": await officer("S001")}
    return Grid(town, await first_room(), people)
