"""问卷与议事投票: the list by state, one survey with its questions and results, and each step on the way."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.deeds import Deed, again, mount
from console.figures import Chart
from console.frame import Form, Pages, Visit
from domain import survey_desk, survey_results, surveys
from domain.people import post_of
from domain.survey_questions import labels
from domain.survey_results import Result
from domain.surveys import Survey
from errors import NotAllowed
from models.enums import SurveyKind, SurveyState

pages = Pages()

_SHOWN = 30
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Listing(Form):
    """Which of them, and where to go on."""

    state: SurveyState | None = None
    before: Annotated[int, Field(ge=0, le=2**63 - 1, title="页码")] = 0


class Decision(Form):
    """Whether the version that was read may go out."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1, title="版本")]
    agree: bool
    why: Annotated[str, Field(max_length=200, title="原因")] = ""


class Why(Form):
    """Why it is cancelled."""

    why: Annotated[str, Field(max_length=200, title="原因")] = ""


@pages.get("/surveys")
async def index(visit: Visit) -> web.StreamResponse:
    """What is asked where one works; officers see what is not out yet, too."""
    asked = visit.query(Listing)
    found = await surveys.list_surveys(
        visit.staff, visit.now, state=asked.state or "", before=asked.before or None, limit=_SHOWN + 1
    )
    return visit.render(
        "surveys.html",
        title="问卷与投票",
        surveys=found[:_SHOWN],
        following=found[_SHOWN - 1].survey.id if len(found) > _SHOWN else 0,
        state=asked.state,
        states=survey_desk.STATE_NAMES,
        kinds=survey_desk.KIND_NAMES,
    )


@pages.get(r"/surveys/{survey:\d+}")
async def show(visit: Visit) -> web.StreamResponse:
    """What it asks whom, how it stands, what came of it, what may be done."""
    survey = await _find(visit)
    steps = await survey_desk.steps(visit.staff, survey)
    unit = "户" if survey.kind is SurveyKind.VOTE else "人"
    author, approver = await post_of(survey.author_id), await post_of(survey.approver_id)
    result, why_not = None, ""
    if "results" in steps:
        try:
            result = await survey_results.result_of(visit.staff, survey.id, visit.now)
        except NotAllowed as refused:
            why_not = refused.say
    return visit.render(
        "survey.html",
        title=survey.title,
        one=survey,
        state=survey_desk.STATE_NAMES[survey.state],
        kind=survey_desk.KIND_NAMES[survey.kind],
        unit=unit,
        seen_by=survey_desk.SEEN_BY[survey.results],
        types=survey_desk.TYPE_NAMES,
        labels=labels,
        asked=await survey_desk.say_asked(survey),
        author=author.label if author else "—",
        approver=approver.label if approver else "",
        officer=await surveys.runs(visit.staff, survey),
        steps=steps,
        result=result,
        charts=_charts(result, unit),
        why_not=why_not,
    )


def _charts(result: Result | None, unit: str) -> dict[int, Chart]:
    """By the place of the question, from 1: what was chosen how often."""
    found = {}
    for place, answer in enumerate(result.questions if result else (), start=1):
        if answer.bars:
            chosen = [("", [bar.count for bar in answer.bars])]
            found[place] = Chart("bar", [bar.label for bar in answer.bars], chosen, (), ("lead",), unit)
    return found


@pages.get(r"/surveys/{survey:\d+}/asked")
async def asked(visit: Visit) -> web.StreamResponse:
    """How many it would ask now: counted when somebody wants to know."""
    survey = await _find(visit)
    count = await survey_desk.asked(visit.staff, survey.id, visit.now)
    unit = "户" if survey.kind is SurveyKind.VOTE else "人"
    said = f"现在会问到 {count} {unit}。"
    if visit.by_htmx:
        return visit.render("survey_asked.html", said=said)
    return visit.go(f"/surveys/{survey.id}", said)


@pages.get(r"/surveys/{survey:\d+}/waited-for")
async def waited_for(visit: Visit) -> web.StreamResponse:
    """Which households of one's own have not voted."""
    survey = await _find(visit)
    homes = await survey_results.waited_for(visit.staff, survey.id, visit.now)
    return visit.render("survey_waited_for.html", title="还没投票的人家", one=survey, homes=homes)


@pages.get(r"/surveys/{survey:\d+}/chart/{place:\d+}")
async def chart(visit: Visit) -> web.StreamResponse:
    """The result of one question as a picture."""
    place = int(visit.request.match_info["place"][:4])
    drawn = await survey_results.draw(visit.staff, _ident(visit), place, visit.now)
    return visit.finish(web.Response(body=drawn, content_type="image/png"))


@pages.get(r"/surveys/{survey:\d+}/export")
async def export(visit: Visit) -> web.StreamResponse:
    """Counts and answers as an Excel workbook."""
    book = await survey_results.export(visit.staff, _ident(visit), visit.now, visit.source)
    headers = {"Content-Disposition": f'attachment; filename="survey-{_ident(visit)}.xlsx"'}
    return visit.finish(web.Response(body=book, content_type=_XLSX, headers=headers))


@pages.post(r"/surveys/{survey:\d+}/decision")
async def decide(visit: Visit) -> web.StreamResponse:
    """Let out what a colleague wrote, or say why not."""
    given = await visit.form(Decision)
    survey = await surveys.decide(
        visit.staff, _ident(visit), given.version, given.agree, visit.now, why=given.why, source=visit.source
    )
    said = "同意了，到开始时间就通知居民。" if given.agree else "退回了，作者会看到原因。"
    return visit.go(f"/surveys/{survey.id}", said)


async def _find(visit: Visit) -> Survey:
    return await surveys.find_survey(visit.staff, _ident(visit), visit.now)


def _ident(visit: Visit) -> int:
    return int(visit.request.match_info["survey"][:18])


mount(
    pages,
    r"/surveys/{survey:\d+}",
    (
        Deed("hand-in", surveys.hand_in, "交上去了。同事同意后自动通知居民。"),
        Deed("cancel", surveys.cancel, "取消了，答过的居民会看到原因。", Why, "why"),
    ),
    which=_ident,
    back=again("/surveys", _ident),
)
