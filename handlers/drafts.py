"""A report while it is being put together: what came in so far, what was understood, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import nlp
from bot.messages import Kind, Message
from domain import reports
from domain.people import Home
from domain.places import known_as
from errors import NotFound

MAX_MEDIA = 20
MAX_TEXTS = 30
MAX_LETTERS = 10_000

_MEDIA_NAMES = {"image": "照片", "voice": "语音", "video": "视频", "shortvideo": "视频"}
_MEASURES = {"照片": "张", "语音": "条", "视频": "段"}
OTHER = "other"


@dataclass(slots=True)
class Draft:
    """Everything of one report before it is handed in. Lives as JSON in the conversation row."""

    texts: list[str] = field(default_factory=list)
    media: list[dict[str, str]] = field(default_factory=list)
    latitude: float | None = None
    longitude: float | None = None
    label: str = ""
    category: str = ""
    subject: str = ""
    domain: str = ""
    chosen: bool = False  # the resident chose the category; further words do not change it
    place: str = ""
    place_said: bool = False  # the resident gave the place when asked
    urgent: bool = False
    emergency: str = ""
    alternatives: list[str] = field(default_factory=list)
    sure: float = 1.0  # how likely the category is right
    asked_kind: bool = False  # 是哪一类事 was asked: never twice
    asked_similar: bool = False  # 是同一件事吗 was asked: never twice
    touched: float = 0.0  # seconds since the epoch

    @classmethod
    def load(cls, data: dict[str, Any]) -> Draft | None:
        """The draft kept in a conversation's data, if there is one."""
        kept = data.get("draft")
        return cls(**kept) if kept else None

    def dump(self, now: datetime) -> dict[str, Any]:
        """JSON for the conversation row."""
        self.touched = now.timestamp()
        return asdict(self)

    def add(self, message: Message) -> str:
        """Take in a message of any kind; gives a sentence when it cannot be taken, else ""."""
        if message.kind is Kind.LOCATION:
            self.latitude, self.longitude, self.label = message.latitude, message.longitude, message.label[:100]
            if self.label and not self.place_said:
                self.place = self.label
            return ""
        if message.media_id:
            if len(self.media) >= MAX_MEDIA:
                return f"一件事最多 {MAX_MEDIA} 个照片和语音，这一个没有收下。"
            self.media.append({"kind": str(message.kind), "media_id": message.media_id, "format": message.media_format})
        if message.text.strip():
            if len(self.texts) >= MAX_TEXTS or len(self.description) > MAX_LETTERS:
                return "说的内容已经很多了，这一句没有加上。请先交给网格员，还有要补充的之后可以再说。"
            self.texts.append(message.text.strip()[:MAX_LETTERS])
            self.understand()
        return ""

    @property
    def description(self) -> str:
        return "\n".join(self.texts)

    def begin(self, text: str, seen: nlp.Understanding) -> None:
        """Take in a sentence that was understood already."""
        self.texts.append(text)
        self.understand(seen if len(self.texts) == 1 else None)

    def understand(self, seen: nlp.Understanding | None = None) -> None:
        """Read all words again: category, place, urgency. What the resident set by hand stays."""
        # Messages are sentences: no place reaches from one into the next.
        seen = seen or nlp.understand("。".join(self.texts))
        self.urgent, self.emergency = seen.urgent, seen.emergency
        if not self.chosen:
            self.category, self.subject = seen.category or OTHER, seen.subject or "其他问题"
            self.domain = seen.domain or ""
        self.alternatives = [candidate.code for candidate in seen.alternatives]
        self.sure = seen.alternatives[0].confidence if seen.alternatives else 1.0
        if seen.places and not self.place_said:
            self.place = seen.places[0]

    def unclear(self, below: float) -> bool:
        """Whether the resident should say which of the likeliest kinds it is."""
        settled = self.chosen or self.asked_kind or self.urgent
        return not settled and self.sure < below and len(self.alternatives) > 1

    def choose(self, code: str) -> None:
        """The resident says what kind of matter it is."""
        self.chosen = True
        try:
            category = nlp.category(code)
        except NotFound:
            self.category, self.subject, self.domain = OTHER, "其他问题", ""
        else:
            self.category, self.subject, self.domain = code, category.subject, category.domain

    def place_line(self, home: Home | None) -> str:
        """`地点：杨光花园三栋（阳光花园3栋）`, or what to do without one."""
        if not self.place:
            return "地点还不清楚，可以补一句，或发个位置。"
        known = known_as(self.place, home)
        return f"地点：{self.place}" + (f"（{known}）" if known else "")

    def media_line(self) -> str:
        """`2 张照片，1 条语音`; "" without media."""
        counts: dict[str, int] = {}
        for item in self.media:
            name = _MEDIA_NAMES.get(item["kind"], "文件")
            counts[name] = counts.get(name, 0) + 1
        return "，".join(f"{count} {_MEASURES.get(name, '个')}{name}" for name, count in counts.items())

    def final(self) -> reports.Draft:
        """What the domain makes a case of."""
        return reports.Draft(
            description=self.description or f"（没有文字，{self.media_line() or '只有位置'}）",
            category=self.category or OTHER,
            subject=self.subject or "其他问题",
            domain=self.domain,
            place=self.place or self.label,
            urgent=self.urgent,
            latitude=self.latitude,
            longitude=self.longitude,
            media=tuple(reports.Media(one["kind"], one["media_id"], one["format"]) for one in self.media),
        )
