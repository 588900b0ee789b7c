"""What a broadcast will reach, and what became of it: counted from the deliveries, the outbox and the mass sends
themselves, so that no counter can disagree with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.audience_previews import SMALL
from domain.audience_rules import within
from domain.audiences import Audience, Reached, Via, list_people
from domain.broadcasts import find, hand_in, officer
from domain.clock import SHANGHAI
from domain.deliveries import audience_of
from domain.journal import MINI
from domain.mass_calls import PER_MONTH
from domain.people import Person, ancestors
from errors import NotFound
from models.broadcasts import Broadcast
from models.database import fetch
from models.enums import Channel, Level

SAMPLE = 5
_PAGE = 2000
_WINDOW = timedelta(hours=48)

OUTCOMES = {
    "waiting": "待发",
    "sending": "正在发",
    "sent": "已送达",
    "undelivered": "没送到",
    "by_hand": "要上门告知",
    "told": "已上门告知",
    "skipped": "不用发",
}


@dataclass(frozen=True, slots=True)
class Share:
    """So many people by one way, and why by this one."""

    way: str
    people: int
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom it would reach if it went out now. `sample`: names of some, masked; of a group too small for its reader
    nothing is said but that it is `small`."""

    words: str
    people: int
    skipped: int
    shares: Sequence[Share]
    sample: Sequence[str]
    small: bool = False
    more: bool = False  # counting was broken off: there are more


async def preview(person: Person, broadcast_id: int, now: datetime, most: int = 0) -> Preview:
    """Count whom it concerns, and by which way each would be told; no further than `most` where somebody waits for the
    answer. Raises NotFound."""
    found = await expected(await find(person, broadcast_id), now, most)
    above = officer(person, "read").level.rank > Level.COMMUNITY.rank
    if above and 0 < found.people + found.skipped < SMALL:
        return Preview(found.words, 0, 0, (), (), small=True)
    return found


async def submit(person: Person, broadcast_id: int, now: datetime, source: str = "", most: int = 0) -> Broadcast:
    """Count whom it concerns, as `preview` does, and ask for approval. Raises as `domain.broadcasts.hand_in`."""
    found = await expected(await find(person, broadcast_id), now, most)
    return await hand_in(person, broadcast_id, found.people, now, source)


async def expected(broadcast: Broadcast, now: datetime, most: int = 0) -> Preview:
    """The same for a broadcast at hand. Memory stays bounded however many it concerns."""
    audience, today = await audience_of(broadcast), now.astimezone(SHANGHAI).date()
    ways, sample, skipped, after, more = Counter[tuple[str, str]](), list[str](), 0, 0, False
    while broadcast.channels != [Channel.ROOM]:
        if more := bool(most and sum(ways.values()) >= most):
            break
        page = await list_people(
            broadcast.audience,
            broadcast.area_id,
            today,
            after=after,
            limit=_PAGE,
            topic=broadcast.topic,
            event=broadcast.event,
        )
        told = [one for one in page if not one.skip]
        skipped += len(page) - len(told)
        sample += [masked(one.name) or "居民" for one in told[: SAMPLE - len(sample)]]
        ways += await _ways(broadcast, told, now)
        if len(page) < _PAGE:
            break
        after = page[-1].order
    people = sum(ways.values())
    if Channel.ROOM in broadcast.channels:
        rooms = await fetch(_GRIDS, sorted(audience.area_ids))
        ways["群公告", "每个网格群一条"] = rooms[0]["grids"]
    shares = [Share(way, count, why) for (way, why), count in ways.items()]
    return Preview(await whom(broadcast, audience), people, skipped, shares, sample, more=more)


async def whom(broadcast: Broadcast, audience: Audience) -> str:
    """`东亭社区80 岁以上的人`: the rule with the area it is for, where it does not name one itself."""
    if within(audience.rule) is not None:
        return audience.words
    return f"{(await fetch(_NAMED, broadcast.area_id))[0]['name']}{audience.words}"


# A grid is only known by its community's name.
_NAMED = """
SELECT CASE WHEN a.level = 'grid' THEN coalesce(p.name, '') ELSE '' END || a.name AS name
FROM area a LEFT JOIN area p ON p.id = a.parent_id WHERE a.id = $1
"""
_GRIDS = "SELECT count(*)::int AS grids FROM area WHERE level = 'grid' AND id = ANY ($1::int[])"
_OPEN = """
SELECT p.openid, coalesce(c.last_message_at > $2, false) AS talks, (
    SELECT count(*) FROM resident r JOIN delivery d ON d.resident_id = r.id JOIN mass_call m ON m.id = d.mass_call_id
    WHERE r.openid = p.openid AND m.called_at >= $3 AND m.state IN ('planned', 'taken', 'sent'))::int AS mass
FROM unnest($1::text[]) AS p(openid) LEFT JOIN conversation c ON c.openid = p.openid
"""


async def _ways(broadcast: Broadcast, page: Sequence[Reached], now: datetime) -> Counter[tuple[str, str]]:
    local = now.astimezone(SHANGHAI)
    month = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    openids = [one.openid for one in page if one.openid]
    known = {row["openid"]: row for row in await fetch(_OPEN, openids, now - _WINDOW, month)}
    return Counter(_way(broadcast, one, known.get(one.openid or "")) for one in page)


def _way(broadcast: Broadcast, one: Reached, known: dict[str, Any] | None) -> tuple[str, str]:
    if known is None:
        return "上门或打电话", "本人和家人都没有关注公众号"
    if (one.openid or "").startswith(MINI):
        return f"{'家人的' if one.via is Via.FAMILY else ''}小程序消息", "没有关注公众号，打开小程序才看得到"
    if Channel.MASS in broadcast.channels and one.via is Via.WECHAT:
        if known["mass"] < PER_MONTH:
            return "群发", f"这个月收到的群发不到 {PER_MONTH} 次"
        if Channel.NOTICE not in broadcast.channels:
            return "群发不了", f"这个月已收满 {PER_MONTH} 次群发"
    family = "家人的" if one.via is Via.FAMILY else ""
    if known["talks"]:
        return f"{family}客服消息", "48 小时内跟公众号说过话"
    return f"{family}模板通知", "超过 48 小时没有互动，发不了客服消息"


def masked(name: str) -> str:
    """陈** of 陈桂兰."""
    return name[:1] + "*" * (len(name) - 1)


@dataclass(frozen=True, slots=True)
class Line:
    """So many with one outcome. `channel`: service, subscription, template, miniapp, mass, room."""

    outcome: str
    channel: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a broadcast so far."""

    total: int
    read: int
    lines: Sequence[Line]
    runs: Sequence[dict[str, Any]]

    def count(self, outcome: str) -> int:
        """How many people have this outcome."""
        return sum(line.count for line in self.lines if line.outcome == outcome and line.channel != "room")

    @property
    def rooms(self) -> int:
        """In how many rooms it stands."""
        return sum(line.count for line in self.lines if line.channel == "room")


# How one delivery stands; `d`, `o` its job, `c` its mass send.
_OUTCOME = """
CASE WHEN d.state = 'listed' THEN 'waiting'
    WHEN d.state <> 'queued' THEN d.state
    WHEN d.recipient LIKE 'room:%' THEN 'sent'
    WHEN d.mass_call_id IS NOT NULL THEN
        CASE c.state WHEN 'planned' THEN 'sending' WHEN 'taken' THEN 'sent' WHEN 'sent' THEN 'sent'
            ELSE 'undelivered' END
    WHEN o.id IS NULL THEN 'sent'
    WHEN o.finished_at IS NULL THEN 'sending'
    WHEN o.state = 'sent' THEN 'sent'
    ELSE 'undelivered' END AS outcome,
CASE WHEN d.state <> 'queued' THEN '' WHEN d.recipient LIKE 'room:%' THEN 'room'
    WHEN d.mass_call_id IS NOT NULL THEN 'mass' WHEN o.finished_at IS NULL THEN ''
    ELSE o.channel END AS channel,
CASE WHEN d.state <> 'queued' THEN d.reason WHEN d.mass_call_id IS NOT NULL THEN coalesce(nullif(d.reason, ''), c.error)
    ELSE coalesce(o.error, '') END AS reason
"""
_JOINED = "FROM delivery d LEFT JOIN outbox o ON o.id = d.outbox_id LEFT JOIN mass_call c ON c.id = d.mass_call_id "
_REPORT = (
    "SELECT outcome, channel, CASE WHEN outcome IN ('undelivered', 'skipped') THEN reason ELSE '' END AS reason, "  # noqa: S608 - constants of ours
    "count(*)::int AS count, count(*) FILTER (WHERE read_at IS NOT NULL)::int AS read FROM (SELECT d.read_at, "
    + _OUTCOME
    + _JOINED
    + "WHERE d.broadcast_id = $1 AND ($2::int = 0 OR d.run_id = (SELECT id FROM broadcast_run "
    + "WHERE broadcast_id = $1 AND number = $2))) AS told GROUP BY 1, 2, 3 ORDER BY count DESC, 1, 2, 3"
)

# Who has read the announcement in their grid's room has read it.
_READ_IN_ROOM = """
UPDATE delivery d SET read_at = $2 FROM delivery a, room r, room_message m, room_seat s
WHERE a.broadcast_id = $1 AND a.recipient = 'room:' || r.id AND a.state = 'queued'
    AND m.room_id = r.id AND m.client_id = 'broadcast:' || a.run_id
    AND m.kind = 'announcement' AND s.room_id = m.room_id AND s.read_seq >= m.seq
    AND d.broadcast_id = $1 AND d.run_id = a.run_id AND d.read_at IS NULL
    AND s.who IN (d.recipient, 'resident:' || d.resident_id)
"""
_ROOM_READERS = """
SELECT count(DISTINCT s.who)::int AS people FROM delivery a JOIN room r ON a.recipient = 'room:' || r.id
JOIN room_message m ON m.room_id = r.id AND m.client_id = 'broadcast:' || a.run_id
JOIN room_seat s ON s.room_id = m.room_id AND s.read_seq >= m.seq AND s.who <> m.sender
WHERE a.broadcast_id = $1 AND a.state = 'queued' AND NOT EXISTS (
    SELECT FROM delivery d WHERE d.broadcast_id = $1 AND d.run_id = a.run_id
        AND s.who IN (d.recipient, 'resident:' || d.resident_id))
"""


_RUNS = """
SELECT number, state, due_at, total, started_at, ended_at FROM broadcast_run WHERE broadcast_id = $1
ORDER BY number DESC LIMIT 30
"""


async def report(person: Person, broadcast_id: int, now: datetime, run: int = 0) -> Report:
    """What became of all runs of a broadcast, or of one of them. Raises NotFound."""
    await find(person, broadcast_id)
    await fetch(_READ_IN_ROOM, broadcast_id, now)
    rows = await fetch(_REPORT, broadcast_id, run)
    lines = [Line(row["outcome"], row["channel"], row["reason"], row["count"]) for row in rows]
    readers = (await fetch(_ROOM_READERS, broadcast_id))[0]["people"]
    return Report(
        sum(line.count for line in lines),
        sum(row["read"] for row in rows) + readers,
        lines,
        await fetch(_RUNS, broadcast_id),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """How one person's (or one room's) delivery stands."""

    id: int
    name: str
    grid: str
    outcome: str
    channel: str
    reason: str
    read_at: datetime | None


_EACH = (
    "SELECT * FROM (SELECT d.id, CASE WHEN d.recipient LIKE 'room:%' THEN '网格群' ELSE coalesce(nullif(m.name, ''), "  # noqa: S608 - constants of ours
    "nullif(r.name, ''), nullif(r.nickname, ''), '') END AS name, coalesce(g.name, '') AS grid, d.read_at, "
    + _OUTCOME
    + _JOINED
    + """
    LEFT JOIN resident r ON r.id = d.resident_id LEFT JOIN household_member m ON m.id = d.member_id
    LEFT JOIN area g ON g.id = d.grid_id
    WHERE d.broadcast_id = $1 AND d.id > $2
) AS told WHERE $3 IN ('', outcome) ORDER BY id LIMIT $4
"""
)


async def each(person: Person, broadcast_id: int, *, outcome: str = "", after: int = 0, limit: int = 50) -> list[Told]:
    """Every delivery, or those with one outcome; above the community names are masked. Raises NotFound."""
    await find(person, broadcast_id)
    near = officer(person, "read", broadcast_id).level in (Level.GRID, Level.COMMUNITY)
    rows = await fetch(_EACH, broadcast_id, after, outcome, limit)
    return [Told(**row | {"name": row["name"] if near else masked(row["name"])}) for row in rows]


@dataclass(frozen=True, slots=True)
class Unread:
    """Somebody who has not read it, or has no WeChat: whom to look for, where, and why."""

    id: int
    name: str
    place: str
    phone: str
    outcome: str
    reason: str


_UNREAD = (
    """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $2 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT id, name, place, phone, outcome, reason FROM (
    SELECT d.id, coalesce(nullif(m.name, ''), nullif(r.name, ''), nullif(r.nickname, ''), '') AS name,
        coalesce(h.building || h.unit || h.room, '') AS place,
        coalesce(nullif(r.phone, ''), nullif(h.phone, ''), '') AS phone, """  # noqa: S608 - constants of ours
    + _OUTCOME
    + _JOINED
    + """
    LEFT JOIN resident r ON r.id = d.resident_id
    LEFT JOIN household_member m ON m.id = d.member_id LEFT JOIN household h ON h.id = m.household_id
    WHERE d.broadcast_id = $1 AND d.read_at IS NULL AND d.id > $3 AND d.recipient NOT LIKE 'room:%'
        AND d.grid_id IN (SELECT id FROM down)
) AS told WHERE outcome IN ('sent', 'undelivered', 'by_hand') ORDER BY id LIMIT $4
"""
)
_CONCERNS = "SELECT area_id, state FROM broadcast WHERE id = $1"
_READERS = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $2 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT 1 FROM delivery WHERE broadcast_id = $1 AND grid_id IN (SELECT id FROM down) LIMIT 1
"""


async def unread(person: Person, broadcast_id: int, now: datetime, *, after: int = 0, limit: int = 50) -> list[Unread]:
    """Who of this person's area has not read it. A grid worker sees those of their grid, of broadcasts from above too;
    above the community names are masked and there are no numbers. Raises NotFound."""
    post = officer(person, "unread", broadcast_id)
    rows = await fetch(_CONCERNS, broadcast_id)
    mine = rows and post.area_id in await ancestors(rows[0]["area_id"])
    if not mine and not await fetch(_READERS, broadcast_id, post.area_id):
        raise NotFound(f"broadcast {broadcast_id}", tag="broadcast:unread", object_id=broadcast_id)
    await fetch(_READ_IN_ROOM, broadcast_id, now)
    found = [Unread(**row) for row in await fetch(_UNREAD, broadcast_id, post.area_id, after, limit)]
    if post.level in (Level.GRID, Level.COMMUNITY):
        return found
    return [Unread(one.id, masked(one.name), "", "", one.outcome, one.reason) for one in found]


_LATEST = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT DISTINCT b.id, b.title FROM broadcast b JOIN delivery d ON d.broadcast_id = b.id
WHERE d.grid_id IN (SELECT id FROM down) AND ($2 = '' OR position($2 IN b.title) > 0) ORDER BY b.id DESC LIMIT $3
"""


async def concerning(person: Person, words: str = "", limit: int = 6) -> list[tuple[int, str]]:
    """(id, title) of broadcasts that people of this person's area were told, the newest first."""
    post = officer(person, "list")
    return [(row["id"], row["title"]) for row in await fetch(_LATEST, post.area_id, words, limit)]


def progress(broadcast: Broadcast, seen: Report) -> str:
    """已送达 97 人，没送到 2 人，要上门告知 1 人，群公告 4 个；61 人看过。"""
    parts = [f"{said} {seen.count(outcome)} 人" for outcome, said in OUTCOMES.items() if seen.count(outcome)]
    parts += [f"群公告 {seen.rooms} 个"] if seen.rooms else []
    failed = [line for line in seen.lines if line.outcome == "undelivered" and line.reason][:2]
    why = "".join(f"\n没送到 {line.count} 人：{line.reason}" for line in failed)
    return f"【{broadcast.title}】{'，'.join(parts) or '还没有发'}；{seen.read} 人看过。{why}"
