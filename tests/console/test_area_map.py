"""地图 at the console: marks that lead to their cases, a list that says the same, parts of the map."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

from console.ground import draw_ground, draw_squares
from console.schematic import HEIGHT, WIDTH, Backdrop
from domain.case_map import Box, Ground, Heap, Pace, Pin
from domain.overview import Place, Shape, View
from models.cases import Case
from models.enums import Level, Status
from models.people import Area
from tests.console.conftest import Desk, give_password
from tests.domain.made_cases import random_cases
from tests.town import Town

SQUARE = [[[114.350, 30.550], [114.356, 30.550], [114.356, 30.556], [114.350, 30.556]]]
EAST = [[[114.356, 30.550], [114.362, 30.550], [114.362, 30.556], [114.356, 30.556]]]
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def pin(number: int, pace: Pace, longitude: float | None, latitude: float | None = 30.552) -> Pin:
    """One case there."""
    return Pin(number, f"20261120-{number:04}", "路灯", "", "", 1, Status.DISPOSING, pace, NOW, longitude, latitude)


def ground(pins: list[Pin], heaps: list[Heap] | None = None) -> Ground:
    """Two grids beside each other."""
    view = View([Place(9, "水院社区", Level.COMMUNITY)], [], leads=True)
    shapes = [Shape(1, "水院社区第一网格", SQUARE), Shape(2, "水院社区第二网格", EAST)]
    return Ground(view, shapes, {1: 1, 2: 2}, dict.fromkeys(Pace, 0), pins, heaps or [])


def test_cases_that_lie_together_are_one_mark_as_pressing_as_the_worst_and_each_for_itself_within_their_part():
    together = [pin(1, Pace.CALM, 114.3520), pin(2, Pace.OVERDUE, 114.3520), pin(3, Pace.TODAY, 114.3521)]
    found = ground([*together, pin(4, Pace.URGENT, 114.360), pin(5, Pace.CALM, None), pin(6, Pace.CALM, 0.0, 0.0)])
    drawing = draw_ground(found, None, Backdrop())
    assert drawing
    assert [([one.id for one in mark.pins], mark.pace) for mark in drawing.marks] == [
        ([1, 2, 3], Pace.OVERDUE),
        ([4], Pace.URGENT),
    ]
    assert drawing.drawn == {1, 2, 3, 4}, "neither what has no position nor what lies at the end of the world"
    over_pictures = draw_ground(found, None, Backdrop("https://t/{z}/{x}/{y}"))
    assert over_pictures
    assert over_pictures.tiles
    assert over_pictures.drawn == drawing.drawn
    part = draw_ground(ground(together), drawing.marks[0].box, Backdrop())
    assert part
    assert len({(mark.x, mark.y) for mark in part.marks}) == 3
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in part.marks)


def test_grids_are_named_without_the_area_and_counted_areas_are_darker_the_more_they_have():
    few, many = dict.fromkeys(Pace, 1), dict.fromkeys(Pace, 25)
    drawing = draw_ground(
        ground([], [Heap(1, "第一网格", few, False), Heap(2, "第二网格", many, False)]), None, Backdrop()
    )
    assert drawing
    assert [(patch.name, patch.heat) for patch in drawing.patches] == [("第一网格", 1), ("第二网格", 5)]
    assert [(heap.total, patch.area_id) for heap, patch in drawing.heaps] == [(4, 1), (100, 2)]
    named = draw_ground(ground([pin(1, Pace.CALM, 114.352)]), None, Backdrop())
    assert named
    assert [patch.name for patch in named.patches] == ["第一网格", "第二网格"]


def test_until_the_grids_are_drawn_each_is_a_square_with_its_number():
    found = ground([pin(1, Pace.CALM, None), pin(2, Pace.CALM, None)])
    shapes = [Shape(shape.id, shape.name, []) for shape in found.shapes]
    bare = replace(found, shapes=shapes)
    assert draw_ground(bare, Box(114, 30, 115, 31), Backdrop()) is None
    squares = draw_squares(bare)
    assert squares
    assert [(spot.name, spot.count) for spot in squares.spots] == [("第一网格", 2), ("第二网格", 0)]
    assert draw_squares(replace(bare, shapes=shapes[:1])) is None, "one square says nothing"


async def test_each_mark_and_each_line_leads_to_its_case_and_a_number_to_its_part(town: Town, desk: Desk):
    one, other, third = [case for case in await random_cases(72, 40) if not case.closed_at][:3]
    grid = await Area.get(code="429906001001001")
    await Case.filter(id__not_in=[one.id, other.id, third.id]).delete()
    known = {"grid_id": grid.id, "area_id": grid.id, "status": Status.DISPOSING, "suspended_at": None}
    await Case.filter(id__in=[one.id, other.id, third.id]).update(**known, longitude=114.3512, latitude=30.5512)
    evil = "<script>alert(1)</script>"
    await Case.filter(id=third.id).update(longitude=114.3555, subject=evil, due_at=None, urgency="normal")
    await Case.filter(id__in=[one.id, other.id]).update(due_at=town.clock() - timedelta(hours=1))
    await Area.filter(id=grid.id).update(boundary=SQUARE)
    member = await give_password(town, "李主任")
    await desk.enter(member.code)
    assert "在地图上看" in await desk.open("/cases")
    page = await desk.open("/map")
    assert set(re.findall(r'<li class="(\w+)" data-pin="(\d+)"', page)) >= {("calm", str(third.id))}
    assert f'<a href="/console/cases/{third.id}" tabindex="-1" class="mark calm"' in page
    assert evil not in page
    assert "这里有 2 件，最急的超时" in page
    (part,) = re.findall(r'<a href="/console(/map\?box=[^"]+)" tabindex="-1" class="mark many overdue"', page)
    page = await desk.open(unescape(part))
    assert page.count('class="mark overdue"') == 2
    assert f'data-pin="{third.id}"' not in page
    assert "回到整个" in page
    page = await desk.open("/map?pace=calm")
    assert re.findall(r'data-pin="(\d+)"', page) == [str(third.id)]
    assert "没有这样的未办结事项" in await desk.open("/map?kind=dog.unleashed")
    for broken in ("box=1,2,3", "pace=soon", "area=x"):
        await desk.open(f"/map?{broken}")
        assert desk.status == 400, broken
