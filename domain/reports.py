"""上报: what somebody said becomes a case with a number, an owner and a promised time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import notices
from domain.access import begin
from domain.clock import SHANGHAI
from domain.duties import LINE
from domain.journal import Journal
from domain.people import Home, Person, Post, first_community, post_of, posts_upward
from domain.worktime import due_at, limit_for
from models.cases import Case
from models.database import fetch, from_json, to_json, transaction
from models.enums import Level, Role, Source, Status, Urgency
from models.transitions import Verb


@dataclass(frozen=True, slots=True)
class Media:
    """A photo, voice or video as WeChat names it."""

    kind: str
    media_id: str
    format: str = ""


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
    via: str = ""  # the platform or client it came through, as `connector:区平台`; "" = the account


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the resident is told: the case and who has it (None while the community still has to find somebody)."""

    case: Case
    holder: Post | None
    duty_phone: str


# The case's id is drawn before the case is written, because notices carry it. The posts are those of the resident's
# community: they hear of an emergency.
_ROUTE_BEFORE = """
SELECT next_case_number($1) AS number, nextval('cases_id_seq') AS id, d.id AS duty_id, d.handle_limit, d.auto_accept,
    (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'openid', s.openid) ORDER BY s.id) FROM staff s
     WHERE s.area_id = $3 AND s.active AND s.role = 'community_staff') AS posts
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
"""
_ROUTE = _ROUTE_BEFORE + LINE + ") d ON true"

_ATTACH = """
WITH stored AS (
    INSERT INTO attachment (case_id, kind, after, media_id, path, content_type, created_at, facts)
    SELECT $1, kind, $2, media_id, '', '', $3, facts FROM jsonb_to_recordset($4::jsonb)
        AS m(kind text, media_id text, facts jsonb)
    RETURNING id, media_id
)
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
SELECT 'media', 'pending', 'media:' || id, $1, jsonb_build_object('attachment', id, 'media_id', media_id), 0, 0, $3,
    '', '', 0, '', $3
FROM stored
"""


async def report(
    person: Person, draft: Draft, now: datetime, *, message_id: int | None = None, split_from: int | None = None
) -> Receipt:
    """Make the case; accept and dispatch it at once where the grid and the category are known.

    `message_id` is the inbox row that caused it: unique, so one message makes at most one case. `split_from`: the case
    in which this one was reported along with another matter.
    """
    home = person.home
    async with transaction():
        alarmed = home.community_id if home and draft.urgent else None
        route = (await fetch(_ROUTE, now.astimezone(SHANGHAI).date(), draft.category, alarmed))[0]
        case = _new_case(person, draft, now, message_id)
        case.id, case.number, case.duty_id = route["id"], route["number"], route["duty_id"]
        case.split_from_id = split_from
        journal = Journal(now, f"inbox:{message_id}" if message_id else draft.via)
        journal.event(Verb.REPORT, Status.REPORTED, "居民", notices.excerpt(draft.description, 200))
        journal.audit(person.actor, Verb.REPORT, "", Status.REPORTED)
        if home and home.worker and route["auto_accept"] is not False:
            holder: Post | None = home.worker
            phone = home.duty_phone
            case.grid_id, case.area_id = home.grid_id, home.worker.area_id
            case.due_at = await due_at(now, limit_for(route["handle_limit"] or "", case.urgency))
            _dispatch_at_once(case, home.worker, journal)
            images = [media.media_id for media in draft.media if media.kind == "image"]
            journal.tell(notices.new_task(case, home.worker, now, images))
        else:
            holder, phone = None, await _hand_to_community(person, case, journal)
        if home:
            _alarm(case, holder, _community_posts(home, route["posts"]), journal)
        await journal.write_with(case)
        await attach(case, draft.media, journal, after=False)
    return Receipt(case, holder, phone)


def _community_posts(home: Home, rows: str | None) -> list[Post]:
    return [
        Post(
            row["id"],
            row["name"],
            Role.COMMUNITY_STAFF,
            home.community_id,
            home.community_name,
            Level.COMMUNITY,
            row["openid"],
        )
        for row in from_json(rows) or ()
    ]


def _new_case(person: Person, draft: Draft, now: datetime, message_id: int | None) -> Case:
    return Case(
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
        reporter_id=person.resident_id,
        message_id=message_id,
        reported_at=now,
    )


def _dispatch_at_once(case: Case, holder: Post, journal: Journal) -> None:
    """The rules' two steps in one go: accepted because category and grid are known, dispatched by the duty list."""
    now = journal.at
    case.holder_id = holder.id
    case.accepted_at = case.dispatched_at = now
    for verb, after in ((Verb.ACCEPT, Status.ACCEPTED), (Verb.DISPATCH, Status.DISPATCHED)):
        before, case.status = case.status, after
        text = f"已交给{holder.label}" if verb is Verb.DISPATCH else ""
        journal.event(verb, after, "系统", text, public=bool(text))
        journal.audit("system", verb, before, after)


async def _hand_to_community(person: Person, case: Case, journal: Journal) -> str:
    """No owner can be derived: the community that is nearest takes it and finds one. Gives its duty phone."""
    if person.home:
        case.grid_id, case.area_id, phone = person.home.grid_id, person.home.community_id, person.home.duty_phone
    else:
        case.area_id, phone = await first_community()
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
    """Add media to a case, from the resident or (after=True) from staff; gives the media ids of the pictures.

    WeChat keeps what was sent for three days: a job to fetch it is left for the worker.
    """
    if media:
        rows = [
            {"kind": item.kind, "media_id": item.media_id, "facts": {"format": item.format} if item.format else {}}
            for item in media
        ]
        await fetch(_ATTACH, case.id, after, journal.at, to_json(rows))
    return [item.media_id for item in media if item.kind == "image"]


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
