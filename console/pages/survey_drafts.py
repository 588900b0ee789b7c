"""Writing a survey: who is asked what, until when, and who sees the results. Questions are fields that repeat."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from console.audience_form import Audience, choices_of, fields_of, rule_of
from console.frame import Form, Pages, Visit, staff
from domain import survey_desk, surveys
from domain.clock import SHANGHAI
from domain.people import ancestors
from domain.survey_questions import MOST_QUESTIONS
from domain.surveys import Plan, Survey
from errors import BadRequest, NotAllowed
from models.enums import SurveyKind

pages = Pages()

_FIRST_BLOCKS = 3
_OPEN_FOR = timedelta(days=7)
Line = Annotated[str, Field(max_length=1000)]
Lines = Annotated[tuple[Line, ...], Field(max_length=MOST_QUESTIONS + 5, title="题目")]


def askers(visit: Visit) -> bool:
    """Who writes surveys: the community and above."""
    return staff(visit) and visit.post.dispatches


class Compose(Audience):
    """What the form brings. The questions' fields repeat, in one order; a question without words is none."""

    kind: Annotated[SurveyKind, Field(title="类型")] = SurveyKind.QUESTIONNAIRE
    title: Annotated[str, Field(max_length=200, title="标题")] = ""
    words: Annotated[str, Field(max_length=4000, title="说明")] = ""
    area_id: Annotated[int, Field(ge=0, le=2**31 - 1, title="范围")] = 0
    opens: Annotated[str, Field(max_length=32, title="开始时间")] = ""
    closes: Annotated[str, Field(max_length=32, title="截止时间")] = ""
    anonymous: bool = False
    results: Annotated[str, Field(max_length=8, title="谁看结果")] = "closed"
    asks: Lines = ()
    types: Lines = ()
    options: Lines = ()
    required: Lines = ()
    editing: Annotated[int, Field(ge=0, le=2**63 - 1, title="问卷")] = 0

    @property
    def path(self) -> str:
        """Where it is sent to."""
        return f"/surveys/{self.editing}/edit" if self.editing else "/surveys/new"

    def blocks(self) -> list[dict[str, str]]:
        """The questions as the form shows them. Raises BadRequest where fields are missing."""
        names = ("text", "type", "options", "required")
        columns = (self.asks, self.types, self.options, self.required)
        if len({len(column) for column in columns}) > 1:
            raise BadRequest("questions", say="题目没有传全，请刷新页面再写一次。")
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def questions(self) -> list[dict[str, Any]]:
        """The questions as the domain takes them."""
        return [
            {
                "text": block["text"],
                "type": block["type"],
                "choices": [line.strip() for line in block["options"].splitlines() if line.strip()],
                "required": block["required"] == "yes",
            }
            for block in self.blocks()
            if block["text"]
        ]

    def as_plan(self, now: datetime) -> Plan:
        """As the domain takes it. Raises BadRequest."""
        return Plan(
            self.kind,
            self.title,
            self.questions(),
            self.area_id,
            _moment(self.opens, "开始时间") if self.opens else now,
            _moment(self.closes, "截止时间"),
            words=self.words,
            anonymous=self.anonymous,
            results=self.results,
            audience=rule_of(self, {}),
        )


def _moment(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest("moment", say=f"请选{name}：几月几日几点。") from None
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


_EMPTY = {"text": "", "type": "choice", "options": "", "required": "yes"}


async def _page(visit: Visit, given: Compose, blocks: list[dict[str, str]]) -> web.StreamResponse:
    return visit.render(
        "survey_form.html",
        title="改问卷" if given.editing else "写一份问卷或投票",
        given=given,
        blocks=blocks[:MOST_QUESTIONS],
        choices=await choices_of(visit.post, await _own(visit, given.area_id)),
        kinds=survey_desk.KIND_NAMES,
        types=survey_desk.TYPE_NAMES,
        seen_by=survey_desk.SEEN_BY,
        most=MOST_QUESTIONS,
    )


async def _own(visit: Visit, area_id: int) -> int:
    """The area, if it is the officer's or below; 0 where it is not theirs to know of."""
    return area_id if visit.post.area_id in await ancestors(area_id) else 0


class Like(Form):
    """After which one it is written."""

    like: Annotated[int, Field(ge=0, le=2**63 - 1, title="样子")] = 0


@pages.get("/surveys/new", who=askers)
async def write(visit: Visit) -> web.StreamResponse:
    """An empty form, or one filled in as another survey was."""
    like = visit.query(Like).like
    closes = f"{(visit.now + _OPEN_FOR).astimezone(SHANGHAI):%Y-%m-%dT18:00}"
    if like:
        found = await surveys.find_survey(visit.staff, like, visit.now)
        given = _fields(found).model_copy(update={"opens": "", "closes": closes})
        return await _page(visit, given, given.blocks())
    return await _page(visit, Compose(area_id=visit.post.area_id, closes=closes), [_EMPTY] * _FIRST_BLOCKS)


@pages.post("/surveys/new", who=askers)
async def create(visit: Visit) -> web.StreamResponse:
    """A draft."""
    given = await visit.form(Compose)
    made = await surveys.make_survey(visit.staff, given.as_plan(visit.now), visit.now, visit.source)
    return visit.go(f"/surveys/{made.id}", "草稿存好了，核对后请同事同意。还没有通知任何人。")


@pages.get(r"/surveys/{survey:\d+}/edit", who=askers)
async def edit(visit: Visit) -> web.StreamResponse:
    """What it says, to be changed."""
    found = await surveys.find_survey(visit.staff, _ident(visit), visit.now)
    if "change" not in await survey_desk.steps(visit.staff, found):
        raise NotAllowed("change", say="已经交上去了，不能再改。要改请先取消，再写一份新的。")
    given = _fields(found).model_copy(update={"editing": found.id})
    return await _page(visit, given, given.blocks())


@pages.post(r"/surveys/{survey:\d+}/edit", who=askers)
async def change(visit: Visit) -> web.StreamResponse:
    """A new version."""
    given = await visit.form(Compose)
    await surveys.change_survey(visit.staff, _ident(visit), given.as_plan(visit.now), visit.now, visit.source)
    return visit.go(f"/surveys/{_ident(visit)}", "改好了，核对后请同事同意。")


@pages.post("/surveys/question", who=askers)
async def more(visit: Visit) -> web.StreamResponse:
    """One more question to fill in; without JavaScript the whole form with one more."""
    given = await visit.form(Compose)
    blocks = given.blocks()
    if len(blocks) >= MOST_QUESTIONS:
        raise BadRequest("questions", say=f"最多 {MOST_QUESTIONS} 道题。")
    if visit.by_htmx:
        return visit.render("survey_question.html", block=_EMPTY, place=len(blocks) + 1, types=survey_desk.TYPE_NAMES)
    return await _page(visit, given, [*blocks, _EMPTY])


def _fields(found: Survey) -> Compose:
    """The form that says what a survey says."""
    questions = found.questions
    return Compose(
        kind=found.kind,
        title=found.title,
        words=found.words,
        area_id=found.area_id,
        opens=f"{found.opens_at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}",
        closes=f"{found.closes_at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}",
        anonymous=found.anonymous,
        results=found.results,
        asks=[question["text"] for question in questions],
        types=[question["type"] for question in questions],
        options=["\n".join(question["choices"]) for question in questions],
        required=["yes" if question["required"] else "no" for question in questions],
        **fields_of(dict(found.audience)),
    )


def _ident(visit: Visit) -> int:
    return int(visit.request.match_info["survey"][:18])
