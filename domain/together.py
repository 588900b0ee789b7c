"""Several people or several reports, one matter: transfer, assisting, merging, splitting."""

from __future__ import annotations

from datetime import datetime

from domain import notices
from domain.access import Work, begin
from domain.assists import make_task
from domain.casework import need, reporter_openid, tell_reporter
from domain.lookup import find_case
from domain.people import Person, Post, find_person, find_posts, post_of
from domain.reports import Draft, report
from domain.urgency import make_more_urgent, take_over_promise
from domain.worktime import TimeLimit
from errors import BadRequest, Conflict, NotFound
from models.cases import Assist, Case, CaseRequest
from models.database import fetch, transaction
from models.enums import Level, RequestKind, RequestState, Urgency
from models.transitions import Verb

_NOBODY = "没有找到“{words}”。请写对方的名字、单位名或网格名。"


async def _colleague(person: Person, words: str) -> Post:
    """The one member of staff a name, a unit or a grid means, in this person's own street."""
    found = await find_posts(person, words.strip()) if words.strip() else []
    if not found:
        raise NotFound("no such post", say=_NOBODY.format(words=words.strip()))
    return found[0]


async def transfer(
    person: Person, case_id: int, to: str, reason: str, now: datetime, source: str = ""
) -> tuple[Case, Post]:
    """Offer the case to somebody else, by their name, unit or grid. Who has it keeps the lead until they take it."""
    need(reason, "请说一句为什么转办，对方会看到。")
    async with transaction():
        work = await begin(person, case_id, Verb.TRANSFER, now, source)
        case, other = work.case, await _colleague(person, to)
        if other.id == case.holder_id:
            raise Conflict("has it", say=f"{other.label}已经是经办人了。")
        if await CaseRequest.exists(case_id=case_id, kind=RequestKind.TRANSFER, state=RequestState.OPEN):
            raise Conflict("offered already", say="已经转给别人，正等对方接。对方接之前还由您负责。")
        await CaseRequest.create(
            case_id=case_id,
            kind=RequestKind.TRANSFER,
            asked_by_id=person.post.id if person.post else 0,
            asked_at=now,
            reason=reason.strip(),
            to_staff_id=other.id,
            decider_level=Level.GRID,
        )
        work.step(Verb.TRANSFER, f"转给{other.label}：{reason.strip()}", public=False)
        work.journal.tell(notices.offered(case, other, work.actor, reason.strip()))
        return await work.finish(), other


async def take_over(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """Who a transfer was offered to takes it: they have the lead now. The clock goes on as it was."""
    async with transaction():
        work = await begin(person, case_id, Verb.TAKE_OVER, now, source)
        request = await CaseRequest.filter(
            case_id=case_id, kind=RequestKind.TRANSFER, state=RequestState.OPEN, to_staff_id=_id(person)
        ).first()
        if request is None:
            raise Conflict("offer gone", say="这次转办已经取消了。")
        before = await post_of(work.case.holder_id)
        await _take(work, request)
        if before:
            work.journal.tell(notices.to_staff(work.case, before, f"{work.actor}已接手，您不用再管了。"))
        await tell_reporter(work, f"现在由{work.actor}处理。")
        return await work.finish()


async def _take(work: Work, request: CaseRequest) -> None:
    post = work.person.post
    if post is None:
        raise NotFound("no post")
    request.state, request.decided_at, request.decided_by_id = RequestState.APPROVED, work.now, post.id
    await request.save()
    case = work.case
    case.holder_id, case.area_id, case.department_id = post.id, post.area_id, post.department_id
    case.signed_at = work.now
    work.step(Verb.TAKE_OVER, "接手处理")


def _id(person: Person) -> int:
    return person.post.id if person.post else 0


async def assist(
    person: Person,
    case_id: int,
    to: str,
    text: str,
    now: datetime,
    source: str = "",
    *,
    within: TimeLimit | None = None,
) -> tuple[Case, Post]:
    """协办: ask another unit or person for a part of it, by the promised time or sooner (`within`). The case and its
    clock stay with the holder."""
    need(text, "请说一句要对方做什么。")
    async with transaction():
        work = await begin(person, case_id, Verb.ASSIST, now, source)
        other = await _colleague(person, to)
        if other.id == work.case.holder_id:
            raise Conflict("the holder", say=f"{other.label}就是经办人，不用协办。")
        task = await make_task(work.case, other.id, text.strip(), now, within)
        work.step(Verb.ASSIST, f"请{other.label}协办：{text.strip()}", public=False)
        work.journal.tell(notices.asked_to_assist(work.case, other, work.actor, task, now))
        return await work.finish(), other


async def assisted(person: Person, case_id: int, answer: str, now: datetime, source: str = "") -> Case:
    """The assistant has done their part; the holder is told."""
    need(answer, "请说一句协办做了什么。")
    async with transaction():
        work = await begin(person, case_id, Verb.ASSISTED, now, source)
        await Assist.filter(case_id=case_id, staff_id=_id(person), done_at=None).update(
            done_at=now, answer=answer.strip(), watch_at=None
        )
        work.step(Verb.ASSISTED, f"协办：{answer.strip()}", public=False)
        if holder := await post_of(work.case.holder_id):
            work.journal.tell(notices.to_staff(work.case, holder, f"{work.actor}协办好了：{notices.excerpt(answer)}"))
        return await work.finish()


_FOLLOW = """
INSERT INTO follower (case_id, resident_id, since, from_case_id, words)
SELECT $2, f.resident_id, $3, coalesce(f.from_case_id, $1), f.words FROM (
    SELECT reporter_id AS resident_id, NULL::bigint AS from_case_id, description AS words FROM cases
    WHERE id = $1 AND reporter_id IS NOT NULL
    UNION ALL SELECT resident_id, from_case_id, words FROM follower WHERE case_id = $1
) f WHERE f.resident_id <> coalesce((SELECT reporter_id FROM cases WHERE id = $2), 0)
ON CONFLICT (case_id, resident_id) DO NOTHING RETURNING resident_id
"""


async def merge(
    person: Person, case_id: int, into: str, now: datetime, source: str = "", *, many: int = 3
) -> tuple[Case, Case]:
    """并案: this case follows another; everybody who was told of it is told of that one from now on.

    That one becomes as urgent as this one was, and pressing when `many` have said it besides its reporter, as if they
    had joined.

    Gives (merged, survivor). Two people who merge A→B and B→A at once leave one survivor: both cases are locked in the
    order of their ids, and the second finds its own merged already.
    """
    async with transaction():
        other = await find_case(person, into)
        if other.id == case_id:
            raise BadRequest("into itself", say="不能并到它自己。请写另一件的编号。")
        first, second = sorted((case_id, other.id))
        await fetch("SELECT id FROM cases WHERE id IN ($1, $2) ORDER BY id FOR UPDATE", first, second)
        work = await begin(person, case_id, Verb.MERGE, now, source)
        target = await begin(person, other.id, Verb.ABSORB, now, source)
        moved = await fetch(_FOLLOW, case_id, other.id, now)
        target.case.joined += len(moved)
        work.case.merged_into_id, work.case.closed_at = other.id, now
        survivor = notices.serial(target.case.number)
        work.step(Verb.MERGE, f"并入 {survivor}")
        target.step(Verb.ABSORB, f"并入 {notices.serial(work.case.number)}", public=False)
        await tell_reporter(work, f"和 {survivor} 是同一件事，合在一起处理，有进展照样告诉您。")
        raised = await take_over_promise(target, work.case)
        raised = await make_more_urgent(target, work.case.urgency, "两件并成一件") or raised
        if target.case.joined >= many:
            raised = await make_more_urgent(target, Urgency.PRESSING, "反映的人多") or raised
        await _tell_holders(work, target, raised)
        return await work.finish(), await target.finish()


async def _tell_holders(work: Work, target: Work, raised: str) -> None:
    holder, heir = await post_of(work.case.holder_id), await post_of(target.case.holder_id)
    me = _id(work.person)
    if holder and holder.id != me:
        work.journal.tell(
            notices.to_staff(work.case, holder, f"已并入 {notices.serial(target.case.number)}，不用再办。")
        )
    if heir and heir.id != me:
        said = f"{notices.serial(work.case.number)} 并到这一件：“{notices.excerpt(work.case.description)}”"
        said += f"，{raised}。" if raised else ""
        target.journal.tell(notices.to_staff(target.case, heir, said))


async def split(person: Person, case_id: int, draft: Draft, now: datetime, source: str = "") -> tuple[Case, Case]:
    """拆分: a second matter in a report becomes a case of its own, for the same reporter. Gives (old, new)."""
    need(draft.description, "请说一句拆出来的是什么事。")
    async with transaction():
        work = await begin(person, case_id, Verb.SPLIT, now, source)
        reporter = await find_person(await reporter_openid(work.case), now)
        receipt = await report(reporter, draft, now, split_from=work.case.id)
        work.step(Verb.SPLIT, f"拆出 {notices.serial(receipt.case.number)}：{notices.excerpt(draft.description)}")
        await tell_reporter(
            work, f"里面的另一件事（{draft.subject}）单独办，编号 {notices.short(receipt.case.number)}。"
        )
        return await work.finish(), receipt.case
