"""What is wrong in an item others keep: who may change it, and a word to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.clock import template_number, template_time
from domain.journal import Notice, audit
from domain.notices import excerpt
from domain.people import Person, Post, ancestors, post_of
from domain.service_desk import seen_item
from domain.telling import tell
from domain.timing import quiet_until
from errors import BadRequest, Conflict, TooMany
from models.database import fetch, transaction
from models.enums import Role
from models.services import ServiceItem

_TAG = "service:suggest"
_MOST, _WORDS = 9, 200
#: Words of one member of staff in a day: each rings on up to `_MOST` telephones.
MOST_A_DAY = 10
_DISPATCHING = [Role.COMMUNITY_STAFF, Role.STREET_STAFF, Role.DISTRICT_STAFF, Role.CITY_STAFF]

# The nearest first; what everybody sees ($1 = none) is kept at the top, and by the system administrator like all else.
_EDITORS = """
SELECT s.id FROM staff s JOIN area a ON a.id = s.area_id LEFT JOIN administrator d ON d.staff_id = s.id
WHERE s.active AND s.role = ANY ($2::text[]) AND (
    d.kind = 'system' OR s.area_id = ANY ($1::int[]) OR cardinality($1::int[]) = 0 AND a.parent_id IS NULL)
ORDER BY array_position($1::int[], s.area_id), s.id LIMIT $3
"""


async def editors(person: Person, item_id: int) -> Sequence[Post]:
    """Who may change an item of staff's area, the nearest first. Raises NotFound."""
    return await _editors(await seen_item(person, item_id, _TAG))


async def _editors(item: ServiceItem) -> Sequence[Post]:
    areas = list(await ancestors(item.area_id)) if item.area_id else []
    rows = await fetch(_EDITORS, areas, _DISPATCHING, _MOST)
    return [post for post in [await post_of(row["id"]) for row in rows] if post]


_SAID = "SELECT count(*)::int AS said FROM audit_event WHERE tag = $1 AND actor = $2 AND allowed AND at > $3"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('suggestion: ' || $1, 0))"


async def suggest(person: Person, item_id: int, words: str, now: datetime, source: str = "") -> Sequence[Post]:
    """Tell those who may change an item what is wrong in it; gives who was told. Raises NotFound, BadRequest without
    words, TooMany, Conflict where WeChat reaches none of them."""
    said = " ".join(words.split())[:_WORDS]
    if not said:
        raise BadRequest("no words", say="请写哪里不对，应该是什么。")
    async with transaction():
        item = await seen_item(person, item_id, _TAG)
        await fetch(_ONE_AT_A_TIME, person.actor)
        if (await fetch(_SAID, _TAG, person.actor, now - timedelta(days=1)))[0]["said"] >= MOST_A_DAY:
            say = "今天已经提了很多条，请明天再提，或者直接打电话告诉他们。"
            raise TooMany("suggestions", say=say, retry_after=86_400)
        told = [post for post in await _editors(item) if post.openid]
        if not told:
            raise Conflict("no editor reached", say="能改这一条的人都还没有绑定微信，请打电话告诉他们。")
        by = person.post.label if person.post else ""
        for post in told:
            await tell(_notice(post, item, by, said, now), now, later=quiet_until(now))
        await audit(person.actor, _TAG, item.id, now, source=source)
    return told


def _notice(post: Post, item: ServiceItem, by: str, said: str, now: datetime) -> Notice:
    text = f"{by}说办事指南“{item.title}”有不对的：{said}\n核实后请在工作台“服务指南”里改（编码 {item.code}）。"
    fields = {
        "number": template_number(now),
        "subject": excerpt(item.title, 20),
        "status": "建议修改",
        "time": template_time(now),
        "note": excerpt(said, 20),
    }
    return Notice(post.openid or "", text, (), fields)
