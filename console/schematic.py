"""A map without a map server: grids as polygons and a point, as an SVG; with pictures behind it where a server is set.

Drawn in Web Mercator, as map pictures are. Positions are (longitude, latitude) in GCJ-02.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import asinh, floor, log2, pi, radians, tan

from domain.coordinates import to_wgs
from domain.geo import Ring

WIDTH, HEIGHT = 640, 420
_TILE = 256
_DEEPEST = 18
_MARGIN = 0.88  # of the picture's sides that what is drawn takes up
_LEAST = 2e-5  # of the world's width: about 800 m, so that a point alone has something around it

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Where map pictures are, with {z}, {x} and {y}; `datum`: what they are drawn in. "" = none."""

    tiles: str = ""
    datum: str = "gcj02"


@dataclass(frozen=True, slots=True)
class Shape:
    """A grid's border; `path` as SVG has it, `x` and `y` where its name stands."""

    name: str
    path: str
    x: float
    y: float
    own: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A map picture and where its upper left corner lies."""

    address: str
    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws into a picture of WIDTH × HEIGHT."""

    shapes: Sequence[Shape]
    point: Position | None
    tiles: Sequence[Tile]
    width: int = WIDTH
    height: int = HEIGHT


def draw(
    grids: Sequence[tuple[str, Sequence[Ring], bool]], point: Position | None, backdrop: Backdrop
) -> Drawing | None:
    """Grids as (name, rings, is the one meant), and a point. None where neither borders nor a point are known."""
    rings = [
        (name, [[to_world((at[0], at[1]), backdrop) for at in ring] for ring in found], own)
        for name, found, own in grids
        if found and len(found[0]) > 2
    ]
    spot = to_world(point, backdrop) if point else None
    own = [at for _, found, meant in rings if meant for at in found[0]]
    around = [*(own or [at for _, found, _ in rings for at in found[0]]), *([spot] if spot else [])]
    if not around:
        return None
    view = Window.around(around, whole=bool(backdrop.tiles))
    shapes = [_shape(name, [[view.place(at) for at in ring] for ring in found], own) for name, found, own in rings]
    return Drawing(shapes, view.place(spot) if spot else None, list(view.tiles(backdrop)))


def to_world(position: Position, backdrop: Backdrop) -> Position:
    """A position on the square map of the world, both sides from 0 to 1."""
    longitude, latitude = position
    if backdrop.tiles and backdrop.datum == "wgs84":
        latitude, longitude = to_wgs(latitude, longitude)
    return (longitude + 180) / 360, (1 - asinh(tan(radians(latitude))) / pi) / 2


@dataclass(frozen=True, slots=True)
class Window:
    """What part of the world a picture shows: its middle, and how many pixels the whole world is wide."""

    middle: Position
    scale: float

    @classmethod
    def around(cls, places: Sequence[Position], *, whole: bool) -> Window:
        """So that all of it is seen; `whole`: at a size in which there are map pictures."""
        (left, right), (top, bottom) = ((min(side), max(side)) for side in zip(*places, strict=True))
        scale = _MARGIN * min(WIDTH / max(right - left, _LEAST), HEIGHT / max(bottom - top, _LEAST))
        if whole:
            scale = _TILE * 2.0 ** max(0, min(_DEEPEST, floor(log2(scale / _TILE))))
        return cls(((left + right) / 2, (top + bottom) / 2), scale)

    def place(self, at: Position) -> Position:
        """Where in the picture it lies."""
        x = WIDTH / 2 + (at[0] - self.middle[0]) * self.scale
        return round(x, 1), round(HEIGHT / 2 + (at[1] - self.middle[1]) * self.scale, 1)

    def tiles(self, backdrop: Backdrop) -> Iterator[Tile]:
        """The map pictures that cover it."""
        if not backdrop.tiles:
            return
        count = round(self.scale / _TILE)
        zoom = round(log2(count))
        spans = [
            range(
                max(0, floor((middle - side / 2 / self.scale) * count)),
                min(count - 1, floor((middle + side / 2 / self.scale) * count)) + 1,
            )
            for middle, side in zip(self.middle, (WIDTH, HEIGHT), strict=True)
        ]
        for column, row in product(*spans):
            address = backdrop.tiles
            for name, number in (("{z}", zoom), ("{x}", column), ("{y}", row)):
                address = address.replace(name, str(number))
            yield Tile(address, *self.place((column / count, row / count)), side=_TILE)


def _shape(name: str, rings: Sequence[Sequence[Position]], own: bool) -> Shape:
    path = " ".join("M" + " L".join(f"{x} {y}" for x, y in ring) + " Z" for ring in rings)
    outer = rings[0]
    x, y = (round(sum(side) / len(outer), 1) for side in zip(*outer, strict=True))
    return Shape(name, path, x, y, own)
