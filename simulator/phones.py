"""The phones: who follows the account, and everything their chat with it shows."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from simulator.config import Person

HISTORY = 500
"""Bubbles kept per phone; older ones scroll out for good."""
SHOWN = 12
"""Phones the page shows side by side; replay's thousands of residents stay in the background."""

Source = Literal["user", "reply", "kf", "template", "subscription", "mass", "system"]
PUSHED: frozenset[Source] = frozenset({"kf", "template", "subscription", "mass"})


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A tappable line of a message menu, or a tap inside a text."""

    label: str
    tap: int
    content: str = ""
    """What the tap sends; the label when empty."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing a chat shows. Direction "in" goes to the account, "out" comes from it, "system" is the
    client's own."""

    at: datetime
    direction: Literal["in", "out", "system"]
    source: Source
    kind: str
    """text, image, voice, video, location, link, event, menu, card, news, music, miniprogram, notice,
    fault."""
    text: str = ""
    menu: tuple[MenuItem, ...] = ()
    tail: str = ""
    """Text under a menu."""
    media_id: str = ""
    title: str = ""
    url: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    """Labelled lines of a card."""
    seconds: int = 0
    note: str = ""
    """What the platform knows and the user does not see, e.g. how many tries a push took."""
    number: int = 0
    """Counts up within one phone from 1."""

    def as_json(self) -> dict[str, Any]:
        """For the page and the state file."""
        plain = asdict(self)
        return {key: value for key, value in plain.items() if value or key == "text"} | {"at": self.at.isoformat()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Bubble":
        """The bubble that `as_json` wrote."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in stored.items() if key in known}
        values["at"] = datetime.fromisoformat(stored["at"])
        values["menu"] = tuple(MenuItem(**item) for item in stored.get("menu", ()))
        values["rows"] = tuple((str(row[0]), str(row[1])) for row in stored.get("rows", ()))
        return cls(**values)


@dataclass(slots=True)
class Phone:
    """One person's WeChat, as far as this account is concerned."""

    openid: str
    name: str
    role: str
    following: bool = True
    shown: bool = False
    subscribed_at: datetime | None = None
    scene: str = ""
    """The QR scene that brought the person, for user/info."""
    blocks_templates: bool = False
    """Refuses template messages: the job ends with `failed:user block`."""
    interacted_at: datetime | None = None
    visited_at: datetime | None = None
    """When it last had the mini-program open."""
    typing_until: datetime | None = None
    bubbles: deque[Bubble] = field(default_factory=lambda: deque(maxlen=HISTORY))
    last_number: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the state file."""
        return {
            "openid": self.openid,
            "name": self.name,
            "role": self.role,
            "following": self.following,
            "shown": self.shown,
            "subscribed_at": self.subscribed_at.isoformat() if self.subscribed_at else None,
            "scene": self.scene,
            "blocks_templates": self.blocks_templates,
            "last_number": self.last_number,
            "bubbles": [bubble.as_json() for bubble in self.bubbles],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Phone":
        """The phone that `as_json` wrote."""
        plain = {key: stored[key] for key in ("openid", "name", "role", "following", "shown", "scene")}
        phone = cls(**plain, blocks_templates=stored["blocks_templates"], last_number=stored["last_number"])
        if stored["subscribed_at"]:
            phone.subscribed_at = datetime.fromisoformat(stored["subscribed_at"])
        phone.bubbles.extend(Bubble.from_json(bubble) for bubble in stored["bubbles"])
        return phone


class Phones:
    """All phones of one platform by openid, in the order they appeared."""

    def __init__(self) -> None:
        self._phones: dict[str, Phone] = {}

    def __iter__(self) -> Iterator[Phone]:
        return iter(self._phones.values())

    def find(self, openid: str) -> Phone | None:
        """The phone, or None for an openid of another account."""
        return self._phones.get(openid)

    def add(self, person: Person, now: datetime, *, shown: bool, following: bool = True) -> Phone:
        """A new phone; most follow the account already."""
        since = now if following else None
        return self.put(Phone(person.openid, person.name, person.role, following, shown, since))

    def put(self, phone: Phone) -> Phone:
        """Keep a phone, e.g. one read from the state file."""
        self._phones[phone.openid] = phone
        return phone

    def on_page(self) -> list[Phone]:
        """What the page shows, oldest first."""
        return [phone for phone in self if phone.shown][:SHOWN]
