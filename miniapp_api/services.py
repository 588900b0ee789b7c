"""服务导航 over the API: classes, items, search, eligibility, checklists, providers; what staff must write."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain import providers, service_help, services
from domain.clock import SHANGHAI
from miniapp_api.case_shapes import ReportReceipt, receipt_of
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.service_shapes import (
    Code,
    Judgement,
    Kind,
    MissingLine,
    OverdueItem,
    ProviderInfo,
    SearchAnswer,
    Service,
    ServiceLine,
    Words,
    answer_of,
    judgement_of,
    line_of,
    missing_of,
    overdue_of,
    provider_of,
    service_of,
)
from models.enums import Source

routes = Routes("services")

_ASKED = "已交给{holder}，编号 {number}。答复会告诉您。"
_COMPLAINED = "已收到您的投诉，交给{holder}，编号 {number}。"


class ServicePath(Body):
    """Which item."""

    code: Code


class ProviderPath(Body):
    """Which provider."""

    provider_id: Id


class ServiceClassInfo(Body):
    """A class of the menu."""

    code: str
    name: str


class ServiceClasses(Body):
    """All classes, in the order of the menu."""

    items: list[ServiceClassInfo]


class ServiceList(Page):
    """Items of one class; of all where none is named."""

    class_code: Annotated[str, Field(max_length=20)] = ""


class Services(Body):
    """Items, what is asked most first."""

    items: list[ServiceLine]
    next: str


class Question(Body):
    """Whatever somebody typed into the search box."""

    q: Annotated[str, Field(min_length=1, max_length=200)]


class Answers(Body):
    """The answers so far, numbered from 1, one a question; empty = begin."""

    answers: Annotated[tuple[Annotated[int, Field(ge=1, le=9)], ...], Field(max_length=10)] = ()


class Ticks(Body):
    """The names of all materials that are at hand."""

    ticked: Annotated[list[Annotated[str, Field(max_length=30)]], Field(max_length=20)]


class ChecklistInfo(Body):
    """The checklist; `text` is made to be sent on."""

    ticked: list[str]
    lacking: list[str]
    text: str


class ProviderList(Page):
    """Providers of one kind; of all where none is named."""

    kind: Kind = ""


class Providers(Body):
    """Providers, page by page."""

    items: list[ProviderInfo]
    next: str


class Rating(Body):
    """1 to 5 stars; the words are for staff."""

    stars: Annotated[int, Field(ge=1, le=5)]
    words: Annotated[str, Field(max_length=200)] = ""


class Asked(Body):
    """A complaint, in the resident's words."""

    text: Annotated[Words, Field(min_length=1)]


class ServiceQuestion(Body):
    """A question in the resident's words; `about`: the item it is about, where there is one."""

    text: Annotated[Words, Field(min_length=1)]
    about: Code | None = None


class MissingPath(Body):
    """Which question without an answer."""

    missing_id: Id


class AnsweredBy(Body):
    """The item that answers it now."""

    code: Code


class MissingItems(Body):
    """What residents asked for without an answer, asked most first."""

    items: list[MissingLine]


class OverdueItems(Body):
    """Items to be looked at again, those never looked at first."""

    items: list[OverdueItem]


@routes.get("/service-classes", rule="service:list")
async def list_classes(call: Call) -> ServiceClasses:  # noqa: ARG001 - the same for everybody
    """The classes of services."""
    return ServiceClasses(items=[ServiceClassInfo(code=one.code, name=one.name) for one in await services.classes()])


@routes.get("/services", rule="service:list")
async def list_services(call: Call, query: ServiceList) -> Services:
    """What one can get done where the caller lives or works."""
    name = f"services {query.class_code}"
    place = unseal(call, name, query.cursor)
    beyond = (place[0], place[1], place[2]) if place else (0, 0, 0)
    found = await services.list_items(call.person, query.class_code, beyond=beyond, limit=query.limit)
    following = seal(call, name, [*services.place_of(found[-1])]) if len(found) == query.limit else ""
    return Services(items=[line_of(item) for item in found], next=following)


@routes.get("/service-search", rule="service:list")
async def search_services(call: Call, query: Question) -> SearchAnswer:
    """Items and kinds of providers somebody may mean, however they call it."""
    return answer_of(await services.search(call.person, query.q))


@routes.get("/services/{code}", rule="service:read")
async def show_service(call: Call, path: ServicePath) -> Service:
    """One item, with what the caller ticked."""
    item = await services.find_item(call.person, path.code)
    return service_of(item, await service_help.ticked(call.person, item))


@routes.post("/services/{code}/eligibility", rule="service:read", keyed=False)
async def judge_eligibility(call: Call, path: ServicePath, body: Answers) -> Judgement:
    """Whether somebody may, as far as the answers tell. Nothing of it is kept."""
    return judgement_of(service_help.judge(await services.find_item(call.person, path.code), body.answers))


@routes.put("/services/{code}/checklist", rule="service:tick")
async def tick_materials(call: Call, path: ServicePath, body: Ticks) -> ChecklistInfo:
    """Which materials the caller has at hand."""
    item = await service_help.tick(call.person, path.code, body.ticked, call.now, call.source)
    lacking = [one["name"] for one in item.materials if one["name"] not in body.ticked]
    ticked = [one["name"] for one in item.materials if one["name"] in body.ticked]
    return ChecklistInfo(ticked=ticked, lacking=lacking, text=service_help.share_text(item, body.ticked))


@routes.post("/service-questions", rule="service:ask", status=201)
async def ask_question(call: Call, body: ServiceQuestion) -> ReportReceipt:
    """What the directory has no answer to: the grid worker gets it, and unless it is about an item it is counted as
    missing."""
    await call.limit("report")
    about = await services.find_item(call.person, body.about) if body.about else None
    asked = await service_help.ask(
        call.person, body.text, call.now, source=Source.MINIAPP, via=call.source, about=about
    )
    return receipt_of(asked, _ASKED)


@routes.get("/providers", rule="provider:list")
async def list_providers(call: Call, query: ProviderList) -> Providers:
    """Who offers help at home or nearby."""
    name = f"providers {query.kind}"
    place = unseal(call, name, query.cursor)
    after = place[0] if place else 0
    found = await providers.list_providers(call.person, query.kind, call.now, after=after, limit=query.limit)
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    return Providers(items=[provider_of(line) for line in found], next=following)


@routes.get("/providers/{provider_id}", rule="provider:read")
async def show_provider(call: Call, path: ProviderPath) -> ProviderInfo:
    """One of them."""
    return provider_of(await providers.find_provider(call.person, path.provider_id, call.now))


@routes.put("/providers/{provider_id}/rating", rule="provider:rate")
async def rate_provider(call: Call, path: ProviderPath, body: Rating) -> ProviderInfo:
    """What the caller thinks of them; the last opinion counts."""
    rated = await providers.rate_provider(call.person, path.provider_id, body.stars, body.words, call.now, call.source)
    return provider_of(rated)


@routes.post("/providers/{provider_id}/complaints", rule="provider:complain", status=201)
async def complain(call: Call, path: ProviderPath, body: Asked) -> ReportReceipt:
    """A complaint becomes a case."""
    await call.limit("report")
    receipt = await providers.complain(
        call.person, path.provider_id, body.text, call.now, source=Source.MINIAPP, via=call.source
    )
    return receipt_of(receipt, _COMPLAINED)


@routes.get("/missing-services", rule="service:watch")
async def list_missing(call: Call) -> MissingItems:
    """What residents of the area asked for and nobody has written down."""
    return MissingItems(items=[missing_of(line) for line in await service_help.missing_items(call.person)])


@routes.post("/missing-services/{missing_id}/done", rule="missing:done")
async def answer_missing(call: Call, path: MissingPath, body: AnsweredBy) -> ServiceLine:
    """An item answers it now: it is off the list until somebody asks in vain again."""
    item = await service_help.answer_missing(call.person, path.missing_id, body.code, call.now, call.source)
    return line_of(item)


@routes.post("/services/{code}/review", rule="service:review")
async def review_service(call: Call, path: ServicePath) -> OverdueItem:
    """Somebody made sure today that the item is still right."""
    return overdue_of(await service_help.review(call.person, path.code, call.now, call.source))


@routes.get("/overdue-services", rule="service:watch")
async def list_overdue(call: Call) -> OverdueItems:
    """Items of the area that nobody has looked at for half a year."""
    today = call.now.astimezone(SHANGHAI).date()
    return OverdueItems(items=[overdue_of(item) for item in await services.overdue_reviews(call.person, today)])
