"""代报: staff report for somebody who calls, comes to the counter or is visited; the answer goes to them by telephone.

Who did the work does not also write down that the resident is content: somebody else calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain import rating
from domain.access import begin
from domain.contacts import Contact, is_contact, keep
from domain.journal import audit
from domain.patrols import need_post, own_grid
from domain.people import Person, person_of
from domain.rating import Opinion
from domain.reports import Draft, Receipt, report
from errors import BadRequest, Conflict, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.enums import Source, Status
from models.people import Resident
from models.transitions import Verb, Who


async def report_for(
    person: Person, contact: Contact, draft: Draft, now: datetime, *, agreed: bool, grid_id: int | None = None
) -> Receipt:
    """Report what somebody told; their name and telephone are kept for the staff of the case alone, which they must
    have agreed to."""
    post = need_post(person, "case:on_behalf")
    if not agreed:
        raise BadRequest("not agreed", say="请先问一声：留下姓名电话，办好了好打电话告诉您，可以吗？对方同意了再提交。")
    if not contact.name:
        raise BadRequest("no name", say="请写对方怎么称呼，比如“张奶奶”。")
    home = await own_grid(post, grid_id)
    async with transaction():
        reporter = await keep(contact, home.grid_id, now)
        receipt = await report(reporter, replace(draft, source=Source.STAFF, filed_by=post), now)
        await audit(person.actor, "resident:keep_contact", reporter.resident_id, now, source=draft.via)
        return receipt


async def contact_of(person: Person, case_id: int, now: datetime, source: str = "") -> Contact:
    """How to reach who reported a case, for who has it, checks it or gives it to others; each look is audited.

    Raises NotFound where nobody is known, NotAllowed for others who may read the case.
    """
    async with transaction():
        work = await begin(person, case_id, Verb.MEMO, now, source)
        reporter = await Resident.get_or_none(id=work.case.reporter_id) if work.case.reporter_id else None
        known = reporter and not work.case.anonymous and (reporter.phone or reporter.name)
        if reporter is None or not known:
            raise NotFound(f"contact of case {case_id}", say="这件事没有留联系方式。")
        await audit(person.actor, "case:contact", case_id, now, source=source)
        return Contact(reporter.name, reporter.phone)


@dataclass(frozen=True, slots=True)
class ToCall:
    """Somebody who waits to be told a result by telephone."""

    case: Case
    contact: Contact


_TO_CALL = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT c.id, r.name, r.phone FROM cases c JOIN resident r ON r.id = c.reporter_id
WHERE c.status = 'verified' AND c.closed_at IS NULL AND starts_with(r.openid, 'contact:')
    AND c.holder_id IS DISTINCT FROM $2 AND coalesce(c.grid_id, c.area_id) IN (SELECT id FROM mine)
ORDER BY c.verified_at, c.id LIMIT $3
"""


async def to_call(person: Person, limit: int = 50) -> Sequence[ToCall]:
    """Whom this person should call, who waits longest first: of their area, and not about their own work."""
    post = need_post(person, "case:call")
    if post.department_id is not None:
        return []
    rows = await fetch(_TO_CALL, post.area_id, post.id, limit)
    cases = {case.id: case for case in await Case.filter(id__in=[row["id"] for row in rows])}
    return [ToCall(cases[row["id"]], Contact(row["name"], row["phone"])) for row in rows]


async def called(
    person: Person, case_id: int, said: Opinion, now: datetime, *, within: timedelta, source: str = ""
) -> Case:
    """Write down what the resident said on the telephone: it counts as if they had tapped it themselves. `solved` None:
    nobody answered.

    Raises Conflict for who did the work, and for a case that does not wait for a call.
    """
    post = need_post(person, "case:call")
    async with transaction():
        work = await begin(person, case_id, Verb.MEMO, now, source)
        case = work.case
        reporter = await person_of(case.reporter_id) if case.reporter_id else None
        if reporter is None or not is_contact(reporter.openid) or case.status is not Status.VERIFIED:
            raise Conflict("no call awaited", say="这件事现在不用打电话。", tag="case:call", object_id=case_id)
        if Who.HOLDER in work.who:
            raise Conflict("own work", say="自己办的事请同事打电话问，这样居民好说话。")
        spoke = "没打通" if said.solved is None else "解决了" if said.solved else "没解决"
        work.step(Verb.MEMO, f"{post.label}电话回访：{spoke}{f'，{said.words}' if said.words else ''}", public=False)
        case = await work.finish()
        if said.solved is False and not said.words.strip():
            raise BadRequest("what is missing", say="请写一句居民说哪里没解决。")
        if said.solved is not None:
            await rating.give_opinion(reporter, case_id, said, now, within=within, source=source)
        return await Case.get(id=case_id)
