"""People in a room, whose phones are at hand."""

from __future__ import annotations

import pytest

from tests.domain.grid_room import Grid, make_grid
from tests.town import Town


@pytest.fixture
async def grid(town: Town) -> Grid:
    """The first grid's room with its people."""
    return await make_grid(town)
