"""Services and providers as JSON."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from domain.providers import ProviderLine
from domain.service_help import Missing, Verdict
from domain.services import Found, ServiceItem
from miniapp_api.kernel import Body, Id

Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_./#-]{0,19}$")]
Words = Annotated[str, Field(max_length=500)]
Kind = Annotated[str, Field(max_length=16)]


class ServiceLine(Body):
    """An item in a list."""

    code: str
    title: str
    class_code: str
    class_name: str
    summary: str


class Material(Body):
    """Something to bring. `ticked`: the caller has it at hand."""

    name: str
    form: Literal["original", "copy", "both", "online"]
    count: int
    note: str
    source: Annotated[str, Field(description="where one gets it")]
    ticked: bool


class Service(ServiceLine):
    """All there is to know before one goes. `asks`: there are questions whether one may."""

    audience: str
    materials: list[Material]
    steps: list[str]
    fee: str
    duration: str
    place: str
    latitude: float | None
    longitude: float | None
    phone: str
    hours: str
    link: str
    department: str
    asks: bool
    version: int
    reviewed_on: date | None


class SearchHit(Body):
    """An item, or a kind of providers; the other one is null."""

    service: ServiceLine | None
    provider_kind: str | None


class SearchAnswer(Body):
    """The best first. `clear`: the first is surely meant; `did_you_mean`: names where what was typed was guessed."""

    items: list[SearchHit]
    clear: bool
    did_you_mean: list[str]


class Judgement(Body):
    """`next` with the question and its answers, or `yes`, `no`, `ask` (the counter decides) with what to say."""

    verdict: Literal["next", "yes", "no", "ask"]
    say: str
    question: str
    answers: list[str]


class ProviderInfo(Body):
    """Who offers help. `stars`: null while fewer than three have rated; `complaints`: in the last year."""

    id: Id
    name: str
    kind: str
    words: str
    phone: str
    place: str
    price: str
    checked_on: date | None
    stars: float | None
    ratings: int
    complaints: int


class MissingLine(Body):
    """What residents asked for without an answer; `words`: the newest asker's, numbers of people masked."""

    id: Id
    wanted: str
    count: int
    last_at: datetime
    words: str
    case_number: str


class OverdueItem(ServiceLine):
    """An item nobody has looked at for half a year; null = never."""

    reviewed_on: date | None


def line_of(item: ServiceItem) -> ServiceLine:
    """An item in a list."""
    return ServiceLine(**_line(item))


def _line(item: ServiceItem) -> dict[str, str]:
    group = item.service_class
    return {
        "code": item.code,
        "title": item.title,
        "class_code": group.code,
        "class_name": group.name,
        "summary": item.summary,
    }


def service_of(item: ServiceItem, at_hand: Collection[str]) -> Service:
    """All of an item."""
    return Service(
        **_line(item),
        audience=item.audience,
        materials=[Material(**one, ticked=one["name"] in at_hand) for one in item.materials],
        steps=item.steps,
        fee=item.fee,
        duration=item.duration,
        place=item.place,
        latitude=item.latitude,
        longitude=item.longitude,
        phone=item.phone,
        hours=item.hours,
        link=item.link,
        department=item.department.name if item.department else "",
        asks=bool(item.questions),
        version=item.version,
        reviewed_on=item.reviewed_on,
    )


def answer_of(found: Found) -> SearchAnswer:
    """What a search found."""
    hits = [
        SearchHit(service=line_of(hit.item) if hit.item else None, provider_kind=hit.kind or None) for hit in found.hits
    ]
    return SearchAnswer(items=hits, clear=found.clear, did_you_mean=list(found.meant))


def judgement_of(judged: Verdict) -> Judgement:
    """Where the questions stand."""
    question = judged.question or {"text": "", "answers": []}
    answers = [one["text"] for one in question["answers"]]
    return Judgement.model_validate(
        {"verdict": judged.verdict, "say": judged.say, "question": question["text"], "answers": answers}
    )


def provider_of(line: ProviderLine) -> ProviderInfo:
    """A provider."""
    return ProviderInfo(**{name: getattr(line, name) for name in ProviderInfo.model_fields})


def missing_of(line: Missing) -> MissingLine:
    """A missing item."""
    return MissingLine(**{name: getattr(line, name) for name in MissingLine.model_fields})


def overdue_of(item: ServiceItem) -> OverdueItem:
    """An item to be looked at."""
    return OverdueItem(**_line(item), reviewed_on=item.reviewed_on)
