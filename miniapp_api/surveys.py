"""问卷 and 议事投票 over the API: answered by residents, written, let out and counted by staff."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from domain import consents, survey_answers, survey_results, surveys
from domain.clock import say_date
from domain.surveys import Plan, Survey
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.survey_shapes import (
    AnswersBody,
    Decision,
    Homes,
    Reason,
    Receipt,
    ResultInfo,
    SurveyDraftBody,
    SurveyInfo,
    SurveyLine,
    info_of,
    line_of,
    questions_of,
    result_of,
)
from models.enums import Purpose, SurveyState

routes = Routes("surveys")

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


class SurveyPath(Body):
    """Which survey."""

    survey_id: Id


class MemberPath(SurveyPath):
    """And which member of a household."""

    member_id: Id


class ChartPath(SurveyPath):
    """And which question, from 1."""

    place: Annotated[int, Field(ge=1, le=20)]


class SurveyList(Page):
    """Those in one state; in all where none is named."""

    state: SurveyState | None = None


class Surveys(Body):
    """The newest first."""

    items: list[SurveyLine]
    next: str


@routes.get("/surveys", rule="survey:list")
async def list_surveys(call: Call, query: SurveyList) -> Surveys:
    """What is asked where the caller lives or works: open ones and those over; officers see drafts too."""
    name = f"surveys {query.state or ''}"
    place = unseal(call, name, query.cursor)
    found = await surveys.list_surveys(
        call.person, call.now, state=query.state or "", before=place[0] if place else None, limit=query.limit
    )
    following = seal(call, name, [found[-1].survey.id]) if len(found) == query.limit else ""
    return Surveys(items=[line_of(one) for one in found], next=following)


@routes.post("/surveys", rule="survey:make", status=201)
async def make(call: Call, body: SurveyDraftBody) -> SurveyInfo:
    """Write a draft."""
    return await _info(call, await surveys.make_survey(call.person, _plan(call, body), call.now, call.source))


def _plan(call: Call, body: SurveyDraftBody) -> Plan:
    return Plan(
        kind=body.kind,
        title=body.title,
        questions=questions_of(body),
        area_id=body.area_id,
        opens_at=body.opens_at or call.now,
        closes_at=body.closes_at,
        words=body.words,
        anonymous=body.anonymous,
        results=body.results,
        audience=body.audience,
    )


async def _info(call: Call, survey: Survey) -> SurveyInfo:
    hindrance, answers = "", None
    if call.person.resident_id:
        hindrance = await survey_answers.may_answer(call.person, survey, call.now)
        answers = await survey_answers.my_answers(call.person, survey.id)
    return info_of(survey, hindrance, answers, officer=await surveys.runs(call.person, survey))


@routes.get("/surveys/{survey_id}", rule="survey:read")
async def show(call: Call, path: SurveyPath) -> SurveyInfo:
    """A survey with its questions, and what the caller answered."""
    return await _info(call, await surveys.find_survey(call.person, path.survey_id, call.now))


@routes.put("/surveys/{survey_id}", rule="survey:change")
async def change(call: Call, path: SurveyPath, body: SurveyDraftBody) -> SurveyInfo:
    """Write a draft, or what was refused, anew."""
    plan = _plan(call, body)
    return await _info(call, await surveys.change_survey(call.person, path.survey_id, plan, call.now, call.source))


@routes.post("/surveys/{survey_id}/hand-in", rule="survey:change")
async def hand_in(call: Call, path: SurveyPath) -> SurveyInfo:
    """Ask a second person to look at it."""
    return await _info(call, await surveys.hand_in(call.person, path.survey_id, call.now, call.source))


@routes.post("/surveys/{survey_id}/decision", rule="survey:decide")
async def decide(call: Call, path: SurveyPath, body: Decision) -> SurveyInfo:
    """Let out what a colleague wrote, or say why not."""
    survey = await surveys.decide(
        call.person, path.survey_id, body.version, body.agree, call.now, why=body.why, source=call.source
    )
    return await _info(call, survey)


@routes.post("/surveys/{survey_id}/cancel", rule="survey:decide")
async def cancel(call: Call, path: SurveyPath, body: Reason) -> SurveyInfo:
    """End it without a result."""
    return await _info(call, await surveys.cancel(call.person, path.survey_id, body.why, call.now, call.source))


# Not keyed: of an anonymous answer nothing may be kept with the name of who gave it, not even a hash.
@routes.put("/surveys/{survey_id}/answers", rule="survey:answer", keyed=False)
async def answer(call: Call, path: SurveyPath, body: AnswersBody) -> Receipt:
    """Answer; a vote is the household's. Named answers may be changed while it is open."""
    await consents.need(call.person, Purpose.SERVICE)
    survey = await survey_answers.answer(call.person, path.survey_id, body.answers, call.now, call.source)
    return Receipt(id=survey.id, say=f"收到，谢谢您。{say_date(survey.closes_at, call.now)}截止。")


@routes.put("/surveys/{survey_id}/members/{member_id}/answers", rule="survey:answer_for", keyed=False)
async def answer_for(call: Call, path: MemberPath, body: AnswersBody) -> Receipt:
    """Write down what somebody without WeChat says; it is kept who did."""
    survey = await survey_answers.answer_for(
        call.person, path.survey_id, path.member_id, body.answers, call.now, call.source
    )
    return Receipt(id=survey.id, say="已替居民登记。")


@routes.get("/surveys/{survey_id}/results", rule="survey:results")
async def results(call: Call, path: SurveyPath) -> ResultInfo:
    """What was counted so far, or at the end."""
    return result_of(await survey_results.result_of(call.person, path.survey_id, call.now))


@routes.get("/surveys/{survey_id}/charts/{place}", rule="survey:results", media_type="image/png")
async def chart(call: Call, path: ChartPath) -> web.StreamResponse:
    """The result of one question as a picture (PNG)."""
    drawn = await survey_results.draw(call.person, path.survey_id, path.place, call.now)
    return web.Response(body=drawn, content_type="image/png", headers=_PRIVATE)


@routes.get("/surveys/{survey_id}/export", rule="survey:export", media_type=_XLSX, errors=(409,))
async def export(call: Call, path: SurveyPath) -> web.StreamResponse:
    """Counts and answers as an Excel workbook."""
    book = await survey_results.export(call.person, path.survey_id, call.now, call.source)
    headers = _PRIVATE | {"Content-Disposition": f'attachment; filename="survey-{path.survey_id}.xlsx"'}
    return web.Response(body=book, content_type=_XLSX, headers=headers)


@routes.get("/surveys/{survey_id}/waited-for", rule="survey:watch", errors=(409,))
async def waited_for(call: Call, path: SurveyPath) -> Homes:
    """Which of the caller's households have not voted, 50 at most."""
    return Homes(items=await survey_results.waited_for(call.person, path.survey_id, call.now))
