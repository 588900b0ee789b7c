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
from errors import NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.enums import Level, RequestKind, Role, Status
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
        holder = await _worker_of(person, grid_name)
        if verb is Verb.ACCEPT:
            case.accepted_at = now
            work.step(Verb.ACCEPT, public=False)
        duty = await duty_of(case, now)
        case.duty_id = duty.id if duty else None
        since = case.accepted_at or now
        due = case.due_at or await milestones.set_due(case, duty.handle_limit if duty else "", since)
        case.holder_id, case.area_id, case.dispatched_at = holder.id, holder.area_id, now
        await milestones.set_sign_due(case, duty.sign_limit if duty else "")
        case.grid_id = holder.area_id
        work.step(Verb.DISPATCH, f"已交给{holder.label}")
        await tell_reporter(work, f"已交给{holder.label}，{say_latest(due, now)}。")
        work.journal.tell(notices.new_task(case, holder, now, []))
        return await work.finish(), holder


async def _worker_of(person: Person, grid_name: str) -> Post:
    rows = await fetch(
        "WITH RECURSIVE down AS (SELECT id, name, level FROM area WHERE id = $1 "
        "UNION ALL SELECT a.id, a.name, a.level FROM area a JOIN down ON a.parent_id = down.id) "
        "SELECT s.id, s.name, s.openid, s.area_id, down.name AS area_name FROM down "
        "JOIN staff s ON s.area_id = down.id AND s.active AND s.role = 'grid_worker' "
        "WHERE down.level = 'grid' AND (position($2 in down.name) > 0 OR s.name = $2) ORDER BY s.id LIMIT 2",
        person.post.area_id if person.post else 0,
        grid_name.strip(),
    )
    if not rows or not grid_name.strip():
        raise NotFound(f"no grid like {grid_name}", say=f"没有找到叫“{grid_name}”的网格，请写网格名或网格员的名字。")
    row = rows[0]
    return Post(row["id"], row["name"], Role.GRID_WORKER, row["area_id"], row["area_name"], Level.GRID, row["openid"])
