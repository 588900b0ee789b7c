"""By when each step of a case must be done, and when the deadline watch has to look at it next.

Acceptance counts from the report, giving away again from the return, signing from the dispatch, handling from the
acceptance, verifying from the disposal.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import timing
from domain.worktime import TimeLimit, Unit, due_at, limit_for, limit_of, load_calendar
from models.cases import Case, CaseRequest, Duty
from models.database import fetch
from models.enums import Pause, RequestKind, RequestState, Status, Urgency

_H, _WH, _WD = Unit.HOURS, Unit.WORKING_HOURS, Unit.WORKING_DAYS

#: Where the duty list says nothing of acceptance (2 h for what comes over the network, by the draft of DB11/T 2021),
#: of giving away (two hours, as 按时派遣率 counts it), of signing and of verifying (no public figure: a day, shorter
#: where it is urgent).
ACCEPT_WITHIN = dict.fromkeys(Urgency, TimeLimit(2, _WH)) | {Urgency.URGENT: TimeLimit(1, _H)}
DISPATCH_WITHIN = dict.fromkeys(Urgency, TimeLimit(2, _WH)) | {
    Urgency.URGENT: TimeLimit(1, _H),
    Urgency.PRESSING: TimeLimit(1, _WH),
}
SIGN_WITHIN = dict.fromkeys(Urgency, TimeLimit(1, _WD)) | {
    Urgency.URGENT: TimeLimit(1, _H),
    Urgency.PRESSING: TimeLimit(4, _H),
}
VERIFY_WITHIN = dict.fromkeys(Urgency, TimeLimit(2, _WD)) | {
    Urgency.URGENT: TimeLimit(4, _H),
    Urgency.PRESSING: TimeLimit(1, _WD),
}

#: `alerted` of a case that no level above can be told of any more.
LISTED = 32_000
#: Levels above the grid: nobody is left to be told after so many.
_LEVELS = 4


def _written(text: str, urgency: Urgency, default: dict[Urgency, TimeLimit]) -> TimeLimit:
    """The duty list's limit for a step, or the default. An emergency never waits longer than the default, whatever the
    list gives its category in ordinary times: nobody has a working day to see that somebody is trapped."""
    if not text:
        return default[urgency]
    limit = TimeLimit.parse(text)
    return default[urgency] if urgency is Urgency.URGENT and limit.may_exceed(default[urgency]) else limit


async def set_accept_due(case: Case, written: str) -> None:
    """`written` is the duty line's limit, "" where it says nothing; so below."""
    case.accept_due_at = await due_at(case.reported_at, _written(written, case.urgency, ACCEPT_WITHIN))


async def set_dispatch_due(case: Case, now: datetime) -> None:
    """From the return; each return has its own time, the promised one goes on."""
    case.dispatch_due_at = await due_at(now, await _dispatch_limit(case))


async def _dispatch_limit(case: Case) -> TimeLimit:
    duty = await Duty.get_or_none(id=case.duty_id) if case.duty_id else None
    return _written(duty.dispatch_limit if duty else "", case.urgency, DISPATCH_WITHIN)


async def set_sign_due(case: Case, written: str) -> None:
    """From the dispatch; each new holder has their own time to sign."""
    if case.dispatched_at:
        case.sign_due_at = await due_at(case.dispatched_at, _written(written, case.urgency, SIGN_WITHIN))


async def set_due(case: Case, written: str, since: datetime) -> datetime:
    """The promised time, made once: at acceptance, and anew when a case is reopened."""
    limit = limit_for(written, case.urgency)
    case.handle_limit, case.alerted = str(limit), 0
    due = await due_at(since, limit)
    case.due_at = due
    return due


async def set_verify_due(case: Case, written: str) -> None:
    """From the disposal."""
    if case.disposed_at:
        case.verify_due_at = await due_at(case.disposed_at, _written(written, case.urgency, VERIFY_WITHIN))


async def extend_due(case: Case, until: datetime, now: datetime) -> None:
    """A later promised time was granted: nobody is warned again of what is behind them."""
    case.due_at = until
    case.alerted = min(max(await used(case, now), 0), 99)


_ASSISTS_LOOK = "UPDATE assist SET watch_at = $2 WHERE case_id = $1 AND watch_at > $2"


async def raise_urgency(case: Case, to: Urgency, now: datetime) -> bool:
    """A stricter class from now on; gives whether the promised time is nearer than it was.

    Each step still to come has the class's own time, counted from now (while the clock stands: from when it goes on),
    or what it had where that is earlier: nothing is reset and nothing gets later. An extension that a second person
    granted stays as it was told.
    """
    case.urgency = to
    case.accept_due_at = await _nearer(case.accept_due_at, ACCEPT_WITHIN[to], now)
    case.dispatch_due_at = await _nearer(case.dispatch_due_at, DISPATCH_WITHIN[to], now)
    case.sign_due_at = await _nearer(case.sign_due_at, SIGN_WITHIN[to], now)
    limit = limit_for(str(limit_of(case)), to)
    due = await _nearer(case.due_at, limit, case.suspended_at or now)
    if limit == limit_of(case) or due == case.due_at or await _was_extended(case):
        return False
    case.handle_limit, case.alerted = str(limit), 0
    await bring_nearer(case, due, now)
    return True


async def bring_nearer(case: Case, due: datetime | None, now: datetime) -> None:
    """A nearer promised time; who assists has no longer than the case, so their tasks are looked at again."""
    case.due_at = due
    await fetch(_ASSISTS_LOOK, case.id, now)


async def _nearer(due: datetime | None, limit: TimeLimit, since: datetime) -> datetime | None:
    return min(due, await due_at(since, limit)) if due else None


async def _was_extended(case: Case) -> bool:
    """Whether the promised time is one that was asked for and granted."""
    granted = CaseRequest.filter(case_id=case.id, kind=RequestKind.EXTEND, state=RequestState.APPROVED)
    return await granted.filter(until=case.due_at).exists()


async def begin_again(case: Case, now: datetime) -> None:
    """The work was not good enough. The clock ran on while it was looked at; what that used up is told to nobody, and
    the next stage keeps its distance from now."""
    if case.alerted < LISTED:
        case.alerted = min(max(case.alerted, await used(case, now)), LISTED - 1)


async def used(case: Case, now: datetime) -> int:
    """Whole percent of the limit that are used up, counted back from the promised time; over 100 when it is over."""
    if case.due_at is None:
        return 0
    calendar, limit = await load_calendar(), limit_of(case)
    length, left = calendar.length(limit), calendar.between(now, case.due_at, limit.unit)
    return (100 * (length - left)) // length


def next_stage(case: Case) -> int | None:
    """Percent of the limit at which people are told next: the warnings, the end, then each further step up."""
    if case.due_at is None or case.alerted >= LISTED:
        return None
    if case.alerted >= 100:
        return int(case.alerted) + timing.current().escalate_every
    return next((share for share in timing.current().warn_at if share > case.alerted), 100)


async def stage_at(case: Case, percent: int) -> datetime | None:
    """When that much of the limit is used up."""
    if case.due_at is None:
        return None
    calendar, limit = await load_calendar(), limit_of(case)
    return calendar.shift(case.due_at, limit.unit, calendar.length(limit) * (percent - 100) / 100)


async def schedule(case: Case) -> None:
    """Set when the watch must look at this case again: the one place that knows what can come due in which status."""
    case.watch_at = await _next_look(case)


async def _next_look(case: Case) -> datetime | None:
    held = timing.current()
    match case.status:
        case Status.REPORTED:
            return _climbing(case, case.reported_at, case.accept_due_at)
        case Status.ACCEPTED | Status.DISPATCHED | Status.DISPOSING:
            stage = next_stage(case)
            looks = [sign_alarm_at(case), await stage_at(case, stage) if stage else None]
            looks += (await dispatch_stages(case))[case.reminded : case.reminded + 1]
            return min((look for look in looks if look), default=None)
        case Status.SUSPENDED if case.pause is Pause.RESIDENT and case.suspended_at:
            return case.suspended_at + held.remind_after * int(case.reminded + 1)
        case Status.SUSPENDED:
            return case.resume_at
        case Status.DISPOSED if case.disposed_at:
            return _climbing(case, case.disposed_at, case.verify_due_at)
        case Status.VERIFIED if case.verified_at and not case.reminded:
            return case.verified_at + held.silence / 2
    return None


def sign_alarm_at(case: Case) -> datetime | None:
    """When the dispatcher hears that nobody has signed; None when they have heard, or somebody has."""
    return case.sign_due_at if case.status is Status.DISPATCHED and not case.reminded else None


async def dispatch_stages(case: Case) -> list[datetime]:
    """Of what was sent back and nobody has: when those who must give it away are reminded, when their time is over, and
    when as much time again is. Empty for every other case."""
    if case.status is not Status.ACCEPTED or case.holder_id or case.dispatch_due_at is None:
        return []
    calendar, limit = await load_calendar(), await _dispatch_limit(case)
    length, warn_at = calendar.length(limit), max(timing.current().warn_at, default=100)
    shares = ((warn_at - 100) / 100, 0, 1)
    return [calendar.shift(case.dispatch_due_at, limit.unit, length * share) for share in shares]


def _climbing(case: Case, since: datetime, due: datetime | None) -> datetime | None:
    """A step nobody takes: told at its end, and level by level each time as much time again has passed."""
    if due is None or case.reminded > _LEVELS:
        return None
    return due + int(case.reminded) * max(due - since, timedelta(hours=1))
