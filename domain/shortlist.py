"""巡查清单: the cases a member of staff puts on their list for today's round."""

from __future__ import annotations

from datetime import datetime

from domain.access import access_case, relation
from domain.lookup import in_order
from domain.patrols import need_post
from domain.people import Person
from domain.privacy import masked_case
from errors import Conflict
from models.accounts import Shortlisted
from models.cases import Case
from models.database import fetch, transaction
from models.transitions import Who

MOST = 50
"""Cases on one list: more nobody looks after in a day."""

# What has ended since leaves the list by itself.
_LISTED = """
SELECT s.case_id FROM shortlisted s JOIN cases c ON c.id = s.case_id
WHERE s.staff_id = $1 AND c.closed_at IS NULL
ORDER BY coalesce(c.due_at, '9999-12-31T00:00:00Z'::timestamptz), c.id
"""
_PUT = "INSERT INTO shortlisted (staff_id, case_id, at) VALUES ($1, $2, $3) ON CONFLICT (staff_id, case_id) DO NOTHING"


async def listed(person: Person) -> list[Case]:
    """The list, the most pressing first. What they may no longer read is left out; what is their department's and not
    theirs has no telephone numbers."""
    post = need_post(person, "shortlist:read")
    cases = await in_order([row["case_id"] for row in await fetch(_LISTED, post.id)])
    ties = [(case, await relation(person, case)) for case in cases]
    return [masked_case(case) if who == {Who.COLLEAGUE} else case for case, who in ties if who]


# The case before who works on it, as with every step of a case.
_CASE_FIRST = "SELECT FROM cases WHERE id = $1 FOR KEY SHARE"
_ONE_AT_A_TIME = "SELECT FROM staff WHERE id = $1 FOR NO KEY UPDATE"


async def put_on(person: Person, case_id: int, now: datetime) -> None:
    """Put a case on the list. Raises NotFound for one they may not read, Conflict when the list is full."""
    post = need_post(person, "shortlist:write")
    async with transaction():
        await access_case(person, case_id)
        await fetch(_CASE_FIRST, case_id)
        await fetch(_ONE_AT_A_TIME, post.id)  # so that MOST holds
        if len(await fetch(_LISTED, post.id)) >= MOST:
            raise Conflict("full", say=f"清单最多 {MOST} 件，请先去掉几件。")
        await fetch(_PUT, post.id, case_id, now)


async def take_off(person: Person, case_id: int) -> None:
    """Take it off; nothing happens where it is not on."""
    post = need_post(person, "shortlist:write")
    await Shortlisted.filter(staff_id=post.id, case_id=case_id).delete()
