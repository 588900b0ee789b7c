"""Pictures are drawn anew in a process of its own that needs little, whatever the file claims."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import domain.pictures as pictures

MOST_MEMORY = 256  # MB
PROGRAM = Path(pictures.__file__)

# Started by a small process: Linux counts what the starter had as the started one's.
_MEASURE = """
import os, subprocess, sys
started = subprocess.Popen([sys.executable, "-I", *sys.argv[1:]], stdout=subprocess.PIPE, env={})
said = started.stdout.read().decode()
_, status, used = os.wait4(started.pid, 0)
print(status, used.ru_maxrss // 1024, said)
"""


def drawn(kind: str, source: Path) -> tuple[int, int, dict[str, object]]:
    """(exit status, MB used, what it said)."""
    command = [sys.executable, "-c", _MEASURE, str(PROGRAM), kind, str(source), str(source.with_suffix(".out"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, used, said = done.stdout.split(" ", 2)
    return int(status), int(used), json.loads(said)


@pytest.mark.parametrize(
    ("kind", "mode", "size", "more"),
    [
        ("PNG", "RGBA", (4096, 3072), {"compress_level": 1}),
        ("WEBP", "RGBA", (4096, 3072), {"method": 0, "quality": 10}),
        ("GIF", "P", (4096, 3072), {}),
        ("JPEG", "RGB", (8000, 6000), {"progressive": True}),
    ],
)
def test_the_largest_pictures_that_are_taken_need_little_memory(
    tmp_path: Path, kind: str, mode: str, size: tuple[int, int], more: dict[str, object]
):
    source = tmp_path / "large"
    Image.new(mode, size).save(source, kind, **more)
    status, used, said = drawn(kind, source)
    assert (status, set(said)) == (0, {"width", "height"})
    assert used <= MOST_MEMORY


@pytest.mark.parametrize(("kind", "most"), list(pictures.MOST_PIXELS.items()))
def test_a_pixel_more_than_that_is_refused_before_it_is_decoded(tmp_path: Path, kind: str, most: int):
    source = tmp_path / "bomb"
    Image.new("L", (12_000, most // 12_000 + 1)).save(source, kind)
    status, used, said = drawn(kind, source)
    assert (status, said) == (0, {"refused": "bomb"})
    assert used <= 64


def test_a_file_of_another_format_than_it_was_told_by_is_broken(tmp_path: Path):
    source = tmp_path / "picture"
    Image.new("RGB", (8, 8)).save(source, "PNG")
    assert drawn("JPEG", source)[2] == {"refused": "broken"}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_way_to_store_colours_is_drawn(tmp_path: Path, mode: str):
    source = tmp_path / "picture"
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (9, 7)).save(source, kind)
    assert drawn(kind, source)[2] == {"width": 9, "height": 7}
    with Image.open(source.with_suffix(".out")) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (9, 7))
