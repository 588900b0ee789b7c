"""派遣: which grid a case belongs to, whose duty it is there, and who of them takes it.

The duty list says whose it is: the staff of a level, or a unit. Of these the least busy who is present takes it, and of
two as busy the one who waited longer; nobody beyond their capacity, except for an emergency. Who is away is replaced by
their deputy. When all are full the case waits, accepted, until `domain.waiting` finds somebody free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.clock import SHANGHAI
from domain.duties import LINE
from domain.journal import Journal
from domain.people import Home, Post, post_of, posts_upward, present, stand_in
from domain.places import Spot
from errors import Conflict
from models.cases import Case
from models.database import fetch, from_json
from models.enums import Level, Role, Status, Urgency
from models.transitions import Verb, Who, find_transition


@dataclass(frozen=True, slots=True)
class Route:
    """Where a case goes. `holder` None: all are full or away, or a person has to decide (`by_rule` False).

    `clear` False: no line names the category, it is the first unit's until another accepts (首接负责).
    """

    holder: Post | None
    area_id: int | None  # whose duty it is; None = nothing is known of where it is
    grid_id: int | None
    community_id: int | None
    department_id: int | None
    duty_id: int | None
    by_rule: bool
    clear: bool
    limits: dict[str, str]  # accept_limit, sign_limit, handle_limit, verify_limit as the duty list writes them
    duty_phone: str = ""


# $1 day, $2 category, $3 where to start, $4 community in which $5 (spellings of a building) may mean another grid,
# $6 emergency, $7 now, $8 who is not to get it, $9 the level it has reached, $10 the unit that leads it already.
_POOL = """
, asks AS MATERIALIZED (SELECT $6::boolean AS urgent, $7::timestamptz AS now), spot AS MATERIALIZED (
    SELECT CASE WHEN cardinality($5::text[]) = 0 THEN $3::int ELSE (
        SELECT CASE WHEN bool_or(g.id = $3) THEN $3 WHEN count(*) = 1 THEN min(g.id) ELSE $3 END
        FROM area g WHERE g.parent_id = $4::int AND g.level = 'grid'
            AND EXISTS (SELECT FROM household h WHERE h.grid_id = g.id AND h.building = ANY($5))
    ) END AS id
), up AS MATERIALIZED (
    SELECT id, parent_id, level::text, name, duty_phone, 0 AS steps FROM area WHERE id = (SELECT id FROM spot)
    UNION ALL
    SELECT a.id, a.parent_id, a.level::text, a.name, a.duty_phone, up.steps + 1 FROM up CROSS JOIN LATERAL (
        SELECT id, parent_id, level, name, duty_phone FROM area WHERE id = up.parent_id OFFSET 0
    ) a
), rungs AS MATERIALIZED (
    SELECT up.* FROM up CROSS JOIN line
    CROSS JOIN (SELECT ARRAY['grid', 'community', 'street', 'district', 'city']) AS levels(low)
    WHERE array_position(low, up.level)
        >= greatest(array_position(low, line.level::text), array_position(low, $9::text), 1)
), units AS (
    SELECT d.area_id, NULL AS level, d.id AS department_id, 0 AS steps FROM line
    JOIN department d ON d.id = coalesce(line.department_id, CASE WHEN NOT line.clear THEN $10::int END)
    UNION ALL (
        SELECT d.area_id, NULL, d.id, 1 FROM line CROSS JOIN rungs JOIN department d ON d.area_id = rungs.id
            AND d.kind = line.unit
        WHERE line.unit <> '' AND line.department_id IS NULL ORDER BY rungs.steps, d.id LIMIT 1
    )
    UNION ALL SELECT id, level, NULL, 2 + steps FROM rungs
), manned AS MATERIALIZED (
    SELECT units.*, s.id AS staff_id, s.capacity,
        EXISTS (SELECT FROM absence x WHERE x.staff_id = s.id AND x.starts_at <= $7 AND x.ends_at > $7) AS away
    FROM units CROSS JOIN LATERAL (
        SELECT id, capacity FROM staff WHERE units.department_id IS NOT NULL AND department_id = units.department_id
            AND active
        UNION ALL
        SELECT id, capacity FROM staff WHERE units.department_id IS NULL AND area_id = units.area_id AND active
            AND role = CASE units.level WHEN 'grid' THEN 'grid_worker' ELSE units.level || '_staff' END
    ) s WHERE s.id <> ALL($8::int[])
), pool AS MATERIALIZED (
    SELECT * FROM manned WHERE steps = (SELECT min(steps) FROM manned)
), asked AS MATERIALIZED (
    SELECT line.auto_accept IS NOT FALSE AND EXISTS (
            SELECT FROM up WHERE level = 'grid' OR coalesce(line.level::text, 'grid') <> 'grid'
        ) AS by_rule, EXISTS (SELECT FROM pool WHERE away) AS away FROM line
), able AS (
    SELECT staff_id, capacity FROM pool WHERE (SELECT by_rule AND NOT away FROM asked) ORDER BY staff_id OFFSET 0
)"""

# Locked in the order of their ids, so that two choices among the same people wait and never deadlock.
_CHOICE = """
, loaded AS MATERIALIZED (
    SELECT able.staff_id, able.capacity, l.load, l.given_at FROM able CROSS JOIN LATERAL lock_load(able.staff_id) l
), chosen AS MATERIALIZED (
    SELECT staff_id FROM loaded CROSS JOIN asks WHERE load < capacity OR urgent
    ORDER BY load, given_at NULLS FIRST, staff_id LIMIT 1
), given AS (
    UPDATE staff SET given_at = asks.now FROM chosen CROSS JOIN asks
    WHERE staff.id = chosen.staff_id AND (SELECT count(*) FROM loaded) > 1
)
"""

# $11: draw the numbers of a new case too, so that a report costs one look-up. The posts are those of the place's
# community: they hear of an emergency.
_ANSWER = """
SELECT CASE WHEN $11::boolean THEN next_case_number($1) END AS number,
    CASE WHEN $11::boolean THEN nextval('cases_id_seq') END AS id,
    line.id AS duty_id, line.clear, line.accept_limit, line.sign_limit, line.handle_limit, line.verify_limit,
    asked.by_rule, asked.away, (SELECT array_agg(staff_id) FROM pool) AS pool,
    (SELECT id FROM up WHERE level = 'grid') AS grid_id, community.id AS community_id,
    community.name AS community_name,
    coalesce((SELECT area_id FROM pool LIMIT 1), (SELECT id FROM rungs ORDER BY steps LIMIT 1)) AS area_id,
    (SELECT department_id FROM pool LIMIT 1) AS department_id,
    coalesce((SELECT duty_phone FROM up WHERE duty_phone <> '' AND level IN ('grid', 'community', 'street')
        ORDER BY steps LIMIT 1), '') AS duty_phone,
    CASE WHEN $6 THEN (
        SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'openid', p.openid) ORDER BY p.id) FROM staff p
        WHERE p.area_id = community.id AND p.active AND p.role = 'community_staff'
    ) END AS posts,
    s.id AS staff_id, s.name AS staff_name, s.role AS staff_role, s.openid AS staff_openid, a.id AS staff_area,
    a.name AS staff_area_name, a.level AS staff_level, s.department_id AS unit_id, coalesce(u.name, '') AS unit_name
FROM line CROSS JOIN asked LEFT JOIN up AS community ON community.level = 'community'
LEFT JOIN chosen ON true LEFT JOIN staff s ON s.id = chosen.staff_id LEFT JOIN area a ON a.id = s.area_id
LEFT JOIN department u ON u.id = s.department_id
"""

# A case keeps the line it was taken on under ($12); a new one goes by the line in force.
_LINE = (
    """
WITH RECURSIVE line AS MATERIALIZED (
    SELECT d.*, coalesce(d.category, '') <> '' AS clear FROM (SELECT 1) AS one LEFT JOIN LATERAL (
        SELECT * FROM duty WHERE id = $12::int UNION ALL ("""  # noqa: S608 - a constant of ours
    + LINE
    + """) LIMIT 1
    ) d ON true
)"""
)
_ROUTE = _LINE + _POOL + _CHOICE + _ANSWER

_ABLE = """
WITH asks AS MATERIALIZED (SELECT $2::boolean AS urgent, $3::timestamptz AS now), able AS (
    SELECT id AS staff_id, capacity FROM staff WHERE id = ANY($1::int[]) ORDER BY id OFFSET 0
)"""
_AMONG = _ABLE + _CHOICE + "SELECT staff_id FROM chosen"  # noqa: S608 - a constant of ours


# What happens most often, for less than half the price: the resident's own grid, its one worker, there and not full,
# and a line that leaves it to them. Otherwise `staff_id` is null and the whole question is asked.
_PLAIN = (
    """
SELECT next_case_number($1) AS number, nextval('cases_id_seq') AS id, d.id AS duty_id,
    coalesce(d.category, '') <> '' AS clear, d.accept_limit, d.sign_limit, d.handle_limit, d.verify_limit, w.staff_id,
    CASE WHEN $6::boolean THEN (
        SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'openid', p.openid) ORDER BY p.id) FROM staff p
        WHERE p.area_id = $4 AND p.active AND p.role = 'community_staff'
    ) END AS posts
FROM (SELECT 1) AS one LEFT JOIN LATERAL ("""  # noqa: S608 - a constant of ours
    + LINE
    + """) d ON true LEFT JOIN LATERAL (
    SELECT s.staff_id FROM (
        SELECT min(id) AS staff_id, min(capacity) AS capacity FROM staff
        WHERE area_id = $3::int AND role = 'grid_worker' AND active HAVING count(*) = 1
    ) s CROSS JOIN LATERAL (
        SELECT s.staff_id WHERE d.auto_accept IS NOT FALSE AND coalesce(d.level::text, 'grid') = 'grid'
            AND d.department_id IS NULL AND coalesce(d.unit, '') = ''
            AND NOT EXISTS (
                SELECT FROM absence x WHERE x.staff_id = s.staff_id AND x.starts_at <= $7 AND x.ends_at > $7
            ) AND (cardinality($5::text[]) = 0 OR NOT EXISTS (
                SELECT FROM area g WHERE g.parent_id = $4::int AND g.level = 'grid' AND g.id <> $3
                    AND EXISTS (SELECT FROM household h WHERE h.grid_id = g.id AND h.building = ANY($5))
            ))
        OFFSET 0
    ) plain CROSS JOIN LATERAL lock_load(plain.staff_id) l WHERE $6 OR l.load < s.capacity
) w ON true
"""
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is drawn for a new case together with its route, and whom of the community an emergency is told to."""

    id: int
    number: str
    community: list[Post]


async def route_new(
    spot: Spot, home: Home | None, category: str, now: datetime, *, urgent: bool
) -> tuple[Route, Numbers]:
    """Where a report goes that is not a case yet, from a resident of `home`. Must run inside the report's transaction:
    the staff chosen among are locked until it ends."""
    asked = _asked(spot, category, now, urgent=urgent)
    drawn: Numbers | None = None
    if home and home.worker and spot.area_id == home.grid_id and home.worker.area_id == home.grid_id:
        row = (await fetch(_PLAIN, *asked))[0]
        drawn = _numbers(row, home.community_id, home.community_name)
        if row["staff_id"] == home.worker.id:
            return _own_grid(row, home), drawn
    row = (await fetch(_ROUTE, *asked, [], None, None, drawn is None, None))[0]
    drawn = drawn or _numbers(row, row["community_id"], row["community_name"])
    return await _route(row, now, (), urgent=urgent), drawn


def _own_grid(row: dict[str, Any], home: Home) -> Route:
    return Route(
        home.worker,
        home.grid_id,
        home.grid_id,
        home.community_id,
        None,
        row["duty_id"],
        by_rule=True,
        clear=row["clear"],
        limits=_limits(row),
        duty_phone=home.duty_phone,
    )


def _numbers(row: dict[str, Any], community_id: int, community_name: str) -> Numbers:
    posts = [
        Post(
            post["id"],
            post["name"],
            Role.COMMUNITY_STAFF,
            community_id,
            community_name,
            Level.COMMUNITY,
            post["openid"],
        )
        for post in from_json(row["posts"]) or ()
    ]
    return Numbers(row["id"], row["number"], posts)


def _limits(row: dict[str, Any]) -> dict[str, str]:
    return {name: row[name] or "" for name in ("accept_limit", "sign_limit", "handle_limit", "verify_limit")}


async def route(case: Case, now: datetime, *, exclude: Sequence[int] = ()) -> Route:
    """Where a case goes that was accepted, returned or recategorised: who takes it, from its own level upwards.

    `exclude`: ids of staff who are not to get it, as those who sent it back. Locks the staff it chooses among until the
    transaction ends, so it must run inside the one that gives the case to them.
    """
    level = (await fetch("SELECT level FROM area WHERE id = $1", case.area_id))[0]["level"]
    urgent = case.urgency is Urgency.URGENT
    asked = _asked(Spot(case.grid_id or case.area_id), case.category, now, urgent=urgent)
    rows = await fetch(_ROUTE, *asked, list(exclude), level, case.department_id, False, case.duty_id)
    return await _route(rows[0], now, exclude, urgent=urgent)


def _asked(spot: Spot, category: str, now: datetime, *, urgent: bool) -> tuple[Any, ...]:
    day = now.astimezone(SHANGHAI).date()
    return day, category, spot.area_id, spot.community_id, spot.buildings, urgent, now


async def _route(row: dict[str, Any], now: datetime, exclude: Sequence[int], *, urgent: bool) -> Route:
    holder = _chosen(row)
    if row["by_rule"] and row["away"]:
        holder = await _with_deputies(row["pool"], now, exclude, urgent=urgent)
    if holder is None and row["by_rule"] and urgent and row["area_id"]:
        holder = await _anybody_above(row["area_id"], now, exclude)
    return Route(
        holder,
        row["area_id"],
        row["grid_id"],
        row["community_id"],
        row["department_id"],
        row["duty_id"],
        by_rule=row["by_rule"],
        clear=row["clear"],
        limits=_limits(row),
        duty_phone=row["duty_phone"],
    )


def _chosen(row: dict[str, Any]) -> Post | None:
    if row["staff_id"] is None:
        return None
    return Post(
        row["staff_id"],
        row["staff_name"],
        Role(row["staff_role"]),
        row["staff_area"],
        row["staff_area_name"],
        Level(row["staff_level"]),
        row["staff_openid"],
        row["unit_id"],
        row["unit_name"],
    )


async def least_busy(pool: Sequence[int], now: datetime) -> Post | None:
    """Who of these takes what a person gives them, their capacity notwithstanding; None when nobody is there."""
    return await _with_deputies(pool, now, (), urgent=True)


async def _with_deputies(pool: Sequence[int], now: datetime, exclude: Sequence[int], *, urgent: bool) -> Post | None:
    """The choice again, with everybody who is away replaced by who does their work."""
    found = [await stand_in(staff_id, now) for staff_id in pool]
    able = {post.id for post in found if post} - set(exclude)
    rows = await fetch(_AMONG, sorted(able), urgent, now)
    return await post_of(rows[0]["staff_id"]) if rows else None


async def _anybody_above(area_id: int, now: datetime, exclude: Sequence[int]) -> Post | None:
    """For an emergency that finds nobody at its own level: the nearest who is there."""
    for post in await posts_upward(area_id):
        if post.id not in exclude and await present(post, now):
            return post
    return None


def give(case: Case, way: Route, journal: Journal) -> Post | None:
    """Take the rule's two steps on a case, as far as the table has them from where it stands: accepted, and given to
    the route's holder if there is one. Sets whose duty it is; the caller sets the times it must be done by."""
    case.grid_id = way.grid_id or case.grid_id
    case.area_id = way.area_id or case.area_id
    case.department_id, case.duty_id = way.department_id, way.duty_id
    if case.status is Status.REPORTED:
        case.accepted_at = journal.at
        _step(case, Verb.ACCEPT, "", journal)
    if way.holder:
        case.holder_id, case.dispatched_at = way.holder.id, journal.at
        _step(case, Verb.DISPATCH, f"已交给{way.holder.label}", journal)
    return way.holder


def _step(case: Case, verb: Verb, text: str, journal: Journal) -> None:
    row = find_transition(verb, case.status)
    if row is None or row.target is None or Who.RULE not in row.who:
        raise Conflict(f"{verb} by rule from {case.status}")
    before, case.status = case.status, row.target
    journal.event(verb, case.status, "系统", text, public=bool(text))
    journal.audit("system", verb, before, case.status)
