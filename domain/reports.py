"""上报: what somebody said becomes a case with a number, an owner and a promised time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from domain import milestones, notices
from domain.access import begin
from domain.clock import SHANGHAI
from domain.duties import find_duty
from domain.journal import Journal
from domain.people import Person, Post, first_community, post_of, posts_upward
from domain.places import locate
from domain.routing import Route, give, route_new
from errors import BadRequest
from models.cases import Case
from models.database import fetch, to_json, transaction
from models.enums import Source, Status, Urgency
from models.transitions import Verb


@dataclass(frozen=True, slots=True)
class Media:
    """A photo, voice or video as WeChat names it; `path` (below the media folder) of one that is here already."""

    kind: str
    media_id: str
    format: str = ""
    path: str = ""
    content_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What the resident confirmed."""

    description: str
    category: str
    subject: str
    domain: str = ""
    place: str = ""
    urgent: bool = False
    latitude: float | None = None
    longitude: float | None = None
    media: Sequence[Media] = ()
    source: Source = Source.WECHAT
    via: str = ""  # what it came through, as `connector:区平台`, `api:…`; "" = the account
    anonymous: bool = False  # staff are not to see who reported it
    filed_by: Post | None = None  # who of the staff wrote it down: seen on a round, or told by somebody


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the resident is told: the case and who has it (None while the community still has to find somebody)."""

    case: Case
    holder: Post | None
    duty_phone: str


_ATTACH = """
WITH stored AS (
    INSERT INTO attachment (case_id, kind, after, media_id, path, content_type, size, created_at, facts)
    SELECT $1, kind, $2, media_id, path, content_type, size, $3, facts FROM jsonb_to_recordset($4::jsonb)
        AS m(kind text, media_id text, path text, content_type text, size int, facts jsonb)
    RETURNING id, media_id, path
)
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
SELECT 'media', 'pending', 'media:' || id, $1, jsonb_build_object('attachment', id, 'media_id', media_id), 0, 0, $3,
    '', '', 0, '', $3
FROM stored WHERE path = ''
"""


async def report(
    person: Person,
    draft: Draft,
    now: datetime,
    *,
    message_id: int | None = None,
    split_from: int | None = None,
) -> Receipt:
    """Make the case; accept it and give it to somebody at once where the grid is known and the duty list allows it.

    `message_id` is the inbox row that caused it: unique, so one message makes at most one case.
    """
    if draft.anonymous:
        await _check_anonymous(draft, now)
    async with transaction():
        spot = await locate(
            f"{draft.place}。{draft.description}", person.home, longitude=draft.longitude, latitude=draft.latitude
        )
        way, drawn = await route_new(spot, person.home, draft.category, now, urgent=draft.urgent)
        case = _new_case(person, draft, now, message_id)
        case.id, case.number, case.split_from_id = drawn.id, drawn.number, split_from
        case.component_id = spot.component_id
        journal = Journal(now, f"inbox:{message_id}" if message_id else draft.via)
        actor = draft.filed_by.label if draft.filed_by else "居民"
        journal.event(Verb.REPORT, Status.REPORTED, actor, notices.excerpt(draft.description, 200))
        journal.audit(draft.filed_by.actor if draft.filed_by else person.actor, Verb.REPORT, "", Status.REPORTED)
        phone = way.duty_phone
        if way.by_rule:
            await milestones.set_due(case, way.limits["handle_limit"], now)
            await _give_at_once(case, way, draft, journal)
        else:
            phone = await _hand_to_community(case, way, journal)
        _alarm(case, way.holder, drawn.community, journal)
        await journal.write_with(case)
        await attach(case, draft.media, journal, after=False)
    return Receipt(case, way.holder, phone)


async def _check_anonymous(draft: Draft, now: datetime) -> None:
    duty = await find_duty(draft.category, now.astimezone(SHANGHAI).date())
    if duty and not duty.anonymous:
        raise BadRequest("not anonymous", say=f"{draft.subject}要能联系到您才能办，请去掉“匿名”再交。")


async def _give_at_once(case: Case, way: Route, draft: Draft, journal: Journal) -> None:
    holder = give(case, way, journal)
    if holder:
        await milestones.set_sign_due(case, way.limits["sign_limit"])
        images = [media.media_id for media in draft.media if media.kind == "image"]
        if draft.filed_by is None or draft.filed_by.id != holder.id:
            journal.tell(notices.new_task(case, holder, journal.at, images))
        return
    for post in await _nearest_posts(way.community_id or case.area_id):
        journal.tell(notices.nobody_free(case, post))


def _new_case(person: Person, draft: Draft, now: datetime, message_id: int | None) -> Case:
    return _filled(
        status=Status.REPORTED,
        category=draft.category,
        subject=draft.subject,
        domain=draft.domain,
        urgency=Urgency.URGENT if draft.urgent else Urgency.NORMAL,
        source=draft.source,
        description=draft.description,
        place=draft.place[:200],
        latitude=draft.latitude,
        longitude=draft.longitude,
        reporter_id=person.resident_id or None,  # nobody: what staff found themselves
        anonymous=draft.anonymous,
        message_id=message_id,
        reported_at=now,
    )


def _filled(**values: Any) -> Case:
    """A case with these values and the columns' defaults. The ORM's own constructor asks each of some sixty columns for
    its default, which takes as long as a round trip to the database; a blank case has been asked once."""
    case = Case.__new__(Case)
    vars(case).update(_blank(), **values)
    return case


@cache
def _blank() -> dict[str, Any]:
    return vars(Case())


async def _hand_to_community(case: Case, way: Route, journal: Journal) -> str:
    """No rule gives it to anybody: the community that is nearest takes it and finds an owner. Gives its duty phone."""
    case.grid_id, case.duty_id, phone = way.grid_id, way.duty_id, way.duty_phone
    if way.community_id:
        case.area_id = way.community_id
    else:
        case.area_id, phone = await first_community()
    await milestones.set_accept_due(case, way.limits["accept_limit"])
    for post in await _nearest_posts(case.area_id):
        journal.tell(notices.awaiting_acceptance(case, post))
    return phone


async def _nearest_posts(area_id: int) -> list[Post]:
    """The staff of the area; where there are none, the next level's."""
    posts = await posts_upward(area_id)
    return [post for post in posts if post.level is posts[0].level]


def _alarm(case: Case, holder: Post | None, posts: Sequence[Post], journal: Journal) -> None:
    """An emergency also goes to the community on duty, whoever holds it."""
    for post in posts:
        if holder is None or post.id != holder.id:
            journal.tell(notices.urgent_alarm(case, post, holder.label if holder else "社区"))


async def attach(case: Case, media: Sequence[Media], journal: Journal, *, after: bool) -> list[str]:
    """Add media to a case, from the resident or (after=True) from staff; gives the media ids of the pictures WeChat
    can pass on: another platform's are addresses.

    WeChat keeps what was sent for three days: a job to fetch it is left for the worker. What was sent to us itself is
    here already, and the delivery ladder hands it to WeChat.
    """
    if media:
        rows = [
            {name: getattr(item, name) for name in ("kind", "media_id", "path", "content_type", "size")}
            | {"facts": {"format": item.format} if item.format else {}}
            for item in media
        ]
        await fetch(_ATTACH, case.id, after, journal.at, to_json(rows))
    return [item.media_id for item in media if item.kind == "image" and not item.media_id.startswith("http")]


async def add_media(person: Person, case_id: int, extra: Draft, now: datetime, source: str = "") -> Case:
    """The reporter adds photos, voice or a place to an open case; the holder is told."""
    async with transaction():
        work = await begin(person, case_id, Verb.SUPPLEMENT, now, source)
        await attach(work.case, extra.media, work.journal, after=False)
        if extra.latitude is not None:
            work.case.latitude, work.case.longitude = extra.latitude, extra.longitude
            work.case.place = work.case.place or extra.place
        said = f"位置：{extra.place or '已定位'}" if extra.latitude is not None else "补充了照片或语音"
        work.step(Verb.SUPPLEMENT, said)
        if holder := await post_of(work.case.holder_id):
            work.journal.tell(notices.to_staff(work.case, holder, said))
        return await work.finish()
