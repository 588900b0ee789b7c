"""Points, polygons and distances on a town's scale. Pure; positions are (longitude, latitude) in degrees.

All positions of one comparison must be of one datum: WeChat's and the boundaries' are GCJ-02.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, floor, radians, sin, sqrt

Position = Sequence[float]
Ring = Sequence[Position]

_EARTH = 6_371_008.8  # metres, mean radius (IUGG)
_DEGREE = 111_195.0  # metres of one degree of latitude on that sphere
#: Degrees within which a point lies on an edge: about a centimetre, finer than any survey of a community.
_ON_EDGE = 1e-7


def contains(rings: Sequence[Ring], longitude: float, latitude: float) -> bool:
    """Whether a point is in a polygon: in its outer ring and in none of the others, which are holes.

    Edges belong to the polygon, those of its holes too. A ring may or may not repeat its first position at the end.
    """
    inside = False
    for ring in rings:
        place = _side(ring, longitude, latitude)
        if place is None:
            return True
        # Even-odd over all rings at once: a hole in the outer ring turns the answer round once more.
        inside ^= place
    return inside


def _side(ring: Ring, x: float, y: float) -> bool | None:
    """Whether a point is inside a ring (casting a ray to the east); None for a point on its edge."""
    inside = False
    for place, (x2, y2) in enumerate(ring):
        x1, y1 = ring[place - 1]
        if _on_segment((x1, y1), (x2, y2), (x, y)):
            return None
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def _on_segment(start: tuple[float, float], end: tuple[float, float], point: tuple[float, float]) -> bool:
    (x1, y1), (x2, y2), (x, y) = start, end, point
    length = sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)
    if length == 0:
        return abs(x - x1) <= _ON_EDGE and abs(y - y1) <= _ON_EDGE
    along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length
    away = abs((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) / length
    return away <= _ON_EDGE and -_ON_EDGE <= along <= length + _ON_EDGE


def distance(here: Position, there: Position) -> float:
    """Metres between two positions along the great circle (haversine)."""
    (x1, y1), (x2, y2) = here, there
    half = sin(radians(y2 - y1) / 2) ** 2 + cos(radians(y1)) * cos(radians(y2)) * sin(radians(x2 - x1) / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(half)))


def degrees(metres: float, latitude: float) -> tuple[float, float]:
    """How many degrees of longitude and of latitude `metres` are at a latitude: half the sides of a search box."""
    return metres / (_DEGREE * max(0.01, cos(radians(latitude)))), metres / _DEGREE


def cell(longitude: float, latitude: float, side: float) -> tuple[int, int]:
    """The square cell of `side` metres a point lies in: (column, row), counted from 0° N 0° E.

    Columns are as wide as `side` on the row's own latitude, so neighbouring rows are a little out of step: cells are
    for counting in, not for measuring with.
    """
    row = floor(latitude * _DEGREE / side)
    middle = (row + 0.5) * side / _DEGREE
    return floor(longitude * _DEGREE * max(0.01, cos(radians(middle))) / side), row
