"""The case's transition table: the one place that knows which verb leads from where to where, and who may use it.

After Wuhan's 七步闭环 and the rules collected in the design; a plain sentence stands above each row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.enums import Status


class Verb(StrEnum):
    """What can be done to a case, in the glossary's words."""

    REPORT = "report"  # 上报
    ACCEPT = "accept"  # 立案/受理
    REJECT = "reject"  # 不予受理
    WITHDRAW = "withdraw"  # 撤回
    DISPATCH = "dispatch"  # 派遣
    SIGN = "sign"  # 签收
    RETURN = "return"  # 退回
    DISPOSE = "dispose"  # 处置反馈
    VERIFY = "verify"  # 核查
    REWORK = "rework"  # 返工
    CLOSE = "close"  # 结案
    REOPEN = "reopen"  # 重启
    ESCALATE = "escalate"  # 升级
    URGE = "urge"  # 催办
    NOTE = "note"  # 进展
    SUPPLEMENT = "supplement"  # 补充情况


class Who(StrEnum):
    """Somebody's relation to one case. One person can stand in several."""

    REPORTER = "reporter"  # the resident who reported it
    HOLDER = "holder"  # the member of staff who has it now
    DISPATCHER = "dispatcher"  # community staff and above, whose area contains the case
    SUPERVISOR = "supervisor"  # staff of a higher level than the holder's, whose area contains the case
    RULE = "rule"  # no person: the duty list, a deadline, a resident's silence


@dataclass(frozen=True, slots=True)
class Transition:
    """`target` None means: the status stays as it is."""

    verb: Verb
    sources: frozenset[Status]
    target: Status | None
    who: frozenset[Who]


def _row(verb: Verb, sources: set[Status], target: Status | None, *who: Who) -> Transition:
    return Transition(verb, frozenset(sources), target, frozenset(who))


_S = Status
_IN_HAND = {_S.ACCEPTED, _S.DISPATCHED, _S.DISPOSING, _S.SUSPENDED}
_OPEN = {status for status in Status if status.is_open}

TRANSITIONS: tuple[Transition, ...] = (
    # Taken on: by rule where category and grid are known, else by the community.
    _row(Verb.ACCEPT, {_S.REPORTED}, _S.ACCEPTED, Who.RULE, Who.DISPATCHER),
    # Not ours, with the reason said.
    _row(Verb.REJECT, {_S.REPORTED}, _S.REJECTED, Who.DISPATCHER),
    # The resident takes it back before anybody has begun.
    _row(Verb.WITHDRAW, {_S.REPORTED, _S.ACCEPTED, _S.DISPATCHED}, _S.WITHDRAWN, Who.REPORTER),
    # Given to the person whose duty it is.
    _row(Verb.DISPATCH, {_S.ACCEPTED}, _S.DISPATCHED, Who.RULE, Who.DISPATCHER),
    # The holder takes it.
    _row(Verb.SIGN, {_S.DISPATCHED}, _S.DISPOSING, Who.HOLDER),
    # The holder says it is not theirs: it goes back to be given to somebody else.
    _row(Verb.RETURN, {_S.DISPATCHED}, _S.ACCEPTED, Who.HOLDER),
    # Done, with a result. Straight from dispatched = signed and disposed in one step (即时办结).
    _row(Verb.DISPOSE, {_S.DISPATCHED, _S.DISPOSING}, _S.DISPOSED, Who.HOLDER),
    # The result is good enough to ask the resident.
    _row(Verb.VERIFY, {_S.DISPOSED}, _S.VERIFIED, Who.RULE, Who.DISPATCHER),
    # It is not: once more.
    _row(Verb.REWORK, {_S.DISPOSED}, _S.DISPOSING, Who.DISPATCHER),
    # The resident answered, or kept silent for the set days.
    _row(Verb.CLOSE, {_S.VERIFIED}, _S.CLOSED, Who.REPORTER, Who.RULE),
    # Not solved: once by the resident, later by a superior.
    _row(Verb.REOPEN, {_S.VERIFIED, _S.CLOSED}, _S.ACCEPTED, Who.REPORTER, Who.SUPERVISOR),
    # Too hard here: one level up, to a new holder.
    _row(Verb.ESCALATE, _IN_HAND, _S.DISPATCHED, Who.HOLDER, Who.DISPATCHER),
    # The resident asks to hurry.
    _row(Verb.URGE, {_S.REPORTED, *_IN_HAND, _S.DISPOSED}, None, Who.REPORTER),
    # Progress, written down.
    _row(Verb.NOTE, _OPEN, None, Who.HOLDER, Who.DISPATCHER),
    # The resident adds something.
    _row(Verb.SUPPLEMENT, {_S.REPORTED, *_IN_HAND, _S.DISPOSED}, None, Who.REPORTER),
)

_BY_VERB = {row.verb: row for row in TRANSITIONS}


def find_transition(verb: Verb, status: Status) -> Transition | None:
    """The row that allows `verb` from `status`, whoever asks; None where the table has none."""
    row = _BY_VERB.get(verb)
    return row if row and status in row.sources else None
