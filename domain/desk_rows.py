"""The work desk of one member of staff: everything that waits for them, as lines of a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain import lookup, on_behalf, shortlist
from domain.casebook import task_page, to_check
from domain.contacts import Contact
from domain.desk_pages import Row
from domain.patrols import need_post
from domain.people import Person
from models.database import fetch
from models.enums import RequestKind, Status

#: Lines of one heading; who has more works off these first.
SHOWN = 50

_ROWS = """
SELECT c.id, c.number, c.status, c.category, c.subject, c.place, c.urgency,
    coalesce(above.name, '') || coalesce(a.name, '') AS area, c.holder_id,
    coalesce(s.name, '') AS holder, coalesce(d.name, '') AS department, c.reported_at, c.due_at, c.closed_at,
    c.round, c.urged, c.supervised,
    (c.closed_at IS NULL AND c.status NOT IN ('disposed', 'verified')
        AND coalesce(c.due_at < least($2::timestamptz, c.suspended_at), false)) AS overdue
FROM unnest($1::bigint[]) WITH ORDINALITY AS p(id, place) JOIN cases c ON c.id = p.id
LEFT JOIN area a ON a.id = coalesce(c.grid_id, c.area_id)
LEFT JOIN area above ON above.id = a.parent_id AND a.level = 'grid'
LEFT JOIN staff s ON s.id = c.holder_id LEFT JOIN department d ON d.id = c.department_id
ORDER BY p.place
"""


async def rows_of(case_ids: Sequence[int], now: datetime) -> list[Row]:
    """Cases as lines, in this order. Whoever calls has decided that they may be read."""
    found = await fetch(_ROWS, list(case_ids), now)
    return [Row(**row | {"status": Status(row["status"])}) for row in found]


@dataclass(frozen=True, slots=True)
class Item:
    """A line that waits, and what is asked of the person: "" where that is plain from the heading."""

    row: Row
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody who waits to be told a result by telephone."""

    row: Row
    contact: Contact
    result: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that waits for somebody, each heading in the order in which it should be done."""

    tasks: Sequence[Item]
    decisions: Sequence[Item]
    assists: Sequence[Item]
    checks: Sequence[Item]
    unassigned: Sequence[Item]
    calls: Sequence[Call]
    shortlist: Sequence[Item]  # what they chose to look at today: not counted, most of it waits above already

    @property
    def headings(self) -> Iterator[Sequence[Item | Call]]:
        """All that waits."""
        yield from (self.tasks, self.decisions, self.assists, self.checks, self.unassigned, self.calls)

    @property
    def count(self) -> int:
        """How many lines there are."""
        return sum(len(items) for items in self.headings)


# By its own time, or by that of its case.
_ASSISTS = """
SELECT t.case_id, t.text FROM assist t JOIN cases c ON c.id = t.case_id
WHERE t.staff_id = $1 AND t.done_at IS NULL AND c.closed_at IS NULL
ORDER BY coalesce(t.due_at, c.due_at) NULLS LAST, t.id LIMIT $2
"""
_ASKED = """
SELECT r.case_id, r.kind, r.reason, s.name FROM case_request r JOIN staff s ON s.id = r.asked_by_id
WHERE r.state = 'open' AND r.case_id = ANY ($1::bigint[]) ORDER BY r.id DESC
"""
# The newest question of a superior that has no answer yet.
_SUPERVISED = """
SELECT DISTINCT ON (case_id) case_id, text FROM supervision
WHERE answered_at IS NULL AND case_id = ANY ($1::bigint[]) ORDER BY case_id, id DESC
"""
_WANTED = {
    RequestKind.RETURN: "退回",
    RequestKind.TRANSFER: "转给您",
    RequestKind.EXTEND: "延期",
    RequestKind.SUSPEND: "挂账",
    RequestKind.VOID: "作废",
}


async def desk_of(person: Person, now: datetime) -> Desk:
    """What waits for this member of staff. Raises NotAllowed for a resident."""
    post = need_post(person, "task:list")
    tasks = [case.id for case in await task_page(person, after=None, limit=SHOWN)]
    decisions = [case.id for case in await lookup.to_decide(person, SHOWN)]
    checks = [case.id for case in await to_check(person, SHOWN)]
    unassigned = [case.id for case in await lookup.to_dispatch(person, SHOWN)]
    calls = await on_behalf.to_call(person, SHOWN)
    assists = {row["case_id"]: row["text"] for row in await fetch(_ASSISTS, post.id, SHOWN)}
    asked = {row["case_id"]: _wish(row) for row in await fetch(_ASKED, decisions)} if decisions else {}
    supervised = {row["case_id"]: f"督办：{row['text']}" for row in await fetch(_SUPERVISED, tasks)} if tasks else {}
    chosen = {case.id: case.place for case in await shortlist.listed(person)}
    wanted = list(
        dict.fromkeys([*tasks, *decisions, *checks, *unassigned, *assists, *(one.case.id for one in calls), *chosen])
    )
    rows = {row.id: row for row in await rows_of(wanted, now)}

    def items(ids: Sequence[int], said: dict[int, str] | None = None) -> list[Item]:
        return [Item(rows[one], (said or {}).get(one, "")) for one in dict.fromkeys(ids) if one in rows]

    return Desk(
        items(tasks, supervised),
        items(decisions, asked),
        items(list(assists), assists),
        items(checks),
        items(unassigned),
        [Call(rows[one.case.id], one.contact, one.case.result) for one in calls if one.case.id in rows],
        [Item(replace(rows[one], place=place)) for one, place in chosen.items() if one in rows],
    )


def _wish(row: dict[str, str]) -> str:
    return f"{row['name']}申请{_WANTED[RequestKind(row['kind'])]}：{row['reason']}"
