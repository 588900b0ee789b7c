"""Whom a broadcast concerns: everybody of an area whom its rule holds for, page by page, and how each is reached.

Everybody of the households that staff keep is looked at as a member: whoever said which follower they are is reached
themselves, others over family of the same household who follow, the rest by the grid worker. Followers without a
household are looked at by what else is known of them; staff only where a rule names a post. A notice to a whole area
goes once to each who follows and once to each household that nobody of follows, not to everybody in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.audience_pages import Reached, Search, Via, look_through
from domain.audience_reading import Vocabulary, read_rule
from domain.audience_rules import PERSONAL, HasRole, KnownFact, Rule, Someone, facts_of, has, within
from domain.life_dates import Event, check_event, concerned
from models.database import fetch, from_json
from models.enums import FactType

__all__ = ["Audience", "Reached", "Via", "check_audience", "fact_kinds", "list_people"]


@dataclass(frozen=True, slots=True)
class Audience:
    """A checked rule within the area of who wrote it. `words` says it in Chinese; `personal`: it looks at what is
    kept of people; `sensitive` names the facts whose use is audited."""

    rule: Rule
    area_ids: frozenset[int]
    words: str
    personal: bool
    sensitive: tuple[str, ...]


_KINDS = "SELECT code, name, type, choices, sensitive FROM fact_kind WHERE active OR NOT $1 ORDER BY id"
_BELOW = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT id FROM down
"""
_NAMED = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
), named AS (
    SELECT a.code, CASE WHEN a.level = 'grid' THEN coalesce(p.name, '') ELSE '' END || a.name AS name, a.id
    FROM area a JOIN down USING (id) LEFT JOIN area p ON p.id = a.parent_id WHERE a.code = ANY ($2::text[])
    UNION ALL SELECT n.code, n.name, a.id FROM area a JOIN named n ON a.parent_id = n.id
)
SELECT code, name, array_agg(id) AS ids FROM named GROUP BY code, name
"""


async def fact_kinds(*, in_use: bool = True) -> dict[str, KnownFact]:
    """The kinds of facts by code: those in use, or all there ever were."""
    return {
        row["code"]: KnownFact(
            row["code"], row["name"], FactType(row["type"]), tuple(from_json(row["choices"])), row["sensitive"]
        )
        for row in await fetch(_KINDS, in_use)
    }


async def check_audience(data: Any, area_id: int, *, event: Any = None, in_use: bool = True) -> Audience:
    """Read a rule, and the life event it goes with, for somebody of this area. Raises BadRequest with a sentence that
    names the part that is wrong. `in_use` = False where it was checked before: what was approved holds on when a kind
    of facts is retired."""
    below = frozenset(row["id"] for row in await fetch(_BELOW, area_id))
    named = {row["code"]: (row["name"], frozenset(row["ids"])) for row in await fetch(_NAMED, area_id, _codes(data))}
    kinds = await fact_kinds(in_use=in_use)
    rule = read_rule(data, Vocabulary(kinds, named))
    words, facts = f"{rule.said()}的人", facts_of(rule)
    if event:
        dated = check_event(event, kinds)
        words += f"，{dated.said(kinds)}"
        facts |= {dated.source: kinds[dated.source]} if dated.source in kinds else {}
    return Audience(
        rule,
        below & (within(rule) or below),
        words,
        bool(event) or has(rule, *PERSONAL),
        tuple(fact.name for fact in facts.values() if fact.sensitive),
    )


def _codes(data: Any) -> list[str]:
    """Every area code that stands somewhere in a rule, however it is nested."""
    found, waiting = [], [data]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            codes = each.get("area")
            found += [code for code in (codes if isinstance(codes, list) else [codes]) if isinstance(code, str)]
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


async def list_people(
    audience: Any,
    area_id: int,
    today: date,
    *,
    after: int,
    limit: int,
    topic: str = "",
    event: Any = None,
) -> list[Reached]:
    """Whom it concerns, in order, behind `after` (0 = from the beginning): `limit` people, and the rest of the last
    one's household; fewer only at the end. `topic`: what they may have opted out of. `event`: of a life event's
    broadcast, those whose event is near `today`. Raises BadRequest for a rule that is none."""
    checked = await check_audience(audience, area_id, in_use=False)
    found: list[Reached] = []
    async for together in look_through(search_for(checked, today, topic, event), after):
        found += [reached for _, reached in together]
        if len(found) >= limit:
            break
    return found


def search_for(audience: Audience, today: date, topic: str = "", event: Any = None) -> Search:
    """What to look for in the pages; `event` as JSON that was checked."""
    dated = Event.read(event) if event else None

    def concerns(one: Someone) -> tuple[bool, date | None]:
        day = concerned(dated, one, today) if dated else None
        return (dated is None or day is not None) and audience.rule.holds(one, today) is True, day

    personal = audience.personal or dated is not None
    return Search(sorted(audience.area_ids), concerns, personal, has(audience.rule, HasRole), topic)
