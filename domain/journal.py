"""What every action leaves behind: timeline lines, audit rows and outgoing jobs, written in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.audit import row_hash
from domain.milestones import schedule
from domain.timing import quiet_until
from models.cases import Case
from models.database import fetch, to_json, transaction
from models.enums import OutboxKind, Status
from models.transitions import TRANSITIONS, Verb


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person. `choices` are (label, tap id); `fields` fill a template when chat is closed."""

    recipient: str
    text: str
    choices: Sequence[tuple[str, int]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    images: Sequence[str] = ()  # WeChat media ids, sent before the text when the quota allows
    kind: str = "case"  # which template carries it: case, booking, application, policy, survey

    def payload(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "choices": [list(choice) for choice in self.choices],
            "fields": dict(self.fields),
            "images": list(self.images),
            "kind": self.kind,
        }


# What other platforms are told is a job a connector, written here so that no verb can forget it; without connectors
# nothing is looked up. `here` is the area the case lies in. Who sent an update does not get it back.
_LEFT_BEHIND = """
, events AS (
    INSERT INTO case_event (case_id, at, verb, status, actor, text, public)
    SELECT $1, $2, verb, status, actor, text, public FROM jsonb_to_recordset($3::jsonb)
        AS e(verb text, status text, actor text, text text, public boolean)
), audits AS (
    INSERT INTO audit_event (at, actor, tag, object_id, before, after, allowed, source, place, hash)
    SELECT $2, actor, tag, $1, before, after, true, $4, place, hash FROM jsonb_to_recordset($5::jsonb)
        AS a(actor text, tag text, before text, after text, place int, hash text)
)
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
SELECT kind, 'pending', recipient, $1, payload, 0, 0, coalesce(waits, $2), '', '', 0, '', $2, waits IS NOT NULL
FROM jsonb_to_recordset($6::jsonb) AS o(kind text, recipient text, payload jsonb, waits timestamptz)
UNION ALL
SELECT 'webhook', 'pending', 'connector:' || k.id || ':case:' || $1, $1,
    jsonb_build_object('connector', k.id, 'at', $2, 'events', $7::jsonb), 0, 0, $2, '', '', 0, '', $2, false
FROM connector k
WHERE k.active AND k.url <> '' AND $7::jsonb <> '[]' AND $4 <> 'connector:' || k.name
AND (k.area_id IS NULL OR k.area_id IN (
    WITH RECURSIVE up AS (
        SELECT a.id, a.parent_id FROM area a JOIN here ON a.id = here.area_id
        UNION ALL
        SELECT a.id, a.parent_id FROM area a JOIN up ON a.id = up.parent_id
    )
    SELECT id FROM up
))
"""

_HERE = "WITH here AS (SELECT coalesce(grid_id, area_id) AS area_id FROM cases WHERE id = $1)"

#: What a room hears of a case that was said there.
_HEARD = (
    "'accept', 'dispatch', 'sign', 'take_over', 'note', 'dispose', 'rework', 'suspend', 'resume', 'extend', "
    "'escalate', 'close', 'reject', 'reopen', 'withdraw', 'merge', 'void'"
)

# One job a room, to answer the first of the messages that the case was made of.
_TO_ROOMS = (
    """
UNION ALL
SELECT 'room', 'pending', 'room:' || m.room_id || ':case:' || $1, $1,
    jsonb_build_object('message', m.id, 'events', heard.events), 0, 0, $2, '', '', 0, '', $2, false
FROM (
    SELECT jsonb_agg(e) AS events FROM jsonb_array_elements($3::jsonb) AS e
    WHERE (e->>'public')::boolean AND e->>'verb' IN ("""  # noqa: S608 - a constant of ours
    + _HEARD
    + """)
) heard JOIN LATERAL (
    SELECT DISTINCT ON (room_id) room_id, id FROM room_message
    WHERE case_id = $1 AND kind NOT IN ('case', 'system') ORDER BY room_id, id
) m ON heard.events IS NOT NULL
"""
)

_WRITE = _HERE + _LEFT_BEHIND + _TO_ROOMS

_SUPERSEDE = """
DELETE FROM outbox WHERE case_id = $1 AND quiet AND state = 'pending' AND finished_at IS NULL AND tries = 0
    AND ($2::text[] IS NULL OR recipient = ANY ($2))
"""

# What a new case may have besides the columns' defaults.
_COLUMNS = (
    "id, number, status, category, subject, domain, urgency, source, description, place, latitude, longitude, "
    "reporter_id, grid_id, area_id, department_id, holder_id, duty_id, component_id, split_from_id, anonymous, "
    "message_id, round, reopened, returned, urged, result, comment, reported_at, accepted_at, dispatched_at, due_at, "
    "accept_due_at, sign_due_at, handle_limit, alerted, reminded, watch_at, audit_count, audit_head"
)

# The same with the case itself in front: what happens most often costs one round trip, not two.
_MADE = (
    "made AS (INSERT INTO cases ("  # noqa: S608 - a constant of ours
    + _COLUMNS
    + ") SELECT "
    + _COLUMNS
    + " FROM jsonb_populate_record(NULL::cases, $8::jsonb) RETURNING coalesce(grid_id, area_id) AS area_id)"
)

_HERE_OF_MADE = ", here AS (SELECT area_id FROM made)"

_WRITE_WITH_CASE = "WITH " + _MADE + _HERE_OF_MADE + _LEFT_BEHIND

#: Verbs that lead to another status. Other platforms hear of these, and of whatever the resident may read.
_MOVING = {row.verb for row in TRANSITIONS if row.target is not None}


@dataclass(slots=True)
class Journal:
    """Collects what one action leaves behind; `write` sends it in the running transaction.

    `quiet`: nobody did anything just now (a deadline, a date) and it is not urgent: messages of the quiet hours wait
    until these end. What a person did is told at once, at any hour.
    """

    at: datetime
    source: str = ""
    quiet: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def waits(self) -> datetime | None:
        """Until when the messages are kept back; None when they go out at once."""
        return quiet_until(self.at) if self.quiet else None

    @property
    def read_at(self) -> datetime:
        """When they are read, so that 今天 in them is the reader's own."""
        return self.waits or self.at

    def event(self, verb: Verb, status: Status, actor: str, text: str = "", *, public: bool = True) -> None:
        """A line of the timeline."""
        self.events.append({"verb": verb, "status": status, "actor": actor, "text": text, "public": public})

    def audit(self, actor: str, verb: Verb, before: str, after: str) -> None:
        """A row of the audit trail."""
        self.audits.append({"actor": actor, "tag": f"case:{verb}", "before": before, "after": after})

    def tell(self, notice: Notice) -> None:
        """A message to somebody; people without a bound WeChat are left out (they see it in their list), and platforms
        (they are told by webhook, or ask)."""
        if notice.recipient and not is_platform(notice.recipient):
            job = {"kind": OutboxKind.NOTICE, "recipient": notice.recipient, "payload": notice.payload()}
            self.jobs.append(job | {"waits": self.waits})

    async def supersede(self, case_id: int, *, everybody: bool) -> None:
        """Take back what waits for the morning: about a case that has moved on since (`everybody`), or for those who
        are now told something newer. Nobody wakes up to three warnings, or to one about what is done."""
        newer = [job["recipient"] for job in self.jobs if job.get("waits")]
        if everybody or newer:
            await fetch(_SUPERSEDE, case_id, None if everybody else newer)

    async def write(self, case: Case) -> None:
        """Save a case whose row is locked, and everything collected about it."""
        self._chain(case)
        await schedule(case)
        await case.save()
        await fetch(_WRITE, *self._collected(case.id))

    async def write_with(self, case: Case) -> None:
        """Insert a new case, whose id is drawn already, and write everything collected about it."""
        self._chain(case)
        await schedule(case)
        row = {name: getattr(case, name) for name in _COLUMNS.split(", ")}
        await fetch(_WRITE_WITH_CASE, *self._collected(case.id), to_json(row))

    def _chain(self, case: Case) -> None:
        """Put the audit rows at the end of the case's chain."""
        for row in self.audits:
            case.audit_count += 1
            row["place"] = case.audit_count
            said = row | {"at": self.at, "object_id": case.id, "allowed": True, "source": self.source}
            case.audit_head = row["hash"] = row_hash(case.audit_head, said)

    def _collected(self, case_id: int) -> tuple[Any, ...]:
        collected = self.events, self.source, self.audits, self.jobs, self._for_platforms()
        return case_id, self.at, *(part if isinstance(part, str) else to_json(part) for part in collected)

    def _for_platforms(self) -> list[dict[str, Any]]:
        """The lines other platforms get: words only where the resident may read them, nothing of memos."""
        return [
            {"verb": line["verb"], "status": line["status"], "text": line["text"] if line["public"] else ""}
            for line in self.events
            if line["public"] or line["verb"] in _MOVING
        ]


MINI = "mini:"
"""Before the openid of a resident who is known from the mini-program alone: they read there what they are told."""


def is_platform(openid: str) -> bool:
    """Whether somebody is no person but another platform or client, as `connector:3`: they have no WeChat."""
    return ":" in openid and not openid.startswith(MINI)


_AUDIT = """
INSERT INTO audit_event (at, actor, tag, object_id, before, after, allowed, source, place, hash)
VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9)
"""


async def audit(
    actor: str,
    tag: str,
    object_id: int | None,
    now: datetime,
    *,
    allowed: bool = True,
    source: str = "",
    after: str = "",
) -> None:
    """One audit row for what is not a case's transition; a refused attempt leaves this row and nothing else. About a
    case, it joins the case's chain. `after`: what became of it, in at most sixteen characters."""
    row = {"at": now, "actor": actor, "tag": tag, "object_id": object_id, "before": "", "after": after}
    row |= {"allowed": allowed}
    row |= {"source": source, "place": None}
    async with transaction():
        case = None
        if tag.startswith("case:") and object_id is not None:
            case = await Case.filter(id=object_id).select_for_update().get_or_none()
        if case:
            row["place"] = case.audit_count + 1
        digest = row_hash(case.audit_head if case else "", row)
        if case:
            case.audit_count, case.audit_head = case.audit_count + 1, digest
            await case.save(update_fields=["audit_count", "audit_head"])
        await fetch(_AUDIT, now, actor, tag, object_id, after, allowed, source, row["place"], digest)
