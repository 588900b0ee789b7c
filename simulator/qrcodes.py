"""QR codes with a scene: made by `/cgi-bin/qrcode/create`, drawn by showqrcode, scanned by phones."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import segno

from simulator.refusals import ApiRefusal

LONGEST: Final = 2_592_000
DEFAULT_SECONDS: Final = 60
PERMANENT: Final = 100_000
KEPT_TEMPORARY: Final = 1_000
"""Temporary codes remembered; the oldest go first (assumption: WeChat keeps them until they expire)."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code that was made. `expires` is None for permanent ones."""

    scene: str
    ticket: str
    url: str
    expires: datetime | None

    def alive(self, now: datetime) -> bool:
        """Whether scanning it still does something."""
        return self.expires is None or now < self.expires


class QrCodes:
    """The account's codes by ticket."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._codes: dict[str, QrCode] = {}

    def create(self, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """A code for the scene asked for. Raises ApiRefusal 40053 for scenes and times outside the limits."""
        action = body.get("action_name")
        scene = _scene(body)
        if action in ("QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"):
            return self._permanent(scene)
        seconds = body.get("expire_seconds", DEFAULT_SECONDS)
        if not isinstance(seconds, int) or not 1 <= seconds <= LONGEST:
            raise ApiRefusal(40053)
        self._forget_oldest()
        code = self._make(scene, now + timedelta(seconds=seconds))
        return {"ticket": code.ticket, "expire_seconds": seconds, "url": code.url}

    def find(self, ticket: str) -> QrCode | None:
        """The code of a ticket, or None."""
        return self._codes.get(ticket)

    def for_scene(self, scene: str, now: datetime) -> QrCode | None:
        """The newest living code with this scene, or None."""
        return next((code for code in self.alive(now) if code.scene == scene), None)

    def alive(self, now: datetime) -> list[QrCode]:
        """Codes that still work, newest first."""
        return [code for code in reversed(self._codes.values()) if code.alive(now)]

    def _permanent(self, scene: str) -> dict[str, Any]:
        permanent = [code for code in self._codes.values() if code.expires is None]
        # Assumption: asking again for a permanent scene gives the same code.
        code = next((code for code in permanent if code.scene == scene), None)
        if code is None:
            if len(permanent) >= PERMANENT:
                raise ApiRefusal(45029)
            code = self._make(scene, None)
        return {"ticket": code.ticket, "url": code.url}

    def _make(self, scene: str, expires: datetime | None) -> QrCode:
        # Real tickets are base64 of random bytes; they may hold "+" and "/" and must be URL-encoded by
        # callers.
        ticket = "gQ" + base64.b64encode(self._random.randbytes(70)).decode()
        short = base64.urlsafe_b64encode(self._random.randbytes(16)).decode().rstrip("=")
        code = QrCode(scene, ticket, f"http://weixin.qq.com/q/{short}", expires)
        self._codes[ticket] = code
        return code

    def _forget_oldest(self) -> None:
        temporary = [code.ticket for code in self._codes.values() if code.expires is not None]
        for ticket in temporary[: max(0, len(temporary) - KEPT_TEMPORARY + 1)]:
            del self._codes[ticket]

    def as_json(self) -> list[list[str | None]]:
        """For the state file."""
        return [
            [code.scene, code.ticket, code.url, code.expires.isoformat() if code.expires else None]
            for code in self._codes.values()
        ]

    def load(self, stored: list[list[Any]]) -> None:
        """What `as_json` wrote."""
        for scene, ticket, url, expires in stored:
            until = datetime.fromisoformat(expires) if expires else None
            self._codes[ticket] = QrCode(scene, ticket, url, until)


def draw(code: QrCode) -> bytes:
    """The code as a PNG (WeChat draws a JPEG of 430 pixels)."""
    image = io.BytesIO()
    segno.make(code.url, error="m", micro=False).save(image, kind="png", scale=8, border=4)
    return image.getvalue()


def _scene(body: Mapping[str, Any]) -> str:
    """The scene as text. Raises ApiRefusal 40053."""
    action = str(body.get("action_name"))
    info = body.get("action_info")
    scene = info.get("scene") if isinstance(info, Mapping) else None
    if not isinstance(scene, Mapping):
        raise ApiRefusal(40053)
    if action in ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE"):
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= 64:
            raise ApiRefusal(40053)
        return text
    highest = {"QR_SCENE": 2**32 - 1, "QR_LIMIT_SCENE": PERMANENT}.get(action, 0)
    number = scene.get("scene_id")
    if not isinstance(number, int) or not 1 <= number <= highest:
        raise ApiRefusal(40053)
    return str(number)
