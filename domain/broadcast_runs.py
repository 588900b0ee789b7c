"""How an approved broadcast goes out: its run starts when its time has come, whom it concerns is written down page by
page, and what is written down is handed to the outbox in small portions.

Each step is one transaction and begins where the last one ended: a worker that dies loses nothing and repeats nothing.
Nobody is written down twice for the same (`key`), and a job is made in the transaction that marks its delivery. Few of
all broadcasts' jobs wait in the outbox at a time (`MOST_WAITING`), so that the notice of a case never stands behind a
hundred thousand; in the quiet hours none is handed over unless it is urgent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog

from domain import broadcast_notices, deliveries
from domain.audiences import Reached, list_people
from domain.broadcast_calendar import next_moment
from domain.clock import SHANGHAI
from domain.timing import quiet_until
from domain.worktime import load_calendar
from errors import BadRequest
from models.broadcasts import Broadcast, BroadcastRun
from models.database import fetch, is_passing, to_json, transaction
from models.enums import Channel, RunState

log = structlog.get_logger(__name__)

MOST_WAITING = 400
"""Jobs of broadcasts in the outbox that are not finished: about a second's work of one worker."""
PORTION = 200
"""Deliveries handed over in one transaction."""
PAGE = 2000
"""People written down in one transaction."""
_ROOMS_AT_ONCE = 20
MASS_PEOPLE = 10_000
"""People of one mass send, at most (wechat.md §5); at least two."""

_DUE = """
SELECT id FROM broadcast WHERE state = 'approved' AND next_at <= $1 ORDER BY next_at, id LIMIT 1
FOR UPDATE SKIP LOCKED
"""
_BEGUN = """
INSERT INTO broadcast_run (broadcast_id, number, state, due_at, listed_to, queued_to, total, started_at)
SELECT $1, coalesce(max(number), 0) + 1, 'listing', $2, 0, 0, 0, $3 FROM broadcast_run WHERE broadcast_id = $1
"""


async def begin_runs(now: datetime) -> int:
    """Start the runs whose time has come; gives how many."""
    begun = 0
    while await _begin_one(now):
        begun += 1
    return begun


async def _begin_one(now: datetime) -> bool:
    async with transaction():
        rows = await fetch(_DUE, now)
        if not rows:
            return False
        broadcast = await Broadcast.get(id=rows[0]["id"])
        due, work = broadcast.next_at, await load_calendar()
        # What was missed while nobody worked is made up for once, not as often as it was missed.
        broadcast.next_at = next_moment(broadcast.calendar, now, work, first=False)
        await broadcast.save(update_fields=["next_at"])
        await fetch(_BEGUN, broadcast.id, due, now)
    return True


_NEXT = """
SELECT r.id FROM broadcast_run r JOIN broadcast b ON b.id = r.broadcast_id
WHERE r.state = $1 AND b.state = 'approved' AND (NOT $2 OR b.urgent) AND r.id <> ALL ($3::bigint[])
ORDER BY b.urgent DESC, r.due_at, r.id LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED FOR SHARE OF b SKIP LOCKED
"""


class RunFailed(Exception):
    """Something nobody foresaw kept one run from going on; the others can."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"run {run_id}")
        self.run_id = run_id


@contextmanager
def _part_of(run_id: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise
        raise RunFailed(run_id) from error


async def list_next(now: datetime, but: Collection[int] = ()) -> int:
    """Write down one page of whom a run concerns, of any `but` these; gives how many people were looked up, 0 when
    nothing is to be listed. Raises RunFailed."""
    async with transaction():
        rows = await fetch(_NEXT, RunState.LISTING, False, list(but))
        if not rows:
            return 0
        with _part_of(rows[0]["id"]):
            return await _list(rows[0]["id"], now)


async def _list(run_id: int, now: datetime) -> int:
    run = await BroadcastRun.get(id=run_id).select_related("broadcast")
    broadcast: Broadcast = run.broadcast
    try:
        people = await _page(broadcast, run, now)
    except BadRequest as error:
        # A kind of fact was taken out of use since: whoever wrote it must look, and nobody else has to wait.
        log.warning("broadcast paused", broadcast=broadcast.id, reason=error.detail)
        await fetch(_STOP, broadcast.id, error.say[:200])
        return 1
    if not await _are_here(people):
        return 1  # somebody has become one with another since: the page is read anew
    run.total += await _write_down(broadcast, run, people)
    run.listed_to = people[-1].order if people else run.listed_to
    if len(people) < PAGE:
        run.state = RunState.SENDING
        run.total += await _rooms(broadcast, run)
    await run.save(update_fields=["total", "listed_to", "state"])
    return max(1, len(people))


_STOP = "UPDATE broadcast SET state = 'paused', why = $2 WHERE id = $1"


async def _page(broadcast: Broadcast, run: BroadcastRun, now: datetime) -> list[Reached]:
    return await list_people(
        broadcast.audience,
        broadcast.area_id,
        now.astimezone(SHANGHAI).date(),
        after=run.listed_to,
        limit=PAGE,
        topic=broadcast.topic,
        event=broadcast.event,
    )


_READERS = "SELECT FROM resident WHERE id = ANY ($1::bigint[]) ORDER BY id FOR KEY SHARE"
_MEMBERS = "SELECT FROM household_member WHERE id = ANY ($1::bigint[]) ORDER BY id FOR KEY SHARE"


async def _are_here(people: Sequence[Reached]) -> bool:
    """Whether all readers, and all whom it is about, are still there; until the commit they stay."""
    readers = {one.resident_id for one in people if one.resident_id}
    members = {one.member_id for one in people if one.member_id}
    here = len(await fetch(_READERS, list(readers))) == len(readers)
    return here and len(await fetch(_MEMBERS, list(members))) == len(members)


# Who has opted out, or has not agreed, is written down with the reason, so that staff see why they got nothing.
_WRITE_DOWN = """
INSERT INTO delivery (broadcast_id, run_id, key, recipient, resident_id, member_id, grid_id, state, reason)
SELECT $1, $2, p.key, p.recipient, p.resident_id, p.member_id, p.grid_id,
    CASE WHEN p.skip <> '' THEN 'skipped' WHEN NOT p.reached THEN 'by_hand' ELSE 'listed' END, p.skip
FROM jsonb_to_recordset($3::jsonb) AS p(place int, key text, recipient text, resident_id bigint, member_id bigint,
    grid_id int, reached boolean, skip text)
ORDER BY p.place ON CONFLICT (broadcast_id, key, recipient) DO NOTHING RETURNING id
"""


async def _write_down(broadcast: Broadcast, run: BroadcastRun, people: Sequence[Reached]) -> int:
    """Only where somebody is to be told by name: a broadcast for rooms alone has no people."""
    if broadcast.channels == [Channel.ROOM] or not people:
        return 0
    listed = [
        {
            "place": place,
            "key": one.key_date.isoformat() if one.key_date else str(run.number),
            "recipient": one.recipient,
            "resident_id": one.resident_id,
            "member_id": one.member_id,
            "grid_id": one.grid_id,
            "reached": bool(one.openid),
            "skip": one.skip[:200],
        }
        for place, one in enumerate(people)
    ]
    return len(await fetch(_WRITE_DOWN, broadcast.id, run.id, to_json(listed)))


_ROOMS = """
WITH RECURSIVE down AS (
    SELECT id, level FROM area WHERE id = $3
    UNION ALL SELECT a.id, a.level FROM area a JOIN down ON a.parent_id = down.id
), made AS (
    INSERT INTO room (key, kind, grid_id, last_seq, auto_case, created_at, changed_at)
    SELECT 'grid:' || id, 'grid', id, 0, false, now(), now() FROM down WHERE level = 'grid' AND id = ANY ($5::int[])
    ON CONFLICT (key) DO NOTHING RETURNING id, grid_id
)
INSERT INTO delivery (broadcast_id, run_id, key, recipient, grid_id, state, reason)
SELECT $1, $2, $4, 'room:' || r.id, r.grid_id, 'listed', '' FROM (
    SELECT id, grid_id FROM made
    UNION SELECT room.id, room.grid_id FROM room JOIN down ON down.id = room.grid_id
    WHERE room.kind = 'grid' AND room.grid_id = ANY ($5::int[])
) r ORDER BY r.id ON CONFLICT (broadcast_id, key, recipient) DO NOTHING RETURNING id
"""


async def _rooms(broadcast: Broadcast, run: BroadcastRun) -> int:
    """The room of every grid it is for."""
    if Channel.ROOM not in broadcast.channels:
        return 0
    audience = await deliveries.audience_of(broadcast)
    grids = sorted(audience.area_ids)
    return len(await fetch(_ROOMS, broadcast.id, run.id, broadcast.area_id, str(run.number), grids))


_WAITING = "SELECT count(*) AS jobs FROM outbox WHERE finished_at IS NULL AND kind = 'notice' AND payload ? 'delivery'"
_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock($1) AS mine"
_LOCK = 0x6C696E6C6902


async def hand_over(now: datetime, portion: int | None = None, but: Collection[int] = ()) -> int:
    """Hand one portion of written-down deliveries to the outbox, of any run `but` these; gives how many, 0 when there
    is nothing to hand over or enough waits there. `portion`: so many, whatever waits there. Raises RunFailed."""
    async with transaction():
        if not (await fetch(_ONE_AT_A_TIME, _LOCK))[0]["mine"]:
            return 0
        room = portion or MOST_WAITING - (await fetch(_WAITING))[0]["jobs"]
        quiet = quiet_until(now) is not None
        seen = list(but)
        while room > 0 and (rows := await fetch(_NEXT, RunState.SENDING, quiet, seen)):
            seen.append(rows[0]["id"])
            with _part_of(seen[-1]):
                run = await BroadcastRun.get(id=seen[-1]).select_related("broadcast")
                mass = _first_of(run.broadcast) is Channel.MASS
                if handed := await _portion(run, MASS_PEOPLE if mass else min(room, PORTION), now):
                    return handed
                await _finish(run, now)
    return 0


async def _portion(run: BroadcastRun, most: int, now: datetime) -> int:
    broadcast: Broadcast = run.broadcast
    picked = await fetch(_PICK, run.id, most, broadcast.topic, run.queued_to)
    if not picked:
        return 0
    rooms = [row for row in picked if row["recipient"].startswith("room:")]
    if rooms[_ROOMS_AT_ONCE:]:
        picked = [row for row in picked if row["id"] < rooms[_ROOMS_AT_ONCE]["id"]]
    for row in rooms[:_ROOMS_AT_ONCE]:
        await deliveries.announce(broadcast, run, row["id"], int(row["recipient"].removeprefix("room:")), now)
    people = [row for row in picked if not row["recipient"].startswith("room:")]
    gone = [row for row in people if row["skip"]]
    await deliveries.skip(gone)
    left = [row for row in people if not row["skip"]]
    unreached = [row["id"] for row in left if not row["openid"]]
    await deliveries.leave_by_hand(unreached)
    told = [row for row in left if row["openid"]]
    if _first_of(broadcast) is Channel.MASS:
        told = await deliveries.by_mass(run, told, now)
    await deliveries.by_notice(broadcast, told, now)
    run.queued_to = picked[-1]["id"]
    await run.save(update_fields=["queued_to"])
    return len(picked)


def _first_of(broadcast: Broadcast) -> Channel:
    """By which way each person is told: the first that is named."""
    return next((Channel(one) for one in broadcast.channels if one != Channel.ROOM), Channel.NOTICE)


# Looked at once more: between the two somebody may have had themselves forgotten, or opted out.
_PICK = """
SELECT d.id, d.recipient, coalesce(s.openid, r.openid) AS openid,
    CASE WHEN m.resident_id IS DISTINCT FROM d.resident_id THEN coalesce(m.name, '') ELSE '' END AS about,
    CASE WHEN r.deleted_at IS NOT NULL THEN '已注销'
        WHEN d.recipient LIKE 'staff:%' AND s.id IS NULL THEN '已不在岗'
        WHEN EXISTS (SELECT FROM opt_out o WHERE o.resident_id = d.resident_id AND o.topic IN ($3, '*')
            AND $3 <> 'safety') THEN '已退订'
        ELSE '' END AS skip
FROM delivery d
LEFT JOIN resident r ON r.id = d.resident_id
LEFT JOIN staff s ON s.active AND s.id = CASE WHEN d.recipient LIKE 'staff:%' THEN substr(d.recipient, 7)::int END
LEFT JOIN household_member m ON m.id = d.member_id
WHERE d.run_id = $1 AND d.state = 'listed' AND d.id > $4 ORDER BY d.id LIMIT $2 FOR UPDATE OF d
"""
_UNFINISHED = """
SELECT EXISTS (
    SELECT FROM outbox o JOIN delivery d ON d.id = (o.payload->>'delivery')::bigint
    WHERE o.finished_at IS NULL AND o.payload ? 'delivery' AND d.run_id = $1
) OR EXISTS (SELECT FROM mass_call WHERE run_id = $1 AND state = 'planned') AS left
"""
_OVER = "UPDATE broadcast SET state = 'done' WHERE id = $1 AND state = 'approved' AND next_at IS NULL"


async def _finish(run: BroadcastRun, now: datetime) -> None:
    """A run of which nothing waits any more is over, and with its last one the broadcast."""
    if (await fetch(_UNFINISHED, run.id))[0]["left"]:
        return
    run.state, run.ended_at = RunState.DONE, now
    await run.save(update_fields=["state", "ended_at"])
    await fetch(_OVER, run.broadcast_id)
    await broadcast_notices.to_workers(run.broadcast, run.id, now)


_ANYTHING = """
SELECT EXISTS (SELECT FROM broadcast WHERE state = 'approved' AND next_at <= $1) OR EXISTS (
    SELECT FROM broadcast_run r JOIN broadcast b ON b.id = r.broadcast_id
    WHERE r.state IN ('listing', 'sending') AND b.state = 'approved') AS work
"""


async def has_work(now: datetime) -> bool:
    """Whether a broadcast is to be sent now, or is being sent."""
    return bool((await fetch(_ANYTHING, now))[0]["work"])


async def advance(now: datetime) -> int:
    """Everything that can be done now: start, write down, hand over. Gives how much was done. Raises RunFailed when
    all is done but what failed."""
    done, failed = await begin_runs(now), dict[int, RunFailed]()
    while True:
        try:
            step = await list_next(now, failed) + await hand_over(now, but=failed)
        except RunFailed as error:
            failed[error.run_id] = error
            continue
        if not step:
            break
        done += step
    for failure in failed.values():
        raise failure
    return done
