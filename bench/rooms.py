"""`linli bench rooms`: how long until the last of thousands of members has what one of them said.

One web process, one room, one WebSocket for each member, all of them in this process; both share the machine with the
engines. A member's post goes the whole way: checked, understood, numbered, committed with fsync, read back by the hub,
and written to everybody. The clock runs from before the post is sent until the last member has read the whole frame.
Every member checks that each number follows the one before: one entry missing or doubled anywhere fails the run.

Peers, in the same run with the same clients and frames of the same size: a bare aiohttp loop and the `websockets`
library's own broadcast, both without database, identity or memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import Any

from app.serve import lift_file_limit
from bench import stage
from bench.members import Crowd
from bench.stage import BenchFailed, Place
from domain import consents
from domain.people import grid_codes
from domain.rooms import room_of_grid
from models.database import database, fetch
from models.enums import Purpose

_PAUSE = 0.05  # seconds between two posts whose way is timed
_FILES = 100  # open files of this process besides the members
_WINDOW = 8  # posts under way at once where deliveries a second are counted
_TEXT = "3栋2单元的楼道灯坏了好几天了，晚上老人上下楼看不见，麻烦网格员看一下，谢谢大家。第{}条"


@dataclass(slots=True)
class Told:
    """What one size of one server gave."""

    members: int
    ways: list[float] = field(default_factory=list)  # seconds until the last member had it, a post each
    deliveries_per_s: float = 0.0
    kb_per_socket: float = 0.0

    def percentile_ms(self, share: float) -> float:
        """The time that `share` of the posts did not exceed."""
        ordered = sorted(self.ways)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a room is served, and whose process it is."""

    port: int
    path: str
    room: int
    pid: int
    tokens: Sequence[str]


async def measure(server: Server, sizes: Sequence[int], posts: int) -> list[Told]:
    """Let the members in, size by size, and post at each. Raises BenchFailed when one delivery is missing."""
    crowd, numbers, told = Crowd(), count(), list[Told]()
    empty = stage.resident_megabytes(server.pid)
    for size in sizes:
        await crowd.grow(server.port, server.path, server.tokens[len(crowd.members) : size], server.room)
        now = Told(size, kb_per_socket=round((stage.resident_megabytes(server.pid) - empty) * 1024 / size, 1))
        await _one_by_one(crowd, numbers, 3)
        now.ways = await _one_by_one(crowd, numbers, posts)
        now.deliveries_per_s = await _all_at_once(crowd, numbers, posts)
        if crowd.faults:
            raise BenchFailed(f"{len(crowd.faults)} faults with {size} members; the first: {crowd.faults[0]}")
        told.append(now)
    crowd.close()
    return told


async def _one_by_one(crowd: Crowd, numbers: count[int], posts: int) -> list[float]:
    """Each post when everybody has had the last one."""
    ways = []
    for place in range(posts):
        sender, number = crowd.members[place * 7 % len(crowd.members)], next(numbers)
        begin = perf_counter()
        seq = await sender.post(number, _TEXT.format(number))
        ways.append(await crowd.everybody_has(seq) - begin)
        await asyncio.sleep(_PAUSE)
    crowd.forget()
    return ways


async def _all_at_once(crowd: Crowd, numbers: count[int], posts: int) -> float:
    """Several posts under way at any time; deliveries a second from the first word to the last member's last frame."""
    gate, seqs = asyncio.Semaphore(_WINDOW), list[int]()

    async def post(number: int) -> None:
        async with gate:
            seqs.append(await crowd.members[number * 7 % len(crowd.members)].post(number, _TEXT.format(number)))

    begin = perf_counter()
    async with asyncio.TaskGroup() as posting:
        for _ in range(posts):
            posting.create_task(post(next(numbers)))
    ended = max([await crowd.everybody_has(seq) for seq in seqs])
    crowd.forget()
    return posts * len(crowd.members) / (ended - begin)


async def peer(place: Place, name: str, sizes: Sequence[int], posts: int) -> list[Told]:
    """The same talk with a server that does nothing else."""
    port = stage.free_port()
    async with stage.process(place, name, "bench.fanout", name, str(port)) as pid:
        return await measure(Server(port, "/", 1, pid, [""] * max(sizes)), sizes, posts)


# All of them live in the first grid and agree that neighbours read what they write.
_RESIDENTS = """
WITH grid AS (SELECT id FROM area WHERE code = $1), people AS (
    INSERT INTO resident (openid, grid_id, created_at, minor)
    SELECT 'oBenchMember' || lpad(n::text, 16, '0'), grid.id, now(), false
    FROM grid, generate_series(1, cardinality($2::text[])) AS n RETURNING id, openid
), agreed AS (
    INSERT INTO purpose_consent (resident_id, purpose, version, given_at, source)
    SELECT id, 'room', $3, now(), 'bench' FROM people
)
INSERT INTO login_token (digest, kind, resident_id, device, created_at, seen_at, expires_at)
SELECT digests.digest, 'miniapp', people.id, '', now(), now(), now() + interval '1 day'
FROM people JOIN unnest($2::text[]) WITH ORDINALITY AS digests(digest, n)
    ON people.openid = 'oBenchMember' || lpad(digests.n::text, 16, '0')
"""


async def settle(place: Place, members: int) -> tuple[int, list[str]]:
    """Let the members move in and sign in; gives the room and their tokens."""
    tokens = [f"ll_{secrets.token_urlsafe(32)}" for _ in range(members)]
    digests = [hashlib.sha256(token.encode()).hexdigest() for token in tokens]
    async with database(place.database_url, 2):
        grid = (await grid_codes())[0]
        await fetch(_RESIDENTS, grid, digests, consents.texts()[Purpose.ROOM].version)
        await fetch("VACUUM ANALYZE resident, login_token, purpose_consent")
        rows = await fetch("SELECT id FROM area WHERE code = $1", grid)
        return (await room_of_grid(rows[0]["id"])).id, tokens


async def run(place: Place, seconds: float, sizes: Sequence[int]) -> dict[str, Any]:
    """The whole benchmark over a migrated database with the demo community: figures, peers and ratios."""
    if (most := lift_file_limit()) < max(sizes) + _FILES:
        raise BenchFailed(f"{max(sizes)} members need {max(sizes) + _FILES} open files, {most} are allowed: ulimit -n")
    posts = max(10, int(seconds * 10))
    room, tokens = await settle(place, max(sizes))
    port = stage.free_port()
    async with stage.process(place, "web", "app.cli", "web", **stage.settings(place, port, 1, 16)) as pid:
        ours = await measure(Server(port, "/api/v1/ws", room, pid, tokens), sizes, posts)
    bare = await peer(place, "aiohttp", sizes, posts)
    library = await peer(place, "websockets", sizes, posts)
    return _result(ours, {"bare_loop": bare, "websockets": library})


def _result(ours: Sequence[Told], peers: Mapping[str, Sequence[Told]]) -> dict[str, Any]:
    """Deliveries a second and memory are those of the middle size; all sizes stand beside."""
    middle = len(ours) // 2
    figures = _figures(ours)
    return {
        "figures": figures | {"posts": len(ours[0].ways)},
        "peers": {
            f"{name}_{figure}": value for name, told in peers.items() for figure, value in _figures(told).items()
        },
        "ratios": {
            f"of_{name}": round(ours[middle].deliveries_per_s / told[middle].deliveries_per_s, 3)
            for name, told in peers.items()
        },
    }


def _figures(told: Sequence[Told]) -> dict[str, Any]:
    middle = told[len(told) // 2]
    return {
        "last_member_p50_ms": {str(one.members): one.percentile_ms(0.5) for one in told},
        "last_member_p99_ms": {str(one.members): one.percentile_ms(0.99) for one in told},
        "deliveries_per_s": round(middle.deliveries_per_s),
        "deliveries_per_s_by_size": {str(one.members): round(one.deliveries_per_s) for one in told},
        "kb_per_socket": middle.kb_per_socket,
    }
