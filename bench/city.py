"""A made-up city for `linli bench cases`: ten streets of ten communities of ten grids, three years of cases.

Cases are written by the database itself, in one statement; only the words to search by come from here. Most are closed;
those of the last days are on their way; one in two hundred has got stuck. Every text is invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

import nlp
from domain.desk_search import search_vector

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
YEARS = timedelta(days=3 * 365)
#: One case in so many has a timeline of five lines; the pages of single cases are asked for these.
TOLD = 10

_AREAS = """
WITH city AS (INSERT INTO area (level, name, code, duty_phone, gas_phone)
    VALUES ('city', '江岸市', '4288', '', '') RETURNING id),
district AS (INSERT INTO area (parent_id, level, name, code, duty_phone, gas_phone)
    SELECT id, 'district', '江岸区', '428801', '', '' FROM city RETURNING id),
streets AS (INSERT INTO area (parent_id, level, name, code, duty_phone, gas_phone)
    SELECT id, 'street', '第' || n || '街道', '428801' || (100 + n), '', '' FROM district, generate_series(1, 10) n
    RETURNING id, code),
communities AS (INSERT INTO area (parent_id, level, name, code, duty_phone, gas_phone)
    SELECT id, 'community', '第' || n || '社区', code || (100 + n), '', '' FROM streets, generate_series(1, 10) n
    RETURNING id, code)
INSERT INTO area (parent_id, level, name, code, duty_phone, gas_phone)
SELECT id, 'grid', '第' || n || '网格', code || (100 + n), '', '' FROM communities, generate_series(1, 10) n
"""
# Grids are squares of about 600 m: fifty beside each other, twenty above each other.
_BOUNDARIES = """
UPDATE area SET boundary = jsonb_build_array(jsonb_build_array(jsonb_build_array(x, y), jsonb_build_array(x + 0.006, y),
    jsonb_build_array(x + 0.006, y + 0.0055), jsonb_build_array(x, y + 0.0055)))
FROM (
    SELECT id AS grid, 114.1 + 0.006 * ((street % 5) * 10 + (community % 2) * 5 + number % 5) AS x,
        30.45 + 0.0055 * ((street / 5) * 10 + (community / 2) * 2 + number / 5) AS y
    FROM (
        SELECT id, substr(code, 8, 2)::int - 1 AS street, substr(code, 11, 2)::int - 1 AS community,
            substr(code, 14, 2)::int - 1 AS number
        FROM area WHERE level = 'grid'
    ) n
) at WHERE id = at.grid
"""
_UNITS = """
INSERT INTO department (code, name, area_id)
SELECT 'D' || a.code || n, (ARRAY['城管所', '派出所', '水务站', '市场所'])[n], a.id
FROM area a, generate_series(1, 4) n WHERE a.level = 'street'
"""
_STAFF = """
INSERT INTO staff (name, role, area_id, phone, openid, active)
SELECT '员' || id, CASE level WHEN 'grid' THEN 'grid_worker' ELSE level || '_' || 'staff' END, id, '', 'oDesk' || code,
    true
FROM area
"""
_RESIDENTS = """
INSERT INTO resident (openid, grid_id, created_at)
SELECT 'oNeighbour' || n, (SELECT min(id) FROM area WHERE level = 'grid') + n % 1000, $1
FROM generate_series(1, 20000) n
"""

# Every row draws its own numbers; what lies after now has not happened yet.
_CASES = """
INSERT INTO cases (id, number, status, category, subject, domain, urgency, source, description, place, reporter_id,
    grid_id, area_id, holder_id, department_id, round, returned, urged, reopened, result, outcome, solved, satisfaction,
    comment, reported_at, accepted_at, dispatched_at, signed_at, first_response_at, disposed_at, verified_at, closed_at,
    due_at, suspended_at, longitude, latitude, search)
SELECT i, to_char(reported AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-'
        || lpad(i::text, greatest(4, length(i::text)), '0'),
    status,
    t.category, t.subject, '', urgency, 'wechat', p.place || t.description, p.place, resident, grid,
    CASE WHEN r1 < 0.9 THEN grid ELSE community END, s.id, CASE WHEN r1 > 0.8 THEN unit END,
    1 + (r2 < 0.06)::int, (r3 < 0.04)::int, (r4 < 0.1)::int, 0,
    CASE WHEN disposed <= $2 AND stage >= 3 THEN '已处理' ELSE '' END,
    CASE WHEN status = 'closed' THEN CASE WHEN r5 < 0.5 THEN 'solved' WHEN r5 < 0.6 THEN 'cannot'
        ELSE 'unanswered' END END,
    CASE WHEN status = 'closed' AND r5 < 0.6 THEN r5 < 0.5 END,
    CASE WHEN status = 'closed' AND r5 < 0.55 THEN 3 - (r5 * 20)::int % 3 END,
    '', reported, CASE WHEN accepted <= $2 AND stage >= 1 THEN accepted END,
    CASE WHEN dispatched <= $2 AND stage >= 1 THEN dispatched END,
    CASE WHEN signed <= $2 AND stage >= 2 THEN signed END, CASE WHEN signed <= $2 AND stage >= 2 THEN signed END,
    CASE WHEN disposed <= $2 AND stage >= 3 THEN disposed END,
    CASE WHEN verified <= $2 AND stage >= 3 THEN verified END,
    CASE status WHEN 'closed' THEN closed WHEN 'rejected' THEN accepted WHEN 'withdrawn' THEN accepted
        WHEN 'merged' THEN accepted END,
    CASE WHEN accepted <= $2 AND stage >= 1 THEN due END, CASE WHEN status = 'suspended' THEN signed END,
    CASE WHEN r1 < 0.7 THEN (a.boundary #>> '{0,0,0}')::float8 + r3 * 0.006 END,
    CASE WHEN r1 < 0.7 THEN (a.boundary #>> '{0,0,1}')::float8 + r4 * 0.0055 END,
    t.search || p.search || ('§' || to_char(reported AT TIME ZONE 'UTC', 'YYYYMM'))::tsvector
FROM (
    SELECT *, CASE WHEN accepted > $2 OR stage = 0 AND r6 < 0.02 THEN 'reported'
        WHEN stage = 0 AND r6 < 0.5 THEN 'rejected' WHEN stage = 0 AND r6 < 0.8 THEN 'withdrawn'
        WHEN stage = 0 THEN 'merged'
        WHEN signed > $2 OR stage = 1 THEN 'dispatched'
        WHEN disposed > $2 OR stage = 2 THEN CASE WHEN r6 < 0.1 THEN 'suspended' ELSE 'disposing' END
        WHEN verified > $2 THEN 'disposed' WHEN closed > $2 THEN 'verified' ELSE 'closed' END AS status
    FROM (
        SELECT *, verified - ln(1 - random()) * interval '40 hours' AS closed FROM (
            SELECT *, disposed - ln(1 - random()) * interval '4 hours' AS verified FROM (
                SELECT *, signed - ln(1 - random()) * interval '40 hours' AS disposed,
                    accepted + CASE urgency WHEN 'urgent' THEN interval '2 hours' WHEN 'pressing' THEN interval '1 day'
                        WHEN 'normal' THEN interval '7 days' ELSE interval '15 days' END AS due
                FROM (
                    SELECT *, dispatched - ln(1 - random()) * interval '3 hours' AS signed FROM (
                        SELECT *, accepted + (r2 > 0.6)::int * r3 * interval '3 hours' AS dispatched FROM (
                            SELECT *, reported + (r1 > 0.7)::int * r2 * interval '4 hours' AS accepted FROM drawn
                        ) a
                    ) b
                ) c
            ) d
        ) e
    ) f
) g
JOIN made_text t ON t.id = text_id JOIN made_place p ON p.id = place_id JOIN staff s ON s.area_id = g.grid
JOIN area a ON a.id = g.grid
"""
_DRAWN = """
CREATE TEMP TABLE drawn AS
SELECT i, ($2::timestamptz - $3::interval + (i - random()) / $1 * $3::interval) AS reported,
    random() AS r1, random() AS r2, random() AS r3, random() AS r4, random() AS r5, random() AS r6,
    1 + floor(power(random(), 1.5) * $4)::int AS text_id, 1 + floor(random() * $5)::int AS place_id,
    (ARRAY['urgent', 'pressing', 'normal', 'normal', 'normal', 'normal', 'complex'])
        [1 + floor(random() * 7)::int] AS urgency,
    -- where it stops: 0 not taken on, 1 never signed, 2 never done, 3 goes its way
    CASE WHEN random() < 0.05 THEN 0 WHEN random() < 0.001 THEN 1 WHEN random() < 0.004 THEN 2 ELSE 3 END AS stage,
    (SELECT min(id) FROM area WHERE level = 'grid') + floor(random() * 1000)::int AS grid,
    (SELECT min(id) FROM area WHERE level = 'community') + floor(random() * 100)::int AS community,
    (SELECT min(id) FROM department) + floor(random() * 40)::int AS unit,
    (SELECT min(id) FROM resident) + floor(random() * 20000)::int AS resident
FROM generate_series(1, $1::int) i
"""
_EVENTS = """
INSERT INTO case_event (case_id, at, verb, status, actor, text, public)
SELECT c.id, e.at, e.verb, e.status, e.actor, e.text, true FROM cases c
CROSS JOIN LATERAL (VALUES (c.reported_at, 'report', 'reported', '居民', c.description),
    (c.accepted_at, 'accept', 'accepted', '系统', ''),
    (c.dispatched_at, 'dispatch', 'dispatched', '系统', '已交给网格员'),
    (c.disposed_at, 'dispose', 'disposed', '网格员', '已处理'), (c.closed_at, 'close', 'closed', '居民', '确认解决了')
) AS e(at, verb, status, actor, text) WHERE c.id % $1::int = 0 AND e.at IS NOT NULL
"""

_WHAT = (
    *("楼道灯不亮", "下水道堵了", "井盖破了", "路面有坑", "垃圾没人收", "电梯停了", "水管漏水", "树枝断了"),
    *("路灯闪", "消防通道停车", "广场舞太吵", "装修半夜施工", "楼顶漏雨", "门禁坏了", "健身器材松了", "墙皮脱落"),
    *("狗没拴绳", "飞线充电", "油烟太大", "楼道堆物"),
)
_SINCE = (*("今天早上", "昨天晚上", "上周", "好几天了", "一个月了", "刚才", "前天开始", "下雨以后"),)
_WISH = (
    *("请来人看看", "老人走路不方便", "孩子差点摔倒", "打过电话没人管"),
    *("麻烦尽快处理", "物业说不归他们", "晚上看不见", "大家都有意见"),
)
_ESTATES = (
    *("东湖花园", "江景苑", "红旗小区", "铁路宿舍", "青山里", "纺织新村", "桂花园", "长江社区"),
    *("学府路小区", "菜场后街"),
)
_WORDS = (*_ESTATES[:4], "漏水", "路灯", "垃圾", "电梯", "施工", "消防通道", "老人", "物业", "井盖", "充电")


@dataclass(frozen=True, slots=True)
class City:
    """What was built: number of cases, and words that occur in them, from common to rare."""

    cases: int
    words: tuple[str, ...]


async def build(db: asyncpg.Connection, cases: int, seed: int = 7) -> City:
    """Fill an empty, migrated database. Needs the rights of its owner and those to switch triggers off."""
    chance = random.Random(seed)
    for statement in (_AREAS, _BOUNDARIES, _UNITS, _STAFF):
        await db.execute(statement)
    await db.execute(_RESIDENTS, NOW)
    texts, places = _texts(chance), _places(chance)
    await db.execute(
        "CREATE TEMP TABLE made_text (id int, category text, subject text, description text, search tsvector)"
    )
    await db.execute("CREATE TEMP TABLE made_place (id int, place text, search tsvector)")
    await db.executemany("INSERT INTO made_text VALUES ($1, $2, $3, $4, $5::text::tsvector)", texts)
    await db.executemany("INSERT INTO made_place VALUES ($1, $2, $3::text::tsvector)", places)
    await db.execute("SELECT setseed(0.42)")
    await db.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'")
    await db.execute(_DRAWN, cases, NOW, YEARS, len(texts), len(places))
    await db.execute("ANALYZE drawn, made_text, made_place, staff, area")
    indexes = await _without_indexes(db)
    # The rows are right by construction: no foreign key, and no mark for each of them, is looked at.
    await db.execute("SET session_replication_role = replica")
    await db.execute(_CASES.replace("$2", f"'{NOW.isoformat()}'::timestamptz"))
    for statement in indexes:
        await db.execute(statement)
    await db.execute(_EVENTS, TOLD)
    await db.execute("RESET session_replication_role")
    await db.execute("SELECT setval('cases_id_seq', (SELECT max(id) FROM cases))")
    await db.execute(
        "INSERT INTO figure_stale (month, place_id) "
        "SELECT DISTINCT m, coalesce(grid_id, area_id) FROM cases c, case_months(c) m ORDER BY 1, 2"
    )
    await db.execute("VACUUM ANALYZE cases, case_event, area, staff, resident, department, figure_stale")
    return City(cases, _WORDS)


def _texts(chance: random.Random) -> list[tuple[int, str, str, str, str]]:
    """Three hundred descriptions, each of a category; a few categories have most of them."""
    categories = nlp.categories()
    made = []
    for number in range(1, 301):
        category = categories[(number - 1) % len(categories)]
        text = f"{chance.choice(_WHAT)}，{chance.choice(_SINCE)}，{chance.choice(_WISH)}"
        made.append((number, category.code, category.name, text, search_vector(category.name, text)))
    return made


def _places(chance: random.Random) -> list[tuple[int, str, str]]:
    made = []
    for number in range(1, 801):
        place = f"{chance.choice(_ESTATES)}{chance.randint(1, 30)}栋{chance.randint(1, 4)}单元"
        made.append((number, place, search_vector(place)))
    return made


async def _without_indexes(db: asyncpg.Connection) -> list[str]:
    """Drop the plain indexes of `cases`, which are made faster afterwards; gives the statements that make them."""
    rows = await db.fetch(
        "SELECT i.indexname AS name, i.indexdef AS made FROM pg_indexes i WHERE i.tablename = 'cases' "
        "AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"
    )
    for row in rows:
        await db.execute(f'DROP INDEX "{row["name"]}"')
    return [row["made"] for row in rows]
