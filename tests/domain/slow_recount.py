"""The indicators counted again, slowly and from their definitions in docs/indicators.md, one case at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import quantiles

from domain.figures_settings import Settings
from models.cases import Case
from models.enums import Outcome, Status


def recount(
    cases: Sequence[Case], first_dispatch: dict[int, datetime], start: datetime, end: datetime, settings: Settings
) -> Counter[str]:
    """Counts by name, over these cases."""
    counted: Counter[str] = Counter()
    for case in cases:
        for name in _of_case(case, first_dispatch.get(case.id), start, end, settings):
            counted[name] += 1
        if "disposed" in _of_case(case, None, start, end, settings) and case.disposed_at and case.accepted_at:
            counted["handle_seconds"] += (case.disposed_at - case.accepted_at - case.paused) // timedelta(seconds=1)
    return counted


def _of_case(  # noqa: C901 - one definition after the other
    case: Case, first_dispatch: datetime | None, start: datetime, end: datetime, settings: Settings
) -> set[str]:
    names: set[str] = set()

    def within(moment: datetime | None) -> bool:
        return moment is not None and start <= moment < end

    def late(moment: datetime | None) -> bool:
        """Not yet at the end of the period."""
        return moment is None or moment >= end

    hours = lambda number: timedelta(hours=number)  # noqa: E731
    if within(case.reported_at):
        names.add("reported")
        if case.urgency == "urgent":
            names.add("urgent")
    if within(case.closed_at) and case.status is Status.REJECTED and case.outcome is not Outcome.VOID:
        names.add("rejected")
    if case.accepted_at is None:
        return names
    valid = case.outcome is not Outcome.VOID and case.status not in (Status.REJECTED, Status.WITHDRAWN, Status.MERGED)
    if within(case.accepted_at):
        names.add("accepted")
        if case.accepted_at <= (case.accept_due_at or case.reported_at + hours(settings.accept_hours)):
            names.add("accepted_on_time")
        if case.outcome is Outcome.VOID:
            names.add("voided")
        if valid:
            names.add("to_dispatch")
            firsts = [moment for moment in (case.dispatched_at, first_dispatch) if moment and case.dispatched_at]
            if firsts and min(firsts) <= case.accepted_at + hours(settings.dispatch_hours):
                names.add("dispatched_on_time")
    if not valid:
        return names
    answered_by = case.accepted_at + hours(settings.response_hours[case.urgency])
    in_time = case.first_response_at is not None and case.first_response_at <= answered_by
    if case.dispatched_at and within(case.dispatched_at):
        names.add("dispatched")
        wrong = {"rework": case.round > 1, "return": case.returned > 0}
        if wrong.get(settings.wrong_dispatch, any(wrong.values())):
            names.add("wrongly_dispatched")
        if case.signed_at and case.signed_at <= (case.sign_due_at or case.dispatched_at + hours(settings.sign_hours)):
            names.add("signed_on_time")
        if in_time:
            names.add("responded")
    if within(case.first_response_at):
        names |= {"first_responses", "first_responses_on_time"} if in_time else {"first_responses"}
    if within(case.disposed_at) and case.disposed_at:
        names.add("disposed")
        if case.due_at is None or case.disposed_at <= case.due_at:
            names.add("disposed_on_time")
        if case.round > 1:
            names.add("reworked")
    if within(case.due_at) and late(case.disposed_at):
        names.add("undisposed")
    if within(case.verified_at) and case.verified_at:
        names.add("verified")
        if case.verify_due_at is None or case.verified_at <= case.verify_due_at:
            names.add("verified_on_time")
    if within(case.verify_due_at) and late(case.verified_at):
        names.add("unverified")
    if within(case.due_at) and late(case.closed_at):
        names.add("unclosed")
        if case.status is Status.SUSPENDED:
            names.add("deferred")
    if case.status is Status.CLOSED and within(case.closed_at):
        names |= _closed(case, settings)
    return names


def _closed(case: Case, settings: Settings) -> set[str]:
    names = {"closed"}
    done = case.disposed_at if settings.on_time_by == "disposed" and case.disposed_at else case.closed_at
    if case.due_at is None or (done and done <= case.due_at):
        names.add("closed_on_time")
    if case.round == 1:
        names.add("closed_first_time")
    if case.solved is not None:
        names |= {"answered", "took_part"}
    if case.solved:
        names.add("solved")
    if case.satisfaction is not None:
        names |= {"rated", "took_part"}
        if case.satisfaction >= settings.satisfied_from:
            names.add("satisfied")
        if case.satisfaction == 1:
            names.add("dissatisfied")
    return names


def handling_spread(cases: Sequence[Case], start: datetime, end: datetime) -> tuple[float, float] | None:
    """Median and 90th percentile of the handling time in seconds; None without cases."""
    seconds = [
        (case.disposed_at - case.accepted_at - case.paused).total_seconds()
        for case in cases
        if "disposed" in _of_case(case, None, start, end, Settings()) and case.disposed_at and case.accepted_at
    ]
    if len(seconds) < 2:
        return (seconds[0], seconds[0]) if seconds else None
    cuts = quantiles(seconds, n=10, method="inclusive")
    return cuts[4], cuts[8]
