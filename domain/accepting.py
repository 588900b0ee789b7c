"""立案: a dispatcher takes on what no rule took on; from there the duty list says whose it is."""

from __future__ import annotations

from datetime import datetime

from domain import milestones, notices
from domain.access import begin
from domain.casework import tell_reporter
from domain.clock import say_latest
from domain.people import Person, Post
from domain.routing import give, route
from models.cases import Case
from models.database import transaction
from models.transitions import Verb


async def accept(person: Person, case_id: int, now: datetime, source: str = "") -> tuple[Case, Post | None]:
    """Accept a reported case and give it to whose duty it is. None: a person has to choose (nothing says which grid it
    is, or the duty list wants it so), or all are full and it waits for the first who is free."""
    async with transaction():
        work = await begin(person, case_id, Verb.ACCEPT, now, source)
        case = work.case
        case.accepted_at = now
        work.step(Verb.ACCEPT, "已受理")
        case.area_id = case.grid_id or case.area_id  # nobody has had it: the duty list is asked from the grid upwards
        way = await route(case, now)
        holder = give(case, way, work.journal)
        due = await milestones.set_due(case, way.limits["handle_limit"], now)
        if holder:
            await milestones.set_sign_due(case, way.limits["sign_limit"])
            work.journal.tell(notices.new_task(case, holder, now, []))
        to = f"已交给{holder.label}" if holder else "已受理，正在安排人"
        await tell_reporter(work, f"{to}，{say_latest(due, now)}。")
        return await work.finish(), holder
