"""What a handler gets: the message, who sent it, where the conversation stands; and the filters routes are built of."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import nlp
from bot.messages import Choice, Kind, Message, Reply
from bot.router import Turn
from domain.notices import read_tap
from domain.people import Person, find_person

MEDIA = (Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.SHORTVIDEO)

_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_NUMERALS |= {mark: place for place, mark in enumerate("①②③④⑤⑥⑦⑧⑨", 1)}
_NUMBER = re.compile(r"(?:回复|选|按)?\s*([1-9]|1[0-2])\s*(?:[.、,，。:：号]|\s|$)\s*(.*)", re.DOTALL)
#: What is kept of one state in all others: a report, a form.
_BEGUN = ("draft", "form")
#: Tapped on an older question: no choice of the one that stands open.
PAST = 0
#: Around a name that is chosen: “就约周三吧”, “我要报名包饺子”.
_SAID_WITH_IT = re.compile(r"^(?:我|就|要|想|选|看|约|报名|参加|办|去)+|(?:吧|的|那个|这个|服务)+$")
#: Parts of names that people say to begin something else.
_COMMANDS = {"预约", "活动", "课程", "报名", "问卷", "投票", "办事", "服务", "网格", "社区", "取消", "人工", "申请"}
_TRIM = " \t\n。，,.!！~～、"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator set that handlers need to know."""

    reopen_within: timedelta = timedelta(days=15)
    pressing_joiners: int = 3
    ask_below: float = 0.4
    miniapp: bool = False  # there is a mini-program, in which a follower may be known already


@dataclass(slots=True)
class Chat:
    """One turn with one person."""

    turn: Turn
    person: Person
    policy: Policy
    tap: int | None = None  # tapped, or meant by a number or label typed
    rest: str = ""  # what was typed behind the number: “2 没修好 今天又不亮了”
    text: str = field(default="")
    _seen: tuple[str, nlp.Understanding] | None = None

    @property
    def message(self) -> Message:
        return self.turn.message

    @property
    def now(self) -> datetime:
        return self.turn.now

    @property
    def state(self) -> str:
        return self.turn.state

    @property
    def data(self) -> dict[str, Any]:
        return self.turn.data

    @property
    def source(self) -> str:
        """What the audit trail notes as the carrier of an action."""
        return f"inbox:{self.turn.inbox_id}"

    @property
    def seen(self) -> nlp.Understanding:
        """What the text means; read once, however many routes ask."""
        if self._seen is None or self._seen[0] != self.text:
            self._seen = self.text, nlp.understand(self.text)
        return self._seen[1]

    def go(self, state: str = "", **data: Any) -> None:
        """Move to another state. A report or a form that was begun is kept until it is handed in or cancelled."""
        begun = {name: self.turn.data[name] for name in _BEGUN if self.turn.data.get(name)}
        self.turn.go(state, **begun | data)

    def drop_draft(self) -> None:
        self.turn.data.pop("draft", None)

    def drop_form(self) -> None:
        self.turn.data.pop("form", None)

    def ask(self, text: str, choices: Sequence[tuple[str, int]], *, named: bool = False) -> Reply:
        """Answer with choices; the number or the label typed next means the same as a tap. `named`: they are things
        with names of their own, of which a part will do: “周三”, “律师”."""
        self.turn.data["choices"] = [list(choice) for choice in choices]
        self.turn.data["named"] = named
        return Reply(text, tuple(Choice(label, tap) for label, tap in choices))


def numbered(*labels: str) -> list[tuple[str, int]]:
    """Choices of the question just asked: tap ids 1, 2, 3 …"""
    return [(label, place) for place, label in enumerate(labels, 1)]


def read_number(text: str) -> tuple[int, str] | None:
    """(number, rest) of a message that begins with a choice's number: “2”, “２、”, “二”, “2 没修好”."""
    stripped = text.strip().translate(_FULL_WIDTH)
    if stripped.strip(_TRIM) in _NUMERALS:
        return _NUMERALS[stripped.strip(_TRIM)], ""
    match = _NUMBER.fullmatch(stripped)
    return (int(match[1]), match[2].strip()) if match else None


def _still_asked(message: Message, tap: int, choices: Sequence[Sequence[Any]]) -> bool:
    """Whether a tapped line belongs to the question that stands open. All questions number their choices from 1, and
    the lines of older ones stay on the phone: what it says must be what that number means now. Lines of a case have
    numbers of their own and never grow old."""
    if read_tap(tap) is not None or not choices or not message.text:
        return True
    said = _letters(message.text)
    return any(tap == number and said == _letters(label) for label, number in choices)


def _letters(text: str) -> str:
    """A label without what a phone may have made of its punctuation."""
    return "".join(filter(str.isalnum, text))


def _resolve(message: Message, choices: Sequence[Sequence[Any]], *, named: bool) -> tuple[int | None, str]:
    """Which of the open choices a text means, by number or by label; of things that are `named`, by a part of it."""
    if message.tap is not None:
        return (message.tap if _still_asked(message, message.tap, choices) else PAST), ""
    if message.kind is not Kind.TEXT or not choices:
        return None, ""
    found = read_number(message.text)
    if found and found[0] <= len(choices):
        return int(choices[found[0] - 1][1]), found[1]
    said = message.text.strip(_TRIM)
    for label, tap in choices:
        if said == label:
            return int(tap), ""
    part = _SAID_WITH_IT.sub("", said) if named else ""
    meant = [int(tap) for label, tap in choices if len(part) > 1 and part not in _COMMANDS and part in label]
    return (meant[0] if len(meant) == 1 else None), ""


async def open_chat(turn: Turn, policy: Policy) -> Chat:
    """Look up who it is and what their number or label means here."""
    person = await find_person(turn.message.openid, turn.now)
    tap, rest = _resolve(turn.message, turn.data.get("choices", ()), named=bool(turn.data.get("named")))
    worded = turn.message.kind in (Kind.TEXT, Kind.VOICE, Kind.LINK) and tap != PAST
    text = turn.message.text.strip() if worded else ""
    return Chat(turn, person, policy, tap, rest, text)


Filter = Callable[[Chat], bool]


def event(*names: str) -> Filter:
    """One of these events."""
    return lambda chat: chat.message.kind is Kind.EVENT and chat.message.event in names


def click(key: str) -> Filter:
    """A tap on the account's menu."""
    return lambda chat: chat.message.event == "click" and chat.message.key == key


def state(*names: str) -> Filter:
    """The conversation stands in one of these states."""
    return lambda chat: chat.state in names


def within(area: str) -> Filter:
    """The conversation stands in a state of this area: `report` for report.confirm."""
    return lambda chat: chat.state.startswith(f"{area}.")


def tapped(*numbers: int) -> Filter:
    """One of these choices of the question just asked."""
    return lambda chat: chat.tap in numbers


def kind(*kinds: Kind) -> Filter:
    """One of these message types."""
    return lambda chat: chat.message.kind in kinds


def words(*phrases: str) -> Filter:
    """The whole message is one of these, give or take punctuation."""
    wanted = frozenset(phrases)
    return lambda chat: chat.tap is None and chat.text.strip(_TRIM) in wanted


def pattern(expression: str) -> Filter:
    """The whole message fits the expression."""
    compiled = re.compile(expression, re.DOTALL)
    return lambda chat: chat.tap is None and compiled.fullmatch(chat.text.strip()) is not None


def either(*filters: Filter) -> Filter:
    """At least one of them agrees."""
    return lambda chat: any(one(chat) for one in filters)


def is_staff(chat: Chat) -> bool:
    """The sender has bound a post."""
    return chat.person.post is not None


def has_text(chat: Chat) -> bool:
    """There are words in it."""
    return bool(chat.text)
