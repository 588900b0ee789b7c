"""Answering: one answer a person, of a vote one a household, and nothing that leads from an anonymous one to anybody.

Who has answered (`survey_voter`) and what was answered (`survey_answer`) are rows of their own. Of an anonymous survey
they share no key, no time and no order: with each new answer up to `MIXED` - 1 others are deleted and written anew with
it under new random names, in random order and by the same transaction; at the end all are. So neither names nor places
on disk nor transaction numbers say which of these is whose. What was typed leaves the inbox at once (`forget_words`),
what is half answered stands in a draft until it is handed in. What remains is said in docs/surveys.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from domain.clock import SHANGHAI, say_date
from domain.journal import audit
from domain.people import Person, ancestors
from domain.survey_people import Voter, find_member, need_asked, voter_of
from domain.survey_questions import Answer, check_answers
from domain.surveys import find_survey, is_open
from errors import Conflict, NotAllowed, NotFound
from models.database import fetch, from_json, to_json, transaction
from models.enums import Role, SurveyKind
from models.surveys import Survey, SurveyAnswer

#: So many anonymous answers are written together: among as many each one's is hidden, once there are so many.
MIXED = 64

_VOTE = """
INSERT INTO survey_voter (survey_id, resident_id, household_id, member_id, grid_id, by, "on")
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
_BEFORE = """
SELECT id, resident_id, member_id, by FROM survey_voter
WHERE survey_id = $1 AND (resident_id = $2 OR household_id = $3 OR member_id = $4) ORDER BY id LIMIT 1
"""
# Answers that came at the same moment would not see each other, and stay by themselves.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('anonymous answers: ' || $1::bigint, 0))"
_MIX = """
WITH others AS (
    SELECT id FROM survey_answer WHERE survey_id = $1 AND voter_id IS NULL ORDER BY random() LIMIT $3
), gone AS (
    DELETE FROM survey_answer a USING others o WHERE a.id = o.id RETURNING a.answers
)
INSERT INTO survey_answer (id, survey_id, answers)
SELECT gen_random_uuid(), $1, answers FROM (SELECT answers FROM gone UNION ALL SELECT $2::jsonb) mixed
WHERE answers IS NOT NULL ORDER BY random()
"""


async def answer(
    person: Person, survey_id: int, given: Mapping[str, Answer], now: datetime, source: str = ""
) -> Survey:
    """What a resident answers, for themselves or (a vote) for their household. Named answers may be changed by the same
    person while it is open. Raises BadRequest for an answer that does not fit, Conflict where the household has voted
    or it is over, NotAllowed for who is not asked."""
    async with transaction():
        survey = await _lock(person, survey_id, now)
        voter = await voter_of(person, survey, now)
        answers = check_answers(survey.questions, given)
        await _write(survey, voter, answers, "", now)
        await fetch("DELETE FROM survey_draft WHERE survey_id = $1 AND resident_id = $2", survey_id, person.resident_id)
        await audit(f"resident:{person.resident_id}", "survey:answer", survey_id, now, source=source)
    return survey


async def answer_for(
    person: Person, survey_id: int, member_id: int, given: Mapping[str, Answer], now: datetime, source: str = ""
) -> Survey:
    """What somebody without WeChat tells a member of staff of their grid, written down with who wrote it. Raises as
    `answer`, and NotFound for who does not live where they work."""
    async with transaction():
        await _need_grid_duty(person, survey_id, now)
        survey = await _lock(person, survey_id, now)
        voter = await find_member(member_id)
        if voter is None or not await _looks_after(person, voter):
            raise NotFound(f"member {member_id}", say="没有找到这位居民，请从户内成员里选。", tag="survey:answer_for")
        await need_asked(voter, survey, now)
        await _write(survey, voter, check_answers(survey.questions, given), person.actor, now)
        await audit(person.actor, "survey:answer_for", survey_id, now, source=source)
    return survey


async def _lock(person: Person, survey_id: int, now: datetime) -> Survey:
    """The survey as it is until this commits: closing waits for it."""
    await fetch("SELECT id FROM survey WHERE id = $1 FOR SHARE", survey_id)
    survey = await find_survey(person, survey_id, now)
    if not is_open(survey, now):
        over = survey.closes_at <= now
        raise Conflict(
            f"survey {survey_id} is {survey.state}",
            say=f"“{survey.title}”{'已经截止了' if over else '还没有开始'}。",
            chat="回复“投票结果”看结果。" if over else "",
            tag="survey:answer",
            object_id=survey_id,
        )
    return survey


async def _need_grid_duty(person: Person, survey_id: int, now: datetime) -> None:
    if person.post is None or person.post.role is Role.DEPARTMENT_STAFF:
        await find_survey(person, survey_id, now)
        raise NotAllowed(f"{person.actor} writes for nobody", tag="survey:answer_for", object_id=survey_id)


async def _looks_after(person: Person, voter: Voter) -> bool:
    post = person.post
    if post is None or voter.grid_id is None:
        return False
    return post.area_id in await ancestors(voter.grid_id)


async def _write(survey: Survey, voter: Voter, answers: dict[str, Answer], by: str, now: datetime) -> None:
    household = voter.household_id if survey.kind is SurveyKind.VOTE else None
    day = now.astimezone(SHANGHAI).date()
    rows = await fetch(_VOTE, survey.id, voter.resident_id, household, voter.member_id, voter.grid_id, by, day)
    if not rows:
        before = (await fetch(_BEFORE, survey.id, voter.resident_id, household, voter.member_id))[0]
        await _change(survey, voter, before, answers, by, now)
    elif survey.anonymous:
        await fetch(_ONE_AT_A_TIME, survey.id)
        await fetch(_MIX, survey.id, to_json(answers), MIXED - 1)
    else:
        await SurveyAnswer.create(
            id=uuid4(), survey_id=survey.id, voter_id=rows[0]["id"], answers=answers, grid_id=voter.grid_id
        )


async def _change(
    survey: Survey, voter: Voter, before: Mapping[str, Any], answers: dict[str, Answer], by: str, now: datetime
) -> None:
    if why := _stays(survey, voter, before, by, now):
        raise Conflict("answered", say=why, tag="survey:answer", object_id=survey.id)
    await SurveyAnswer.filter(voter_id=before["id"]).update(answers=answers)


def _stays(survey: Survey, voter: Voter, before: Mapping[str, Any], by: str, now: datetime) -> str:
    """Why what was answered before stays; "" = it may be changed. The first answer of a household counts, who gave it
    may change it, where it is known which one it is."""
    until = say_date(survey.closes_at, now)
    same = before["by"] == by and (
        before["resident_id"] == voter.resident_id if voter.resident_id else before["member_id"] == voter.member_id
    )
    if survey.anonymous:
        whose = "您家已经投过了，一户一票。" if survey.kind is SurveyKind.VOTE else "已经答过了。"
        return f"{whose}不记名的交了就找不到是哪一份，所以不能改。"
    if same:
        return ""
    if survey.kind is not SurveyKind.VOTE:
        return f"已经答过了，是工作人员登记的。要改请在{until}前找网格员。" if before["by"] else "已经答过了。"
    who = "网格员替您家登记的" if before["by"] else "家里人投的"
    return f"您家已经投过了，一户一票，以先投的为准。是{who}，{until}前可以请他改。"


async def may_answer(person: Person, survey: Survey, now: datetime) -> str:
    """Why this resident cannot answer, in a sentence; "" = they can, or may change what they answered."""
    if not is_open(survey, now):
        return f"“{survey.title}”现在不能答。"
    try:
        voter = await voter_of(person, survey, now)
    except NotAllowed as error:
        return error.say
    household = voter.household_id if survey.kind is SurveyKind.VOTE else None
    before = await fetch(_BEFORE, survey.id, voter.resident_id, household, voter.member_id)
    return _stays(survey, voter, before[0], "", now) if before else ""


async def my_answers(person: Person, survey_id: int) -> dict[str, Answer] | None:
    """What this person handed in, where it can be known; None = nothing."""
    rows = await fetch(_MINE, survey_id, person.resident_id)
    return dict(from_json(rows[0]["answers"])) if rows else None


_MINE = """
SELECT a.answers FROM survey_voter v JOIN survey_answer a ON a.voter_id = v.id
WHERE v.survey_id = $1 AND v.resident_id = $2
"""


async def draft(person: Person, survey_id: int) -> dict[str, Answer]:
    """What somebody has answered so far in the chat; what they passed over stands there as None."""
    rows = await fetch(
        "SELECT answers FROM survey_draft WHERE survey_id = $1 AND resident_id = $2", survey_id, person.resident_id
    )
    return dict(from_json(rows[0]["answers"])) if rows else {}


async def save_draft(person: Person, survey_id: int, answers: Mapping[str, Answer], now: datetime) -> None:
    """Keep it, so that they can go on later. Raises NotFound, Conflict where it is over."""
    async with transaction():
        await _lock(person, survey_id, now)
        await fetch(_KEEP, survey_id, person.resident_id, to_json(dict(answers)))


_KEEP = """
INSERT INTO survey_draft (survey_id, resident_id, answers) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (survey_id, resident_id) DO UPDATE SET answers = excluded.answers
"""


async def forget_words(inbox_id: int) -> None:
    """Take the words of a message out of the inbox, in the running transaction: they answer an anonymous survey."""
    await fetch("UPDATE inbox SET body = ''::bytea WHERE id = $1", inbox_id)


async def shuffle(survey_id: int) -> None:
    """Write all answers of an anonymous survey anew, in the running transaction."""
    await fetch(_MIX, survey_id, None, None)
