"""What waits for somebody on other pages than the work desk, so that nobody has to look at each of them."""

from __future__ import annotations

from enum import StrEnum

from domain.people import Person
from domain.reviews import DECIDERS
from models.database import fetch

#: Counted up to here.
MOST = 20


class Waiting(StrEnum):
    """What waits to be decided."""

    BROADCAST = "broadcast"
    SURVEY = "survey"
    REVIEW = "review"


# Of an area ($1) and below, by others ($2): the few that wait are followed upwards.
_APPROVALS = """
WITH RECURSIVE up AS (
    SELECT 'broadcast' AS what, area_id AS place FROM broadcast WHERE state = 'waiting' AND author_id <> $2
    UNION ALL SELECT 'survey', area_id FROM survey WHERE state = 'waiting' AND author_id <> $2
    UNION ALL SELECT up.what, a.parent_id FROM up JOIN area a ON a.id = up.place WHERE up.place <> $1
)
SELECT what, least(count(*), $3)::int AS many FROM up WHERE place = $1 GROUP BY what
"""
_REVIEWS = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT count(*)::int AS many FROM (
    SELECT FROM down JOIN room r ON r.grid_id = down.id JOIN review v ON v.room_id = r.id AND v.outcome = 'open'
    LIMIT $2
) found
"""


async def waiting_elsewhere(person: Person) -> dict[Waiting, int]:
    """How many of each wait for this member of staff, MOST = that many or more; nothing for what does not wait."""
    post, found = person.post, dict[Waiting, int]()
    if post and post.dispatches:
        rows = await fetch(_APPROVALS, post.area_id, post.id, MOST)
        found |= {Waiting(row["what"]): row["many"] for row in rows}
    if post and post.role in DECIDERS:
        found[Waiting.REVIEW] = (await fetch(_REVIEWS, post.area_id, MOST))[0]["many"]
    return {what: many for what, many in found.items() if many}
