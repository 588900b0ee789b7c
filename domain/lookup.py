"""Reading cases: by the number people say, a resident's own, a worker's to-do, the timeline, what was not delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.people import Person
from errors import NotFound
from models.cases import Case, CaseEvent
from models.database import fetch
from models.enums import Status

_NUMBER = re.compile(r"(?:(20\d{2})?(\d{4})[-—－]?)?(\d{4,6})")


def read_number(text: str) -> str | None:
    """The case number in a sentence as an SQL pattern: 0037 → %-0037, 1120-0037 → %1120-0037; None without one."""
    match = _NUMBER.search(text)
    if not match:
        return None
    year, day, serial = match.groups()
    return f"{year or '%'}{day}-{serial}" if day else f"%-{serial}"


_BY_NUMBER = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $3 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT id FROM cases c WHERE split_part(number, '-', 2) = split_part($1, '-', 2) AND number LIKE $1 AND (
    reporter_id = $2 OR holder_id = $4
    OR $5::int IS NULL AND (grid_id IN (SELECT id FROM mine) OR area_id IN (SELECT id FROM mine))
    OR EXISTS (SELECT 1 FROM case_request r WHERE r.case_id = c.id AND r.state = 'open' AND r.to_staff_id = $4)
    OR EXISTS (SELECT 1 FROM assist a WHERE a.case_id = c.id AND a.staff_id = $4 AND a.done_at IS NULL)
    OR department_id = $5 OR EXISTS (SELECT 1 FROM staff s WHERE s.department_id = $5 AND (s.id = c.holder_id
        OR EXISTS (SELECT 1 FROM assist a WHERE a.case_id = c.id AND a.staff_id = s.id)))
) ORDER BY id DESC LIMIT 1
"""


async def find_case(person: Person, text: str) -> Case:
    """The newest case with this number that the person may read; NotFound says what to do."""
    pattern = read_number(text)
    if pattern:
        post = person.post
        area_id, post_id, unit = (post.area_id, post.id, post.department_id) if post else (0, 0, None)
        rows = await fetch(_BY_NUMBER, pattern, person.resident_id, area_id, post_id, unit)
        if rows:
            return await Case.get(id=rows[0]["id"])
    raise NotFound("no such number", tag="case:read", object_id=None)


async def own_cases(person: Person, limit: int = 5) -> list[Case]:
    """What the resident reported: open ones first, then the newest."""
    rows = await fetch(
        "SELECT id FROM cases WHERE reporter_id = $1 ORDER BY closed_at IS NOT NULL, id DESC LIMIT $2",
        person.resident_id,
        limit,
    )
    return await in_order([row["id"] for row in rows])


async def awaiting_answer(person: Person) -> list[Case]:
    """The resident's cases that wait for 解决了吗, newest first."""
    return await Case.filter(reporter_id=person.resident_id, status=Status.VERIFIED).order_by("-verified_at").limit(5)


_ASKED_BACK = """
SELECT id FROM cases WHERE reporter_id = $1 AND status = 'suspended' AND pause = 'resident' ORDER BY id DESC LIMIT 5
"""


async def asked_back(person: Person) -> list[Case]:
    """The resident's cases that stand still until they have said something more."""
    rows = await fetch(_ASKED_BACK, person.resident_id)  # asked for every sentence: not by way of the ORM
    return await in_order([row["id"] for row in rows]) if rows else []


async def tasks(person: Person, limit: int = 20) -> list[Case]:
    """A member of staff's to-do, the most pressing first."""
    if person.post is None:
        return []
    return (
        await Case.filter(holder_id=person.post.id, status__in=[Status.DISPATCHED, Status.DISPOSING], closed_at=None)
        .order_by("due_at", "id")
        .limit(limit)
    )


# Of the area itself, and of the grids and units directly below it whose people are all full or away; by due time.
_TO_DISPATCH = """
SELECT id FROM cases WHERE holder_id IS NULL AND status IN ('reported', 'accepted')
    AND area_id IN (SELECT id FROM area WHERE id = $1 OR parent_id = $1)
ORDER BY urgency <> 'urgent', due_at NULLS LAST, id LIMIT $2
"""


async def to_dispatch(person: Person, limit: int = 20) -> list[Case]:
    """What a dispatcher must give to somebody, the most pressing first."""
    if person.post is None or not person.post.dispatches:
        return []
    rows = await fetch(_TO_DISPATCH, person.post.area_id, limit)
    return await in_order([row["id"] for row in rows])


_ASKED = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT c.id FROM case_request r JOIN cases c ON c.id = r.case_id
WHERE r.state = 'open' AND (r.to_staff_id = $2 OR r.kind <> 'transfer' AND r.asked_by_id <> $2
    AND r.decider_level = $3 AND coalesce(c.grid_id, c.area_id) IN (SELECT id FROM mine))
ORDER BY r.id LIMIT $4
"""


async def to_decide(person: Person, limit: int = 20) -> list[Case]:
    """What waits for this person's decision: requests at their level, transfers offered to them; oldest first."""
    post = person.post
    if post is None:
        return []
    rows = await fetch(_ASKED, post.area_id, post.id, str(post.level), limit)
    return await in_order([row["id"] for row in rows])


async def in_order(ids: list[int]) -> list[Case]:
    """Cases in the order of their ids as given."""
    found = {case.id: case for case in await Case.filter(id__in=ids)}
    return [found[case_id] for case_id in ids if case_id in found]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    at: datetime
    verb: str
    actor: str
    text: str


async def timeline(case: Case, *, staff: bool = False) -> list[Line]:
    """What happened, oldest first; residents do not read internal lines."""
    events = CaseEvent.filter(case_id=case.id).order_by("id")
    if not staff:
        events = events.filter(public=True)
    return [Line(event.at, event.verb, event.actor, event.text) for event in await events]


async def undelivered(person: Person, limit: int = 10) -> list[dict[str, Any]]:
    """Notices of this person's area that reached nobody, with the reason: number (of a case, else ""), who (of other
    matters, else ""), subject, error, at. Broadcasts have a report of their own."""
    if person.post is None:
        return []
    return await fetch(_UNDELIVERED, person.post.area_id, limit)


_UNDELIVERED = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT coalesce(c.number, '') AS number, coalesce(nullif(r.name, ''), nullif(r.nickname, ''), '') AS who,
    coalesce(c.subject, o.payload->'fields'->>'subject', '') AS subject, o.error, o.finished_at AS at
FROM outbox o LEFT JOIN cases c ON c.id = o.case_id LEFT JOIN resident r ON o.case_id IS NULL AND r.openid = o.recipient
WHERE o.state IN ('undelivered', 'parked') AND o.kind = 'notice' AND NOT o.payload ? 'delivery'
    AND (c.grid_id IN (SELECT id FROM mine) OR c.area_id IN (SELECT id FROM mine)
        OR r.grid_id IN (SELECT id FROM mine))
ORDER BY o.id DESC LIMIT $2
"""
