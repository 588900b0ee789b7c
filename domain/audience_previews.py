"""Whom a rule would reach, before anything is sent: counts, how they are reached, a masked sample; and, afterwards, why
somebody was told.

Who looks at few people looks at persons: from the street up, groups below three are not counted and not shown. Rules
over sensitive facts are for the community and above, and each use leaves an audit row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from domain.audience_pages import Search, Via, look_through
from domain.audience_rules import why
from domain.audiences import Audience, check_audience, fact_kinds, search_for
from domain.clock import SHANGHAI
from domain.journal import audit
from domain.life_dates import Event
from domain.people import Person
from errors import NotAllowed, NotFound
from models.broadcasts import Broadcast, Delivery
from models.database import fetch
from models.enums import Level, Role

#: Fewer people than this are persons, not a group.
SMALL = 3
SAMPLE = 5
_SURNAME = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the sample: 刘** at 3栋, and how they are reached."""

    name: str
    place: str
    via: Via


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would do. `people` is None for a group too small for this reader; `words` says the rule."""

    words: str
    people: int | None
    households: int
    ways: Mapping[Via, int]
    skipped: Mapping[str, int]
    sample: Sequence[Shown]


async def need_sensitive(person: Person, audience: Audience, now: datetime, source: str = "") -> None:
    """Go on only if this person may choose people by what the rule looks at; sensitive facts are noted. Raises
    NotAllowed."""
    if not audience.sensitive:
        return
    post = person.post
    if post is None or post.role is Role.GRID_WORKER:
        names = "、".join(audience.sensitive)
        raise NotAllowed("sensitive facts", say=f"按{names}挑人要由社区来做，请把想通知的事告诉社区。")
    await audit(person.actor, "audience:sensitive", post.area_id, now, source=source)


async def preview(
    person: Person,
    rule: Any,
    now: datetime,
    source: str = "",
    *,
    area_id: int | None = None,
    topic: str = "",
    event: Any = None,
) -> Preview:
    """Count whom a rule would reach in the area of this officer, or in `area_id`, which they checked to be within it.
    Raises NotAllowed, BadRequest that names what is wrong with the rule."""
    post = person.post
    if post is None or not (post.dispatches or post.role is Role.GRID_WORKER):
        raise NotAllowed("no officer", say="这是社区工作人员用的。", tag="audience:preview")
    audience = await check_audience(rule, area_id or post.area_id, event=event)
    await need_sensitive(person, audience, now, source)
    search = search_for(audience, now.astimezone(SHANGHAI).date(), topic, event)
    return await _counted(audience.words, search, shy=post.level.rank > Level.COMMUNITY.rank)


async def _counted(words: str, search: Search, *, shy: bool) -> Preview:
    """Everybody once, however often they turn up. `shy`: say nothing of a few."""
    seen, households = set[str](), set[int]()
    ways, skipped, sample = Counter[Via](), Counter[str](), list[Shown]()
    async for together in look_through(search):
        fresh = {reached.recipient: (one, reached) for one, reached in together if reached.recipient not in seen}
        seen |= fresh.keys()
        for one, reached in fresh.values():
            households |= {reached.household_id} if reached.household_id else set()
            if reached.skip:
                skipped[reached.skip] += 1
            else:
                ways[reached.via] += 1
            if len(sample) < SAMPLE:
                sample.append(Shown(_masked(reached.name), one.building or "", reached.via))
    if shy and len(seen) < SMALL:
        return Preview(words, None, 0, {}, {}, ())
    return Preview(words, len(seen), len(households), ways, skipped, sample)


def _masked(name: str) -> str:
    """刘** of 刘桂兰."""
    return name[:_SURNAME] + "*" * (len(name) - _SURNAME) if name else "（没留姓名）"


_LAST = """
SELECT d.id FROM delivery d WHERE d.resident_id = $1 AND ($2::bigint IS NULL OR d.id = $2) ORDER BY d.id DESC LIMIT 1
"""


async def why_told(person: Person, delivery_id: int | None, now: datetime) -> str:
    """Why this person was told something, in a sentence: which of the rule's parts led to them or, in what is passed
    on, to whom of their family. None of others' data is in it. `delivery_id` = None: the newest. Raises NotFound."""
    rows = await fetch(_LAST, person.resident_id, delivery_id)
    if not rows:
        raise NotFound("no delivery", say="最近没有给您发过这类通知。")
    delivery = await Delivery.get(id=rows[0]["id"]).select_related("broadcast", "run")
    broadcast: Broadcast = delivery.broadcast
    event = broadcast.event
    audience = await check_audience(broadcast.audience, broadcast.area_id, event=event, in_use=False)
    today = (delivery.run.started_at or now).astimezone(SHANGHAI).date()
    reasons = await _reasons(audience, delivery, today, event)
    head = f"“{broadcast.title}”发给{audience.words}。"
    if reasons is None:
        return f"{head}\n现在的记录里已经对不上了。"
    whose = "您家里人" if reasons[1] is Via.FAMILY else "您"
    dated = Event.read(event).said(await fact_kinds(in_use=False)) if event else ""
    parts = [*reasons[0], *([dated] if dated else [])]
    return f"{head}\n因为{whose}：{'、'.join(parts)}。"


async def _reasons(audience: Audience, delivery: Delivery, today: date, event: Any) -> tuple[list[str], Via] | None:
    """What holds for whom it was about, and how they were reached; None where nothing does any more."""
    if delivery.grid_id is None:  # staff
        return [audience.rule.said()], Via.WECHAT
    search = replace(search_for(audience, today, "", event), area_ids=[delivery.grid_id])
    async for together in look_through(search):
        for one, reached in together:
            same = reached.member_id and reached.member_id == delivery.member_id
            if same or reached.recipient == delivery.recipient:
                return why(audience.rule, one, today), reached.via
    return None
