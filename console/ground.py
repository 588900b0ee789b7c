"""An area's open cases as a drawing: grids, a mark for each case, one with a number where several lie together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin, sqrt

from console.heat import Drawing as Squares
from console.heat import draw, heat_of
from console.schematic import HEIGHT, WIDTH, Backdrop, Position, Tile, Window, to_world
from domain.case_map import Box, Ground, Heap, Pace, Pin
from domain.overview import Shape

_NEAR = 26.0  # of the picture's units: marks that lie closer would cover each other
_NAMED, _FINE = 40, 120  # areas that have room for words, and grids whose borders are drawn to a tenth of a unit
_APART = 15.0
_TURN = pi * (3 - sqrt(5))  # the golden angle: no two of a few turns point the same way
_AROUND = 0.0002  # degrees around the cases of a part of the map, about 20 m


@dataclass(frozen=True, slots=True)
class Patch:
    """The grids of one area as one path; `x` and `y` where its name or its number stands."""

    area_id: int
    name: str
    path: str
    x: float
    y: float
    heat: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """One case, or several that lie together; `pace` is the most pressing of theirs."""

    pins: Sequence[Pin]
    x: float
    y: float

    @property
    def pace(self) -> Pace:
        """The first of `Pace` that one of them is in."""
        return min((pin.pace for pin in self.pins), key=list(Pace).index)

    @property
    def box(self) -> Box:
        """The part of the map they lie in."""
        places = [at for pin in self.pins if (at := _position(pin))]
        (west, east), (south, north) = ((min(side), max(side)) for side in zip(*places, strict=True))
        return Box(west - _AROUND, south - _AROUND, east + _AROUND, north + _AROUND)


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws into a picture of `width` × `height`."""

    patches: Sequence[Patch]
    marks: Sequence[Mark]
    heaps: Sequence[tuple[Heap, Patch]]
    tiles: Sequence[Tile]
    roomy: bool  # there is room for a name, or a second number, in each area
    drawn: frozenset[int]  # the cases that are on it
    width: int = WIDTH
    height: int = HEIGHT


def draw_ground(ground: Ground, box: Box | None, backdrop: Backdrop) -> Drawing | None:
    """None where neither borders nor a case's position are known. With `box` that part of the map alone, and every
    case of it for itself."""
    pins = [(pin, to_world(at, backdrop)) for pin in ground.pins if (at := _position(pin))]
    grids = [(shape, _rings(shape, backdrop)) for shape in ground.shapes if shape.rings and len(shape.rings[0]) > 2]
    borders = [at for _, rings in grids for at in rings[0]]
    around = [at for _, at in pins] if box and pins else borders or [at for _, at in pins]
    if not around:
        return None
    window = Window.around(around, whole=bool(backdrop.tiles))
    placed = [(pin, window.place(at)) for pin, at in pins]
    seen = [(pin, at) for pin, at in placed if 0 <= at[0] <= WIDTH and 0 <= at[1] <= HEIGHT]
    marks = _spread(seen) if box else _gathered(seen)
    patches = list(_patches(ground, grids, window.place))
    by_area = {patch.area_id: patch for patch in patches}
    heaps = [(heap, by_area[heap.area_id]) for heap in ground.heaps if not heap.own and heap.area_id in by_area]
    drawn = frozenset(pin.id for pin, _ in seen)
    return Drawing(patches, marks, heaps, list(window.tiles(backdrop)), len(patches) <= _NAMED, drawn)


def draw_squares(ground: Ground) -> Squares | None:
    """Until somebody has drawn the grids: a square each, the more cases the darker. None where it says nothing."""
    counts = Counter(pin.area_id for pin in ground.pins) + Counter({heap.area_id: heap.total for heap in ground.heaps})
    if len(ground.shapes) < 2 or not any(counts[shape.id] for shape in ground.shapes):
        return None
    own = ground.view.area.name
    return draw([Shape(shape.id, shape.name.removeprefix(own), ()) for shape in ground.shapes], counts)


def _position(pin: Pin) -> Position | None:
    return None if pin.longitude is None or pin.latitude is None else (pin.longitude, pin.latitude)


def _rings(shape: Shape, backdrop: Backdrop) -> list[list[Position]]:
    return [[to_world((at[0], at[1]), backdrop) for at in ring] for ring in shape.rings]


def _patches(
    ground: Ground, grids: Sequence[tuple[Shape, list[list[Position]]]], place: Callable[[Position], Position]
) -> Iterator[Patch]:
    """Grid by grid; where areas are counted, the grids of each of them together."""
    names = {heap.area_id: heap.name for heap in ground.heaps}
    most = max((heap.total for heap in ground.heaps), default=0)
    totals = {heap.area_id: heap.total for heap in ground.heaps if not heap.own}
    together: dict[int, list[tuple[Shape, list[list[Position]]]]] = {}
    for shape, rings in grids:
        together.setdefault(ground.branch_of[shape.id] if ground.heaps else shape.id, []).append((shape, rings))
    fine = len(grids) <= _FINE
    for area_id, members in together.items():
        drawn = [[place(at) for at in ring] for _, rings in members for ring in rings]
        outer = [place(at) for _, rings in members for at in rings[0]]
        x, y = (round(sum(side) / len(outer), 1) for side in zip(*outer, strict=True))
        name = names.get(area_id, members[0][0].name).removeprefix(ground.view.area.name)
        heat = heat_of(totals.get(area_id, 0), most)
        yield Patch(area_id, name, "".join(_path(ring, fine=fine) for ring in drawn), x, y, heat)


def _path(ring: Sequence[Position], *, fine: bool) -> str:
    """A closed ring; a thousand grids are drawn to whole units, and corners that fall together are one."""
    corners = [f"{x:.1f} {y:.1f}" if fine else f"{x:.0f} {y:.0f}" for x, y in ring]
    kept = [corner for number, corner in enumerate(corners) if number == 0 or corner != corners[number - 1]]
    return "M" + "L".join(kept) + "z"


def _gathered(pins: Sequence[tuple[Pin, Position]]) -> list[Mark]:
    """Cases that would cover each other under one mark, at the first of them: the most pressing lies where it is."""
    groups: list[tuple[Position, list[Pin]]] = []
    for pin, at in pins:
        near = next((group for group in groups if hypot(group[0][0] - at[0], group[0][1] - at[1]) < _NEAR), None)
        if near:
            near[1].append(pin)
        else:
            groups.append((at, [pin]))
    return [Mark(members, *at) for at, members in groups]


def _spread(pins: Sequence[tuple[Pin, Position]]) -> list[Mark]:
    """Each case for itself; those that lie at one place in a spiral around it."""
    marks, taken = list[Mark](), dict[tuple[int, int], int]()
    for pin, (x, y) in pins:
        place = int(x / _APART), int(y / _APART)
        number = taken.get(place, 0)
        taken[place] = number + 1
        away = _APART * sqrt(number)
        marks.append(Mark([pin], round(x + away * cos(number * _TURN), 1), round(y + away * sin(number * _TURN), 1)))
    return marks
