"""回访: some weeks after a solved case was closed its reporter is asked once whether it is still well.

Silence is no answer and is never counted as fine. Who has it again gets the case back where that is still allowed, else
a new one with the old one's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.clock import SHANGHAI, say_date, template_time
from domain.journal import Notice, audit
from domain.notices import TAP_LABELS, Tap, excerpt, serial, tap_id
from domain.opt_outs import opt_out
from domain.people import Person
from domain.rating import say_not_solved
from domain.reports import Draft, report
from domain.timing import quiet_until
from errors import Conflict, NotAllowed, NotFound
from models.cases import Case
from models.database import fetch, to_json, transaction
from models.enums import FollowUpState, Source, Status
from models.surveys import FollowUp

TOPIC = "follow_up"
#: Nobody is asked twice within this time, however many cases of theirs were closed.
APART = timedelta(days=30)
#: What was due longer ago (the worker was down, or this was off) is not dug out.
_LOOK_BACK = timedelta(days=7)
#: After so long without an answer it is counted as none. One that comes later still counts.
_PATIENCE = timedelta(days=14)
_WORDS = 200
_DAYTIME = range(9, 20)  # hours, whatever the quiet hours are

# Two schedulers would not see yet whom the other one asks.
_ONE_SCHEDULER = "SELECT pg_try_advisory_xact_lock(hashtextextended('follow-ups', 0)) AS mine"
# The newest such case of each resident.
_DUE = """
SELECT r.id AS resident_id, r.openid, due.id AS case_id FROM resident r
JOIN LATERAL (
    SELECT c.id FROM cases c
    WHERE c.reporter_id = r.id AND c.status = 'closed' AND c.outcome = 'solved' AND c.closed_at <= $1
        AND c.closed_at > $2 AND NOT EXISTS (SELECT FROM follow_up f WHERE f.case_id = c.id)
    ORDER BY c.closed_at DESC, c.id DESC LIMIT 1
) due ON true
WHERE r.id IN (SELECT reporter_id FROM cases WHERE outcome = 'solved' AND closed_at <= $1 AND closed_at > $2)
    AND r.deleted_at IS NULL AND (position(':' IN r.openid) = 0 OR starts_with(r.openid, 'mini:'))
    AND NOT EXISTS (SELECT FROM opt_out o WHERE o.resident_id = r.id AND o.topic IN ($3, '*'))
    AND NOT EXISTS (SELECT FROM follow_up f WHERE f.resident_id = r.id AND f.asked_at > $4)
ORDER BY r.id LIMIT $5 FOR NO KEY UPDATE OF r SKIP LOCKED
"""
_NOTICE = """
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
VALUES ('notice', 'pending', $1, $2, $3::jsonb, 0, 0, $4, '', '', 0, '', $4)
"""
_SILENT = "UPDATE follow_up SET state = 'silent' WHERE state = 'asked' AND asked_at < $1 RETURNING id"


async def ask_due(now: datetime, after: timedelta, limit: int = 200) -> int:
    """Ask about what was closed `after` ago, in the daytime alone; 0 days = nobody is asked. Gives how many were."""
    await fetch(_SILENT, now - _PATIENCE)
    if not after or quiet_until(now) or now.astimezone(SHANGHAI).hour not in _DAYTIME:
        return 0
    async with transaction():
        if not (await fetch(_ONE_SCHEDULER))[0]["mine"]:
            return 0
        before = now - after
        rows = await fetch(_DUE, before, before - _LOOK_BACK, TOPIC, now - APART, limit)
        for row in rows:
            case = await Case.get(id=row["case_id"])
            asked = await FollowUp.create(case=case, resident_id=row["resident_id"], asked_at=now)
            await fetch(_NOTICE, row["openid"], case.id, to_json(_question(asked, case, row["openid"], now)), now)
    return len(rows)


def _question(asked: FollowUp, case: Case, openid: str, now: datetime) -> dict[str, Any]:
    closed = say_date(case.closed_at or now, now)
    text = f"回访：{closed}办结的“{case.subject}”{f'（{case.place}）' if case.place else ''}，现在还好吗？"
    fields = {
        "number": case.number,
        "subject": case.subject,
        "status": "回访",
        "time": template_time(case.closed_at or now),
        "note": "请回复“还好”或“又出现了”",
    }
    taps = (Tap.STILL_FINE, Tap.HAPPENED_AGAIN, Tap.ASK_NO_MORE)
    return Notice(openid, text, [(TAP_LABELS[tap], tap_id(asked.id, tap)) for tap in taps], fields).payload()


async def list_asked(person: Person) -> list[tuple[FollowUp, Case]]:
    """What this resident was asked and has not answered, the newest first."""
    rows = await FollowUp.filter(resident_id=person.resident_id, state__in=_UNANSWERED).order_by("-id").limit(20)
    return [(row, await Case.get(id=row.case_id)) for row in rows]


_UNANSWERED = (FollowUpState.ASKED, FollowUpState.SILENT)


async def say_fine(person: Person, follow_up_id: int, words: str, now: datetime, source: str = "") -> FollowUp:
    """It is still well. Raises NotFound, Conflict where it was answered before."""
    async with transaction():
        asked = await _lock(person, follow_up_id)
        return await _answered(asked, FollowUpState.FINE, words, now, source)


async def want_no_more(person: Person, follow_up_id: int, now: datetime, source: str = "") -> FollowUp:
    """Neither about this one nor about any other is this resident asked again."""
    async with transaction():
        asked = await _lock(person, follow_up_id)
        await opt_out(person, TOPIC, now, source)
        return await _answered(asked, FollowUpState.DROPPED, "", now, source)


async def say_again(
    person: Person, follow_up_id: int, words: str, now: datetime, *, within: timedelta, source: str = ""
) -> tuple[FollowUp, Case]:
    """It has happened again: the case is reopened where it may be (`within` of its end, once), else a new one is made
    of its words. Gives the case that is open now. Raises NotFound, Conflict where it was answered before."""
    async with transaction():
        asked = await _lock(person, follow_up_id)
        old = await Case.get(id=asked.case_id)
        if may_reopen(old, now, within):
            again, _, _ = await say_not_solved(
                person, old.id, words or "回访：又出现了", now, within=within, source=source
            )
        else:
            again = await _report_anew(person, old, words, now, source)
        asked.led_to_id = again.id
        return await _answered(asked, FollowUpState.AGAIN, words, now, source), again


async def case_of(asked: FollowUp) -> Case:
    """What it was about."""
    return await Case.get(id=asked.case_id)


def may_reopen(case: Case, now: datetime, within: timedelta) -> bool:
    """Whether the reporter may still have it done once more."""
    recent = case.closed_at is not None and now - case.closed_at <= within
    return case.status is Status.CLOSED and not case.reopened and recent


async def _report_anew(person: Person, old: Case, words: str, now: datetime, source: str) -> Case:
    said = f"{words.strip()}\n" if words.strip() else ""
    draft = Draft(
        f"{said}又出现了，上次是 {serial(old.number)}（{old.number[:8]}）：{old.description}",
        old.category,
        old.subject,
        old.domain,
        old.place,
        latitude=old.latitude,
        longitude=old.longitude,
        source=Source.MINIAPP if source.startswith("api:") else Source.WECHAT,
        via=source,
        anonymous=old.anonymous,
    )
    return (await report(person, draft, now)).case


# As everywhere: the case, the person, and then what is theirs.
_CASE_FIRST = """
SELECT FROM cases WHERE id = (SELECT case_id FROM follow_up WHERE id = $1 AND resident_id = $2) FOR UPDATE
"""
_THEN_WHO = "SELECT FROM resident WHERE id = $1 FOR KEY SHARE"


async def _lock(person: Person, follow_up_id: int) -> FollowUp:
    await fetch(_CASE_FIRST, follow_up_id, person.resident_id)
    await fetch(_THEN_WHO, person.resident_id)
    mine = FollowUp.filter(id=follow_up_id, resident_id=person.resident_id)
    asked = await mine.select_for_update().get_or_none()
    if asked is None:
        raise NotFound(f"follow-up {follow_up_id}", tag="follow_up:answer", object_id=follow_up_id)
    if asked.state not in _UNANSWERED:
        raise Conflict(f"follow-up {follow_up_id} is {asked.state}", say="这次回访您已经答过了，谢谢。")
    return asked


async def _answered(asked: FollowUp, state: FollowUpState, words: str, now: datetime, source: str) -> FollowUp:
    asked.state, asked.answered_at, asked.note = state, now, excerpt(words, _WORDS)
    await asked.save()
    await audit(f"resident:{asked.resident_id}", f"follow_up:{state}", asked.id, now, source=source)
    return asked


@dataclass(frozen=True, slots=True)
class Figures:
    """How those who were asked found it. `share_fine` is of those who said fine or again; None where nobody did."""

    asked: int
    fine: int
    again: int
    silent: int
    no_more: int

    @property
    def share_fine(self) -> float | None:
        said = self.fine + self.again
        return self.fine / said if said else None


_FIGURES = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT count(*) AS asked, count(*) FILTER (WHERE f.state = 'fine') AS fine,
    count(*) FILTER (WHERE f.state = 'again') AS again, count(*) FILTER (WHERE f.state = 'dropped') AS no_more,
    count(*) FILTER (WHERE f.state IN ('asked', 'silent')) AS silent
FROM follow_up f JOIN cases c ON c.id = f.case_id
WHERE f.asked_at >= $2 AND f.asked_at <= $3 AND coalesce(c.grid_id, c.area_id) IN (SELECT id FROM mine)
"""


async def figures(person: Person, now: datetime, days: int = 90) -> Figures:
    """Of those asked in the last `days`, in this member of staff's area. Raises NotAllowed for residents."""
    if person.post is None:
        raise NotAllowed("figures of follow-ups", tag="follow_up:figures")
    rows = await fetch(_FIGURES, person.post.area_id, now - timedelta(days=days), now)
    return Figures(**rows[0])
