"""What staff do with a case: sign, write progress, dispose, return, escalate, give to a grid, reject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain import notices, reports
from domain.access import Work, begin
from domain.clock import say_latest
from domain.duties import duty_of
from domain.people import Person, Post, post_of, posts_upward
from domain.worktime import due_at, limit_for
from errors import BadRequest, Conflict, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.enums import Level, Role, Status, Verifier
from models.people import Area, Resident
from models.transitions import Verb, Who


async def reporter_openid(case: Case) -> str:
    """Where to tell the resident; "" when they are unknown. Whether it arrives, the ladder finds out."""
    resident = await Resident.get_or_none(id=case.reporter_id) if case.reporter_id else None
    return resident.openid if resident else ""


async def _tell_reporter(work: Work, sentence: str) -> None:
    work.journal.tell(notices.progress(work.case, await reporter_openid(work.case), sentence))


async def sign(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """The holder takes the case; the resident learns who."""
    async with transaction():
        work = await begin(person, case_id, Verb.SIGN, now, source)
        work.case.signed_at = now
        work.step(Verb.SIGN, "接手处理")
        await _tell_reporter(work, f"{work.actor}已接手。")
        return await work.finish()


async def write_note(
    person: Person, case_id: int, text: str, now: datetime, *, media: Sequence[reports.Media] = (), source: str = ""
) -> Case:
    """Progress the resident may read."""
    if not text.strip() and not media:
        raise BadRequest("empty note", say="请写一句进展，或发一张照片。")
    async with transaction():
        work = await begin(person, case_id, Verb.NOTE, now, source)
        work.step(Verb.NOTE, text or f"发了 {len(media)} 张照片")
        await reports.attach(work.case, media, work.journal, after=True)
        await _tell_reporter(work, f"{work.actor}：{text or '发来现场照片。'}")
        return await work.finish()


async def dispose(
    person: Person, case_id: int, result: str, now: datetime, *, media: Sequence[reports.Media] = (), source: str = ""
) -> Case:
    """It is done: the result is written, and (where the duty list says so) the resident is asked at once."""
    async with transaction():
        work = await begin(person, case_id, Verb.DISPOSE, now, source)
        case = work.case
        duty = await duty_of(case, now)
        if not result.strip() and not media:
            raise BadRequest("no result", say="请发处理后的照片，或说一句结果。")
        if duty and duty.closing_photo and not any(item.kind == "image" for item in media):
            raise BadRequest("photo needed", say=f"{case.subject}办结要有照片：请先发一张处理后的照片。", need="photo")
        case.signed_at = case.signed_at or now
        case.disposed_at = now
        case.result = result.strip() or "已处理，见照片"
        images = await reports.attach(case, media, work.journal, after=True)
        work.step(Verb.DISPOSE, case.result)
        if duty is None or duty.verifier is Verifier.RESIDENT:
            await _ask_resident(work, images)
        return await work.finish()


async def _ask_resident(work: Work, images: list[str]) -> None:
    work.case.verified_at = work.now
    work.step(Verb.VERIFY, "请居民确认是否解决", actor="系统")
    holder = await post_of(work.case.holder_id)
    label = holder.label if holder else work.actor
    work.journal.tell(notices.ask_solved(work.case, await reporter_openid(work.case), label, images))


async def verify(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """A dispatcher finds the result good; the resident is asked."""
    async with transaction():
        work = await begin(person, case_id, Verb.VERIFY, now, source)
        await _ask_resident(work, [])
        return await work.finish()


async def rework(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Case:
    """A dispatcher finds it is not done: the holder goes once more, in the next round."""
    _need(reason, "请说一句哪里没做好。")
    async with transaction():
        work = await begin(person, case_id, Verb.REWORK, now, source)
        work.case.round += 1
        work.step(Verb.REWORK, reason)
        if holder := await post_of(work.case.holder_id):
            work.journal.tell(notices.new_task(work.case, holder, now, [], f"请返工（{notices.excerpt(reason)}）"))
        return await work.finish()


async def escalate(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> tuple[Case, Post]:
    """Too hard here: one level up, to that level's staff. Gives the case and its new holder."""
    _need(reason, "请说一句为什么要上报，比如“要换线路，得物业和街道”。")
    async with transaction():
        work = await begin(person, case_id, Verb.ESCALATE, now, source)
        case = work.case
        level = (await Area.get(id=case.area_id)).level
        above = [post for post in await posts_upward(case.grid_id or case.area_id) if post.level.rank > level.rank]
        if not above:
            raise Conflict("no level above", say="上面没有可以接手的单位了，请直接联系市级平台。")
        holder = above[0]
        before = await post_of(case.holder_id)
        case.holder_id, case.area_id = holder.id, holder.area_id
        case.dispatched_at, case.signed_at = now, None
        work.step(Verb.ESCALATE, f"上报{holder.label}：{reason}")
        due = f"，{say_latest(case.due_at, now)}答复您" if case.due_at else ""
        by = before.label if before else work.actor
        await _tell_reporter(work, f"{reason}。已由{by}上报{holder.label}处理{due}。")
        work.journal.tell(notices.new_task(case, holder, now, [], f"上报（{notices.excerpt(reason)}）"))
        return await work.finish(), holder


async def return_(
    person: Person, case_id: int, reason: str, now: datetime, source: str = ""
) -> tuple[Case, list[Post]]:
    """Not mine: the case goes to the level above to be given to somebody else. Gives who was told."""
    _need(reason, "请说一句退回的原因，比如“不在我的网格”。")
    async with transaction():
        work = await begin(person, case_id, Verb.RETURN, now, source)
        case = work.case
        work.step(Verb.RETURN, reason, public=False)
        case.returned += 1
        case.holder_id = None
        level = (await Area.get(id=case.area_id)).level
        above = [post for post in await posts_upward(case.grid_id or case.area_id) if post.level.rank > level.rank]
        told = [post for post in above if post.level is above[0].level]
        if not told:
            raise Conflict("nobody above", say="上面没有可以接手的单位了，请直接联系市级平台。")
        case.area_id = told[0].area_id
        text = f"{work.actor}退回（{notices.excerpt(reason)}）。请回复“派 {notices.serial(case.number)} 网格名”。"
        for post in told:
            work.journal.tell(notices.to_staff(case, post, text))
        return await work.finish(), told


async def dispatch_to_grid(
    person: Person, case_id: int, grid_name: str, now: datetime, source: str = ""
) -> tuple[Case, Post]:
    """A dispatcher gives an accepted (or not yet accepted) case to a grid of their area by its name."""
    async with transaction():
        case = await Case.filter(id=case_id).select_for_update().get_or_none()
        verb = Verb.ACCEPT if case and case.status is Status.REPORTED else Verb.DISPATCH
        work = await begin(person, case_id, verb, now, source)
        case = work.case
        holder = await _worker_of(person, grid_name)
        if verb is Verb.ACCEPT:
            case.accepted_at = now
            work.step(Verb.ACCEPT, public=False)
        duty = await duty_of(case, now)
        case.duty_id = duty.id if duty else None
        case.due_at = case.due_at or await due_at(now, limit_for(duty.handle_limit if duty else "", case.urgency))
        case.holder_id, case.area_id, case.dispatched_at = holder.id, holder.area_id, now
        case.grid_id = holder.area_id
        work.step(Verb.DISPATCH, f"已交给{holder.label}")
        await _tell_reporter(work, f"已交给{holder.label}，{say_latest(case.due_at, now)}。")
        work.journal.tell(notices.new_task(case, holder, now, []))
        return await work.finish(), holder


async def _worker_of(person: Person, grid_name: str) -> Post:
    rows = await fetch(
        "WITH RECURSIVE down AS (SELECT id, name, level FROM area WHERE id = $1 "
        "UNION ALL SELECT a.id, a.name, a.level FROM area a JOIN down ON a.parent_id = down.id) "
        "SELECT s.id, s.name, s.openid, s.area_id, down.name AS area_name FROM down "
        "JOIN staff s ON s.area_id = down.id AND s.active AND s.role = 'grid_worker' "
        "WHERE down.level = 'grid' AND (position($2 in down.name) > 0 OR s.name = $2) ORDER BY s.id LIMIT 2",
        person.post.area_id if person.post else 0,
        grid_name.strip(),
    )
    if not rows or not grid_name.strip():
        raise NotFound(f"no grid like {grid_name}", say=f"没有找到叫“{grid_name}”的网格，请写网格名或网格员的名字。")
    row = rows[0]
    return Post(row["id"], row["name"], Role.GRID_WORKER, row["area_id"], row["area_name"], Level.GRID, row["openid"])


async def reject(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Case:
    """Not something the community can take on; the resident is told why."""
    _need(reason, "请说一句不受理的原因，居民会看到。")
    async with transaction():
        work = await begin(person, case_id, Verb.REJECT, now, source)
        work.case.closed_at = now
        work.step(Verb.REJECT, reason)
        await _tell_reporter(work, f"没有受理，原因：{reason}。有疑问可以回复“人工”。")
        return await work.finish()


async def reopen_as_superior(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Case:
    """A superior sends a closed case back to the grid worker."""
    _need(reason, "请说一句为什么要重新处理。")
    async with transaction():
        work = await begin(person, case_id, Verb.REOPEN, now, source)
        if Who.SUPERVISOR not in work.who:
            raise Conflict("not a superior", say="只有上级可以重新打开已经结束的事项。")
        await reopen(work, reason)
        return await work.finish()


async def reopen(work: Work, reason: str) -> Post | None:
    """Back to whoever had it, in a new round with a new time; gives them. Runs inside the caller's transaction."""
    case = work.case
    duty = await duty_of(case, work.now)
    work.step(Verb.REOPEN, reason)
    case.reopened += 1
    case.round += 1
    case.closed_at = case.outcome = case.solved = case.signed_at = None
    holder = await post_of(case.holder_id)
    if holder:
        case.due_at = await due_at(work.now, limit_for(duty.handle_limit if duty else "", case.urgency))
        case.dispatched_at = work.now
        work.step(Verb.DISPATCH, f"重新交给{holder.label}", actor="系统")
        images: list[str] = []
        work.journal.tell(notices.new_task(case, holder, work.now, images, f"没解决（{notices.excerpt(reason)}）"))
    return holder


def _need(text: str, say: str) -> None:
    if not text.strip():
        raise BadRequest("a sentence is needed", say=say)


async def check_holder(person: Person, case_id: int, verb: str) -> None:
    """Refuse now what would be refused after the sentence was typed: `verb` is dispose, escalate, return or note."""
    async with transaction():
        await begin(person, case_id, Verb(verb), datetime.now(tz=UTC))
