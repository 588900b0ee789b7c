"""What a report would become, before it is one: kind of matter, place, danger, and whether it is known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import nlp
from domain.consents import holds, need
from domain.duplicates import Similar, find_similar
from domain.people import Person
from domain.places import known_as
from domain.reports import Draft, Media, Receipt, report
from domain.uploads import disown
from errors import BadRequest, NotFound
from models.database import transaction
from models.enums import Purpose, Source

#: Kinds of matter a resident chooses from.
CHOICES = 3
OTHER = "other"
_OTHER_SUBJECT = "其他问题"
_MEASURES = {"image": "张照片", "voice": "条语音"}


@dataclass(frozen=True, slots=True)
class Told:
    """A report as it is typed into a form. `category` "" = whatever it is understood as; the position in GCJ-02."""

    text: str = ""
    category: str = ""
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    media: Sequence[Media] = ()
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of matter it may be."""

    category: str
    subject: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Preview:
    """`advice`: what to do now where there is danger. `known_as`: what the place is called in the register."""

    category: str
    subject: str
    domain: str
    urgent: bool
    advice: str
    place: str
    known_as: str
    choices: Sequence[Choice]
    unclear: bool
    similar: Similar | None


def draft_of(told: Told, via: str) -> Draft:
    """What is handed in. Raises BadRequest for a report that says nothing, or an unknown category."""
    if not told.text.strip() and not told.media:
        raise BadRequest("empty report", say="请说一句是什么事、在哪里，或加一张照片。")
    seen = nlp.understand(told.text)
    category, subject, domain = _kind(told, seen)
    return Draft(
        description=told.text.strip() or f"（没有文字，{_count(told.media)}）",
        category=category,
        subject=subject,
        domain=domain,
        place=told.place.strip() or (seen.places[0] if seen.places else ""),
        urgent=seen.urgent,
        latitude=told.latitude,
        longitude=told.longitude,
        media=told.media,
        source=Source.MINIAPP,
        via=via,
        anonymous=told.anonymous,
    )


async def file_report(person: Person, told: Told, now: datetime, via: str) -> Receipt:
    """Hand it in. Who did not agree that it is kept with them may still report without a name: then nobody knows whose
    it is, and nobody is told what becomes of it. Raises ConsentNeeded for a report with a name."""
    draft = draft_of(told, via)
    async with transaction():
        if told.anonymous and person.post is None and not await holds(person.resident_id, Purpose.SERVICE):
            await disown([item.path for item in told.media])
            return await report(Person("", 0, person.home, None), draft, now)
        await need(person, Purpose.SERVICE)
        if told.latitude is not None:
            await need(person, Purpose.LOCATION)
        return await report(person, draft, now)


def _kind(told: Told, seen: nlp.Understanding) -> tuple[str, str, str]:
    """(category, subject, domain): as chosen, else as understood; a danger is called by its name."""
    chosen = told.category not in ("", OTHER)
    if chosen:
        try:
            entry = nlp.category(told.category)
        except NotFound:
            raise BadRequest(f"category {told.category}", say="没有这个类别，请从列出的几类里选一个。") from None
        category, subject, domain = entry.code, entry.subject, entry.domain
    elif told.category == OTHER:
        category, subject, domain = OTHER, _OTHER_SUBJECT, ""
    else:
        category, subject, domain = seen.category or OTHER, seen.subject or _OTHER_SUBJECT, seen.domain or ""
    return category, nlp.emergency(seen.emergency).name if seen.emergency else subject, domain


def _count(media: Sequence[Media]) -> str:
    kinds = [item.kind for item in media]
    return "，".join(f"{kinds.count(kind)} {words}" for kind, words in _MEASURES.items() if kind in kinds)


async def preview(person: Person, told: Told, now: datetime, *, ask_below: float) -> Preview:
    """How it is understood. `unclear`: the writer should say which of `choices` it is."""
    draft = draft_of(told, "")
    seen = nlp.understand(told.text)
    choices = [
        Choice(one.code, nlp.category(one.code).subject, round(one.confidence, 3))
        for one in seen.alternatives[:CHOICES]
    ]
    settled = told.category or seen.urgent or len(choices) < 2
    return Preview(
        draft.category,
        draft.subject,
        draft.domain,
        draft.urgent,
        _advice(person, seen),
        draft.place,
        known_as(draft.place, person.home) if draft.place else "",
        choices,
        not settled and choices[0].confidence < ask_below,
        await find_similar(person, draft, now),
    )


def _advice(person: Person, seen: nlp.Understanding) -> str:
    if not seen.emergency:
        return ""
    gas = person.home.gas_phone if person.home and person.home.gas_phone else "燃气公司"
    return nlp.emergency(seen.emergency).advice.strip().replace("{gas_phone}", gas)
