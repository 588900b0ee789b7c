"""The two systems of coordinates: GCJ-02, in which WeChat and all of ours are, and WGS 84, the rest of the world's.

In China they lie 100 to 700 metres apart: a lamp-post would stand in another grid.
"""

from __future__ import annotations

from collections.abc import Callable

import prcoords

_CHINA = (0.83, 55.83, 72.0, 137.85)  # south, north, west, east: where the two differ


def to_gcj(latitude: float, longitude: float) -> tuple[float, float]:
    """(latitude, longitude) in GCJ-02 of a point in WGS 84."""
    return _turned(prcoords.wgs_gcj, latitude, longitude)


def to_wgs(latitude: float, longitude: float) -> tuple[float, float]:
    """(latitude, longitude) in WGS 84 of a point in GCJ-02, exact to a centimetre."""
    return _turned(prcoords.gcj_wgs_bored, latitude, longitude)


def _turned(turn: Callable[..., tuple[float, float]], latitude: float, longitude: float) -> tuple[float, float]:
    south, north, west, east = _CHINA
    if not (south < latitude < north and west < longitude < east):
        return latitude, longitude
    turned = turn((latitude, longitude), check_china=False)
    return float(turned[0]), float(turned[1])
