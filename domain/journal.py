"""What every action leaves behind: timeline lines, audit rows and outgoing jobs, written in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.cases import Case
from models.database import fetch, to_json
from models.enums import OutboxKind, Status
from models.transitions import Verb


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person. `choices` are (label, tap id); `fields` fill a template when chat is closed."""

    recipient: str
    text: str
    choices: Sequence[tuple[str, int]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    images: Sequence[str] = ()  # WeChat media ids, sent before the text when the quota allows

    def payload(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "choices": [list(choice) for choice in self.choices],
            "fields": dict(self.fields),
            "images": list(self.images),
        }


_LEFT_BEHIND = """
events AS (
    INSERT INTO case_event (case_id, at, verb, status, actor, text, public)
    SELECT $1, $2, verb, status, actor, text, public FROM jsonb_to_recordset($3::jsonb)
        AS e(verb text, status text, actor text, text text, public boolean)
), audits AS (
    INSERT INTO audit_event (at, actor, tag, object_id, before, after, allowed, source)
    SELECT $2, actor, tag, $1, before, after, true, $4 FROM jsonb_to_recordset($5::jsonb)
        AS a(actor text, tag text, before text, after text)
)
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
SELECT kind, 'pending', recipient, $1, payload, 0, 0, $2, '', '', 0, '', $2 FROM jsonb_to_recordset($6::jsonb)
    AS o(kind text, recipient text, payload jsonb)
"""

_WRITE = "WITH " + _LEFT_BEHIND

# What a new case may have besides the columns' defaults.
_COLUMNS = (
    "id, number, status, category, subject, domain, urgency, source, description, place, latitude, longitude, "
    "reporter_id, grid_id, area_id, department_id, holder_id, duty_id, component_id, split_from_id, anonymous, "
    "message_id, round, reopened, returned, urged, result, comment, reported_at, accepted_at, dispatched_at, due_at, "
    "accept_due_at, sign_due_at"
)

# The same with the case itself in front: what happens most often costs one round trip, not two.
_MADE = (
    "made AS (INSERT INTO cases ("  # noqa: S608 - a constant of ours
    + _COLUMNS
    + ") SELECT "
    + _COLUMNS
    + " FROM jsonb_populate_record(NULL::cases, $7::jsonb))"
)

_WRITE_WITH_CASE = "WITH " + _MADE + "," + _LEFT_BEHIND


@dataclass(slots=True)
class Journal:
    """Collects what one action leaves behind; `write` sends it in the running transaction."""

    at: datetime
    source: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def event(self, verb: Verb, status: Status, actor: str, text: str = "", *, public: bool = True) -> None:
        """A line of the timeline."""
        self.events.append({"verb": verb, "status": status, "actor": actor, "text": text, "public": public})

    def audit(self, actor: str, verb: Verb, before: str, after: str) -> None:
        """A row of the audit trail."""
        self.audits.append({"actor": actor, "tag": f"case:{verb}", "before": before, "after": after})

    def tell(self, notice: Notice) -> None:
        """A message to somebody; people without a bound WeChat are left out (they see it in their list)."""
        if notice.recipient:
            self.jobs.append({"kind": OutboxKind.NOTICE, "recipient": notice.recipient, "payload": notice.payload()})

    async def write(self, case_id: int) -> None:
        """Write everything collected, about one case."""
        await fetch(_WRITE, *self._collected(case_id))

    async def write_with(self, case: Case) -> None:
        """Insert a new case, whose id is drawn already, and write everything collected about it."""
        row = {name: getattr(case, name) for name in _COLUMNS.split(", ")}
        await fetch(_WRITE_WITH_CASE, *self._collected(case.id), to_json(row))

    def _collected(self, case_id: int) -> tuple[Any, ...]:
        return case_id, self.at, to_json(self.events), self.source, to_json(self.audits), to_json(self.jobs)


async def audit(
    actor: str, tag: str, object_id: int | None, now: datetime, *, allowed: bool = True, source: str = ""
) -> None:
    """One audit row for what is not a case's transition; a refused attempt leaves this row and nothing else."""
    await fetch(
        "INSERT INTO audit_event (at, actor, tag, object_id, before, after, allowed, source) "
        "VALUES ($1, $2, $3, $4, '', '', $5, $6)",
        now,
        actor,
        tag,
        object_id,
        allowed,
        source,
    )
