"""The people of an area, read page by page: households with their members, then followers without one, then staff.

How somebody is reached is decided here: by their own WeChat, by family of the same household, or by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Any

from domain.audience_rules import Someone
from domain.consents import texts
from models.database import fetch, from_json
from models.enums import Purpose

#: Households, followers or staff looked at by one statement.
_PAGE = 2000
_ID_BITS, _GRID_BITS = 38, 22
OUT, UNASKED = "退订了这类通知", "没有同意政策提醒"


class Via(StrEnum):
    """How somebody is reached."""

    WECHAT = "wechat"  # 本人微信
    FAMILY = "family"  # 家人微信
    HAND = "hand"  # 网格员上门或打电话


@dataclass(frozen=True, slots=True)
class Reached:
    """One person whom it concerns. `order` rises; going on after it begins with the next household.

    `recipient` is what keeps them from being told twice: resident:7, staff:3 or member:12. `resident_id` and `openid`
    are those of who reads it: the person, or family of the same household; none = by hand. `skip` says why somebody
    is not to be told (退订, no consent); empty = tell them. `key_date`: of a life event, the day it happens.
    """

    order: int
    recipient: str
    resident_id: int | None
    member_id: int | None
    openid: str | None
    grid_id: int | None
    key_date: date | None
    via: Via
    name: str = ""
    household_id: int | None = None
    skip: str = ""


#: On which day of a life event a person is told now; None = they are not told. Without an event it is always None.
Concerns = Callable[[Someone], tuple[bool, date | None]]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. `personal`: by what is kept of people; else a household is told once."""

    area_ids: Sequence[int]
    concerns: Concerns
    personal: bool
    staff: bool
    topic: str


Found = tuple[Someone, Reached]
Row = dict[str, Any]

# Arguments of the three: areas, grid and id behind which to go on, how many, topic, version of the consent.
_BADGES = """ARRAY (
    SELECT b.kind FROM badge b WHERE b.resident_id = r.id AND b.agreed_at IS NOT NULL AND b.ended_at IS NULL
) AS badges,
$5 <> 'safety' AND EXISTS (SELECT FROM opt_out o WHERE o.resident_id = r.id AND o.topic IN ($5, '*')) AS out
"""
_MEMBERS = (
    """
WITH homes AS (
    SELECT id, grid_id, building FROM household
    WHERE grid_id = ANY ($1::int[]) AND (grid_id, id) > ($2, $3) ORDER BY grid_id, id LIMIT $4
)
SELECT h.grid_id, h.id, h.building, m.id AS member_id, m.name, m.birthday, m.facts, r.id AS resident_id, r.openid,
    r.minor, m.source LIKE 'resident:%' AND NOT EXISTS (SELECT FROM purpose_consent c WHERE c.resident_id = r.id
        AND c.purpose = 'notices' AND c.version = $6 AND c.ended_at IS NULL) AS unasked,
"""  # noqa: S608 - constants of ours
    + _BADGES
    + """
FROM homes h LEFT JOIN household_member m ON m.household_id = h.id
    AND (m.confirmed_at IS NOT NULL OR m.source NOT LIKE 'resident:%')
LEFT JOIN resident r ON r.id = m.resident_id AND m.confirmed_at IS NOT NULL AND r.deleted_at IS NULL
ORDER BY h.grid_id, h.id, m.id
"""
)
_FOLLOWERS = (
    "SELECT r.grid_id, r.id, r.openid, r.name, "  # noqa: S608 - constants of ours
    + _BADGES
    + """
FROM resident r WHERE r.grid_id = ANY ($1::int[]) AND (r.grid_id, r.id) > ($2, $3) AND r.deleted_at IS NULL
AND $6::int IS NOT NULL AND (r.openid NOT LIKE '%:%' OR r.openid LIKE 'mini:%') AND NOT EXISTS (
    SELECT FROM household_member m JOIN household h ON h.id = m.household_id
    WHERE m.resident_id = r.id AND m.confirmed_at IS NOT NULL AND h.grid_id = ANY ($1::int[])
) ORDER BY r.grid_id, r.id LIMIT $4
"""
)
_STAFF = """
SELECT s.area_id AS grid_id, s.id, s.role, s.name, s.openid, r.id AS resident_id
FROM staff s LEFT JOIN resident r ON r.openid = s.openid
WHERE s.active AND s.area_id = ANY ($1::int[]) AND (s.area_id, s.id) > ($2, $3) AND $5::text IS NOT NULL
    AND $6::int IS NOT NULL
ORDER BY s.area_id, s.id LIMIT $4
"""


async def look_through(search: Search, after: int = 0) -> AsyncIterator[list[Found]]:
    """Everybody whom it concerns with what is known of them, behind `after`, in memory of one page; those of one
    household together."""
    begin = after >> _ID_BITS + _GRID_BITS
    place = (after >> _ID_BITS) & (1 << _GRID_BITS) - 1, after & (1 << _ID_BITS) - 1
    version = texts()[Purpose.NOTICES].version
    for kind in range(begin, 3 if search.staff else 2):
        page, read = _KINDS[kind]
        while rows := await page(search.area_ids, *place, _PAGE, search.topic, version):
            for place, group in groupby(rows, key=_place):
                order = (kind << _GRID_BITS | place[0]) << _ID_BITS | place[1]
                if found := list(read(list(group), order, search)):
                    yield found
        place = (0, 0)


def _place(row: Row) -> tuple[int, int]:
    return row["grid_id"], row["id"]


def _household(rows: list[Row], order: int, search: Search) -> Iterator[Found]:
    """The members of one household whom it concerns."""
    rows = [row for row in rows if row["member_id"]]  # a household without members is one row of nothing
    people = [_member(row) for row in rows]
    for one in people:
        one.together = people
    followed, by_hand = any(row["resident_id"] for row in rows), False
    for row, one in zip(rows, people, strict=True):
        here, day = search.concerns(one)
        if not here:
            continue
        if row["resident_id"] is None and not search.personal:
            if followed or by_hand:
                continue
            by_hand = True
        yield one, _reach(row, rows, order, search, day)


def _member(row: Row) -> Someone:
    return Someone(
        row["grid_id"],
        follows=row["resident_id"] is not None,
        building=row["building"],
        birthday=row["birthday"],
        facts=from_json(row["facts"]),
        badges=row["badges"],
    )


def _reach(row: Row, household: list[Row], order: int, search: Search, day: date | None) -> Reached:
    """How a member is reached. What is about one person (an event) is kept apart by that person, whoever reads it."""
    reader, via, skip = row, Via.WECHAT, ""
    if row["resident_id"] is None:
        family = [one for one in household if one["resident_id"] and not one["out"] and not one["minor"]]
        reader, via = (family[0], Via.FAMILY) if family and search.personal else (row, Via.HAND)
    elif row["out"]:
        skip = OUT
    elif search.personal and row["unasked"]:
        skip = UNASKED
    own = via is Via.WECHAT and day is None
    return Reached(
        order,
        f"resident:{row['resident_id']}" if own else f"member:{row['member_id']}",
        reader["resident_id"],
        row["member_id"],
        reader["openid"],
        row["grid_id"],
        day,
        via,
        row["name"],
        row["id"],
        skip,
    )


def _follower(rows: list[Row], order: int, search: Search) -> Iterator[Found]:
    row = rows[0]
    one = Someone(row["grid_id"], follows=True, badges=row["badges"])
    here, day = search.concerns(one)
    if here:
        who, skip = row["id"], OUT if row["out"] else ""
        yield (
            one,
            Reached(
                order,
                f"resident:{who}",
                who,
                None,
                row["openid"],
                row["grid_id"],
                day,
                Via.WECHAT,
                row["name"],
                skip=skip,
            ),
        )


def _staff(rows: list[Row], order: int, search: Search) -> Iterator[Found]:
    """Staff who follow are told as that follower, so that nobody is told twice."""
    row = rows[0]
    one = Someone(row["grid_id"], role=row["role"])
    here, day = search.concerns(one)
    if here:
        who = row["resident_id"]
        recipient = f"resident:{who}" if who else f"staff:{row['id']}"
        via = Via.WECHAT if row["openid"] else Via.HAND
        yield one, Reached(order, recipient, who, None, row["openid"], None, day, via, row["name"])


async def _members(*place: Any) -> list[Row]:
    return await fetch(_MEMBERS, *place)


async def _followers(*place: Any) -> list[Row]:
    return await fetch(_FOLLOWERS, *place)


async def _officers(*place: Any) -> list[Row]:
    return await fetch(_STAFF, *place)


_Read = Callable[[list[Row], int, Search], Iterator[Found]]
#: In the order of `Reached.order`: how a page is fetched, and how what belongs together in it is read.
_KINDS: tuple[tuple[Callable[..., Awaitable[list[Row]]], _Read], ...] = (
    (_members, _household),
    (_followers, _follower),
    (_officers, _staff),
)
