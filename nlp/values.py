"""The values that understanding a message gives back, and the two kinds of entry its catalogue holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Intent = Literal["report", "consult", "progress", "rate", "chat"]
"""What somebody wants: have something put right, know something, hear how far it is, judge a result, or just talk."""

Urgency = Literal["normal", "urgent"]

Level = Literal["grid", "community", "street", "district"]
"""Whose duty a category is when no duty list says otherwise."""


@dataclass(frozen=True, slots=True)
class Match:
    """One reason for an answer: `word` as it stands in the message, what it weighs and the category code it speaks for.

    Reasons for an intent or an emergency carry `intent:report` or `emergency:gas` in place of a category code.
    """

    word: str
    weight: float
    category: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A category the message may be about, with a share of the evidence between 0 and 1."""

    code: str
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """Everything Linli makes of one message.

    `confidence` is that of the intent for who asks how far it is, thanks or chats, else that of the domain: of ten
    answers given with .8, eight are right.
    """

    intent: Intent
    category: str = ""
    category_name: str = ""
    subject: str = ""
    domain: str | None = None
    urgent: bool = False
    emergency: str = ""
    places: tuple[str, ...] = ()
    confidence: float = 0.0
    domain_confidence: float = 0.0
    matched: tuple[Match, ...] = ()
    alternatives: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of matter residents raise, with its default treatment; a community's duty list may say otherwise.

    `service` marks what people ask about (a certificate, a benefit) rather than have mended. `photo`s of the result are
    asked for where `closing_photo` is set.
    """

    code: str
    name: str
    subject: str
    domain: str
    group: str
    urgency: Urgency
    time_limit: timedelta
    level: Level
    department: str = ""
    closing_photo: bool = False
    service: bool = False
    examples: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Emergency:
    """A danger to life: what to tell the resident at once and whom to call. `advice` may hold `{gas_phone}`."""

    kind: str
    name: str
    advice: str
    numbers: tuple[str, ...] = ()
