"""我也遇到: open cases that are probably the same matter, who joins them, and who is told of them.

Only matters of a public place are ever offered: a broken lamp may be shown to neighbours, a family's quarrel may not.
A neighbour sees what it is, where (no room, nothing in anybody's words), how far it is and who has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain import notices, reports
from domain.access import Work, begin
from domain.clock import say_latest
from domain.geo import degrees
from domain.likeness import Matter, likeness, may_be_same, radius_of
from domain.lookup import in_order, read_number
from domain.people import Home, Person, Post, post_of
from domain.places import locate, settle
from domain.publishing import is_public
from domain.urgency import make_more_urgent
from errors import Conflict, NotFound
from models.cases import Case, Follower
from models.database import fetch, transaction
from models.enums import Status, Urgency
from models.people import Area
from models.transitions import Verb, Who
from nlp.normalise import fold, tidy
from nlp.places import find_public_places

#: How old an open case may be that is still offered.
RECENT = timedelta(days=30)

_Other = tuple[int, Matter]

_SPOKEN = "[一二三四五六七八九零〇两幺十百]"
_ROOM = re.compile(
    rf"(?:(?<=单元)|(?<=[栋幢座层楼门号#杠之-])|^)\s?(?:\d{{3,4}}|{_SPOKEN}{{3,4}})(?:\s?(?:室|号房|房|户)|(?![\d号#栋幢路弄]))"
    rf"|(?:\d{{2,4}}|{_SPOKEN}{{2,4}})\s?(?:室|号房|房|户)"
)


def public_place(place: str) -> str:
    """The part of a place that neighbours may read: a known form of place, without the room, and fit for everybody; ""
    when there is none."""
    plain = tidy(place)
    found = find_public_places(plain, fold(plain))
    shown = _ROOM.sub("", found[0]).strip(" -杠之") if found else ""
    return shown if is_public(shown) else ""


# $1 category, $2 since, $3 component, $4 community, $5-$8 a box of positions, $9 who asks, $10 the case itself, $11 the
# grid, of which the newest of other kinds are read as well: people put one matter under several.
_NEAR = """
WITH near AS (
    SELECT c.id FROM area g JOIN cases c ON c.grid_id = g.id AND c.category = $1 AND c.closed_at IS NULL
    WHERE g.parent_id = $4
    UNION SELECT id FROM cases WHERE component_id = $3 AND closed_at IS NULL
    UNION SELECT id FROM cases WHERE category = $1 AND closed_at IS NULL AND latitude BETWEEN $5 AND $6
        AND longitude BETWEEN $7 AND $8
    UNION (SELECT id FROM cases WHERE grid_id = $11 AND closed_at IS NULL ORDER BY id DESC LIMIT 40)
)
SELECT c.id, c.category, c.place, c.description AS words, c.grid_id, c.component_id, c.longitude, c.latitude
FROM near JOIN cases c ON c.id = near.id
WHERE (c.category = $1 OR c.grid_id = $11) AND c.reported_at > $2 AND c.id <> $10
    AND c.status IN ('reported', 'accepted', 'dispatched', 'disposing', 'suspended')
    AND ($9::bigint IS NULL OR c.reporter_id IS DISTINCT FROM $9
        AND NOT EXISTS (SELECT FROM follower f WHERE f.case_id = c.id AND f.resident_id = $9))
ORDER BY c.id DESC LIMIT 200
"""


async def _near(
    matter: Matter, community_id: int | None, now: datetime, *, asks: int | None = None, but: int = 0
) -> list[_Other]:
    """Open cases that may be the same: of the kind, and of the community, of the component or around the position."""
    box: tuple[float | None, ...] = (None, None, None, None)
    if matter.longitude is not None and matter.latitude is not None:
        wide, high = degrees(radius_of(matter.category) or 100, matter.latitude)
        box = (matter.latitude - high, matter.latitude + high, matter.longitude - wide, matter.longitude + wide)
    where = (matter.component_id, community_id, *box, asks, but, matter.grid_id)
    rows = await fetch(_NEAR, matter.category, now - RECENT, *where)
    others = [(row.pop("id"), Matter(**row)) for row in rows]
    return [(case_id, other) for case_id, other in others if may_be_same(matter, other)]


def _likeliest(matter: Matter, others: Sequence[_Other], least: float = 0.0) -> list[int]:
    """Ids of those that are the same, the likeliest first, of these the oldest."""
    scored = [(-likeness(matter, other), case_id) for case_id, other in others]
    return [case_id for score, case_id in sorted(scored) if score < 0 and -score >= least]


@dataclass(frozen=True, slots=True)
class Similar:
    """An open case as a neighbour may read it."""

    case_id: int
    number: str
    subject: str
    place: str
    status: Status
    holder: str  # 网格员王芳; "" = nobody yet
    due_at: datetime | None
    joined: int


async def find_similar(person: Person, draft: reports.Draft, now: datetime) -> Similar | None:
    """The open case a resident's draft is probably about; None for emergencies, for what is nobody else's business, and
    for what they reported or follow already."""
    if draft.urgent or not radius_of(draft.category):
        return None
    said = f"{draft.place}。{draft.description}"
    spot = await locate(said, person.home, longitude=draft.longitude, latitude=draft.latitude)
    at = (draft.longitude, draft.latitude)
    matter = Matter(draft.category, draft.place, draft.description, spot.area_id, spot.component_id, *at)
    near = await _near(matter, spot.community_id, now, asks=person.resident_id)
    others = [(case_id, other) for case_id, other in near if radius_of(other.category)]
    if others and spot.buildings:
        matter = replace(matter, grid_id=await settle(spot))
    found = _likeliest(matter, others)
    return await _shown(await Case.get(id=found[0])) if found else None


async def _shown(case: Case) -> Similar:
    holder = await post_of(case.holder_id)
    grid = await Area.get_or_none(id=case.grid_id) if case.grid_id else None
    return Similar(
        case.id,
        case.number,
        case.subject,
        public_place(case.place) or (grid.name if grid else ""),
        case.status,
        holder.label if holder else "",
        case.due_at,
        case.joined,
    )


async def likely_duplicates(case_id: int, now: datetime, limit: int = 5) -> list[Case]:
    """Open cases that are probably the same matter as this one, the likeliest first; for staff, of every kind."""
    case = await Case.get(id=case_id).select_related("grid")
    matter = Matter(
        case.category, case.place, case.description, case.grid_id, case.component_id, case.longitude, case.latitude
    )
    others = await _near(matter, case.grid.parent_id if case.grid else None, now, but=case.id)
    return await in_order(_likeliest(matter, others)[:limit])


async def open_like(
    draft: reports.Draft, home: Home | None, now: datetime, limit: int = 3, *, least: float = 0.0
) -> list[Similar]:
    """Open cases a report is probably about (`least`: likeness, see `domain.likeness`), the likeliest first; for staff
    and for rules, of every kind."""
    said = f"{draft.place}。{draft.description}"
    spot = await locate(said, home, longitude=draft.longitude, latitude=draft.latitude)
    at = (draft.longitude, draft.latitude)
    grid_id = await settle(spot)
    matter = Matter(draft.category, draft.place, draft.description, grid_id, spot.component_id, *at)
    found = _likeliest(matter, await _near(matter, spot.community_id, now), least)
    return [await _shown(case) for case in await in_order(found[:limit])]


async def is_theirs(person: Person, case_id: int) -> bool:
    """Whether a resident reported a case, or is told of it already."""
    rows = await fetch(_THEIRS, case_id, person.resident_id)
    return bool(rows[0]["theirs"])


_THEIRS = """
SELECT EXISTS (SELECT FROM cases WHERE id = $1 AND reporter_id = $2)
    OR EXISTS (SELECT FROM follower WHERE case_id = $1 AND resident_id = $2) AS theirs
"""


async def join(
    person: Person,
    case_id: int,
    draft: reports.Draft,
    now: datetime,
    *,
    many: int = 3,
    source: str = "",
) -> Similar:
    """我也遇到: the resident follows the case instead of making a new one; their words and photos go to its staff.

    The `many`th joiner makes an ordinary matter pressing, which may be promised sooner (`domain.urgency`); from then on
    the holder hears of each. Raises NotFound for what neighbours are not shown, Conflict for the reporter's own and for
    what is done already.
    """
    async with transaction():
        work = await begin(person, case_id, Verb.JOIN, now, source, also=frozenset({Who.NEIGHBOUR}))
        case = work.case
        if not radius_of(case.category):
            raise NotFound(f"case {case_id} is not public", tag="case:join", object_id=case_id)
        if case.reporter_id == person.resident_id or not await _follow(case_id, person, draft.description, now):
            raise Conflict("has it already", say=f"{notices.serial(case.number)} 已经在您的事项里了，有进展会告诉您。")
        case.joined += 1
        work.step(Verb.JOIN, f"又有居民反映，共 {case.joined + 1} 位")
        await reports.attach(case, draft.media, work.journal, after=False)
        if case.joined >= many:
            await _many_joined(work, await post_of(case.holder_id))
        return await _shown(await work.finish())


async def _follow(case_id: int, person: Person, words: str, now: datetime) -> bool:
    rows = await fetch(
        "INSERT INTO follower (case_id, resident_id, since, words) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (case_id, resident_id) DO NOTHING RETURNING id",
        case_id,
        person.resident_id,
        now,
        words,
    )
    return bool(rows)


async def _many_joined(work: Work, holder: Post | None) -> None:
    case = work.case
    raised = await make_more_urgent(work, Urgency.PRESSING, "反映的人多")
    if holder:
        said = f"已有 {case.joined + 1} 位居民反映，{f'{raised}，' if raised else ''}请尽快处理。"
        work.journal.tell(notices.to_staff(case, holder, said))


async def leave(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """不再关注: nothing more is told to this resident. Their own report is not affected. NotFound for who does not."""
    async with transaction():
        if not await Follower.filter(case_id=case_id, resident_id=person.resident_id).delete():
            raise NotFound(f"does not follow case {case_id}", tag="case:leave", object_id=case_id)
        work = await begin(person, case_id, Verb.LEAVE, now, source, also=frozenset({Who.NEIGHBOUR}))
        work.case.joined = max(0, work.case.joined - 1)
        work.step(Verb.LEAVE, "一位居民不再关注", public=False)
        return await work.finish()


async def followers_openids(case_id: int) -> list[str]:
    """Whom to tell of a case besides its reporter."""
    rows = await fetch(
        "SELECT r.openid FROM follower f JOIN resident r ON r.id = f.resident_id WHERE f.case_id = $1 ORDER BY f.id",
        case_id,
    )
    return [row["openid"] for row in rows]


async def followed(person: Person, text: str = "", limit: int = 5) -> list[Similar]:
    """What the resident follows, open ones first, then the newest; with a number in `text`, that case alone."""
    pattern = (read_number(text) or "-") if text else "%"
    rows = await fetch(
        "SELECT c.id FROM follower f JOIN cases c ON c.id = f.case_id WHERE f.resident_id = $1 AND c.number LIKE $2 "
        "ORDER BY c.closed_at IS NOT NULL, c.id DESC LIMIT $3",
        person.resident_id,
        pattern,
        limit,
    )
    return [await _shown(case) for case in await in_order([row["id"] for row in rows])]


def say_progress(similar: Similar) -> str:
    """How far it is, in a few words: 网格员王芳正在处理."""
    if not similar.status.is_open:
        return notices.STATUS_NAMES[similar.status]
    if similar.status is Status.VERIFIED:
        return f"{similar.holder}已处理"
    if not similar.holder:
        return "社区正在安排人"
    return f"{similar.holder}正在处理" if similar.status is Status.DISPOSING else f"已交给{similar.holder}"


def list_line(similar: Similar) -> str:
    """`0037 楼道照明损坏：处理中`."""
    return f"{notices.serial(similar.number)} {similar.subject}：{notices.STATUS_NAMES[similar.status]}"


def card(similar: Similar, now: datetime) -> str:
    """All a follower may read of a case."""
    number = notices.serial(similar.number)
    due = f"\n{say_latest(similar.due_at, now)}。" if similar.due_at and similar.status.is_open else ""
    place = f"｜{similar.place}" if similar.place else ""
    return f"{number} {similar.subject}{place}\n{say_progress(similar)}。{due}\n不想再收进展，回复“不再关注 {number}”。"
