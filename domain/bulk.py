"""One step for many cases at once. Each is a transaction of its own: what one case refuses stops none of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import structlog

from domain import casework, notices, together
from domain.accepting import accept
from domain.dispatching import dispatch_to_grid
from domain.journal import audit
from domain.nudges import nudge
from domain.people import Person, Post
from errors import BadRequest, LinliError
from models.cases import Case
from models.enums import Role, Status

log = structlog.get_logger(__name__)

#: So many at once: more nobody has looked at one by one.
MOST = 100


class Step(StrEnum):
    """What can be done to many at once."""

    SIGN = "sign"  # 接
    ACCEPT = "accept"  # 立案：按职责清单派
    DISPATCH = "dispatch"  # 派给一个网格
    TRANSFER = "transfer"  # 转办
    NUDGE = "nudge"  # 催办


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done; `to`: a grid, a unit or a name, for dispatch and transfer; `words`: why, for transfer."""

    step: Step
    to: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: done, or refused; `said` in words. A case that is not there has no `number`."""

    case_id: int
    number: str
    subject: str
    done: bool
    said: str


@dataclass(frozen=True, slots=True)
class _Task:
    person: Person
    case_id: int
    order: Order
    now: datetime
    source: str
    place: int  # among those chosen, from 1


async def _sign(task: _Task) -> tuple[Case, str]:
    return await casework.sign(task.person, task.case_id, task.now, task.source), "已接"


async def _accept(task: _Task) -> tuple[Case, str]:
    case, holder = await accept(task.person, task.case_id, task.now, task.source)
    return case, f"已受理，交给{holder.label}" if holder else "已受理，还要您派人"


async def _dispatch(task: _Task) -> tuple[Case, str]:
    case, holder = await dispatch_to_grid(task.person, task.case_id, task.order.to, task.now, task.source)
    return case, f"已交给{holder.label}"


async def _transfer(task: _Task) -> tuple[Case, str]:
    order = task.order
    case, other = await together.transfer(task.person, task.case_id, order.to, order.words, task.now, task.source)
    return case, f"已转给{other.label}，等对方接"


async def _nudge(task: _Task) -> tuple[Case, str]:
    case, holder = await nudge(task.person, task.case_id, task.order.words, task.now, task.source)
    return case, f"已催{holder.label}"


_STEPS: Mapping[Step, Callable[[_Task], Awaitable[tuple[Case, str]]]] = MappingProxyType(
    {Step.SIGN: _sign, Step.ACCEPT: _accept, Step.DISPATCH: _dispatch, Step.TRANSFER: _transfer, Step.NUDGE: _nudge}
)


def steps_of(post: Post) -> Sequence[Step]:
    """What a post may ever do to many at once; whether it may in each case is decided there."""
    if post.dispatches:
        return tuple(Step)
    return (Step.SIGN, Step.TRANSFER) if post.role in (Role.GRID_WORKER, Role.DEPARTMENT_STAFF) else ()


def fitting(post: Post, status: Status, holder_id: int | None) -> Step | None:
    """What is most likely done next with a case that stands so; None where no step for many fits."""
    own = holder_id == post.id
    step = {
        Status.REPORTED: Step.ACCEPT,
        Status.ACCEPTED: Step.DISPATCH,
        Status.DISPATCHED: Step.SIGN if own else Step.NUDGE,
        Status.DISPOSING: Step.TRANSFER if own else Step.NUDGE,
    }.get(status)
    return step if step in steps_of(post) else None


async def do_all(
    person: Person, case_ids: Sequence[int], order: Order, now: datetime, source: str = ""
) -> Sequence[Outcome]:
    """Take the step in each of these cases, in their order. Raises BadRequest for what would fail in all of them."""
    _check(case_ids, order)
    chosen = enumerate(dict.fromkeys(case_ids), 1)
    return [await _one(_Task(person, case_id, order, now, source, place)) for place, case_id in chosen]


def _check(case_ids: Sequence[int], order: Order) -> None:
    if not case_ids:
        raise BadRequest("no cases", say="请先在左边勾选要办的事项。")
    if len(case_ids) > MOST:
        raise BadRequest("too many cases", say=f"一次最多选 {MOST} 件，请分几次办。")
    if order.step is Step.DISPATCH and not order.to.strip():
        raise BadRequest("no grid", say="请写派给哪个网格，或网格员的名字。")
    if order.step is Step.TRANSFER and not (order.to.strip() and order.words.strip()):
        raise BadRequest("to nobody", say="转办请写转给谁和原因，对方会看到。")


async def _one(task: _Task) -> Outcome:
    try:
        case, said = await _STEPS[task.order.step](task)
    except LinliError as error:
        return await _refused(task, error)
    except Exception:
        # Whatever it is: what was done before must still be told.
        log.exception("bulk step failed", case=task.case_id, step=task.order.step)
        said = f"第 {task.place} 件：系统刚才没处理好，这一件请再办一次。"
        return Outcome(task.case_id, "", "", done=False, said=said)
    return Outcome(case.id, case.number, case.subject, done=True, said=said)


async def _refused(task: _Task, error: LinliError) -> Outcome:
    """A refused attempt leaves a row. Of a case that is not for them the person does not even learn the number."""
    if tag := error.data.get("tag"):
        await audit(task.person.actor, str(tag)[:40], task.case_id, task.now, allowed=False, source=task.source)
    from_sight = error.code == "not_found" and error.data.get("object_id") == task.case_id
    case = None if from_sight else await Case.get_or_none(id=task.case_id)
    number, subject = (case.number, case.subject) if case else ("", "")
    said = error.say if case is None else error.say.removeprefix(notices.serial(case.number)).strip()
    return Outcome(task.case_id, number, subject, done=False, said=said)
