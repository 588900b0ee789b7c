"""Maps without a map server: borders and points, with or without pictures behind them."""

from __future__ import annotations

from console.schematic import HEIGHT, WIDTH, Backdrop, draw

OFFLINE = Backdrop()
SQUARE = [[[114.350, 30.550], [114.356, 30.550], [114.356, 30.556], [114.350, 30.556]]]
EAST = [[[114.356, 30.550], [114.362, 30.550], [114.362, 30.556], [114.356, 30.556]]]


def corners(path: str) -> list[tuple[float, float]]:
    """The corners of a drawn border."""
    numbers = [float(word.strip("MLZ")) for word in path.split() if word.strip("MLZ")]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_north_is_up_and_the_grid_that_is_meant_fills_the_picture():
    drawing = draw([("一", SQUARE, True), ("二", EAST, False)], (114.352, 30.5545), OFFLINE)
    assert drawing
    own, east = drawing.shapes
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners(own.path))
    assert min(x for x, _ in corners(east.path)) == max(x for x, _ in corners(own.path))
    assert corners(own.path)[0][1] > corners(own.path)[2][1], "its southern edge is below its northern one"
    assert drawing.point
    assert drawing.point[0] < own.x
    assert drawing.point[1] < own.y
    assert drawing.tiles == []


def test_without_borders_a_point_has_something_around_it_and_without_a_point_there_is_nothing():
    drawing = draw([("一", [], True)], (114.352, 30.552), OFFLINE)
    assert drawing
    assert drawing.point == (WIDTH / 2, HEIGHT / 2)
    assert draw([("一", [], True)], None, OFFLINE) is None


def test_map_pictures_cover_it_all_at_a_size_there_is_and_each_has_its_own_address():
    drawing = draw([("一", SQUARE, True)], None, Backdrop("https://tiles.example/{z}/{x}/{y}.png"))
    assert drawing
    assert len({tile.address for tile in drawing.tiles}) == len(drawing.tiles) >= 6
    assert min(tile.x for tile in drawing.tiles) <= 0
    assert max(tile.x + tile.side for tile in drawing.tiles) >= WIDTH
    assert min(tile.y for tile in drawing.tiles) <= 0
    assert max(tile.y + tile.side for tile in drawing.tiles) >= HEIGHT
    zooms = {tile.address.split("/")[3] for tile in drawing.tiles}
    assert len(zooms) == 1


def test_pictures_in_the_other_datum_move_the_border_by_some_hundred_metres():
    ours = draw([("一", SQUARE, True)], None, Backdrop("https://t/{z}/{x}/{y}", "gcj02"))
    theirs = draw([("一", SQUARE, True)], None, Backdrop("https://t/{z}/{x}/{y}", "wgs84"))
    assert ours
    assert theirs
    assert [tile.x for tile in ours.tiles] != [tile.x for tile in theirs.tiles]
