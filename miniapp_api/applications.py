"""线上办理 over the API: the form, handing it in, how far it is; staff's list and what they do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain import application_work as work
from domain import applications
from domain.application_rows import titles_of
from domain.application_work import Result
from domain.applications import Filled, Supply
from domain.consents import need
from miniapp_api.application_shapes import (
    Answers,
    ApplicationInfo,
    ApplicationLine,
    Behalf,
    Form,
    WorkLine,
    application_line,
    application_of,
    form_of,
    work_line,
)
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.service_shapes import Code
from models.enums import Purpose

routes = Routes("applications")

Pictures = Annotated[tuple[UUID, ...], Field(max_length=9)]


class FormPath(Body):
    """The form of an item."""

    code: Code


class ApplicationPath(Body):
    """Which application."""

    application_id: Id


class FilledIn(Body):
    """What was filled in. `behalf`: for somebody without WeChat; `grid_id`: where they live, from staff of more than
    one grid; `version`: of the form, so that what was read from an older one is refused with 409."""

    answers: Answers
    behalf: Behalf | None = None
    grid_id: Id | None = None
    version: Annotated[int | None, Field(ge=1, le=32767)] = None


class Supplement(Body):
    """Answers to be changed, words, pictures of no field: at least one of them."""

    answers: Annotated[Answers, Field(default_factory=dict)]
    words: Annotated[str, Field(max_length=500)] = ""
    photos: Pictures = ()


class Opinion(Body):
    """1 to 5 stars."""

    stars: Annotated[int, Field(ge=1, le=5)]
    words: Annotated[str, Field(max_length=200)] = ""


class Wanted(Body):
    """What the applicant must add."""

    text: Annotated[str, Field(min_length=1, max_length=300)]


class Finished(Body):
    """What came of it; `pick_up`: where the applicant fetches it."""

    text: Annotated[str, Field(min_length=1, max_length=400)]
    files: Pictures = ()
    pick_up: Annotated[str, Field(max_length=60)] = ""


class Refusal(Body):
    """Why not; the applicant reads it."""

    text: Annotated[str, Field(min_length=1, max_length=500)]


class Applications(Body):
    """The caller's own, the newest first."""

    items: list[ApplicationLine]
    next: str


class WorkList(Body):
    """Open ones of the caller's area or department, what ends first before the others."""

    items: list[WorkLine]
    next: str


@routes.get("/services/{code}/form", rule="form:read")
async def show_form(call: Call, path: FormPath) -> Form:
    """What an item asks of who applies online."""
    return form_of(*await applications.find_form(call.person, path.code))


@routes.post("/services/{code}/applications", rule="form:fill", status=201, errors=(409,))
async def hand_in(call: Call, path: FormPath, body: FilledIn) -> ApplicationInfo:
    """Apply, for oneself or for somebody without WeChat."""
    await need(call.person, Purpose.SERVICE)
    await call.limit("report")
    filled = Filled(body.answers, body.behalf.other if body.behalf else None, body.grid_id, body.version)
    made = await applications.submit(call.person, path.code, filled, call.now, call.source)
    return await _shown(call, made.id)


async def _shown(call: Call, application_id: int) -> ApplicationInfo:
    return application_of(await work.read(call.person, application_id, call.now, call.source))


@routes.get("/applications", rule="application:list")
async def list_own(call: Call, query: Page) -> Applications:
    """What the caller applied for, and what they filled in for others."""
    place = unseal(call, "applications", query.cursor)
    found = await applications.own_applications(call.person, place[0] if place else None, query.limit)
    titles = await titles_of(found)
    following = seal(call, "applications", [found[-1].id]) if len(found) == query.limit else ""
    return Applications(items=[application_line(one, titles[one.item_id]) for one in found], next=following)


@routes.get("/applications/{application_id}", rule="application:read")
async def show(call: Call, path: ApplicationPath) -> ApplicationInfo:
    """One application, as far as the caller may read it."""
    return await _shown(call, path.application_id)


@routes.post("/applications/{application_id}/supplement", rule="application:supplement", errors=(409,))
async def supplement(call: Call, path: ApplicationPath, body: Supplement) -> ApplicationInfo:
    """What was asked for."""
    supply = Supply(body.answers, body.words, body.photos)
    await applications.supplement(call.person, path.application_id, supply, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.post("/applications/{application_id}/withdraw", rule="application:withdraw", errors=(409,))
async def withdraw(call: Call, path: ApplicationPath) -> ApplicationInfo:
    """The applicant does not want it any more."""
    await applications.withdraw(call.person, path.application_id, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.put("/applications/{application_id}/rating", rule="application:rate", errors=(409,))
async def rate(call: Call, path: ApplicationPath, body: Opinion) -> ApplicationInfo:
    """How it went; the last opinion counts."""
    await applications.rate(call.person, path.application_id, body.stars, body.words, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.get("/application-tasks", rule="application:watch")
async def list_tasks(call: Call, query: Page) -> WorkList:
    """What waits in the caller's area; for a department, of its items."""
    place = unseal(call, "application tasks", query.cursor)
    beyond = (datetime.fromisoformat(place[0]), int(place[1])) if place else None
    found = await work.list_work(call.person, beyond=beyond, limit=query.limit)
    last = [work.place_of(found[-1])[0].isoformat(), found[-1].id] if len(found) == query.limit else None
    return WorkList(
        items=[work_line(line) for line in found], next=seal(call, "application tasks", last) if last else ""
    )


@routes.post("/applications/{application_id}/take", rule="application:take", errors=(409,))
async def take(call: Call, path: ApplicationPath) -> ApplicationInfo:
    """Work on it from now on; also what a colleague had."""
    await work.take(call.person, path.application_id, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.post("/applications/{application_id}/ask", rule="application:work", errors=(409,))
async def ask(call: Call, path: ApplicationPath, body: Wanted) -> ApplicationInfo:
    """Something is missing: the applicant is told, and the clock stands."""
    await work.ask(call.person, path.application_id, body.text, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.post("/applications/{application_id}/accept", rule="application:work", errors=(409,))
async def accept(call: Call, path: ApplicationPath) -> ApplicationInfo:
    """All is there."""
    await work.accept(call.person, path.application_id, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.post("/applications/{application_id}/finish", rule="application:work", errors=(409,))
async def finish(call: Call, path: ApplicationPath, body: Finished) -> ApplicationInfo:
    """It is done."""
    result = Result(body.text, body.files, body.pick_up)
    await work.finish(call.person, path.application_id, result, call.now, call.source)
    return await _shown(call, path.application_id)


@routes.post("/applications/{application_id}/refuse", rule="application:work", errors=(409,))
async def refuse(call: Call, path: ApplicationPath, body: Refusal) -> ApplicationInfo:
    """It cannot be granted."""
    await work.refuse(call.person, path.application_id, body.text, call.now, call.source)
    return await _shown(call, path.application_id)
