"""Faults on purpose: what goes wrong on the account's API calls and on the way of pushes to its callback.

Settable at run time, by code and from the page; the default is a platform without faults.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from errors import BadRequest

ApiKind = Literal["errcode", "http_500", "garbage", "hang", "slow", "reset", "reset_after"]
API_KINDS: Final[tuple[ApiKind, ...]] = (
    "errcode",
    "http_500",
    "garbage",
    "hang",
    "slow",
    "reset",
    "reset_after",
)
MOST_RULES: Final = 50

MARK_FAIL_AFTER: Final = 5
"""Failed pushes within a minute that stop the pushes (assumption: WeChat does not tell the number)."""
MARK_FAIL_WINDOW: Final = timedelta(minutes=1)
MARK_FAIL_PAUSE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class ApiFault:
    """What happens to calls of one path.

    errcode: refused with it. http_500, garbage: an answer no client can read. hang: no answer for `seconds`,
    then cut. slow: a right answer after `seconds`. reset: cut before anything was done. reset_after: done,
    then cut.
    """

    kind: ApiKind
    path: str = "*"
    """The path below the API base, e.g. /cgi-bin/message/custom/send; "*" is every path."""
    errcode: int = -1
    errmsg: str = ""
    seconds: float = 30.0
    left: int | None = None
    """How many more calls; None is always."""


@dataclass(slots=True)
class Faults:
    """All switches of one platform."""

    api: deque[ApiFault]
    duplicates: int = 1
    """How often each push is sent in all; every copy has its own tries."""
    duplicate_spacing: float = 0.0
    """Seconds between the copies; 0 sends them at once."""
    reorder: bool = False
    """Every other push waits until a later one has been answered."""
    reorder_wait: float = 2.0
    """Longest wait for a later push, seconds."""
    control_characters: bool = False
    """Raw control characters inside the texts, as phones do send."""
    drop_answers: int = 0
    """So many of the next answers are treated as not come in time, hence asked for again; -1 is all."""
    template_status: str = "success"
    """How template jobs end: success, `failed:user block`, `failed: system failed`."""
    mass_status: str = "send success"
    """How mass sends end: send success, send fail, `err(20001)` …"""
    mark_fail: bool = False
    """Pushes stop for a minute after several failures, as on WeChat. Off for replay."""

    def __init__(self) -> None:
        self.api = deque(maxlen=MOST_RULES)
        self.reset()

    def reset(self) -> None:
        """No faults any more."""
        self.api.clear()
        for switch in fields(self):
            if switch.name != "api":
                setattr(self, switch.name, switch.default)

    def fail_api(self, kind: ApiKind, path: str = "*", **details: Any) -> ApiFault:
        """Add a rule; the first matching rule counts. `details`: errcode, errmsg, seconds, left."""
        fault = ApiFault(kind, path, **details)
        self.api.append(fault)
        return fault

    def take_api(self, path: str) -> ApiFault | None:
        """The fault for this call, used up by one."""
        for fault in self.api:
            if fault.path in ("*", path):
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self.api.remove(fault)
                return fault
        return None

    def take_dropped_answer(self) -> bool:
        """Whether the answer just read counts as not come."""
        if self.drop_answers == 0:
            return False
        if self.drop_answers > 0:
            self.drop_answers -= 1
        return True

    def as_json(self) -> dict[str, Any]:
        """All switches, for the page."""
        plain = {switch.name: getattr(self, switch.name) for switch in fields(self) if switch.name != "api"}
        return plain | {"api": [asdict(fault) for fault in self.api]}

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Set switches from the page. `api` replaces the rules. Raises BadRequest for anything unknown."""
        switches = {switch.name: switch.default for switch in fields(self) if switch.name != "api"}
        for name, value in wanted.items():
            if name == "api":
                self._replace_rules(value)
            elif name not in switches or not _same_type(value, switches[name]):
                raise BadRequest(f"fault {name}={value!r}")
            else:
                setattr(self, name, value)

    def _replace_rules(self, rules: Any) -> None:
        if not isinstance(rules, list) or len(rules) > MOST_RULES:
            raise BadRequest("faults: api is a list of rules")
        try:
            fresh = [ApiFault(**rule) for rule in rules]
        except TypeError as error:
            raise BadRequest(str(error)) from error
        if any(fault.kind not in API_KINDS for fault in fresh):
            raise BadRequest("faults: unknown kind")
        self.api.clear()
        self.api.extend(fresh)


class Overtaking:
    """Lets pushes overtake each other: the first of two waits for the second to be answered."""

    def __init__(self) -> None:
        self._waiting: asyncio.Event | None = None

    async def enter(self, longest: float) -> asyncio.Event | None:
        """Wait when nobody waits yet. Otherwise return the event to set once this push has been answered."""
        if self._waiting is not None:
            overtaken, self._waiting = self._waiting, None
            return overtaken
        mine = self._waiting = asyncio.Event()
        try:
            async with asyncio.timeout(longest):
                await mine.wait()
        except TimeoutError:
            if self._waiting is mine:
                self._waiting = None
        return None


class MarkFail:
    """Counts failed pushes and says whether pushes are stopped."""

    def __init__(self) -> None:
        self._failures: deque[datetime] = deque(maxlen=MARK_FAIL_AFTER)
        self._until: datetime | None = None

    def stopped(self, now: datetime) -> bool:
        """Whether pushes are lost at this moment."""
        return self._until is not None and now < self._until

    def note_failure(self, now: datetime) -> None:
        """A push failed for good."""
        self._failures.append(now)
        if len(self._failures) == MARK_FAIL_AFTER and now - self._failures[0] <= MARK_FAIL_WINDOW:
            self._until = now + MARK_FAIL_PAUSE
            self._failures.clear()


def _same_type(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    return isinstance(value, int | float) if isinstance(default, int | float) else isinstance(value, str)
