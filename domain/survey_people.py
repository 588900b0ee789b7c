"""Who is asked by a survey, and as whom somebody answers it: for themselves, or for their household."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.audience_rules import Someone
from domain.audiences import check_audience, list_people
from domain.clock import SHANGHAI
from domain.people import Person, ancestors
from errors import NotAllowed
from models.database import fetch, from_json
from models.enums import SurveyKind
from models.surveys import Survey

_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Voter:
    """As whom one answers. Either is missing where it is not known."""

    resident_id: int | None
    member_id: int | None
    household_id: int | None
    grid_id: int | None


_RESIDENT = """
SELECT r.id AS resident_id, m.id AS member_id, m.household_id, coalesce(h.grid_id, r.grid_id) AS grid_id, r.grid_id
    AS home_id
FROM resident r LEFT JOIN household_member m ON m.resident_id = r.id AND m.confirmed_at IS NOT NULL
LEFT JOIN household h ON h.id = m.household_id WHERE r.id = $1
"""
_MEMBER = """
SELECT CASE WHEN m.confirmed_at IS NOT NULL THEN m.resident_id END AS resident_id, m.id AS member_id, m.household_id,
    h.grid_id
FROM household_member m JOIN household h ON h.id = m.household_id WHERE m.id = $1
"""


async def voter_of(person: Person, survey: Survey, now: datetime) -> Voter:
    """As whom this resident answers. Raises NotAllowed where they are not asked, or a vote knows no household."""
    rows = await fetch(_RESIDENT, person.resident_id)
    if not rows:
        raise NotAllowed(
            "no resident", say="这是居民用的。请用您自己的微信答。", tag="survey:answer", object_id=survey.id
        )
    voter = _as_voter(rows[0], survey)
    if survey.kind is SurveyKind.VOTE and voter.household_id is None:
        say = "一户投一票，先要知道您是哪一户。请先登记住址，网格员核对后再来投。"
        chat = "登记就回复“我住3栋2单元501”这样的话。"
        raise NotAllowed("no household", say=say, chat=chat, tag="survey:answer", object_id=survey.id)
    await need_asked(voter, survey, now)
    return voter


async def find_member(member_id: int) -> Voter | None:
    """Somebody of a household, as staff write down what they say."""
    rows = await fetch(_MEMBER, member_id)
    return Voter(**rows[0]) if rows else None


async def concerns(person: Person, survey: Survey, now: datetime) -> bool:
    """Whether it is for this resident, as far as is known: who has no household yet may still belong to one."""
    rows = await fetch(_RESIDENT, person.resident_id)
    if not rows:
        return False
    voter = _as_voter(rows[0], survey)
    unknown = survey.kind is SurveyKind.VOTE and voter.household_id is None
    return unknown or await _is_asked(voter, survey, now)


def _as_voter(row: Mapping[str, Any], survey: Survey) -> Voter:
    """Where they live: of a vote, where their household is."""
    where = "grid_id" if survey.kind is SurveyKind.VOTE else "home_id"
    return Voter(row["resident_id"], row["member_id"], row["household_id"], row[where])


async def _is_asked(voter: Voter, survey: Survey, now: datetime) -> bool:
    inside = voter.grid_id is not None and survey.area_id in await ancestors(voter.grid_id)
    return inside and (not survey.audience or await _fits(voter, survey, now))


async def need_asked(voter: Voter, survey: Survey, now: datetime) -> None:
    """Raises NotAllowed where the survey is not for them."""
    if not await _is_asked(voter, survey, now):
        say = f"“{survey.title}”这次不是问您的，谢谢关心。"
        raise NotAllowed("not asked", say=say, tag="survey:answer", object_id=survey.id)


async def _fits(voter: Voter, survey: Survey, now: datetime) -> bool:
    checked = await check_audience(survey.audience, survey.area_id, in_use=False)
    return checked.rule.holds(await _someone(voter), now.astimezone(SHANGHAI).date()) is True


_BADGES = """ARRAY (
    SELECT b.kind FROM badge b WHERE b.resident_id = r.id AND b.agreed_at IS NOT NULL AND b.ended_at IS NULL
) AS badges
"""
_HOUSE = (
    """
SELECT m.id, h.grid_id, h.building, m.birthday, m.facts, r.id IS NOT NULL AS follows,
"""
    + _BADGES
    + """
FROM household_member m JOIN household h ON h.id = m.household_id
LEFT JOIN resident r ON r.id = m.resident_id AND m.confirmed_at IS NOT NULL AND r.deleted_at IS NULL
WHERE m.household_id = $1 ORDER BY m.id
"""
)
_ALONE = "SELECT r.grid_id, " + _BADGES + "FROM resident r WHERE r.id = $1"


async def _someone(voter: Voter) -> Someone:
    """What is known of them, as rules ask for it."""
    if voter.household_id is None:
        row = (await fetch(_ALONE, voter.resident_id))[0]
        return Someone(row["grid_id"], follows=True, badges=row["badges"])
    rows = await fetch(_HOUSE, voter.household_id)
    people = [
        Someone(
            row["grid_id"],
            follows=row["follows"],
            building=row["building"],
            birthday=row["birthday"],
            facts=from_json(row["facts"]),
            badges=row["badges"],
        )
        for row in rows
    ]
    for one in people:
        one.together = people
    return next(one for row, one in zip(rows, people, strict=True) if row["id"] == voter.member_id)


_EVERYBODY = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT (SELECT count(*) FROM household h JOIN down ON down.id = h.grid_id) AS households,
    (SELECT count(*) FROM resident r JOIN down ON down.id = r.grid_id
        WHERE r.deleted_at IS NULL AND (position(':' IN r.openid) = 0 OR starts_with(r.openid, 'mini:'))) AS residents
"""


async def count_asked(survey: Survey, now: datetime) -> int:
    """How many are asked: households of a vote, else people; what response rates are counted of."""
    vote = survey.kind is SurveyKind.VOTE
    if not survey.audience:
        row = (await fetch(_EVERYBODY, survey.area_id))[0]
        return int(row["households" if vote else "residents"])
    people, households, after = 0, set[int](), 0
    today = now.astimezone(SHANGHAI).date()
    while page := await list_people(survey.audience, survey.area_id, today, after=after, limit=_PAGE):
        after, people = page[-1].order, people + len(page)
        households |= {one.household_id for one in page if one.household_id is not None}
    return len(households) if vote else people
