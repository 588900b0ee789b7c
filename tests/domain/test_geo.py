"""Points in polygons, on their edges and in their holes; distances; cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.geo import cell, contains, degrees, distance

# A block of streets in Wuhan with a yard in the middle that belongs to somebody else.
BLOCK = [[114.34, 30.55], [114.36, 30.55], [114.36, 30.57], [114.34, 30.57]]
YARD = [[114.345, 30.555], [114.355, 30.555], [114.355, 30.565], [114.345, 30.565]]
# An arrow-head: its notch points inwards from the left.
NOTCHED = [[114.34, 30.55], [114.36, 30.56], [114.34, 30.57], [114.35, 30.56]]


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((114.342, 30.552), True),
        ((114.350, 30.560), False),  # in the yard
        ((114.345, 30.560), True),  # on the yard's edge
        ((114.34, 30.56), True),  # on the block's edge
        ((114.34, 30.55), True),  # on its corner
        ((114.36, 30.5500001), True),  # a centimetre from the corner, along the edge
        ((114.3399, 30.56), False),
        ((114.33, 30.55), False),  # on the line of an edge, beyond its end
        ((114.35, 30.57001), False),
    ],
)
def test_edges_belong_to_a_polygon_and_holes_do_not(point: tuple[float, float], inside: bool):
    assert contains([BLOCK, YARD], *point) is inside


def test_a_notch_is_outside():
    assert contains([NOTCHED], 114.355, 30.56)
    assert not contains([NOTCHED], 114.345, 30.56)


def test_a_ring_may_repeat_its_first_position_and_turn_either_way():
    for ring in (BLOCK, [*BLOCK, BLOCK[0]], BLOCK[::-1]):
        assert contains([ring], 114.35, 30.56)
        assert not contains([ring], 114.37, 30.56)


def test_an_island_in_a_hole_belongs_again():
    island = [[114.349, 30.559], [114.351, 30.559], [114.351, 30.561], [114.349, 30.561]]
    assert contains([BLOCK, YARD, island], 114.35, 30.56)


def test_no_ring_holds_nothing():
    assert not contains([], 114.35, 30.56)


@given(st.floats(114.30, 114.40), st.floats(30.50, 30.60))
def test_a_box_is_a_box_wherever_the_point_is(x: float, y: float):
    near_edge = min(abs(x - 114.34), abs(x - 114.36), abs(y - 30.55), abs(y - 30.57)) < 1e-6
    if not near_edge:
        assert contains([BLOCK], x, y) == (114.34 < x < 114.36 and 30.55 < y < 30.57)


def test_distances_are_metres_on_the_ground():
    # 黄鹤楼 to 东湖 听涛: about 6.6 km by any map
    assert distance((114.3025, 30.5447), (114.3700, 30.5560)) == pytest.approx(6_590, rel=0.01)
    assert distance((114.3, 30.5), (114.3, 30.5)) == 0
    assert distance((0, 0), (0, 1)) == pytest.approx(111_195, rel=1e-4)


@given(st.floats(10, 2_000), st.floats(18, 53))
def test_a_search_box_holds_everything_within_its_radius(metres: float, latitude: float):
    wide, high = degrees(metres, latitude)
    assert distance((114, latitude), (114 + wide, latitude)) == pytest.approx(metres, rel=0.01)
    assert distance((114, latitude), (114, latitude + high)) == pytest.approx(metres, rel=0.01)


@given(st.floats(73, 135), st.floats(18, 53))
def test_points_of_one_cell_are_near_each_other(x: float, y: float):
    wide, high = degrees(40, y)
    if cell(x, y, 200) == cell(x + wide, y + high, 200):
        assert distance((x, y), (x + wide, y + high)) < 200 * 1.5
    assert cell(x, y, 200) != cell(x + 10 * wide, y, 200), "400 metres away is another cell"
