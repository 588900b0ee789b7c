"""QR codes on the stairwell wall: whoever scans one follows the account and is known to live in that grid."""

import io
import re

import segno

from bot.api import QrCode, WeChatApi
from errors import BadRequest

SCENE_BYTES = 64
_PREFIX = "grid:"
_CODE = re.compile(r"[0-9A-Za-z_.-]+")


def grid_scene(grid_code: str) -> str:
    """The scene string of a grid's QR code, at most 64 characters as WeChat asks. Raises BadRequest."""
    scene = f"{_PREFIX}{grid_code}"
    if not _CODE.fullmatch(grid_code) or len(scene) > SCENE_BYTES:
        raise BadRequest(f"grid code {grid_code!r}: letters, digits, . _ -, at most {SCENE_BYTES - len(_PREFIX)}")
    return scene


def grid_of(scene: str | None) -> str | None:
    """The grid code in a scanned scene; None for a scene that is not a grid's."""
    code = (scene or "").removeprefix(_PREFIX)
    return code if scene and scene.startswith(_PREFIX) and _CODE.fullmatch(code) else None


async def create_grid_qrcode(api: WeChatApi, grid_code: str) -> QrCode:
    """A permanent QR code for a grid. An account has 100,000 of them; asking again for the same grid gives
    the same one. Raises BadRequest, WeChatError, WeChatUnreachable."""
    return await api.create_qrcode(grid_scene(grid_code), permanent=True)


def poster_svg(qrcode: QrCode) -> bytes:
    """The code as a drawing of any size, for print: the same address the platform's own picture holds. Its
    high error correction forgives a scratched wall."""
    out = io.BytesIO()
    segno.make(qrcode.url, error="h", micro=False).save(out, kind="svg", scale=10, border=4)
    return out.getvalue()
