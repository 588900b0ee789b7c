"""派遣: a dispatcher takes a case on and gives it to the person whose duty it is."""

from __future__ import annotations

from datetime import datetime

from domain import milestones, notices
from domain.access import begin
from domain.casework import tell_reporter
from domain.clock import say_latest
from domain.duties import duty_of
from domain.people import Person, Post
from domain.requests import grant, open_request
from domain.routing import least_busy
from errors import Conflict, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.enums import RequestKind, Status
from models.transitions import Verb


async def dispatch_to_grid(
    person: Person, case_id: int, grid_name: str, now: datetime, source: str = ""
) -> tuple[Case, Post]:
    """A dispatcher gives an accepted (or not yet accepted) case to a grid of their area by its name."""
    async with transaction():
        case = await Case.filter(id=case_id).select_for_update().get_or_none()
        if case and await open_request(case_id, RequestKind.RETURN):
            case = await grant(person, case_id, RequestKind.RETURN, now, source)  # giving it to another is agreeing
        verb = Verb.ACCEPT if case and case.status is Status.REPORTED else Verb.DISPATCH
        work = await begin(person, case_id, verb, now, source)
        case = work.case
        grid_id, holder = await _worker_of(person, grid_name, now)
        if verb is Verb.ACCEPT:
            case.accepted_at = now
            work.step(Verb.ACCEPT, public=False)
        duty = await duty_of(case, now)
        case.duty_id = duty.id if duty else None
        since = case.accepted_at or now
        due = case.due_at or await milestones.set_due(case, duty.handle_limit if duty else "", since)
        case.holder_id, case.area_id, case.dispatched_at = holder.id, grid_id, now
        await milestones.set_sign_due(case, duty.sign_limit if duty else "")
        case.grid_id = grid_id
        work.step(Verb.DISPATCH, f"已交给{holder.label}")
        await tell_reporter(work, f"已交给{holder.label}，{say_latest(due, now)}。")
        work.journal.tell(notices.new_task(case, holder, now, []))
        return await work.finish(), holder


# Grids by their name, with or without their community's, or by the name of one of their workers, who alone is meant
# then. What fits best comes first.
_MEANT = """
WITH RECURSIVE down AS (
    SELECT a.id, a.name, coalesce(above.name, '') || a.name AS full_name, a.level
    FROM area a LEFT JOIN area above ON above.id = a.parent_id WHERE a.id = $1
    UNION ALL SELECT a.id, a.name, down.name || a.name, a.level FROM area a JOIN down ON a.parent_id = down.id
)
SELECT down.id AS grid_id, down.full_name, array_agg(s.id ORDER BY s.id) AS workers,
    CASE WHEN s.name = $2 THEN 0 WHEN $2 IN (down.name, down.full_name) THEN 1 ELSE 2 END AS fit
FROM down JOIN staff s ON s.area_id = down.id AND s.active AND s.role = 'grid_worker'
WHERE down.level = 'grid' AND (s.name = $2 OR position($2 in down.full_name) > 0)
GROUP BY down.id, down.full_name, fit ORDER BY fit, down.id LIMIT 4
"""


async def _worker_of(person: Person, words: str, now: datetime) -> tuple[int, Post]:
    """(grid, who takes it): the least busy of the grid's workers, or the one named; deputies for who is away."""
    named = words.strip()
    rows = await fetch(_MEANT, person.post.area_id if person.post else 0, named) if named else []
    if not rows:
        raise NotFound(f"no grid like {words}", say=f"没有找到叫“{words}”的网格，请写网格名或网格员的名字。")
    alike = [row["full_name"] for row in rows if row["fit"] == rows[0]["fit"]]
    if len(alike) > 1:
        names = "、".join(alike[:3])
        raise Conflict(f"several grids like {words}", say=f"“{named}”不止一个：{names}。请写全是哪一个。")
    holder = await least_busy(rows[0]["workers"], now)
    if holder is None:
        raise Conflict("nobody there", say=f"“{named}”现在没有人在岗，也没有代班的。请派给别的网格。")
    return rows[0]["grid_id"], holder
