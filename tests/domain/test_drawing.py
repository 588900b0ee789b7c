"""Charts as pictures: what they show can be read off the pixels."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from domain import drawing
from domain.drawing import bar_chart, clean, wrap
from errors import Unavailable


def _opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    assert image.format == "PNG"
    return image.convert("RGB")


def _coloured(image: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """How many pixels of the colour each row has, rows without any left out."""
    width, height = image.size
    counts = [sum(image.getpixel((x, y)) == colour for x in range(width)) for y in range(height)]
    return [count for count in counts if count]


_BAR = (0x0F, 0x76, 0x6E)


def test_bars_are_as_long_as_their_shares():
    image = _opened(bar_chart("晚上出入方便吗", [("方便", 30, 0.75), ("不方便", 10, 0.25)], "40 户回答"))
    rows = _coloured(image, _BAR)
    assert image.width == 750
    assert max(rows) == pytest.approx(3 * rows[-5], rel=0.02)


def test_nothing_is_drawn_for_nobody_and_no_bar_leaves_the_picture():
    assert _coloured(_opened(bar_chart("没人回答", [("方便", 0, 0.0)])), _BAR) == []
    assert max(_coloured(_opened(bar_chart("坏数据", [("方便", 9, 9.0)])), _BAR)) < 600


def test_chinese_letters_are_letters_and_not_empty_boxes():
    faces = {
        drawing.typeface(40).getmask(char).getbbox() and bytes(drawing.typeface(40).getmask(char))
        for char in "邻里社区"
    }
    assert len(faces) == 4


def test_long_titles_wrap_and_are_cut_and_what_no_font_shows_is_left_out():
    lines = wrap("志愿服务" * 60, 30, 600, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert all(drawing.typeface(30).getlength(line) <= 600 for line in lines)
    assert clean("张\u202e三\n👻 好\x00") == "张三 好"


def test_without_any_font_it_says_what_to_install():
    with pytest.raises(Unavailable, match="fonts-noto-cjk"):
        drawing.find_font("no_such_wheel", (("/nowhere/font.ttc", 0),))
