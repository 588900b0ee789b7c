"""问卷与议事投票: written by one member of staff, let out by a second, open until a day, then counted.

What was handed in cannot be changed any more, so what the second person agreed to is what goes out. Households vote
(`survey_answers`); results are counted in `survey_results`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain import broadcast_control, broadcasts, survey_notices
from domain.audiences import check_audience
from domain.journal import audit
from domain.people import Person, Post, ancestors, post_of, posts_upward
from domain.services import seen_areas
from domain.survey_people import count_asked
from domain.survey_questions import check_questions
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.broadcasts import Broadcast
from models.database import fetch, transaction
from models.enums import BroadcastState, SurveyKind, SurveyState
from models.people import Area, Staff
from models.surveys import Survey

__all__ = [
    "SHOWN_FOR",
    "Listed",
    "Plan",
    "Survey",
    "absent",
    "cancel",
    "change_survey",
    "decide",
    "find_survey",
    "hand_in",
    "is_open",
    "list_surveys",
    "make_survey",
    "may_read",
    "runs",
    "waits",
]

#: How long a closed survey stays in residents' lists.
SHOWN_FOR = timedelta(days=90)
_LONGEST_OPEN = timedelta(days=180)
_LONGEST_AHEAD = timedelta(days=366)
_RESULTS = ("staff", "closed", "all")
_TITLE, _WORDS, _WHY = 30, 1000, 200
_UNDER_WAY = (BroadcastState.APPROVED, BroadcastState.PAUSED)
_EDITABLE = (SurveyState.DRAFT, SurveyState.REFUSED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an author writes. `audience`: which people of the area (see `domain.audiences`); {} = everybody."""

    kind: SurveyKind
    title: str
    questions: Sequence[Mapping[str, Any]]
    area_id: int
    opens_at: datetime
    closes_at: datetime
    words: str = ""
    anonymous: bool = False
    results: str = "closed"  # who sees them: staff, closed (everybody, then), all (everybody, at once)
    audience: Mapping[str, Any] = field(default_factory=dict)


async def make_survey(person: Person, plan: Plan, now: datetime, source: str = "") -> Survey:
    """A draft. Raises NotAllowed for who is no officer of that area, BadRequest for what is wrong in it."""
    post = _officer(person, "survey:make")
    values = await _checked(post, plan, now)
    async with transaction():
        survey = await Survey.create(**values, author_id=post.id, state=SurveyState.DRAFT, created_at=now)
        await audit(person.actor, "survey:make", survey.id, now, source=source)
    return survey


async def change_survey(person: Person, survey_id: int, plan: Plan, now: datetime, source: str = "") -> Survey:
    """Write a draft, or what was refused, anew. Raises Conflict for what has been handed in."""
    async with transaction():
        post, survey = await _lock(person, survey_id, "survey:change", now)
        if survey.state not in _EDITABLE:
            raise _conflict(survey, "已经交上去了，不能再改。要改请先取消，再写一份新的。")
        survey.update_from_dict(await _checked(post, plan, now) | {"state": SurveyState.DRAFT, "why": ""})
        survey.version += 1
        survey.author_id = post.id  # who wrote it last is not the one to agree to it
        await survey.save()
        await audit(person.actor, "survey:change", survey_id, now, source=source)
    return survey


async def _checked(post: Post, plan: Plan, now: datetime) -> dict[str, Any]:
    """The columns of a plan that is in order."""
    area = await Area.get_or_none(id=plan.area_id)
    if area is None or post.area_id not in await ancestors(area.id):
        raise NotFound(f"area {plan.area_id}", say="没有这个范围，请从列表里选。", tag="survey:make")
    if not 1 <= len(plan.title.strip()) <= _TITLE or len(plan.words) > _WORDS:
        raise BadRequest("title", say=f"标题要写 1 到 {_TITLE} 个字，说明最多 {_WORDS} 个字。")
    if plan.results not in _RESULTS:
        raise BadRequest("results", say="请选谁能看结果：工作人员、结束后所有人、随时所有人。")
    opens = max(plan.opens_at, now)
    if not timedelta(hours=1) <= plan.closes_at - opens <= _LONGEST_OPEN:
        raise BadRequest("closes_at", say="截止时间要晚于开始至少一小时，最长半年。")
    if opens > now + _LONGEST_AHEAD:
        raise BadRequest("opens_at", say="最早只能提前一年写。")
    if plan.anonymous and plan.results == "all":
        raise BadRequest("open results", say="不记名的要等结束后才能看结果，不然看着数字变就知道是谁答的。")
    if plan.audience:
        await check_audience(dict(plan.audience), area.id)
    return {
        "kind": plan.kind,
        "title": plan.title.strip(),
        "words": plan.words.strip(),
        "questions": check_questions(plan.questions),
        "anonymous": plan.anonymous,
        "results": plan.results,
        "area_id": area.id,
        "audience": dict(plan.audience),
        "opens_at": opens,
        "closes_at": plan.closes_at,
    }


async def hand_in(person: Person, survey_id: int, now: datetime, source: str = "") -> Survey:
    """Ask a second person to look at it; whoever may agree is told."""
    async with transaction():
        _, survey = await _lock(person, survey_id, "survey:hand_in", now)
        if survey.state is not SurveyState.DRAFT:
            raise _conflict(survey, "不是草稿，不用再交。")
        _still_time(survey, now)
        survey.state = SurveyState.WAITING
        await survey.save(update_fields=["state"])
        await audit(person.actor, "survey:hand_in", survey_id, now, source=source)
        author = await _author(survey)
        for post in await _deciders(survey):
            await survey_notices.tell_decider(survey, post, author.name, now)
    return survey


async def _deciders(survey: Survey) -> list[Post]:
    """The nearest staff who may agree: officers of its area, else of the next above, never its author."""
    posts = [post for post in await posts_upward(survey.area_id) if post.dispatches and post.id != survey.author_id]
    return [post for post in posts if post.level is posts[0].level]


async def decide(
    person: Person, survey_id: int, version: int, agree: bool, now: datetime, *, why: str = "", source: str = ""
) -> Survey:
    """A second person lets out the version they read, or says why not. Raises NotAllowed for its author, Conflict where
    nothing waits, or it has been changed since."""
    async with transaction():
        post, survey = await _lock(person, survey_id, "survey:decide", now)
        if survey.author_id == post.id:
            raise NotAllowed("own survey", say="自己写的要请另一位同事看。", tag="survey:decide", object_id=survey_id)
        if survey.state is not SurveyState.WAITING:
            raise _conflict(survey, "现在不用审。")
        if survey.version != version:
            raise _conflict(survey, "刚刚改过，请重新看一遍题目再选。")
        if not agree and not why.strip():
            raise BadRequest("no reason", say="不同意请写一句原因，好让同事改。")
        survey.approver_id = post.id
        if agree:
            await _let_out(survey, post, now, source)
        else:
            survey.state, survey.why = SurveyState.REFUSED, why.strip()[:_WHY]
        await survey.save()
        await audit(person.actor, f"survey:{'agree' if agree else 'refuse'}", survey_id, now, source=source)
        await survey_notices.tell_author(survey, await _author(survey), post.name, now)
    return survey


async def _let_out(survey: Survey, approver: Post, now: datetime, source: str) -> None:
    """Open from its time on. People are told by a broadcast that these same two people answer for."""
    _still_time(survey, now)
    survey.state, survey.expected = SurveyState.OPEN, await count_asked(survey, now)
    area = await Area.get(id=survey.area_id)
    draft = broadcasts.Draft(
        survey.title,
        survey_notices.announcement(survey, now),
        survey.audience or {"area": [area.code]},
        topic=survey_notices.TOPIC,
        calendar={"at": survey.opens_at.isoformat()} if survey.opens_at > now else {},
        area_code=area.code,
    )
    author = Person("", 0, None, await post_of(survey.author_id))
    survey.broadcast_id = (await broadcasts.publish(author, approver, draft, now, source)).id


def _still_time(survey: Survey, now: datetime) -> None:
    if survey.closes_at <= now:
        raise _conflict(survey, "截止时间已经过了，请改了时间再交。")


async def cancel(person: Person, survey_id: int, why: str, now: datetime, source: str = "") -> Survey:
    """End it without a result. Whoever has answered is told why; who has not been told of it yet never is."""
    if not why.strip():
        raise BadRequest("no reason", say="请写一句为什么取消，答过的居民会看到。")
    async with transaction():
        _, survey = await _lock(person, survey_id, "survey:cancel", now)
        if survey.state in (SurveyState.CLOSED, SurveyState.CANCELLED):
            raise _conflict(survey, "已经结束了。")
        survey.state, survey.why = SurveyState.CANCELLED, why.strip()[:_WHY]
        await survey.save(update_fields=["state", "why"])
        await fetch("DELETE FROM survey_draft WHERE survey_id = $1", survey_id)
        under_way = Broadcast.filter(id=survey.broadcast_id, state__in=_UNDER_WAY)
        if told := await under_way.select_for_update().first():
            await broadcast_control.cancel(person, told.id, why, now, source)
        await audit(person.actor, "survey:cancel", survey_id, now, source=source)
        await survey_notices.tell_voters(survey, survey_notices.cancelled(survey), now)
    return survey


@dataclass(frozen=True, slots=True)
class Listed:
    """A survey in somebody's list."""

    survey: Survey
    area_name: str
    answered: bool


# $1 areas of which one reads what is open or over; $2 of which one sees everything, as an officer; $3 me.
_LIST = """
SELECT s.id, a.name AS area_name, EXISTS (
    SELECT 1 FROM survey_voter v WHERE v.survey_id = s.id AND (v.resident_id = $3 OR v.household_id = (
        SELECT m.household_id FROM household_member m WHERE m.resident_id = $3 AND m.confirmed_at IS NOT NULL LIMIT 1))
) AS answered
FROM survey s JOIN area a ON a.id = s.area_id
WHERE (s.area_id = ANY ($2) OR s.area_id = ANY ($1) AND (
    s.state = 'open' AND s.opens_at <= $4 OR s.state = 'closed' AND s.closes_at > $5 AND s.results <> 'staff'))
    AND ($6::bigint IS NULL OR s.id < $6) AND ($7 = '' OR s.state = $7)
ORDER BY s.id DESC LIMIT $8
"""


async def list_surveys(
    person: Person, now: datetime, *, state: str = "", before: int | None = None, limit: int = 20
) -> list[Listed]:
    """What this person may read, the newest first; `before` = the id the page before ended with."""
    areas = await seen_areas(person)
    officer = person.post if person.post and person.post.dispatches else None
    mine = await _below(officer.area_id) if officer else []
    rows = await fetch(_LIST, areas, mine, person.resident_id, now, now - SHOWN_FOR, before, state, limit)
    found = {survey.id: survey for survey in await Survey.filter(id__in=[row["id"] for row in rows])}
    return [Listed(found[row["id"]], row["area_name"], row["answered"]) for row in rows]


async def find_survey(person: Person, survey_id: int, now: datetime) -> Survey:
    """One this person may read: of their area, once it is open; officers read all of theirs. Raises NotFound."""
    survey = await Survey.get_or_none(id=survey_id)
    if survey is None or not await may_read(person, survey, now):
        raise absent(survey_id)
    return survey


async def may_read(person: Person, survey: Survey, now: datetime) -> bool:
    """Whether somebody may know that it exists."""
    if await runs(person, survey):
        return True
    begun = (survey.state is SurveyState.OPEN and survey.opens_at <= now) or survey.state is SurveyState.CLOSED
    return begun and survey.area_id in await seen_areas(person)


async def runs(person: Person, survey: Survey) -> bool:
    """Whether somebody is an officer of its area or of one above."""
    post = person.post
    return post is not None and post.dispatches and post.area_id in await ancestors(survey.area_id)


def absent(survey_id: int, tag: str = "survey:read") -> NotFound:
    """It is not there, or not for this person."""
    say, chat = "没有找到这份问卷或投票。", "回复“投票”看现在有哪些。"
    return NotFound(f"survey {survey_id}", say=say, chat=chat, tag=tag, object_id=survey_id)


def waits(survey: Survey) -> bool:
    """Whether a second person is to look at it."""
    return survey.state is SurveyState.WAITING


def is_open(survey: Survey, now: datetime) -> bool:
    """Whether it may be answered now."""
    return survey.state is SurveyState.OPEN and survey.opens_at <= now < survey.closes_at


async def _below(area_id: int) -> list[int]:
    return [row["id"] for row in await fetch(_BELOW, area_id)]


_BELOW = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT id FROM down
"""


def _officer(person: Person, tag: str) -> Post:
    if person.post is None or not person.post.dispatches:
        raise NotAllowed(f"{person.actor} is no officer", say="这是社区和以上工作人员用的。", tag=tag)
    return person.post


async def _lock(person: Person, survey_id: int, tag: str, now: datetime) -> tuple[Post, Survey]:
    """The survey, locked, for an officer of its area or above. Raises NotFound, NotAllowed for others who read it."""
    survey = await Survey.filter(id=survey_id).select_for_update().get_or_none()
    if survey is None or not await may_read(person, survey, now):
        raise absent(survey_id, tag)
    if not await runs(person, survey):
        raise NotAllowed(f"{person.actor} does not run survey {survey_id}", tag=tag, object_id=survey_id)
    return _officer(person, tag), survey


async def _author(survey: Survey) -> Staff:
    return await Staff.get(id=survey.author_id)


def _conflict(survey: Survey, say: str) -> Conflict:
    return Conflict(f"survey {survey.id} is {survey.state}", say=f"“{survey.title}”{say}", object_id=survey.id)
