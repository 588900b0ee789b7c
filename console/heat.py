"""An area's grids as a drawing: their borders where somebody has drawn them, else a square each. No map service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, cos, radians, sqrt

from domain.overview import Shape

_SIZE = 1000.0
_STEPS = 5
_TILE, _GAP = 90.0, 10.0


@dataclass(frozen=True, slots=True)
class Spot:
    """One grid of the drawing: `path` in SVG, `heat` 0 to 5, and where its number stands."""

    id: int
    name: str
    count: int
    heat: int
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole; `drawn` says whether these are real borders."""

    spots: Sequence[Spot]
    width: float
    height: float
    drawn: bool


def draw(shapes: Sequence[Shape], counts: Mapping[int, int]) -> Drawing:
    """A grid each, the more cases the darker. Real borders only where every grid has one."""
    most = max((counts.get(shape.id, 0) for shape in shapes), default=0)
    drawn = bool(shapes) and all(shape.rings and len(shape.rings[0]) > 2 for shape in shapes)
    return _borders(shapes, counts, most) if drawn else _tiles(shapes, counts, most)


def heat_of(count: int, most: int) -> int:
    """0 for none, then 1 to 5 in equal steps up to the most there is."""
    return ceil(_STEPS * count / most) if count and most else 0


def _tiles(shapes: Sequence[Shape], counts: Mapping[int, int], most: int) -> Drawing:
    columns = max(1, ceil(sqrt(len(shapes) * 1.6)))
    step = _TILE + _GAP
    spots = []
    for number, shape in enumerate(shapes):
        left, top = number % columns * step, number // columns * step
        count = counts.get(shape.id, 0)
        path = f"M{left:.0f} {top:.0f}h{_TILE:.0f}v{_TILE:.0f}h-{_TILE:.0f}z"
        middle = left + _TILE / 2, top + _TILE / 2
        spots.append(Spot(shape.id, shape.name, count, heat_of(count, most), path, *middle))
    return Drawing(spots, columns * step, max(1, ceil(len(shapes) / columns)) * step, drawn=False)


def _borders(shapes: Sequence[Shape], counts: Mapping[int, int], most: int) -> Drawing:
    points = [point for shape in shapes for ring in shape.rings for point in ring]
    west, east = min(point[0] for point in points), max(point[0] for point in points)
    south, north = min(point[1] for point in points), max(point[1] for point in points)
    narrow = cos(radians((south + north) / 2))  # a degree of longitude, measured in degrees of latitude
    span = max((east - west) * narrow, north - south, 1e-9)

    def place(point: Sequence[float]) -> tuple[float, float]:
        return (point[0] - west) * narrow / span * _SIZE, (north - point[1]) / span * _SIZE

    spots = []
    for shape in shapes:
        rings = [[place(point) for point in ring] for ring in shape.rings]
        path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "z" for ring in rings)
        middle = tuple(sum(at[axis] for at in rings[0]) / len(rings[0]) for axis in (0, 1))
        count = counts.get(shape.id, 0)
        spots.append(Spot(shape.id, shape.name, count, heat_of(count, most), path, middle[0], middle[1]))
    return Drawing(spots, (east - west) * narrow / span * _SIZE, (north - south) / span * _SIZE, drawn=True)
