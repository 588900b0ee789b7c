"""亮身份: as what people are shown in rooms. Staff by their post; others once they agreed to what staff set.

Community staff set a badge for somebody in one of their rooms; it is shown from when the person agrees until one of the
two takes it back. Whether somebody is a party member is theirs to tell: without their yes nobody reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.journal import audit
from domain.people import Person, role_name
from domain.publishing import is_public
from domain.review_notices import tell
from domain.room_words import Mark, clean
from domain.rooms import Member, resident_label, sit, who_of
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import BadgeKind, Role, RoomKind
from models.rooms import Badge

NAMES = {
    BadgeKind.PARTY_MEMBER: "党员",
    BadgeKind.VOLUNTEER: "志愿者",
    BadgeKind.PROPERTY_MANAGER: "物业",
}


@dataclass(frozen=True, slots=True)
class Face:
    """As what somebody is shown now: a resident's nickname ("" = none, None = no resident), and marks."""

    nickname: str | None = None
    marks: tuple[Mark, ...] = ()


GONE = "已注销"

_SHOWN = """
SELECT 'resident:' || id AS who, 'nickname' AS kind, CASE WHEN deleted_at IS NULL THEN nickname ELSE $3 END AS label,
    -1 AS badge
FROM resident WHERE id = ANY ($2::bigint[])
UNION ALL
SELECT 'staff:' || s.id, s.role, coalesce(d.name, ''), 0
FROM staff s LEFT JOIN department d ON d.id = s.department_id WHERE s.id = ANY ($1::int[])
UNION ALL
SELECT coalesce('staff:' || staff_id, 'resident:' || resident_id), kind, label, id FROM badge
WHERE (staff_id = ANY ($1::int[]) OR resident_id = ANY ($2::bigint[])) AND agreed_at IS NOT NULL AND ended_at IS NULL
ORDER BY badge
"""


async def faces(actors: Iterable[str]) -> dict[str, Face]:
    """As what each of these actors (resident:7, staff:12) is shown now: nicknames, the post first, then what they
    agreed to."""
    parts = [actor.partition(":") for actor in set(actors)]
    ids = {kind: [int(number) for one, _, number in parts if one == kind] for kind in ("staff", "resident")}
    found: dict[str, Face] = {}
    if any(ids.values()):
        for row in await fetch(_SHOWN, ids["staff"], ids["resident"], GONE):
            found[row["who"]] = _with(found.get(row["who"], Face()), row)
    return found


def _with(face: Face, row: dict[str, Any]) -> Face:
    if row["badge"] < 0:
        return replace(face, nickname=row["label"])
    label = badge_label(row["kind"], row["label"]) if row["badge"] else row["label"] or role_name(Role(row["kind"]))
    return replace(face, marks=(*face.marks, Mark(row["kind"], label)))


def badge_label(kind: str, unit: str) -> str:
    """党员, 物业·幸福物业."""
    name = NAMES[BadgeKind(kind)]
    return f"{name}·{unit}" if unit else name


@dataclass(frozen=True, slots=True)
class BadgeLine:
    """A badge as those it concerns read it. `mine`: it is about the reader; `person` is how their room calls them."""

    id: int
    kind: BadgeKind
    label: str
    person: str
    mine: bool
    granted_by: str
    granted_at: datetime
    agreed_at: datetime | None


_GRANT = """
INSERT INTO badge (kind, resident_id, staff_id, label, granted_by_id, granted_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kind, coalesce(resident_id, 0), coalesce(staff_id, 0)) WHERE ended_at IS NULL DO NOTHING RETURNING id
"""
_WEARER = """
SELECT id FROM resident WHERE id = $1 AND grid_id = $3 AND deleted_at IS NULL
UNION ALL SELECT id FROM staff WHERE id = $2 AND active
"""


async def grant(
    person: Person, room_id: int, handle: str, kind: BadgeKind, unit: str, now: datetime, source: str = ""
) -> int:
    """Set a badge for somebody in a grid's room; they are asked whether they agree. Gives its id.

    Raises NotFound, NotAllowed for anybody but the community's staff, BadRequest for who is not there and for a unit
    that nobody may read, Conflict where they have a badge of this kind.
    """
    async with transaction():
        member = await sit(person, room_id, verb="badge")
        staff_id = _granter(member)
        unit = clean(unit)[:32]
        if unit and not is_public(unit):
            raise BadRequest("unit", say="单位名称里有不能公开的内容，请改一下。")
        who = (await who_of(room_id, [handle])).get(handle, "")
        ids = await _wearer(who, member.room.grid_id)
        made = await fetch(_GRANT, kind, *ids, unit, staff_id, now)
        if not made:
            raise Conflict("badge", say=f"已经给对方设过“{NAMES[kind]}”了，等对方同意就会显示。")
        await audit(member.who, "badge:grant", made[0]["id"], now, source=source)
        await _ask(who, member, badge_label(kind, unit), now)
    return int(made[0]["id"])


def _granter(member: Member) -> int:
    post = member.post
    if post is None or post.role is not Role.COMMUNITY_STAFF or member.room.kind is not RoomKind.GRID:
        raise NotAllowed(
            f"{member.who} sets no badges",
            say="身份标识由社区工作人员设置。",
            tag="badge:grant",
            object_id=member.room.id,
        )
    return post.id


async def _wearer(who: str, grid_id: int) -> tuple[int | None, int | None]:
    """(resident, staff) id of an actor who sits in a grid's room. Raises BadRequest for anybody else."""
    kind, _, number = who.partition(":")
    ids = (int(number), None) if kind == "resident" else (None, int(number)) if kind == "staff" else (None, None)
    if not await fetch(_WEARER, *ids, grid_id):
        raise BadRequest("nobody here", say="这个人不在群里。")
    return ids


async def _ask(who: str, member: Member, label: str, now: datetime) -> None:
    """Tell them; who has no WeChat with us finds it in their list."""
    said = f"{member.name}想在网格群里为您亮出身份：{label}。\n您同意后邻居才能看到。回复“亮身份”选择同不同意。"
    await tell(who, said, f"亮身份：{label}"[:20], now)


# About the reader ($1 resident, $2 staff), or, for community staff, about anybody in their community ($3).
_LINES = """
SELECT b.id, b.kind, b.label, b.granted_at, b.agreed_at, g.name AS granted_by, b.resident_id, b.staff_id,
    coalesce(r.nickname, '') AS nickname, coalesce(s.name, '') AS staff_name, coalesce(room.id, 0) AS room_id,
    (b.resident_id = $1 OR b.staff_id = $2) IS TRUE AS mine
FROM badge b JOIN staff g ON g.id = b.granted_by_id
LEFT JOIN resident r ON r.id = b.resident_id LEFT JOIN staff s ON s.id = b.staff_id
LEFT JOIN area a ON a.id = coalesce(r.grid_id, s.area_id) LEFT JOIN room ON room.key = 'grid:' || r.grid_id
WHERE b.ended_at IS NULL AND (b.resident_id = $1 OR b.staff_id = $2 OR $3::int IN (a.id, a.parent_id))
"""
_LIST = _LINES + "ORDER BY b.id DESC LIMIT 500"
_ONE = _LINES + "AND b.id = $4::bigint"


async def list_badges(person: Person) -> list[BadgeLine]:
    """The badges set for this person, and for community staff those of their community, the newest first."""
    return [_line(row) for row in await fetch(_LIST, *_reader(person))]


def _reader(person: Person) -> tuple[int | None, int | None, int | None]:
    post = person.post
    community = post.area_id if post and post.role is Role.COMMUNITY_STAFF else None
    return person.resident_id or None, post.id if post else None, community


def _line(row: dict[str, Any]) -> BadgeLine:
    label = resident_label(row["nickname"], row["room_id"], f"resident:{row['resident_id']}")
    return BadgeLine(
        row["id"],
        BadgeKind(row["kind"]),
        badge_label(row["kind"], row["label"]),
        row["staff_name"] or label,
        row["mine"],
        row["granted_by"],
        row["granted_at"],
        row["agreed_at"],
    )


async def agree(person: Person, badge_id: int, now: datetime, source: str = "") -> BadgeLine:
    """Show a badge that was set for this person. Again, nothing happens. Raises NotFound, NotAllowed for whoever may
    only end it."""
    async with transaction():
        line = await _find(person, badge_id, "agree")
        if not line.mine:
            raise NotAllowed("not theirs", say="要本人同意才行。", tag="badge:agree", object_id=badge_id)
        if line.agreed_at is None:
            await Badge.filter(id=badge_id).update(agreed_at=now)
            await audit(person.actor, "badge:agree", badge_id, now, source=source)
        return await _find(person, badge_id, "agree")


async def end(person: Person, badge_id: int, now: datetime, source: str = "") -> None:
    """Take a badge back: the person it is about, or their community's staff. Raises NotFound for anybody else, and for
    one that has ended."""
    async with transaction():
        await _find(person, badge_id, "end")
        await Badge.filter(id=badge_id).update(ended_at=now)
        await audit(person.actor, "badge:end", badge_id, now, source=source)


async def _find(person: Person, badge_id: int, verb: str) -> BadgeLine:
    await fetch("SELECT FROM badge WHERE id = $1::bigint FOR UPDATE", badge_id)
    rows = await fetch(_ONE, *_reader(person), badge_id)
    if not rows:
        raise NotFound(f"badge {badge_id}", say="没有找到这个身份标识。", tag=f"badge:{verb}", object_id=badge_id)
    return _line(rows[0])
