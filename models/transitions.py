"""The case's transition table: the one place that knows which verb leads from where to where, and who may use it.

After Wuhan's 七步闭环 and the rules collected in the design; a plain sentence stands above each row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.enums import Status


class Verb(StrEnum):
    """What can be done to a case, in the glossary's words. `ask_…` is a holder's wish that a second person decides."""

    REPORT = "report"  # 上报
    ACCEPT = "accept"  # 立案/受理
    REJECT = "reject"  # 不予受理
    WITHDRAW = "withdraw"  # 撤回
    DISPATCH = "dispatch"  # 派遣
    SIGN = "sign"  # 签收
    ASK_RETURN = "ask_return"  # 申请退回
    RETURN = "return"  # 退回
    TRANSFER = "transfer"  # 转办：交给对方考虑，对方签收前仍由首接人负责
    TAKE_OVER = "take_over"  # 接转办
    DISPOSE = "dispose"  # 处置反馈
    ASK_SUSPEND = "ask_suspend"  # 申请挂账
    SUSPEND = "suspend"  # 挂账
    WAIT = "wait"  # 待居民补充
    RESUME = "resume"  # 恢复
    ASK_EXTEND = "ask_extend"  # 申请延期
    EXTEND = "extend"  # 延期
    ASK_VOID = "ask_void"  # 申请作废
    VOID = "void"  # 作废
    REFUSE = "refuse"  # 不同意申请
    VERIFY = "verify"  # 核查
    REWORK = "rework"  # 返工
    CLOSE = "close"  # 结案
    REOPEN = "reopen"  # 重启
    ESCALATE = "escalate"  # 升级
    MERGE = "merge"  # 并案
    ABSORB = "absorb"  # 并入：并案的另一头
    SPLIT = "split"  # 拆分
    RECATEGORISE = "recategorise"  # 改类别
    ASSIST = "assist"  # 协办
    ASSISTED = "assisted"  # 协办办完
    URGE = "urge"  # 催办
    SUPERVISE = "supervise"  # 督办
    ANSWER = "answer"  # 督办答复
    NOTE = "note"  # 进展
    MEMO = "memo"  # 内部备注
    SUPPLEMENT = "supplement"  # 补充情况
    JOIN = "join"  # 我也遇到
    LEAVE = "leave"  # 不再关注


class Who(StrEnum):
    """Somebody's relation to one case. One person can stand in several."""

    REPORTER = "reporter"  # the resident who reported it
    NEIGHBOUR = "neighbour"  # any other resident
    HOLDER = "holder"  # the member of staff who has it now
    OFFERED = "offered"  # the member of staff a transfer is offered to
    ASSISTANT = "assistant"  # asked to assist
    COLLEAGUE = "colleague"  # works in a department that has it or assists with it: reads, and does nothing
    CHECKER = "checker"  # the worker of the case's grid, where somebody else did the work
    DISPATCHER = "dispatcher"  # community staff and above, whose area contains the case
    DECIDER = "decider"  # a dispatcher high enough for the open request, and not the one who asked
    SUPERVISOR = "supervisor"  # staff of a higher level than the holder's, whose area contains the case
    RULE = "rule"  # no person: the duty list, a deadline, a resident's silence, another platform


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
    # The holder says it is not theirs; until somebody has decided, it is.
    _row(Verb.ASK_RETURN, {_S.DISPATCHED, _S.DISPOSING}, None, Who.HOLDER),
    # The decider agrees: it goes back to be given to somebody else.
    _row(Verb.RETURN, {_S.DISPATCHED, _S.DISPOSING}, _S.ACCEPTED, Who.DECIDER),
    # Offered to another person; who has it keeps the lead until they take it (首接负责).
    _row(Verb.TRANSFER, {_S.DISPATCHED, _S.DISPOSING}, None, Who.HOLDER, Who.DISPATCHER),
    # The other person takes it, and with it the lead.
    _row(Verb.TAKE_OVER, {_S.DISPATCHED, _S.DISPOSING}, _S.DISPOSING, Who.OFFERED),
    # Done, with a result. Straight from dispatched = signed and disposed in one step (即时办结).
    _row(Verb.DISPOSE, {_S.DISPATCHED, _S.DISPOSING}, _S.DISPOSED, Who.HOLDER),
    # It cannot go on before a day that is known: asked, then decided by a second person. The clock stands.
    _row(Verb.ASK_SUSPEND, {_S.DISPOSING}, None, Who.HOLDER),
    _row(Verb.SUSPEND, {_S.DISPOSING}, _S.SUSPENDED, Who.DECIDER),
    # It cannot go on before the resident has said something more. The clock stands.
    _row(Verb.WAIT, {_S.DISPOSING}, _S.SUSPENDED, Who.HOLDER),
    # It goes on: by hand, on its day, or because the resident answered.
    _row(Verb.RESUME, {_S.SUSPENDED}, _S.DISPOSING, Who.HOLDER, Who.DISPATCHER, Who.RULE),
    # More time: asked before the limit, decided by a second person, told to the resident.
    _row(Verb.ASK_EXTEND, {_S.DISPATCHED, _S.DISPOSING}, None, Who.HOLDER),
    _row(Verb.EXTEND, {_S.DISPATCHED, _S.DISPOSING}, None, Who.DECIDER),
    # Entered by mistake: asked by one, done by another.
    _row(Verb.ASK_VOID, {_S.REPORTED, *_IN_HAND}, None, Who.HOLDER, Who.DISPATCHER),
    _row(Verb.VOID, {_S.REPORTED, *_IN_HAND}, _S.REJECTED, Who.DECIDER),
    # The decider, or who a transfer is offered to, does not agree: everything stays as it is.
    _row(Verb.REFUSE, {_S.REPORTED, *_IN_HAND}, None, Who.DECIDER, Who.OFFERED),
    # The result is good enough to ask the resident.
    _row(Verb.VERIFY, {_S.DISPOSED}, _S.VERIFIED, Who.RULE, Who.CHECKER, Who.DISPATCHER),
    # It is not: once more.
    _row(Verb.REWORK, {_S.DISPOSED}, _S.DISPOSING, Who.CHECKER, Who.DISPATCHER),
    # The resident answered, or kept silent for the set days; also where they were asked to say something more.
    _row(Verb.CLOSE, {_S.VERIFIED, _S.SUSPENDED}, _S.CLOSED, Who.REPORTER, Who.RULE),
    # Not solved: once by the resident, later by a superior.
    _row(Verb.REOPEN, {_S.VERIFIED, _S.CLOSED}, _S.ACCEPTED, Who.REPORTER, Who.SUPERVISOR),
    # Too hard here, or too late: one level up, to a new holder.
    _row(Verb.ESCALATE, _IN_HAND, _S.DISPATCHED, Who.HOLDER, Who.DISPATCHER, Who.RULE),
    # The same matter as another case: this one follows that one.
    _row(Verb.MERGE, {_S.REPORTED, *_IN_HAND}, _S.MERGED, Who.HOLDER, Who.DISPATCHER),
    _row(Verb.ABSORB, {_S.REPORTED, *_IN_HAND}, None, Who.HOLDER, Who.DISPATCHER),
    # Two matters in one report: the second becomes a case of its own.
    _row(Verb.SPLIT, {_S.REPORTED, *_IN_HAND}, None, Who.HOLDER, Who.DISPATCHER),
    # Another kind of matter than was understood. The clock is not reset.
    _row(Verb.RECATEGORISE, {_S.REPORTED, *_IN_HAND}, None, Who.HOLDER, Who.DISPATCHER),
    # Another unit does a part of it; the lead stays.
    _row(Verb.ASSIST, {_S.DISPATCHED, _S.DISPOSING, _S.SUSPENDED}, None, Who.HOLDER, Who.DISPATCHER),
    _row(Verb.ASSISTED, _OPEN, None, Who.ASSISTANT),
    # The resident asks to hurry.
    _row(Verb.URGE, {_S.REPORTED, *_IN_HAND, _S.DISPOSED}, None, Who.REPORTER),
    # A superior wants an answer by a time, and gets it.
    _row(Verb.SUPERVISE, {_S.REPORTED, *_IN_HAND, _S.DISPOSED}, None, Who.SUPERVISOR, Who.RULE),
    _row(Verb.ANSWER, _OPEN, None, Who.HOLDER),
    # Progress, written down for the resident; and a memo, for staff alone.
    _row(Verb.NOTE, _OPEN, None, Who.HOLDER, Who.DISPATCHER, Who.ASSISTANT, Who.RULE),
    _row(Verb.MEMO, set(Status), None, Who.HOLDER, Who.DISPATCHER, Who.ASSISTANT, Who.CHECKER),
    # The resident adds something.
    _row(Verb.SUPPLEMENT, {_S.REPORTED, *_IN_HAND, _S.DISPOSED}, None, Who.REPORTER),
    # Somebody else has the same trouble, and is told what becomes of it.
    _row(Verb.JOIN, {_S.REPORTED, *_IN_HAND}, None, Who.NEIGHBOUR),
    _row(Verb.LEAVE, set(Status), None, Who.NEIGHBOUR),
)

_BY_VERB = {row.verb: row for row in TRANSITIONS}


def find_transition(verb: Verb, status: Status) -> Transition | None:
    """The row that allows `verb` from `status`, whoever asks; None where the table has none."""
    row = _BY_VERB.get(verb)
    return row if row and status in row.sources else None
