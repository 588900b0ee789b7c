"""档案: what is known of a person of a household, who may know it, and how it is changed.

The grid's worker and the community keep it; each sensitive fact they read leaves an audit row. Whom it is about reads
all of it and puts it right; family and neighbours read nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.audience_rules import KnownFact
from domain.audiences import fact_kinds
from domain.clock import template_number, template_time
from domain.fact_tables import OLDEST, say_value, value_of
from domain.journal import Notice, audit
from domain.people import Person, Post, stand_in
from domain.table_values import day
from domain.tables import Wrong
from domain.telling import tell
from domain.timing import quiet_until
from errors import BadRequest, NotAllowed, NotFound
from models.database import fetch, from_json, to_json, transaction
from models.enums import FactType, Role

#: Who keeps households: the worker of the grid, and the community it belongs to.
KEEPERS = (Role.GRID_WORKER, Role.COMMUNITY_STAFF)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known. `value` is None where it is not."""

    kind: KnownFact
    value: Any

    @property
    def is_tag(self) -> bool:
        """It is so or not."""
        return self.kind.type is FactType.YES

    @property
    def said(self) -> str:
        """是, 2027-01-15, 丧偶; "" where nothing is known."""
        return "" if self.value is None else say_value(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a household. `claimed`: a follower says to be this person and nobody has confirmed it."""

    id: int
    household_id: int
    grid_id: int
    place: str
    name: str
    relation: str
    birthday: date | None
    facts: Sequence[Fact]
    resident_id: int | None
    claimed: bool
    changed_at: datetime

    @property
    def known(self) -> Sequence[Fact]:
        """What is known, tags that are a no left out."""
        return [fact for fact in self.facts if fact.value not in (None, False)]


MEMBER_ROWS = """
SELECT m.id, m.household_id, h.grid_id, h.building || h.unit || h.room AS place, m.name, m.relation, m.birthday,
    m.facts, m.resident_id, m.confirmed_at, m.changed_at
FROM household_member m JOIN household h ON h.id = m.household_id
"""


def read_member(row: Mapping[str, Any], kinds: Mapping[str, KnownFact]) -> Member:
    """A row of `MEMBER_ROWS`."""
    facts = from_json(row["facts"])
    return Member(
        row["id"],
        row["household_id"],
        row["grid_id"],
        row["place"],
        row["name"],
        row["relation"],
        row["birthday"],
        [Fact(kind, facts.get(code)) for code, kind in kinds.items()],
        row["resident_id"],
        row["resident_id"] is not None and row["confirmed_at"] is None,
        row["changed_at"],
    )


def keeper(person: Person, tag: str, object_id: int | None = None) -> Post:
    """The post of whoever keeps households. Raises NotAllowed."""
    post = person.post
    if post is None or post.role not in KEEPERS:
        raise NotAllowed(
            f"{person.actor} keeps no households",
            say="住户档案由网格员和社区管理。",
            tag=tag,
            object_id=object_id,
        )
    return post


_KEPT = MEMBER_ROWS + "JOIN area g ON g.id = h.grid_id WHERE m.id = $1 AND $2 IN (g.id, g.parent_id) FOR UPDATE OF m"
_OF_HOME = MEMBER_ROWS + "WHERE h.id = $1 ORDER BY m.id LIMIT 50"


async def kept_member(person: Person, member_id: int, verb: str = "read") -> Member:
    """A member of a household that this person keeps; locked inside a transaction. Raises NotFound, NotAllowed."""
    post = keeper(person, f"member:{verb}", member_id)
    rows = await fetch(_KEPT, member_id, post.area_id)
    if not rows:
        raise NotFound(f"member {member_id}", tag=f"member:{verb}", object_id=member_id)
    return read_member(rows[0], await fact_kinds())


async def show_member(person: Person, member_id: int, now: datetime, source: str = "") -> Member:
    """The same to be read: what is sensitive leaves an audit row."""
    async with transaction():
        member = await kept_member(person, member_id)
        if any(fact.kind.sensitive for fact in member.known):
            await audit(person.actor, "member:read_sensitive", member_id, now, source=source)
        return member


async def members_of(household_id: int) -> list[Member]:
    """Everybody of a household, without what is sensitive."""
    kinds = {code: kind for code, kind in (await fact_kinds()).items() if not kind.sensitive}
    return [read_member(row, kinds) for row in await fetch(_OF_HOME, household_id)]


_SET = """
UPDATE household_member SET facts = CASE WHEN $3::jsonb IS NULL THEN facts - $2::text
    ELSE facts || jsonb_build_object($2::text, $3::jsonb) END, source = coalesce($4, source), changed_at = $5
WHERE id = $1
"""


async def set_fact(person: Person, member_id: int, code: str, said: Any, now: datetime, source: str = "") -> Member:
    """Note what is known of a member; None = nothing any more. Raises NotFound, NotAllowed, BadRequest."""
    async with transaction():
        await kept_member(person, member_id, "set_fact")
        kind = await _kind(code)
        await _write(member_id, kind, said, person.actor, now)
        await audit(person.actor, "member:set_fact", member_id, now, source=source)
        return await kept_member(person, member_id)


async def _kind(code: str) -> KnownFact:
    """A kind by its code, or as people call it."""
    kinds = await fact_kinds()
    found = kinds.get(code) or next((kind for kind in kinds.values() if kind.name == code), None)
    if found is None:
        names = "、".join(kind.name for kind in kinds.values())
        raise BadRequest("no such fact", say=f"没有这一项。可以写：{names or '还没有档案项'}。")
    return found


async def _write(member_id: int, kind: KnownFact, said: Any, by: str | None, now: datetime) -> None:
    try:
        value = None if said is None else value_of(kind, said)
    except Wrong as error:
        raise BadRequest("fact value", say=f"{kind.name}：{error.wrong}。{error.mend}") from None
    await fetch(_SET, member_id, kind.code, None if value is None else to_json(value), by, now)


_MINE = MEMBER_ROWS + "WHERE m.resident_id = $1 ORDER BY m.confirmed_at DESC NULLS LAST, m.id DESC LIMIT 1"


async def my_record(person: Person) -> Member | None:
    """What is known of this resident; before staff confirmed who they are, what they said of themselves alone."""
    rows = await fetch(_MINE, person.resident_id)
    if not rows:
        return None
    row = rows[0]
    if row["confirmed_at"] is None:
        row |= {"facts": "{}", "birthday": None, "relation": ""}
    return read_member(row, await fact_kinds())


async def correct(person: Person, changes: Mapping[str, Any], now: datetime, source: str = "") -> Member:
    """Put right what is known of oneself, by the codes or names of facts, `birthday` and `relation`; None takes it
    away. Raises NotFound for who has no confirmed record, BadRequest."""
    async with transaction():
        mine = await my_record(person)
        if mine is None or mine.claimed:
            say = "还没有您的档案。请先登记住址，网格员核对后就有了。"
            raise NotFound("no record", say=say, chat="登记就回复“我住3栋2单元501”这样的话。")
        for name, said in changes.items():
            if name in ("birthday", "生日"):
                await set_birthday(mine.id, said, now)
            else:
                await _write(mine.id, await _kind(name), said, None, now)
        await audit(person.actor, "member:correct", mine.id, now, source=source)
        await _tell_worker(person, mine, now)
        return await my_record(person) or mine


async def _tell_worker(person: Person, mine: Member, now: datetime) -> None:
    """Whoever keeps the household looks whether what was put right is so."""
    worker = person.home.worker if person.home else None
    post = await stand_in(worker, now) if worker else None
    if post is None or not post.openid:
        return
    later = quiet_until(now)
    fields = {
        "number": template_number(later or now),
        "subject": "住户改了档案",
        "status": "请看一下",
        "time": template_time(later or now),
        "note": "打开看看",
    }
    text = f"{mine.name}（{mine.place}）改了自己的档案。\n要看回复“档案 {mine.place}”。"
    await tell(Notice(post.openid, text, (), fields), now, later=later)


async def set_birthday(member_id: int, said: Any, now: datetime) -> None:
    """In the running transaction. Raises BadRequest for what is no day, or not one of somebody alive."""
    try:
        birthday = None if said is None else day(said)
    except Wrong as error:
        raise BadRequest("birthday", say=f"生日：{error.wrong}。{error.mend}") from None
    if birthday and not OLDEST <= birthday <= now.date():
        raise BadRequest("birthday", say="生日不对，请按身份证写，比如 1946-12-03。")
    await fetch("UPDATE household_member SET birthday = $2, changed_at = $3 WHERE id = $1", member_id, birthday, now)
