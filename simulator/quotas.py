"""How many customer-service messages the account may still send to a person, per trigger and window."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from simulator.refusals import ApiRefusal


class Trigger(StrEnum):
    """What opens a window. A tapped message menu opens `click`, not `message`."""

    MESSAGE = "message"
    CLICK = "click"
    FOLLOW = "follow"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many messages for so long."""

    count: int
    valid: timedelta


ALLOWANCES: Final = {
    Trigger.MESSAGE: Allowance(5, timedelta(hours=48)),
    Trigger.CLICK: Allowance(3, timedelta(minutes=1)),
    Trigger.FOLLOW: Allowance(3, timedelta(minutes=1)),
    Trigger.SCAN: Allowance(3, timedelta(minutes=1)),
}


@dataclass(slots=True)
class _Window:
    closes: datetime
    left: int


class QuotaLedger:
    """Open windows by person. Each trigger has its own; the same trigger again starts its window afresh."""

    def __init__(self) -> None:
        self._windows: dict[str, dict[Trigger, _Window]] = {}

    def open(self, openid: str, trigger: Trigger, now: datetime) -> None:
        """Start or restart the trigger's window."""
        allowance = ALLOWANCES[trigger]
        self._windows.setdefault(openid, {})[trigger] = _Window(now + allowance.valid, allowance.count)

    def close(self, openid: str) -> None:
        """The person no longer follows: nothing may be sent."""
        self._windows.pop(openid, None)

    def left(self, openid: str, now: datetime) -> int:
        """How many messages may be sent at this moment."""
        return sum(window.left for window in self._open_windows(openid, now))

    def next_close(self, openid: str, now: datetime) -> float | None:
        """Seconds until a window closes and `left` falls by itself; None with no window open."""
        closes = [window.closes for window in self._open_windows(openid, now)]
        return (min(closes) - now).total_seconds() if closes else None

    def spend(self, openid: str, now: datetime) -> None:
        """Take one message. Raises ApiRefusal 45015 with no window open, 45047 when the open ones are used
        up.

        Assumption: the window that closes first is used first; at the very end of its time a window is
        closed.
        """
        windows = self._open_windows(openid, now)
        if not windows:
            raise ApiRefusal(45015)
        usable = [window for window in windows if window.left > 0]
        if not usable:
            raise ApiRefusal(45047)
        min(usable, key=lambda window: window.closes).left -= 1

    def _open_windows(self, openid: str, now: datetime) -> list[_Window]:
        return [window for window in self._windows.get(openid, {}).values() if now < window.closes]

    def as_json(self) -> dict[str, dict[str, list[str | int]]]:
        """For the state file."""
        return {
            openid: {trigger.value: [window.closes.isoformat(), window.left] for trigger, window in windows.items()}
            for openid, windows in self._windows.items()
        }

    def load(self, stored: dict[str, dict[str, list[str | int]]]) -> None:
        """What `as_json` wrote."""
        for openid, windows in stored.items():
            self._windows[openid] = {
                Trigger(trigger): _Window(datetime.fromisoformat(str(closes)), int(left))
                for trigger, (closes, left) in windows.items()
            }
