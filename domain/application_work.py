"""Staff's side of applications: who has it, what is still wanted, what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from domain import application_notices as notices
from domain.application_deciders import department_of
from domain.application_rows import keep_files, note_event, paused_since, title_of
from domain.applications import Tie, absent, lock, tell_applicant, ties
from domain.directory_history import compare
from domain.forms import Field, read_fields
from domain.journal import audit
from domain.people import Person, Post, own_residents, post_of
from domain.telling import tell
from domain.uploads import OURS
from errors import BadRequest, NotAllowed, NotFound
from models.bookings import Application, ApplicationEvent, ApplicationFile, ServiceForm
from models.database import fetch, transaction
from models.enums import ApplicationState, Level
from models.people import Resident

_SUBMITTED, _ASKED, _ACCEPTED = ApplicationState.SUBMITTED, ApplicationState.SUPPLEMENT, ApplicationState.ACCEPTED
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `pick_up`: where the applicant fetches it; files are shown to them."""

    text: str
    files: Sequence[UUID] = ()
    pick_up: str = ""

    @property
    def said(self) -> str:
        """As the applicant reads it."""
        where = f"请带身份证到{self.pick_up.strip()}取。" if self.pick_up.strip() else ""
        text = self.text.strip()
        return f"{text}{'' if not where or text.endswith(('。', '！')) else '。'}{where}"[:500]


async def take(person: Person, application_id: int, now: datetime, source: str = "") -> Application:
    """Whoever takes it works on it from now on and reads the answers, also where a colleague had it. Raises NotAllowed
    for one's own, and for what one filled in for one's family."""
    async with transaction():
        found = await lock(person, application_id, "take", Tie.OFFICER, _SUBMITTED, _ASKED, _ACCEPTED)
        post = person.post
        if post is None or found.holder_id == post.id:
            return found
        own = await own_residents(person)
        if found.resident_id in own or found.by in [f"resident:{me}" for me in own]:
            say = "自己和家里人的申请，请同事来办。"
            raise NotAllowed("their own application", say=say, tag="application:take", object_id=application_id)
        before, found.holder_id = await post_of(found.holder_id), post.id
        await found.save()
        await note_event(found, "take", post.label, now)
        await audit(person.actor, "application:take", found.id, now, source=source)
        title = await title_of(found)
        if before is None:
            await tell_applicant(found, lambda openid: notices.taken(found, openid, title, post.label), now)
        elif before.openid:
            await tell(notices.to_officer(found, before.openid, title, f"{post.label}接过去了", now), now)
    return found


async def ask(person: Person, application_id: int, wanted: str, now: datetime, source: str = "") -> Application:
    """Something is missing: the applicant is told what, and the clock stands until it comes."""
    wanted = _need(wanted, "请写清楚要补什么，申请人会看到。")[:300]
    async with transaction():
        found = await lock(person, application_id, "ask", Tie.HOLDER, _SUBMITTED, _ACCEPTED)
        found.state, found.asked = _ASKED, wanted
        await _noted(person, found, "ask", wanted, now, source)
        title = await title_of(found)
        await tell_applicant(found, lambda openid: notices.asks(found, openid, title), now)
    return found


async def accept(person: Person, application_id: int, now: datetime, source: str = "") -> Application:
    """All is there; it is being done."""
    async with transaction():
        found = await lock(person, application_id, "accept", Tie.HOLDER, _SUBMITTED)
        found.state = _ACCEPTED
        await _noted(person, found, "accept", "", now, source)
        title = await title_of(found)
        await tell_applicant(found, lambda openid: notices.accepted(found, openid, title, now), now)
    return found


async def finish(person: Person, application_id: int, result: Result, now: datetime, source: str = "") -> Application:
    """It is done: the result is written, the applicant is told and asked how it went."""
    _need(result.text, "请写一句办理结果，申请人会看到。")
    async with transaction():
        found = await lock(person, application_id, "finish", Tie.HOLDER, _SUBMITTED, _ACCEPTED)
        found.state, found.result, found.ended_at = ApplicationState.DONE, result.said, now
        await keep_files(person, found, {"": list(result.files)})
        await _noted(person, found, "finish", result.said, now, source)
        title = await title_of(found)
        await tell_applicant(found, lambda openid: notices.done(found, openid, title), now)
    return found


async def refuse(person: Person, application_id: int, reason: str, now: datetime, source: str = "") -> Application:
    """It cannot be granted; the applicant is told why."""
    reason = _need(reason, "请写清楚不予办理的原因，申请人会看到。")[:500]
    async with transaction():
        found = await lock(person, application_id, "refuse", Tie.HOLDER, _SUBMITTED, _ASKED, _ACCEPTED)
        found.state, found.result, found.asked, found.ended_at = ApplicationState.REFUSED, reason, "", now
        await _noted(person, found, "refuse", reason, now, source)
        title = await title_of(found)
        await tell_applicant(found, lambda openid: notices.refused(found, openid, title), now)
    return found


def _need(text: str, say: str) -> str:
    found = " ".join(text.split())
    if not found:
        raise BadRequest("a sentence is needed", say=say)
    return found


async def _noted(person: Person, found: Application, verb: str, text: str, now: datetime, source: str) -> None:
    await found.save()
    await note_event(found, verb, person.post.label if person.post else "", now, text)
    await audit(person.actor, f"application:{verb}", found.id, now, source=source)


@dataclass(frozen=True, slots=True)
class Line:
    """An application in a list: nothing of what somebody wrote."""

    id: int
    number: str
    title: str
    state: ApplicationState
    grid: str
    holder: str
    submitted_at: datetime
    due_at: datetime | None
    asked_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether its time is over; while the applicant must add something the clock stands."""
        return self.asked_at is None and self.due_at is not None and self.due_at < now

    def says(self, now: datetime) -> str:
        """How it stands, for staff."""
        return notices.stands(self.state, self.asked_at, now)


# $2: the grid of a grid worker, who sees what comes from there; staff above see the communities below their area, and a
# department ($6) what is applied for there of its items.
_WORK = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT a.id, a.number, i.title, a.state, coalesce(g.name, '') AS grid, coalesce(s.name, '') AS holder, a.submitted_at,
    a.due_at, CASE WHEN a.state = 'supplement' THEN (
        SELECT max(e.at) FROM application_event e WHERE e.application_id = a.id AND e.verb = 'ask') END AS asked_at
FROM application a JOIN service_item i ON i.id = a.item_id LEFT JOIN area g ON g.id = a.grid_id
LEFT JOIN staff s ON s.id = a.holder_id
WHERE a.ended_at IS NULL AND CASE WHEN $2 THEN a.grid_id = $1 ELSE a.area_id IN (SELECT id FROM mine) END
    AND ($6::int IS NULL OR i.department_id = $6)
    AND ($3::timestamptz IS NULL OR (coalesce(a.due_at, '9999-01-01 00:00Z'), a.id) > ($3, $4))
ORDER BY coalesce(a.due_at, '9999-01-01 00:00Z'), a.id LIMIT $5
"""


async def list_work(person: Person, *, beyond: tuple[datetime, int] | None = None, limit: int = 20) -> Sequence[Line]:
    """Open applications of staff's area or department, what ends first before the others; `beyond`: (end, id) of the
    last seen."""
    post = person.post
    if post is None or not handles(post):
        return []
    after = beyond or (None, 0)
    rows = await fetch(_WORK, post.area_id, post.level is Level.GRID, *after, limit, department_of(post))
    return [Line(**row | {"state": ApplicationState(row["state"])}) for row in rows]


def handles(post: Post) -> bool:
    """Whether applications are any of this post's business."""
    return post.dispatches or post.level is Level.GRID or post.department_id is not None


#: Where applications without a promised time stand: behind all others.
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


def place_of(line: Line) -> tuple[datetime, int]:
    """Where a line stands in `list_work`."""
    return line.due_at or _LAST, line.id


@dataclass(frozen=True, slots=True)
class Dossier:
    """An application as one person may read it: `fields` and `answers` are empty for who does not work on it.
    `version`: of the form that was filled in; `newest`: of the one there is now; `since`: what that asks otherwise."""

    application: Application
    title: str
    fields: Sequence[Field]
    files: Sequence[ApplicationFile]
    events: Sequence[ApplicationEvent]
    name: str
    phone: str
    holder: str
    ties: frozenset[Tie]
    asked_at: datetime | None = None
    version: int = 0
    newest: int = 0
    since: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        return bool(self.ties & {Tie.APPLICANT, Tie.HOLDER})


async def read(person: Person, application_id: int, now: datetime, source: str = "") -> Dossier:
    """All of it for the applicant and for who works on it (whose look is audited); else what, where and how far."""
    found = await Application.get_or_none(id=application_id)
    who = await ties(person, found) if found else frozenset[Tie]()
    if found is None or not who:
        raise absent(application_id, "application:read")
    holder, title = await post_of(found.holder_id), await title_of(found)
    label = holder.label if holder else ""
    asked = await paused_since(found.id) if found.state is _ASKED else None
    if not who & {Tie.APPLICANT, Tie.HOLDER}:
        return Dossier(found, title, (), (), (), "", "", label, who, asked)
    if Tie.APPLICANT not in who:
        await audit(person.actor, "application:read", found.id, now, source=source)
    form = await ServiceForm.get(id=found.form_id)
    newest = await ServiceForm.filter(item_id=found.item_id).order_by("-version").first() or form
    name, phone = await _reached(found)
    return Dossier(
        found,
        title,
        read_fields(form.fields_),
        await ApplicationFile.filter(application_id=found.id).order_by("id").select_related("upload"),
        await ApplicationEvent.filter(application_id=found.id).order_by("id"),
        name,
        phone,
        label,
        who,
        asked,
        form.version,
        newest.version,
        compare(form, newest),
    )


async def _reached(found: Application) -> tuple[str, str]:
    """Name and telephone of whom it is about, as far as they are known."""
    if found.resident_id is None:
        return found.name, found.phone
    resident = await Resident.get_or_none(id=found.resident_id)
    return (resident.name, resident.phone) if resident else ("", "")


async def send_pictures(person: Person, application_id: int, now: datetime) -> int:
    """Send its pictures to the chat of who may read them, as far as WeChat takes them; gives how many there are."""
    seen = await read(person, application_id, now)
    pictures = [f"{OURS}{file.upload.path}" for file in seen.files if file.upload.path]
    openid = person.openid or (person.post.openid if person.post else "") or ""
    if pictures and seen.whole:
        async with transaction():
            await tell(notices.pictures(seen.application, openid, seen.title, pictures), now)
    return len(pictures)


async def by_serial(person: Person, said: str) -> Application:
    """The newest application this person may know of whose number ends so: “B1121-0007”, “0007”. Raises NotFound."""
    digits = "-".join(_DIGITS.findall(said)[:2])
    if digits:
        found = await Application.filter(number__endswith=digits).order_by("-id").limit(20)
        for one in found:
            if await ties(person, one):
                return one
    say, chat = "没有找到这个编号的申请，请核对编号。", "回复“申请待办”或“我的申请”看看。"
    raise NotFound("application by number", say=say, chat=chat)
