"""Access tokens in their two families: `/cgi-bin/token` (a new one per call) and `/cgi-bin/stable_token`."""

import re
import string
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Literal

from simulator.refusals import ApiRefusal

LIFETIME: Final = timedelta(seconds=7200)
OVERLAP: Final = timedelta(minutes=5)
"""How long the old token still works beside the new one; also the last part of a stable token's life."""
FORCED_PER_DAY: Final = 20
FORCED_APART: Final = timedelta(seconds=30)
REMEMBERED: Final = 200
"""Old tokens kept per family, to tell "expired" (42001) from "not latest" (40001)."""

Family = Literal["classic", "stable"]
_ALPHABET = string.ascii_letters + string.digits + "_-"
_SHAPE = re.compile(r"[\w-]{100,512}")


@dataclass(slots=True)
class _Token:
    text: str
    expires: datetime
    """When its two hours are over."""
    dies: datetime
    """When it stops working: at `expires`, or sooner once a newer one replaced it."""


@dataclass(slots=True)
class _Shelf:
    """The tokens of one appid in one family, newest last."""

    tokens: deque[_Token] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    forced: deque[datetime] = field(default_factory=lambda: deque(maxlen=FORCED_PER_DAY))


class TokenBook:
    """Issues and checks tokens. The families are separate: renewing in one kills nothing in the other."""

    def __init__(self, secrets: Mapping[str, str], random: Random) -> None:
        self._secrets = secrets
        self._random = random
        self._shelves: dict[tuple[str, Family], _Shelf] = {}
        self._owners: dict[str, tuple[str, Family]] = {}

    def check_account(self, appid: str, secret: str) -> None:
        """Raises ApiRefusal 40013 for an unknown appid, 40125 for the wrong secret."""
        if appid not in self._secrets:
            raise ApiRefusal(40013)
        if not secret or secret != self._secrets[appid]:
            raise ApiRefusal(40125)

    def issue_classic(self, appid: str, now: datetime) -> dict[str, Any]:
        """A new token; the one before dies within five minutes."""
        shelf = self._shelf(appid, "classic")
        self._retire(shelf, now + OVERLAP)
        return _answer(self._mint(appid, "classic", now), now)

    def issue_stable(self, appid: str, now: datetime, *, force: bool = False) -> dict[str, Any]:
        """The current token until its last five minutes, then a new one beside it. `force` replaces it at
        once, at most 20 times a day and 30 s apart; asked more often, the current one is answered."""
        shelf = self._shelf(appid, "stable")
        current = shelf.tokens[-1] if shelf.tokens else None
        if force and _may_force(shelf, now):
            shelf.forced.append(now)
            self._retire(shelf, now)
            return _answer(self._mint(appid, "stable", now), now)
        if current is None or current.expires - now <= OVERLAP:
            return _answer(self._mint(appid, "stable", now), now)
        return _answer(current, now)

    def check(self, text: str, now: datetime) -> str:
        """The appid a token speaks for. Raises ApiRefusal 41001, 40014, 42001 or 40001."""
        if not text:
            raise ApiRefusal(41001)
        if not _SHAPE.fullmatch(text):
            raise ApiRefusal(40014)
        owner = self._owners.get(text)
        if owner is None:
            raise ApiRefusal(40001)
        token = next(token for token in self._shelves[owner].tokens if token.text == text)
        if now >= token.expires:
            raise ApiRefusal(42001)
        if now >= token.dies:
            raise ApiRefusal(40001)
        return owner[0]

    def expire_all(self, now: datetime) -> None:
        """Make every token run out now, as if two hours had passed (a fault for tests)."""
        for shelf in self._shelves.values():
            for token in shelf.tokens:
                token.expires = min(token.expires, now)
                token.dies = min(token.dies, now)

    def _shelf(self, appid: str, family: Family) -> _Shelf:
        return self._shelves.setdefault((appid, family), _Shelf())

    @staticmethod
    def _retire(shelf: _Shelf, at: datetime) -> None:
        for token in shelf.tokens:
            token.dies = min(token.dies, at)

    def _mint(self, appid: str, family: Family, now: datetime) -> _Token:
        head = f"{self._random.randrange(60, 99)}_"
        text = head + "".join(self._random.choices(_ALPHABET, k=133))
        token = _Token(text, now + LIFETIME, now + LIFETIME)
        self._put(appid, family, token)
        return token

    def _put(self, appid: str, family: Family, token: _Token) -> None:
        tokens = self._shelf(appid, family).tokens
        if len(tokens) == REMEMBERED:
            del self._owners[tokens[0].text]
        tokens.append(token)
        self._owners[token.text] = (appid, family)

    def as_json(self) -> list[list[str]]:
        """For the state file: a bot that kept its token over our restart goes on working."""
        return [
            [appid, family, token.text, token.expires.isoformat(), token.dies.isoformat()]
            for (appid, family), shelf in self._shelves.items()
            for token in shelf.tokens
        ]

    def load(self, stored: list[list[str]]) -> None:
        """What `as_json` wrote."""
        for appid, family, text, expires, dies in stored:
            token = _Token(text, datetime.fromisoformat(expires), datetime.fromisoformat(dies))
            self._put(appid, "stable" if family == "stable" else "classic", token)


def _may_force(shelf: _Shelf, now: datetime) -> bool:
    if shelf.forced and now - shelf.forced[-1] < FORCED_APART:
        return False
    today = [at for at in shelf.forced if now - at < timedelta(days=1)]
    return len(today) < FORCED_PER_DAY


def _answer(token: _Token, now: datetime) -> dict[str, Any]:
    return {"access_token": token.text, "expires_in": int((token.expires - now).total_seconds())}
