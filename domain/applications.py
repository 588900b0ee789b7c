"""线上办理: what somebody applies for, for themselves or for somebody without WeChat, until it has its result.

Who applied, who filled it in for them, and who works on it read the answers; other staff of the area read that there
is an application, of what kind and how far it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain import application_notices as notices
from domain import worktime
from domain.application_deciders import deciders, decides
from domain.application_rows import draw_number, keep_files, need_own, note_event, openid_of, paused_since, title_of
from domain.booking_rules import Other
from domain.booking_seats import lock_name, lock_resident
from domain.bookings import MOST_OTHERS
from domain.clock import SHANGHAI
from domain.forms import Field, photos_of, read_fields, validate
from domain.journal import audit
from domain.patrols import own_grid
from domain.people import Home, Person
from domain.services import find_item, seen_areas
from domain.telling import tell
from domain.worktime import TimeLimit
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.bookings import Application, ApplicationEvent, ServiceForm
from models.database import fetch, transaction
from models.enums import ApplicationState, Role
from models.services import ServiceItem

__all__ = [
    "Application",
    "Filled",
    "ServiceForm",
    "ServiceItem",
    "Supply",
    "Tie",
    "absent",
    "fields_of",
    "find_form",
    "lock",
    "offered_form",
    "offered_items",
    "open_of",
    "own_applications",
    "rate",
    "submit",
    "supplement",
    "tell_applicant",
    "ties",
    "withdraw",
]

_COMMENT = 200


class Tie(StrEnum):
    """What an application is to a person."""

    APPLICANT = "applicant"  # it is about them, or they filled it in
    HOLDER = "holder"  # they work on it
    OFFICER = "officer"  # they may take it: it lies in their area, or is an item of their department
    WATCHER = "watcher"  # grid worker of its grid


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in. `other`: for somebody without WeChat; `grid_id`: where they live, when staff say so;
    `version`: of the form it was read from."""

    answers: Mapping[str, Any]
    other: Other | None = None
    grid_id: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """What an applicant adds: answers they change, words, and pictures that belong to no field."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    photos: Sequence[UUID] = ()


async def find_form(person: Person, code: str) -> tuple[ServiceItem, ServiceForm]:
    """An item of this person's area with its form. Raises NotFound where there is no such item, or none to fill in."""
    item = await find_item(person, code)
    form = await offered_form(item)
    if form is None:
        say = f"{item.title}还不能在网上申请，请按办事指南去窗口办。"
        raise NotFound(f"no form of {code}", say=say, tag="form:read", object_id=item.id)
    return item, form


async def offered_form(item: ServiceItem) -> ServiceForm | None:
    """The newest version of an item's form, unless it was switched off."""
    form = await ServiceForm.filter(item_id=item.id).order_by("-version").first()
    return form if form and form.active else None


async def fields_of(person: Person, code: str, version: int) -> list[Field]:
    """The fields of a form as somebody began to fill it in. Raises NotFound."""
    item = await find_item(person, code)
    form = await ServiceForm.filter(item_id=item.id, version=version).first()
    return read_fields(form.fields_) if form else []


async def submit(person: Person, code: str, filled: Filled, now: datetime, source: str = "") -> Application:
    """Hand it in: checked, numbered, promised a time, told to those who decide.

    Raises BadRequest (which answer does not fit), Conflict where the same is open already or the form has changed since
    (`data["changed"]`), NotFound (item, uploads), NotAllowed for who may not apply for others.
    """
    item, form = await find_form(person, code)
    if filled.version is not None and filled.version != form.version:
        raise Conflict(f"form of {code} is {form.version}", say="这张表刚刚改过，请重新填一遍。", changed=True)
    fields = read_fields(form.fields_)
    answers = validate(fields, filled.answers)
    other = filled.other.checked() if filled.other else None
    grid_id, area_id = await _where(person, filled)
    made = Application(
        item_id=item.id,
        form_id=form.id,
        resident_id=None if other else person.resident_id,
        name=other.name if other else "",
        phone=other.phone if other else "",
        by=person.actor if other else f"resident:{person.resident_id}",
        relation=_relation(person, other),
        answers=answers,
        grid_id=grid_id,
        area_id=area_id,
        submitted_at=now,
        due_at=await worktime.due_at(now, TimeLimit.parse(form.time_limit)) if form.time_limit else None,
    )
    photos = photos_of(fields, answers)
    async with transaction():
        if other:
            await _refuse_again(person, item, other)
        else:
            await _refuse_second(person, item)
        await need_own(
            person, [one for ids in photos.values() for one in ids]
        )  # whoever catches this has no half of it
        made.number = await draw_number(now.astimezone(SHANGHAI).date())
        await made.save()
        await keep_files(person, made, photos)
        await note_event(made, "submit", _label(person), now)
        await audit(person.actor, f"application:{'on_behalf' if other else 'submit'}", made.id, now, source=source)
        await tell_officers(made, item.title, "新的申请", now)
    return made


def _relation(person: Person, other: Other | None) -> str:
    if other is None:
        return ""
    return other.relation or ("网格员" if person.post and person.post.role is Role.GRID_WORKER else "代办")


async def _where(person: Person, filled: Filled) -> tuple[int | None, int]:
    """(grid, community) of an application. A grid worker applies for people of their own grid."""
    post = person.post
    if filled.other and post:
        if post.role not in (Role.GRID_WORKER, Role.COMMUNITY_STAFF):
            raise NotAllowed(f"{post.role} applies for others", tag="application:make")
        if post.role is Role.COMMUNITY_STAFF and filled.grid_id is None:
            return None, post.area_id
        home: Home | None = await own_grid(post, filled.grid_id)
    else:
        home = person.home
    if filled.other is None and not person.resident_id:
        raise BadRequest("for whom", say="请写清楚替谁申请：姓名、电话和关系。")
    if home is None:
        raise BadRequest("no grid", say="请先选您住的网格，选好再来申请。", chat="回复“我的网格”就能选。")
    return home.grid_id, home.community_id


async def _refuse_second(person: Person, item: ServiceItem) -> None:
    """One open application of a person for an item; two at once wait for each other here."""
    await lock_resident(person.resident_id)
    if there := await open_of(person, item):
        number, state = notices.short(there.number), notices.STATE_NAMES[there.state]
        say = f"您已经申请过了：{number}，{state}。"
        raise Conflict(f"{there.number} is open", say=say, chat="回复“我的申请”看进度。")


# Whom this person has applied for who still waits for an answer, and the application for the one named, if any.
_FOR_OTHERS = """
SELECT count(DISTINCT (name, phone)) FILTER (WHERE (name, phone) <> ($3, $4))::int AS others,
    max(id) FILTER (WHERE (name, phone) = ($3, $4)) AS same
FROM application WHERE item_id = $1 AND by = $2 AND resident_id IS NULL AND ended_at IS NULL
"""


async def _refuse_again(person: Person, item: ServiceItem, other: Other) -> None:
    """The same of what one fills in for others, as far as one knows of it; residents do it for a few."""
    if person.resident_id:
        await lock_resident(person.resident_id)
    await lock_name(other.name, other.phone)
    found = (await fetch(_FOR_OTHERS, item.id, person.actor, other.name, other.phone))[0]
    if found["same"]:
        there = await Application.get(id=found["same"])
        say = f"您已经替{other.name}申请过了：{notices.short(there.number)}，{notices.STATE_NAMES[there.state]}。"
        raise Conflict(f"{there.number} is open", say=say, chat="回复“我的申请”看进度。")
    if person.post is None and found["others"] >= MOST_OTHERS:
        say = f"同一件事，一个人最多同时替 {MOST_OTHERS} 个人申请。再多请找网格员帮忙。"
        raise Conflict(f"{person.actor} applied for {found['others']} others", say=say)


def _label(person: Person) -> str:
    return person.post.label if person.post else "居民"


async def ties(person: Person, application: Application) -> frozenset[Tie]:
    """What an application is to this person; nothing for strangers."""
    found, post = set(), person.post
    mine = {person.actor, f"resident:{person.resident_id}"} if person.resident_id else {person.actor}
    if application.by in mine or (person.resident_id and application.resident_id == person.resident_id):
        found.add(Tie.APPLICANT)
    if post is None:
        return frozenset(found)
    if application.holder_id == post.id:
        found.add(Tie.HOLDER)
    if await decides(post, application):
        found.add(Tie.OFFICER)
    if post.role is Role.GRID_WORKER and post.area_id == application.grid_id:
        found.add(Tie.WATCHER)
    return frozenset(found)


def absent(application_id: int, tag: str) -> NotFound:
    """The same words for what is not there and for what is not theirs to know of."""
    return NotFound(f"application {application_id}", tag=tag, object_id=application_id)


async def lock(person: Person, application_id: int, verb: str, tie: Tie, *states: ApplicationState) -> Application:
    """The application, locked, for who is this to it while it stands in one of these states. In the running
    transaction. Raises NotFound, NotAllowed, Conflict."""
    tag = f"application:{verb}"
    found = await Application.filter(id=application_id).select_for_update().get_or_none()
    who = await ties(person, found) if found else frozenset[Tie]()
    if found is None or not who:
        raise absent(application_id, tag)
    if tie not in who:
        say = "请先点“我来办”，再往下办。" if Tie.OFFICER in who else ""
        raise NotAllowed(f"{person.actor} is no {tie}", say=say, tag=tag, object_id=application_id)
    if found.state not in states:
        say = f"{notices.short(found.number)} 现在是“{notices.STATE_NAMES[found.state]}”，不能这样做。"
        raise Conflict(f"{verb} from {found.state}", say=say, tag=tag, object_id=application_id)
    return found


_OPEN = (ApplicationState.SUBMITTED, ApplicationState.SUPPLEMENT, ApplicationState.ACCEPTED)


async def supplement(
    person: Person, application_id: int, supply: Supply, now: datetime, source: str = ""
) -> Application:
    """What was asked for is there: it goes on where it stood, and the time it waited is not counted.

    Raises BadRequest where nothing is added or an answer does not fit.
    """
    words = " ".join(supply.words.split())[:500]
    if not (words or supply.answers or supply.photos):
        raise BadRequest("nothing added", say="请写一句话，或发照片，再提交。")
    async with transaction():
        found = await lock(person, application_id, "supplement", Tie.APPLICANT, ApplicationState.SUPPLEMENT)
        form = await ServiceForm.get(id=found.form_id)
        fields = read_fields(form.fields_)
        found.answers = validate(fields, found.answers | dict(supply.answers))
        photos = photos_of(fields, found.answers)
        changed = {key: ids for key, ids in photos.items() if key in supply.answers}
        await keep_files(person, found, changed)
        await keep_files(person, found, {"more": list(supply.photos)}, add=True)
        await _go_on(found, form, now)
        await found.save()
        await note_event(found, "supplement", _label(person), now, words or "补充了材料")
        await audit(person.actor, "application:supplement", found.id, now, source=source)
        title = await title_of(found)
        await tell_officers(found, title, "补充好了", now)
    return found


async def _go_on(found: Application, form: ServiceForm, now: datetime) -> None:
    """Back to where it was asked; what was left of its time is left again."""
    since, found.asked = await paused_since(found.id), ""
    was_accepted = await ApplicationEvent.filter(application_id=found.id, verb="accept").exists()
    found.state = ApplicationState.ACCEPTED if was_accepted else ApplicationState.SUBMITTED
    if found.due_at and since:
        calendar, unit = await worktime.load_calendar(), TimeLimit.parse(form.time_limit).unit
        found.due_at = calendar.shift(found.due_at, unit, calendar.between(since, now, unit))


async def withdraw(person: Person, application_id: int, now: datetime, source: str = "") -> Application:
    """The applicant does not want it any more."""
    async with transaction():
        found = await lock(person, application_id, "withdraw", Tie.APPLICANT, *_OPEN)
        found.state, found.ended_at = ApplicationState.WITHDRAWN, now
        await found.save()
        await note_event(found, "withdraw", _label(person), now)
        await audit(person.actor, "application:withdraw", found.id, now, source=source)
        if found.holder_id:
            await tell_officers(found, await title_of(found), "申请人撤回了", now)
    return found


async def rate(
    person: Person, application_id: int, stars: int, comment: str, now: datetime, source: str = ""
) -> Application:
    """What the applicant thinks of how it went (1 to 5); the last opinion counts. Raises BadRequest, Conflict."""
    if not 1 <= stars <= 5:
        raise BadRequest(f"{stars} stars", say="请打 1 到 5 分。")
    async with transaction():
        ended = ApplicationState.DONE, ApplicationState.REFUSED
        found = await lock(person, application_id, "rate", Tie.APPLICANT, *ended)
        found.stars, found.comment = stars, " ".join(comment.split())[:_COMMENT]
        await found.save()
        await audit(person.actor, "application:rate", found.id, now, source=source)
    return found


async def tell_applicant(
    application: Application, compose: Any, now: datetime, *, later: datetime | None = None
) -> bool:
    """A notice to who applied, or to who did it for them; `compose` makes it of their openid. `later`: not before then.
    Gives whether there is somebody to tell."""
    if openid := await openid_of(application):
        await tell(compose(openid), now, later=later)
    return bool(openid)


async def tell_officers(application: Application, title: str, what: str, now: datetime) -> None:
    """Who has it, or who decides it."""
    for post in await deciders(application, now):
        if post.openid:
            await tell(notices.to_officer(application, post.openid, title, what, now), now)


async def open_of(person: Person, item: ServiceItem) -> Application | None:
    """This person's own open application for an item."""
    return await Application.filter(item_id=item.id, resident_id=person.resident_id, ended_at=None).first()


_OFFERED = """
SELECT i.code FROM service_item i JOIN service_class c ON c.id = i.service_class_id
JOIN LATERAL (SELECT active FROM service_form WHERE item_id = i.id ORDER BY version DESC LIMIT 1) f ON f.active
WHERE i.active AND c.active AND (i.area_id IS NULL OR i.area_id = ANY ($1))
ORDER BY c.position, i.position, i.id LIMIT $2
"""


async def offered_items(person: Person, limit: int = 9) -> list[ServiceItem]:
    """What one can apply for online where this person lives or works."""
    codes = [row["code"] for row in await fetch(_OFFERED, await seen_areas(person), limit)]
    found = {item.code: item for item in await ServiceItem.filter(code__in=codes)}
    return [found[code] for code in codes]


_MINE = """
SELECT a.id FROM application a
WHERE (a.resident_id = $1 OR a.by = ANY ($2)) AND ($3::bigint IS NULL OR a.id < $3) ORDER BY a.id DESC LIMIT $4
"""


async def own_applications(person: Person, before: int | None = None, limit: int = 20) -> list[Application]:
    """What this person applied for, or filled in for others, the newest first."""
    mine = [person.actor, *([f"resident:{person.resident_id}"] if person.resident_id else [])]
    rows = await fetch(_MINE, person.resident_id, mine, before, limit)
    found = {one.id: one for one in await Application.filter(id__in=[row["id"] for row in rows])}
    return [found[row["id"]] for row in rows]
