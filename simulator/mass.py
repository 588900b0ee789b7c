"""群发: which mass sends there were, and who may still get one: four a month a person, one a day to everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.calls import CHINA
from simulator.refusals import ApiRefusal

PER_MONTH: Final = 4
"""Mass sends a person gets in a calendar month; what is more is left out without a word."""
ALL_PER_DAY: Final = 1
REMEMBERED: Final = timedelta(hours=24)
"""How long a clientmsgid guards against sending twice."""
RETRY_AFTER: Final = timedelta(minutes=1)
"""A known clientmsgid is told so from then on; before, one comes too fast."""


@dataclass(slots=True)
class MassSend:
    """One mass send the platform took."""

    msg_id: int
    data_id: int
    at: datetime
    client_id: str = ""
    to_all: bool = False
    status: str = "SEND_SUCCESS"
    asked_at: datetime | None = None
    """When its clientmsgid was last used."""


class KnownClientId(ApiRefusal):
    """The same clientmsgid was taken before; the answer says as which message."""

    def __init__(self, known: MassSend) -> None:
        super().__init__(45065)
        self.known = known


class MassBook:
    """All mass sends of one account."""

    def __init__(self) -> None:
        self._sends: dict[int, MassSend] = {}
        self._month = ""
        self._received: Counter[str] = Counter()

    def check_client_id(self, client_id: str, now: datetime) -> None:
        """Raises ApiRefusal 45066 within a minute of the same id's last use, KnownClientId (45065) within a day."""
        for known in reversed(self._sends.values()):
            if client_id and known.client_id == client_id and now - known.at < REMEMBERED:
                asked, known.asked_at = known.asked_at or known.at, now
                raise ApiRefusal(45066) if now - asked < RETRY_AFTER else KnownClientId(known)

    def check_all(self, now: datetime) -> None:
        """May there be one more to everybody? Raises ApiRefusal 45028."""
        today = now.astimezone(CHINA)
        all_ = [send.at.astimezone(CHINA) for send in self._sends.values() if send.to_all]
        month = [at for at in all_ if (at.year, at.month) == (today.year, today.month)]
        if len(month) >= PER_MONTH or sum(at.date() == today.date() for at in month) >= ALL_PER_DAY:
            raise ApiRefusal(45028)

    def receivers(self, openids: Iterable[str], now: datetime) -> list[str]:
        """Those who have not had their four of this month, counted as getting this one."""
        month = f"{now.astimezone(CHINA):%Y-%m}"
        if month != self._month:
            self._month = month
            self._received.clear()
        found = [openid for openid in dict.fromkeys(openids) if self._received[openid] < PER_MONTH]
        self._received.update(found)
        return found

    def note(self, send: MassSend) -> None:
        """Keep what was taken."""
        self._sends[send.msg_id] = send

    def get(self, msg_id: object) -> MassSend:
        """Raises ApiRefusal 40059 for an id the account has not sent."""
        send = self._sends.get(int(msg_id)) if isinstance(msg_id, int | str) and str(msg_id).isdecimal() else None
        if send is None:
            raise ApiRefusal(40059)
        return send

    def as_json(self) -> dict[str, Any]:
        """For the state file."""
        sends = [asdict(send) for send in self._sends.values()]
        return {"sends": sends, "month": self._month, "received": dict(self._received)}

    def load(self, stored: dict[str, Any]) -> None:
        """What `as_json` wrote."""
        for plain in stored.get("sends", ()):
            asked = plain["asked_at"]
            times = {"at": datetime.fromisoformat(plain["at"])}
            self.note(MassSend(**plain | times | {"asked_at": datetime.fromisoformat(asked) if asked else None}))
        self._month = stored.get("month", "")
        self._received.update(stored.get("received", {}))
