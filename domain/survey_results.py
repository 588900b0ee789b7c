"""What came of a survey: counts and shares, who sees them, the end of it, the picture and the table.

While an anonymous survey is open nobody sees anything but how many have answered: who watched the numbers change would
know who answered what. Of fewer than `FEWEST` anonymous answers nothing is shown at all. Texts are for staff alone.
"""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import xlsxwriter

from domain import survey_notices
from domain.clock import say_date
from domain.drawing import bar_chart
from domain.journal import audit
from domain.notices import Tap, excerpt
from domain.people import Person, ancestors
from domain.survey_answers import shuffle
from domain.survey_people import count_asked
from domain.survey_questions import Question, labels, numbers, say_answer
from domain.surveys import find_survey, runs
from errors import Conflict, NotAllowed, NotFound
from models.database import fetch, from_json, transaction
from models.enums import Role, SurveyKind, SurveyState
from models.surveys import Survey

#: Anonymous answers below which nothing is shown.
FEWEST = 5
_LINES = 5
_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing to choose: how many did, and their share of those who answered the question (0 to 1)."""

    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question: how many answered it, what they chose, the mean of the stars, what they wrote (for staff)."""

    question: Question
    answered: int
    bars: Sequence[Bar]
    mean: float | None
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Result:
    """`answered` of `asked` people (of a vote: households) answered. `questions` is empty where `hidden` says why;
    `grids` (how many of each took part) is for staff."""

    survey: Survey
    asked: int | None
    answered: int
    questions: Sequence[QuestionResult]
    hidden: str = ""
    grids: Sequence[tuple[str, int]] = ()

    @property
    def rate(self) -> float | None:
        """The share that answered, 0 to 1; None where nobody counted who is asked."""
        return min(1.0, self.answered / self.asked) if self.asked else None


async def result_of(person: Person, survey_id: int, now: datetime) -> Result:
    """The result as this person may see it. Raises NotFound; NotAllowed where only staff do, or not yet."""
    survey = await find_survey(person, survey_id, now)
    officer = await _works_there(person, survey)
    if not officer and survey.results == "staff":
        raise NotAllowed("results for staff", say="这次的结果只给社区参考，不公布。", tag="survey:results")
    if not officer and survey.results == "closed" and survey.state is SurveyState.OPEN:
        say = f"结果要等{say_date(survey.closes_at, now)}截止后才公布。"
        raise NotAllowed("results when closed", say=say, tag="survey:results", object_id=survey_id)
    result = await count(survey, texts=officer)
    return replace(result, grids=await _turnout(survey)) if officer else result


_TURNOUT = """
SELECT c.name || g.name AS grid, count(*) AS answered FROM survey_voter v
JOIN area g ON g.id = v.grid_id JOIN area c ON c.id = g.parent_id
WHERE v.survey_id = $1 GROUP BY g.id, g.code, c.name, g.name ORDER BY g.code
"""


async def _turnout(survey: Survey) -> list[tuple[str, int]]:
    """How many have answered, grid by grid. That somebody took part is no secret, also of an anonymous survey."""
    return [(row["grid"], row["answered"]) for row in await fetch(_TURNOUT, survey.id)]


async def _works_there(person: Person, survey: Survey) -> bool:
    """Officers at any time; a grid worker below once it is closed."""
    if await runs(person, survey):
        return True
    post = person.post
    return post is not None and survey.state is SurveyState.CLOSED and survey.area_id in await ancestors(post.area_id)


async def count(survey: Survey, *, texts: bool = False) -> Result:
    """Count what there is, as far as anybody may see it now."""
    answered = int((await fetch("SELECT count(*) AS n FROM survey_voter WHERE survey_id = $1", survey.id))[0]["n"])
    if hidden := _hidden(survey, answered):
        return Result(survey, survey.expected, answered, (), hidden)
    tallies: dict[str, Counter[int]] = {question["key"]: Counter() for question in survey.questions}
    bases, written = Counter[str](), {question["key"]: list[str]() for question in survey.questions}
    after = _FIRST
    while rows := await fetch(_ANSWERS, survey.id, after, _PAGE):
        after = rows[-1]["id"]
        for row in rows:
            answers = from_json(row["answers"])
            for question in survey.questions:
                if (answer := answers.get(key := question["key"])) is not None:
                    bases[key] += 1
                    tallies[key].update(numbers(question, answer))
                    if texts and question["type"] == "text":
                        written[key].append(str(answer))
    questions = [_counted(one, bases[one["key"]], tallies[one["key"]], written[one["key"]]) for one in survey.questions]
    return Result(survey, survey.expected, answered, questions)


_FIRST = "00000000-0000-0000-0000-000000000000"
_ANSWERS = """
SELECT id, answers FROM survey_answer WHERE survey_id = $1 AND id > $2::uuid ORDER BY id LIMIT $3
"""


def _hidden(survey: Survey, answered: int) -> str:
    if not survey.anonymous:
        return ""
    if survey.state is not SurveyState.CLOSED:
        return "不记名的要等截止后才能看结果，工作人员也一样。"
    return f"答的不到 {FEWEST} 份，为了不让人猜到是谁，不公布结果。" if answered < FEWEST else ""


def _counted(question: Question, base: int, tally: Counter[int], texts: Sequence[str]) -> QuestionResult:
    bars = [
        Bar(label, tally[number], tally[number] / base if base else 0.0)
        for number, label in enumerate(labels(question), 1)
    ]
    mean = sum(number * times for number, times in tally.items()) / base if base else None
    return QuestionResult(question, base, bars, mean if question["type"] == "stars" else None, texts)


def say_result(result: Result, now: datetime) -> str:
    """The result for a chat: a few lines."""
    survey, unit = result.survey, "户" if result.survey.kind is SurveyKind.VOTE else "人"
    rate = f"，占 {result.rate:.0%}" if result.rate is not None else ""
    until = f"{say_date(survey.closes_at, now)}截止，" if survey.state is SurveyState.OPEN else ""
    head = f"“{survey.title}”{until}{result.answered} {unit}参加{rate}。"
    if result.hidden:
        return f"{head}\n{result.hidden}"
    closed = [one for one in result.questions if one.bars]
    if len(closed) == 1:
        bars = sorted(closed[0].bars, key=lambda bar: -bar.count)[:_LINES]
        return "\n".join([head, *(f"{bar.label}：{bar.count}（{bar.share:.0%}）" for bar in bars)])
    lines = [f"{place}. {_say_one(one)}" for place, one in enumerate(closed[:_LINES], 1)]
    more = [f"还有 {len(closed) - _LINES} 题，请在小程序里看。"] if len(closed) > _LINES else []
    return "\n".join([head, *lines, *more])


def _say_one(one: QuestionResult) -> str:
    text = excerpt(one.question["text"], 16)
    if one.mean is not None:
        return f"{text}：平均 {one.mean:.1f} 星"
    best = max(one.bars, key=lambda bar: bar.count)
    return f"{text}：{best.label} {best.share:.0%}" if best.count else f"{text}：还没有人答"


async def draw(person: Person, survey_id: int, place: int, now: datetime) -> bytes:
    """The chart of a question (from 1) as a PNG. Raises as `result_of`, NotFound where there is none to draw."""
    result = await result_of(person, survey_id, now)
    if not 1 <= place <= len(result.questions) or not result.questions[place - 1].bars:
        raise NotFound(f"chart {place}", say=result.hidden or "这一题没有图。", tag="survey:results")
    return await asyncio.to_thread(_chart, result, [result.questions[place - 1]])


def _chart(result: Result, shown: Sequence[QuestionResult]) -> bytes:
    """One question under its own words; several under the survey's title, each bar with its question's number."""
    unit = "户" if result.survey.kind is SurveyKind.VOTE else "人"
    rate = f"，占 {result.rate:.0%}" if result.rate is not None else ""
    taken = f"{result.answered} {unit}参加{rate}。"
    if len(shown) == 1:
        bars = [(bar.label, bar.count, bar.share) for bar in shown[0].bars]
        note = f"{result.survey.title}：{shown[0].answered} {unit}答了这一题，{taken}"
        return bar_chart(shown[0].question["text"], bars, note)
    numbered = [(f"{place}. {one.question['text']}：", bar) for place, one in enumerate(shown, 1) for bar in one.bars]
    return bar_chart(
        result.survey.title, [(f"{head}{bar.label}", bar.count, bar.share) for head, bar in numbered], taken
    )


async def draw_whole(key: str, _base: str) -> bytes:
    """All questions of the survey with this id as one PNG, for a notice: what everybody may see of it. Raises
    NotFound."""
    survey = await Survey.get_or_none(id=int(key))
    result = await count(survey) if survey else None
    if result is None or not (shown := [one for one in result.questions if one.bars]):
        raise NotFound(f"chart of survey {key}")
    return await asyncio.to_thread(_chart, result, shown)


async def send_chart(person: Person, survey_id: int, now: datetime) -> bool:
    """Send it to this person's chat; False where there is none. Raises as `result_of`."""
    result = await result_of(person, survey_id, now)
    if not any(one.bars for one in result.questions):
        return False
    async with transaction():
        await survey_notices.tell_chart(result.survey, person.openid, now)
    return True


async def export(person: Person, survey_id: int, now: datetime, source: str = "") -> bytes:
    """Everything as an Excel workbook, for officers: counts, and each answer in no order. Raises Conflict while an
    anonymous one is open, NotFound, NotAllowed."""
    survey = await find_survey(person, survey_id, now)
    if not await runs(person, survey):
        raise NotAllowed("export", tag="survey:export", object_id=survey_id)
    result = replace(await count(survey, texts=True), grids=await _turnout(survey))
    if result.hidden:
        raise Conflict("hidden", say=result.hidden, tag="survey:export", object_id=survey_id)
    rows = await fetch(_ROWS, survey_id)
    await audit(person.actor, "survey:export", survey_id, now, source=source)
    answers = [(row["grid"] or "", from_json(row["answers"])) for row in rows]
    return await asyncio.to_thread(_workbook, result, answers)


# Ordered by names that say nothing of the order they came in.
_ROWS = """
SELECT s.answers, g.name AS grid FROM survey_answer s LEFT JOIN area g ON g.id = s.grid_id
WHERE s.survey_id = $1 ORDER BY s.id
"""


def _workbook(result: Result, answers: Sequence[tuple[str, dict[str, object]]]) -> bytes:
    """Two sheets. What people wrote is never taken for a formula or an address."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("结果")
        lines: list[list[object]] = [[result.survey.title], ["参加", result.answered, "应参加", result.asked or ""], []]
        for one in result.questions:
            lines += [[one.question["text"], "答的人数", one.answered]]
            lines += [[bar.label, bar.count, f"{bar.share:.1%}"] for bar in one.bars]
            lines += [["平均", round(one.mean, 2)]] if one.mean is not None else []
            lines += [[]]
        lines += [["网格", "参加"], *map(list, result.grids)]
        for place, line in enumerate(lines):
            sheet.write_row(place, 0, line)
        sheet = book.add_worksheet("每份回答")
        questions = result.survey.questions
        sheet.write_row(0, 0, ["网格", *(question["text"] for question in questions)])
        for place, (grid, given) in enumerate(answers, 1):
            said = [say_answer(question, given.get(question["key"])) for question in questions]
            sheet.write_row(place, 0, [grid, *said])
    return out.getvalue()


async def close_due(now: datetime, limit: int = 20) -> int:
    """End what is over: count, mix anonymous answers once more, tell whoever answered. Gives how many ended."""
    ended = 0
    due = Survey.filter(state=SurveyState.OPEN, closes_at__lte=now).order_by("closes_at").limit(limit)
    for survey_id in await due.values_list("id", flat=True):
        async with transaction():
            still = Survey.filter(id=survey_id, state=SurveyState.OPEN, closes_at__lte=now)
            survey = await still.select_for_update(skip_locked=True).first()
            if survey is not None:
                await _close(survey, now)
                ended += 1
    return ended


async def _close(survey: Survey, now: datetime) -> None:
    survey.state = SurveyState.CLOSED
    survey.expected = await count_asked(survey, now)  # households may have become known only in order to vote
    await survey.save(update_fields=["state", "expected"])
    await fetch("DELETE FROM survey_draft WHERE survey_id = $1", survey.id)
    if survey.anonymous:
        await shuffle(survey.id)
    await audit("system", "survey:close", survey.id, now, source="job:close_due")
    if survey.results == "staff":
        text = f"“{survey.title}”结束了，谢谢您参加。\n结果会给社区参考。"
        await survey_notices.tell_voters(survey, text, now, waits=True)
    else:
        text = f"{survey_notices.name(survey)}结束了，谢谢您参加。\n{say_result(await count(survey), now)}"
        await survey_notices.tell_voters(survey, text, now, Tap.SURVEY_RESULTS, waits=True)


_WAITED_FOR = """
WITH RECURSIVE asked AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN asked ON a.parent_id = asked.id
), mine AS (
    SELECT id FROM area WHERE id = $2 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT h.building || h.unit || h.room AS home FROM household h JOIN asked ON asked.id = h.grid_id
JOIN mine ON mine.id = h.grid_id
WHERE NOT EXISTS (SELECT FROM survey_voter v WHERE v.survey_id = $3 AND v.household_id = h.id)
ORDER BY h.grid_id, h.building, h.unit, h.room LIMIT $4
"""


async def waited_for(person: Person, survey_id: int, now: datetime, limit: int = 50) -> list[str]:
    """For staff: which households of theirs have not voted, as 3栋2单元501. Raises NotFound, NotAllowed for residents,
    Conflict where not every household is asked."""
    survey = await find_survey(person, survey_id, now)
    if person.post is None or person.post.role is Role.DEPARTMENT_STAFF:
        raise NotAllowed("waited for", tag="survey:watch", object_id=survey_id)
    if survey.kind is not SurveyKind.VOTE or survey.audience:
        raise Conflict("not every household", say="只有每户都问的投票才能看哪些人家还没投。", object_id=survey_id)
    rows = await fetch(_WAITED_FOR, survey.area_id, person.post.area_id, survey_id, limit)
    return [row["home"] for row in rows]
