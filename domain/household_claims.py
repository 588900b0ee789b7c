"""“我住3栋2单元501”: a resident says which household they belong to, and who keeps it confirms by a tap.

What a resident is told does not depend on what the register has, so nobody finds out by asking who lives where.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.audiences import fact_kinds
from domain.clock import template_number, template_time
from domain.facts import MEMBER_ROWS, Member, keeper, kept_member, read_member
from domain.homes import Home
from domain.households import SELF_NAMED, open_household
from domain.journal import Notice, audit
from domain.notices import TAP_LABELS, Tap, tap_id
from domain.people import Person, stand_in
from domain.telling import tell
from domain.timing import quiet_until
from errors import BadRequest, Conflict, NotAllowed, TooMany
from models.database import fetch, transaction

_LONGEST_NAME = 20
#: Claims of one person in a day: each goes to the grid worker's phone.
_MOST_TRIES = 5

_TRIES = "SELECT count(*) FROM audit_event WHERE tag = 'member:claim' AND actor = $1 AND at > $2"
_PLACES = """
SELECT id FROM household WHERE grid_id = $1 AND building = $2 AND room = $4 AND ($3 = '' OR unit = $3)
ORDER BY id LIMIT 2
"""
_THERE = """
SELECT 1 FROM household_member
WHERE household_id = $1 AND name = $2 AND resident_id = $3 AND confirmed_at IS NOT NULL
"""
# A row of that name that nobody is, or a new one; who is there already stays who they are.
_TAKE = """
UPDATE household_member SET resident_id = $3, confirmed_at = NULL, changed_at = $4
WHERE household_id = $1 AND name = $2 AND resident_id IS NULL RETURNING id
"""
_NEW = """
INSERT INTO household_member (household_id, name, relation, facts, resident_id, source, changed_at)
SELECT $1, $2 || CASE WHEN EXISTS (SELECT FROM household_member WHERE household_id = $1 AND name = $2)
    THEN '（' || $3::bigint || '）' ELSE '' END, '', '{}'::jsonb, $3, 'resident:' || $3::bigint, $4
ON CONFLICT (household_id, name) DO UPDATE SET changed_at = excluded.changed_at RETURNING id
"""


# One step of a person after the other, and the person before what is theirs.
_FIRST = "SELECT FROM resident WHERE id = $1 FOR NO KEY UPDATE"


async def claim(person: Person, home: Home, name: str, now: datetime, source: str = "") -> None:
    """Say to which household of one's grid one belongs; whoever keeps it is asked. What was said before and nobody has
    confirmed ends. Raises NotAllowed without a grid, BadRequest for a name that is none,
    Conflict for who is known to be that, TooMany."""
    if person.home is None or not person.resident_id:
        raise NotAllowed("no grid", say="请先选您住的网格，再说住哪一户。", chat="回复“我的网格”就能选。")
    name = "".join(name.split())
    if not 2 <= len(name) <= _LONGEST_NAME:
        raise BadRequest("name", say="请写您的姓名，2 到 20 个字，网格员好核对。")
    async with transaction():
        await fetch(_FIRST, person.resident_id)
        if (await fetch(_TRIES, person.actor, now - timedelta(days=1)))[0]["count"] >= _MOST_TRIES:
            raise TooMany("claims", say="今天说过好几次住址了。请当面找网格员核对，或明天再说。", retry_after=86_400)
        await _end_open(person.resident_id)
        places = await fetch(_PLACES, person.home.grid_id, home.building, home.unit, home.room)
        household_id = (
            places[0]["id"] if len(places) == 1 else await open_household(person.home.grid_id, home, SELF_NAMED)
        )
        if await fetch(_THERE, household_id, name, person.resident_id):
            raise Conflict("belongs there", say="您已经登记在这一户了。", chat="回复“我的档案”可以看。")
        taken = await fetch(_TAKE, household_id, name, person.resident_id, now)
        rows = taken or await fetch(_NEW, household_id, name, person.resident_id, now)
        await audit(person.actor, "member:claim", rows[0]["id"], now, source=source)
        await _ask(person, rows[0]["id"], home, name, now)


async def leave(person: Person, now: datetime, source: str = "") -> None:
    """Be a member of no household any more: what one said of oneself is deleted, what staff keep is nobody's WeChat."""
    async with transaction():
        await fetch(_FIRST, person.resident_id)
        await _end_open(person.resident_id)
        await _unlink(person.resident_id, 0, now)
        await audit(person.actor, "member:leave", person.resident_id, now, source=source)


_UNLINK = """
UPDATE household_member SET resident_id = NULL, confirmed_at = NULL, changed_at = $3
WHERE resident_id = $1 AND id <> $2 RETURNING id
"""
_OWN_WORDS = "DELETE FROM household_member WHERE id = ANY ($1::bigint[]) AND source = $2 RETURNING household_id"
_EMPTY = """
DELETE FROM household h WHERE h.id = ANY ($1::bigint[]) AND h.note = $2
    AND NOT EXISTS (SELECT FROM household_member m WHERE m.household_id = h.id)
"""
_OPEN = """
SELECT id, household_id, source FROM household_member WHERE resident_id = $1 AND confirmed_at IS NULL FOR UPDATE
"""


def _ids(rows: Sequence[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


async def _unlink(resident_id: int, but: int, now: datetime) -> None:
    """They are no member any more, except that one: a row of their own words goes, one that staff keep is nobody's."""
    rows = await fetch(_UNLINK, resident_id, but, now)
    own = await fetch(_OWN_WORDS, _ids(rows), f"resident:{resident_id}")
    await fetch(_EMPTY, [row["household_id"] for row in own], SELF_NAMED)


async def _end_open(resident_id: int) -> None:
    """What this resident said and nobody has confirmed: a row of their own goes, a row of staff is nobody's again."""
    rows = await fetch(_OPEN, resident_id)
    own = [row for row in rows if row["source"] == f"resident:{resident_id}"]
    await fetch("DELETE FROM household_member WHERE id = ANY ($1::bigint[])", _ids(own))
    await fetch("UPDATE household_member SET resident_id = NULL WHERE id = ANY ($1::bigint[])", _ids(rows))
    await fetch(_EMPTY, [row["household_id"] for row in own], SELF_NAMED)


async def _ask(person: Person, member_id: int, home: Home, name: str, now: datetime) -> None:
    """Whoever answers for the grid now gets the two taps."""
    worker = person.home.worker if person.home else None
    post = await stand_in(worker, now) if worker else None
    if post is None or not post.openid:
        return
    later = quiet_until(now)
    text = f"{name}说自己住{home}，请核对。\n点一下，或打开小程序的“住户”处理。"
    choices = [(TAP_LABELS[tap], tap_id(member_id, tap)) for tap in (Tap.LIVES_HERE, Tap.NOT_HERE)]
    await tell(Notice(post.openid, text, choices, _fields("核对住户", "待核对", later or now)), now, later=later)


def _fields(subject: str, status: str, now: datetime) -> dict[str, str]:
    return {
        "number": template_number(now),
        "subject": subject,
        "status": status,
        "time": template_time(now),
        "note": "打开看看",
    }


_WAITING = (
    MEMBER_ROWS
    + """
JOIN area g ON g.id = h.grid_id
WHERE m.resident_id IS NOT NULL AND m.confirmed_at IS NULL AND $1 IN (g.id, g.parent_id)
ORDER BY m.changed_at, m.id LIMIT $2
"""
)


async def waiting_claims(person: Person, limit: int = 50) -> list[Member]:
    """Who says to belong to a household this person keeps, and waits; the oldest first."""
    post = keeper(person, "claim:list")
    kinds = {code: kind for code, kind in (await fact_kinds()).items() if not kind.sensitive}
    return [read_member(row, kinds) for row in await fetch(_WAITING, post.area_id, limit)]


# The person before what is theirs, as everywhere.
_WHOSE = """
SELECT FROM resident r JOIN household_member m ON m.resident_id = r.id WHERE m.id = $1 FOR NO KEY UPDATE OF r
"""
_CONFIRM = """
UPDATE household_member SET confirmed_at = $2, changed_at = $2 WHERE id = $1 AND confirmed_at IS NULL
RETURNING resident_id
"""
_MOVE_IN = "UPDATE resident SET grid_id = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING openid"


async def confirm(person: Person, member_id: int, now: datetime, source: str = "") -> Member:
    """They are who they say: their notices reach them, and they see and correct what is known of them. Whoever they
    were before in another household they are no more. Raises NotFound, NotAllowed, Conflict."""
    async with transaction():
        await fetch(_WHOSE, member_id)
        member = await kept_member(person, member_id, "confirm")
        if not member.claimed or member.resident_id is None:
            raise Conflict("nothing to confirm", say="这一条已经处理过了。")
        await _unlink(member.resident_id, member_id, now)
        await fetch(_CONFIRM, member_id, now)
        rows = await fetch(_MOVE_IN, member.resident_id, member.grid_id)
        await audit(person.actor, "member:confirm", member_id, now, source=source)
        said = f"已核对，您住{member.place}。\n回复“我的档案”可以看、可以改社区记下的内容。"
        await _answer(rows[0]["openid"] if rows else "", said, "已核对", now)
        return await kept_member(person, member_id)


async def refuse(person: Person, member_id: int, now: datetime, source: str = "") -> None:
    """They are not. Raises NotFound, NotAllowed, Conflict."""
    async with transaction():
        member = await kept_member(person, member_id, "confirm")
        if not member.claimed or member.resident_id is None:
            raise Conflict("nothing to refuse", say="这一条已经处理过了。")
        rows = await fetch("SELECT openid FROM resident WHERE id = $1", member.resident_id)
        await _end_open(member.resident_id)
        await audit(person.actor, "member:refuse", member_id, now, source=source)
        said = "您说的住址网格员核对不上。\n请再说一次“我住3栋2单元501”，或当面找网格员。"
        await _answer(rows[0]["openid"] if rows else "", said, "没对上", now)


async def _answer(openid: str, said: str, status: str, now: datetime) -> None:
    await tell(Notice(openid, said, (), _fields("您的住址", status, now)), now)
