"""The only door to a case: finds it, decides what a person is to it, and checks the transition table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from domain import worktime
from domain.journal import Journal
from domain.people import Person, Post, ancestors
from domain.timing import quiet_until
from errors import Conflict, NotAllowed, NotFound
from models.cases import Case
from models.database import fetch
from models.enums import Role, Status, Urgency
from models.transitions import TRANSITIONS, Transition, Verb, Who, find_transition

_NOBODY = Person("", 0, None, None)


_DROP = "UPDATE case_request SET state = 'dropped', decided_at = $2 WHERE case_id = $1 AND state = 'open'"


@dataclass(slots=True)
class Work:
    """One action on one locked case. `finish` writes everything in the running transaction."""

    case: Case
    person: Person
    who: frozenset[Who]
    verb: Verb
    row: Transition
    journal: Journal
    held_by: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.held_by = self.case.holder_id

    @property
    def now(self) -> datetime:
        return self.journal.at

    @property
    def actor(self) -> str:
        """Who acts, as the resident may read it."""
        if Who.RULE in self.who:
            return "系统"
        if {Who.REPORTER, Who.NEIGHBOUR} & self.row.who & self.who:
            return "居民"
        return self.person.post.label if self.person.post else "系统"

    def step(self, verb: Verb, text: str = "", *, actor: str = "", public: bool = True) -> None:
        """Take one row of the table: new status, timeline line, audit row. Refuses what the table does not have."""
        row = find_transition(verb, self.case.status)
        if row is None:
            raise Conflict(f"{verb} from {self.case.status}")
        before = self.case.status
        if row.target is not None:
            self.case.status = row.target
            self.case.reminded = 0
        self.journal.event(verb, self.case.status, actor or self.actor, text, public=public)
        by_rule = bool(actor) or Who.RULE in self.who
        self.journal.audit("system" if by_rule else self.person.actor, verb, before, self.case.status)

    async def finish(self) -> Case:
        """Write everything. What a holder asked who has it no more, or about a case that has ended, is dropped; the
        clock stands no longer than the case does."""
        if self.case.suspended_at and self.case.status is not Status.SUSPENDED:
            await worktime.resume(self.case, self.now)
            self.case.pause = self.case.resume_at = None
        if self.case.holder_id != self.held_by or not self.case.status.is_open:
            await fetch(_DROP, self.case.id, self.now)
        if quiet_until(self.now):
            await self.journal.supersede(self.case.id, everybody=self.row.target is not None)
        await self.journal.write(self.case)
        return self.case


def _said(status: Status, serial: str) -> str:
    words = {
        Status.DISPOSED: "正在核查",
        Status.VERIFIED: "正在等居民确认",
        Status.CLOSED: "已经办结",
        Status.WITHDRAWN: "已经撤回",
        Status.REJECTED: "没有受理",
        Status.DISPOSING: "已经有人接手处理",
        Status.DISPATCHED: "正在等人接手",
        Status.ACCEPTED: "正在安排人处理",
    }
    return f"{serial} {words.get(status, '状态变了')}，这一步现在做不了。"


_TIES = """
SELECT EXISTS (SELECT 1 FROM case_request WHERE case_id = $1 AND state = 'open' AND to_staff_id = $2) AS offered,
    EXISTS (SELECT 1 FROM assist WHERE case_id = $1 AND done_at IS NULL AND staff_id = $2) AS assists,
    EXISTS (SELECT 1 FROM staff s WHERE s.department_id = $3::int AND (s.id = $4::int
        OR EXISTS (SELECT 1 FROM assist a WHERE a.case_id = $1 AND a.staff_id = s.id))) AS of_unit
"""


async def relation(person: Person, case: Case) -> frozenset[Who]:
    """Everything a person is to a case; empty means that for them it does not exist."""
    found: set[Who] = set()
    if case.reporter_id == person.resident_id:
        found.add(Who.REPORTER)
    post = person.post
    if post is None:
        return frozenset(found)
    if case.holder_id == post.id:
        found.add(Who.HOLDER)
    elif post.role is Role.GRID_WORKER and post.area_id == case.grid_id:
        found.add(Who.CHECKER)
    if post.dispatches:
        above = await ancestors(case.grid_id or case.area_id)
        if post.area_id in above:
            found.add(Who.DISPATCHER)
            if post.level.rank > (await ancestors(case.area_id))[case.area_id].rank:
                found.add(Who.SUPERVISOR)
    found |= await _ties(post, case)
    return frozenset(found)


async def _ties(post: Post, case: Case) -> set[Who]:
    """What a member of staff is to a case by rows beside it, and by their department."""
    unit = post.department_id
    ties = (await fetch(_TIES, case.id, post.id, unit, case.holder_id))[0]
    known = {
        Who.OFFERED: ties["offered"],
        Who.ASSISTANT: ties["assists"],
        Who.COLLEAGUE: unit is not None and (case.department_id == unit or ties["of_unit"]),
    }
    return {who for who, is_so in known.items() if is_so}


async def reads_only(person: Person, case: Case) -> bool:
    """Whether somebody may read it and no more: it is their department's, and not theirs. They read no telephone
    numbers (`domain.privacy`)."""
    return await relation(person, case) == {Who.COLLEAGUE}


def verbs_of(who: frozenset[Who], case: Case) -> frozenset[Verb]:
    """What somebody who is this to a case may do with it as it stands; what others must offer or ask first included."""
    return frozenset(row.verb for row in TRANSITIONS if case.status in row.sources and row.who & who)


async def access_case(person: Person, case_id: int) -> Case:
    """A case this person may read; NotFound otherwise, as if it did not exist."""
    case = await Case.get_or_none(id=case_id)
    if case is None or not await relation(person, case):
        raise NotFound(f"case {case_id}", tag="case:read", object_id=case_id)
    return case


async def begin(
    person: Person,
    case_id: int,
    verb: Verb,
    now: datetime,
    source: str = "",
    *,
    also: frozenset[Who] = frozenset(),
) -> Work:
    """Lock the case and check that this person may use this verb on it now. Must run inside a transaction.

    `also`: relations the caller has proved and the case alone does not show (decider of a request, neighbour).
    """
    case = await Case.filter(id=case_id).select_for_update().get_or_none()
    who = await relation(person, case) | also if case else frozenset()
    if case is None or not who:
        raise NotFound(f"case {case_id}", tag=f"case:{verb}", object_id=case_id)
    row = find_transition(verb, case.status)
    if not who & _allowed(verb):
        raise NotAllowed(f"{person.actor} may not {verb} case {case_id}", tag=f"case:{verb}", object_id=case_id)
    if row is None:
        serial = case.number.split("-")[1]
        raise Conflict(
            f"{verb} from {case.status}",
            say=_said(case.status, serial),
            chat=f"回复“查 {serial}”看最新情况。",
            tag=f"case:{verb}",
            object_id=case_id,
        )
    return Work(case, person, who, verb, row, Journal(now, source))


async def begin_by_rule(case_id: int, verb: Verb, now: datetime, source: str) -> Work | None:
    """Lock the case for what no person does: a deadline, a date, another platform. None when the table does not allow
    the verb any more: somebody was faster."""
    case = await Case.filter(id=case_id).select_for_update().get_or_none()
    row = find_transition(verb, case.status) if case else None
    if case is None or row is None or Who.RULE not in row.who:
        return None
    quiet = case.urgency is not Urgency.URGENT
    return Work(case, _NOBODY, frozenset({Who.RULE}), verb, row, Journal(now, source, quiet))


def _allowed(verb: Verb) -> frozenset[Who]:
    return frozenset().union(*(row.who for row in TRANSITIONS if row.verb is verb))
