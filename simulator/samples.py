"""Small media for phones that have no camera: drawn photos, a silent voice message, an empty video."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

FOLDER: Final = Path(__file__).with_name("samples")

PHOTOS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "streetlight": "楼道灯坏了",
        "garbage": "垃圾满溢",
        "pothole": "路面坑洼",
        "repaired": "已修好",
    }
)
"""Sample photos by file name, with what they show."""

_AMR_SILENCE: Final = bytes([0x04]) + bytes(12)
"""One AMR frame (4.75 kbit/s, 20 ms)."""
EMPTY_VIDEO: Final = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat"


def photo(name: str) -> bytes:
    """A sample photo as PNG. Raises KeyError for a name that is none."""
    if name not in PHOTOS:
        raise KeyError(name)
    return (FOLDER / f"{name}.png").read_bytes()


def voice(seconds: int) -> bytes:
    """A silent voice message in AMR, as phones record it."""
    return b"#!AMR\n" + _AMR_SILENCE * (50 * seconds)


def of_kind(kind: str, seconds: int) -> bytes:
    """A medium for a message type, when the sender gives none."""
    if kind == "voice":
        return voice(seconds)
    return EMPTY_VIDEO if "video" in kind else photo("streetlight")
