"""Codes of the mini-program and of web pages: each works once, for one purpose and for five minutes."""

import base64
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, Literal

from simulator.refusals import ApiRefusal

VALID: Final = timedelta(minutes=5)
KEPT: Final = 10_000

Purpose = Literal["login", "phone", "web", "preview"]
"""wx.login, the phone-number button, a web page inside WeChat, the same in preview mode."""


@dataclass(slots=True)
class _Code:
    purpose: Purpose
    openid: str
    made: datetime
    used: bool = False


class Codes:
    """The codes given out, oldest first; session keys by person."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._codes: OrderedDict[str, _Code] = OrderedDict()

    def make(self, purpose: Purpose, openid: str, now: datetime) -> str:
        """A new code, as wx.login, the phone-number button or the consent page hands it out."""
        code = f"0{self._random.getrandbits(160):040x}"
        self._codes[code] = _Code(purpose, openid, now)
        if len(self._codes) > KEPT:
            self._codes.popitem(last=False)
        return code

    def purpose(self, code: str) -> Purpose | None:
        """What a code was made for; None for one never given out."""
        found = self._codes.get(code)
        return found.purpose if found else None

    def redeem(self, purpose: Purpose, code: str, now: datetime) -> str:
        """Whose code it is. Raises ApiRefusal 40029 (unknown, expired, other purpose) or 40163 (used
        before)."""
        found = self._codes.get(code)
        if found is None or found.purpose != purpose or now - found.made >= VALID:
            raise ApiRefusal(40029)
        if found.used:
            raise ApiRefusal(40163)
        found.used = True
        return found.openid

    def session_key(self) -> str:
        """A new session key: base64 of 16 bytes."""
        return base64.b64encode(self._random.randbytes(16)).decode()
