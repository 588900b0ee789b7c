"""Surveys and votes as the API gives and takes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StrictBool, StrictInt, StringConstraints

from domain.survey_questions import Answer
from domain.survey_results import QuestionResult, Result
from domain.surveys import Listed, Survey
from miniapp_api.kernel import Body, Id
from models.enums import SurveyKind, SurveyState

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,15}$")]
Text = Annotated[str, Field(max_length=500)]
#: The number of a choice or of stars, numbers of choices, yes or no, words; null = passed over.
Given = StrictBool | StrictInt | Annotated[list[Annotated[StrictInt, Field(ge=1, le=9)]], Field(max_length=9)] | Text
AnswerType = Literal["choice", "choices", "stars", "yes_no", "text"]
SeenBy = Literal["staff", "closed", "all"]


class QuestionShape(Body):
    """One question. `key` may be left out: q1, q2 … `choices` are for choice and choices alone."""

    key: Key | None = None
    text: Annotated[str, Field(min_length=1, max_length=100)]
    type: AnswerType
    choices: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=30)], ...], Field(max_length=9)] = ()
    required: bool = True


class SurveyDraftBody(Body):
    """What its author writes. `audience`: who of the area, as broadcasts have it; empty = everybody."""

    kind: SurveyKind
    title: Annotated[str, Field(min_length=1, max_length=30)]
    words: Annotated[str, Field(max_length=1000)] = ""
    questions: Annotated[list[QuestionShape], Field(min_length=1, max_length=20)]
    anonymous: bool = False
    results: SeenBy = "closed"
    area_id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    audience: Annotated[dict[str, Any], Field(default_factory=dict)]
    opens_at: Annotated[AwareDatetime | None, Field(description="now where it is left out")] = None
    closes_at: AwareDatetime


class Decision(Body):
    """Whether the version that was read may go out; `why` is needed where not."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    agree: bool
    why: Annotated[str, Field(max_length=200)] = ""


class Reason(Body):
    """Why it is cancelled; whoever has answered reads it."""

    why: Annotated[str, Field(min_length=1, max_length=200)]


class AnswersBody(Body):
    """All answers at once, by question key."""

    answers: Annotated[dict[Key, Given | None], Field(max_length=20)]


class SurveyLine(Body):
    """One of a list. `answered`: the caller has, or their household has voted."""

    id: int
    kind: SurveyKind
    state: SurveyState
    title: str
    area: str
    anonymous: bool
    opens_at: datetime
    closes_at: datetime
    answered: bool


class SurveyInfo(Body):
    """A survey with its questions. `hindrance` says why the caller cannot answer ("" = they can); `answers` are theirs,
    null where they gave none or it is anonymous. `why`, `author_id` and `expected` are for officers."""

    id: int
    kind: SurveyKind
    state: SurveyState
    version: int
    title: str
    words: str
    questions: list[QuestionShape]
    anonymous: bool
    results: str
    opens_at: datetime
    closes_at: datetime
    hindrance: str
    answers: dict[str, Any] | None
    why: str | None
    author_id: int | None
    expected: int | None


class BarInfo(Body):
    """One thing to choose; `share` of those who answered the question, 0 to 1."""

    label: str
    count: int
    share: float


class QuestionResultInfo(Body):
    """`answered`: how many answered this one, what shares are of. `mean` is of stars. `texts` are for staff."""

    key: str
    text: str
    type: AnswerType
    answered: int
    bars: list[BarInfo]
    mean: float | None
    texts: list[str]


class GridInfo(Body):
    """How many of a grid took part."""

    grid: str
    answered: int


class ResultInfo(Body):
    """`answered` of `asked` people (of a vote: households). Without questions, `hidden` says why. `grids`: staff."""

    id: int
    kind: SurveyKind
    title: str
    state: SurveyState
    asked: int | None
    answered: int
    rate: float | None
    questions: list[QuestionResultInfo]
    hidden: str
    grids: list[GridInfo]


class Homes(Body):
    """Households that have not voted, as 3栋2单元501."""

    items: list[str]


class Receipt(Body):
    """What the caller is told."""

    id: Id
    say: str


def line_of(one: Listed) -> SurveyLine:
    """A survey in a list."""
    survey = one.survey
    return SurveyLine(
        id=survey.id,
        kind=survey.kind,
        state=survey.state,
        title=survey.title,
        area=one.area_name,
        anonymous=survey.anonymous,
        opens_at=survey.opens_at,
        closes_at=survey.closes_at,
        answered=one.answered,
    )


def info_of(survey: Survey, hindrance: str, answers: dict[str, Answer] | None, *, officer: bool) -> SurveyInfo:
    """A survey as its reader may see it."""
    return SurveyInfo(
        id=survey.id,
        kind=survey.kind,
        state=survey.state,
        version=survey.version,
        title=survey.title,
        words=survey.words,
        questions=[QuestionShape(**question) for question in survey.questions],
        anonymous=survey.anonymous,
        results=survey.results,
        opens_at=survey.opens_at,
        closes_at=survey.closes_at,
        hindrance=hindrance,
        answers=answers,
        why=survey.why if officer else None,
        author_id=survey.author_id if officer else None,
        expected=survey.expected if officer else None,
    )


def _question_of(one: QuestionResult) -> QuestionResultInfo:
    return QuestionResultInfo(
        key=one.question["key"],
        text=one.question["text"],
        type=one.question["type"],
        answered=one.answered,
        bars=[BarInfo(label=bar.label, count=bar.count, share=bar.share) for bar in one.bars],
        mean=one.mean,
        texts=list(one.texts),
    )


def result_of(result: Result) -> ResultInfo:
    """What was counted."""
    return ResultInfo(
        id=result.survey.id,
        kind=result.survey.kind,
        title=result.survey.title,
        state=result.survey.state,
        asked=result.asked,
        answered=result.answered,
        rate=result.rate,
        questions=[_question_of(one) for one in result.questions],
        hidden=result.hidden,
        grids=[GridInfo(grid=grid, answered=answered) for grid, answered in result.grids],
    )


def questions_of(body: SurveyDraftBody) -> Sequence[dict[str, Any]]:
    """As the domain takes them."""
    return [question.model_dump(exclude_none=True) for question in body.questions]
