"""Template messages and subscription notices: which templates exist, what their keywords take, who
consented."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from simulator.refusals import ApiRefusal

TEMPLATES: Final = Path(__file__).with_name("templates.toml")
REENTRY: Final = timedelta(minutes=10)
"""How long a client_msg_id guards against sending twice."""

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇"
_CLOCK = r"\d{1,2}:\d{2}(:\d{2})?"
_DAY = r"\d{4}(年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\.\d{1,2}\.\d{1,2})"


def _pattern(expression: str) -> Callable[[str], bool]:
    compiled = re.compile(expression)
    return lambda value: compiled.fullmatch(value) is not None


def _thing(value: str) -> bool:
    return len(value) <= 20


def _name(value: str) -> bool:
    limit = 10 if re.search(f"[{_HAN}]", value) else 20
    return len(value) <= limit and not re.search(r"\d", value)


def _symbol(value: str) -> bool:
    return len(value) <= 5 and not any(c.isalnum() or not c.isprintable() for c in value)


_RANGE = rf"((({_DAY})\s?)?{_CLOCK})"
_DATE = rf"({_DAY}(\s?{_CLOCK})?)"
CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "thing": _thing,
    "number": _pattern(r"(?=.{1,32}$)[+-]?\d+(\.\d+)?"),
    "letter": _pattern(r"[A-Za-z]{1,32}"),
    "symbol": _symbol,
    "character_string": _pattern(r"[\x21-\x7e ]{1,32}"),
    "time": _pattern(rf"{_RANGE}(\s?~\s?{_RANGE})?"),
    "date": _pattern(rf"{_DATE}(\s?~\s?{_DATE})?"),
    "amount": _pattern(r"[¥￥$€£]?\d{1,10}(\.\d+)?元?"),
    "phone_number": _pattern(r"[\d+\-() ]{1,17}"),
    "car_number": _pattern(rf"(?=.{{1,8}}$)[{_HAN}A-Z0-9][A-Z0-9·]*[{_HAN}A-Z0-9]?"),
    "name": _name,
    "phrase": _pattern(rf"[{_HAN}]{{1,5}}"),
}
"""Whether a value fits a keyword type. Types without a documented limit (short_thing, const …) take what
`thing` takes."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the account with its keywords (key and label) in order."""

    template_id: str
    title: str
    keywords: tuple[tuple[str, str], ...]
    long_term: bool = False

    def fill(self, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """The card's rows from a call's `data`. Keys the template has not (first, remark) are dropped
        silently, text after a line break is cut. Raises ApiRefusal 47003 naming the keyword."""
        return tuple((label, self._value(key, data.get(key))) for key, label in self.keywords)

    @staticmethod
    def _value(key: str, given: Any) -> str:
        value = given.get("value", "") if isinstance(given, Mapping) else ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ApiRefusal(47001)
        text = str(value).split("\n", 1)[0].strip()
        if not text:
            raise ApiRefusal(47003, f"argument invalid! data.{key}.value is empty")
        if not CHECKS.get(key.rstrip("0123456789"), _thing)(text):
            raise ApiRefusal(47003, f"argument invalid! data.{key}.value invalid")
        return text


class Catalogue:
    """The account's templates, of one kind. Ids are not interchangeable between the kinds."""

    def __init__(self, kind: str, source: Path = TEMPLATES) -> None:
        listed = tomllib.loads(source.read_text(encoding="utf-8")).get(kind, [])
        self._templates = {entry["id"]: _read(entry) for entry in listed}

    def __iter__(self) -> Iterator[Template]:
        return iter(self._templates.values())

    def get(self, template_id: object) -> Template:
        """Raises ApiRefusal 40037 for an id the account does not own."""
        template = self._templates.get(str(template_id))
        if template is None:
            raise ApiRefusal(40037)
        return template


class Consents:
    """Who agreed to subscription notices: one consent is one message, except for long-term templates."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], int] = {}

    def give(self, openid: str, template: Template) -> None:
        """The person tapped 允许."""
        key = (openid, template.template_id)
        self._left[key] = self._left.get(key, 0) + 1

    def withdraw(self, openid: str, template: Template) -> None:
        """The person switched the notice off; stored consents are void."""
        self._left.pop((openid, template.template_id), None)

    def left(self, openid: str, template: Template) -> int:
        """How many notices may still be sent."""
        return self._left.get((openid, template.template_id), 0)

    def spend(self, openid: str, template: Template) -> None:
        """Use one consent. Raises ApiRefusal 43101 when there is none."""
        if not self.left(openid, template):
            raise ApiRefusal(43101)
        if not template.long_term:
            self._left[openid, template.template_id] -= 1

    def as_json(self) -> list[list[str | int]]:
        """For the state file."""
        return [[openid, template_id, left] for (openid, template_id), left in self._left.items() if left]

    def load(self, stored: list[list[Any]]) -> None:
        """What `as_json` wrote."""
        self._left.update({(openid, template_id): int(left) for openid, template_id, left in stored})


class ReentryGuard:
    """Remembers client_msg_id per person for ten minutes.

    Assumption: the second call is answered like the first, with the first message's id, and nothing is sent.
    """

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], tuple[datetime, int]] = {}

    def earlier(self, openid: str, client_msg_id: str, now: datetime) -> int | None:
        """The msgid already given for this id, or None."""
        at, msgid = self._sent.get((openid, client_msg_id), (None, 0))
        return msgid if at is not None and now - at < REENTRY else None

    def note(self, openid: str, client_msg_id: str, msgid: int, now: datetime) -> None:
        """Remember a message that went out."""
        self._sent[openid, client_msg_id] = (now, msgid)
        while self._sent and now - next(iter(self._sent.values()))[0] >= REENTRY:
            del self._sent[next(iter(self._sent))]


def _read(entry: Mapping[str, Any]) -> Template:
    keywords = tuple((keyword["key"], keyword["label"]) for keyword in entry["keywords"])
    return Template(entry["id"], entry["title"], keywords, bool(entry.get("long_term", False)))
