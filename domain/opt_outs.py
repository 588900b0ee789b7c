"""退订: which kinds of notices somebody does not want. Warnings and what concerns their own matters always arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.journal import audit
from domain.people import Person
from errors import BadRequest, NotAllowed
from models.database import fetch, transaction

ALL = "*"
SAFETY = "safety"
#: What notices are about, and what people call it. A broadcast may name another topic; that is then called as it is.
TOPICS = {
    "notice": "社区通知",
    "policy": "政策提醒",
    "activity": "活动通知",
    "health": "健康提醒",
    "elder": "高龄提醒",
    "school": "入学提醒",
    "papers": "证件到期提醒",
    "benefit": "救助复核提醒",
    "survey": "问卷投票",
    "follow_up": "回访",
}
_ALL_NAMES = ("全部", "所有", "所有通知", "全部通知")
_LONGEST = 24


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of notices as one person has it."""

    code: str
    name: str
    wanted: bool


def topic_name(code: str) -> str:
    """What people call it."""
    return "全部通知" if code == ALL else TOPICS.get(code, code)


def read_topic(words: str) -> str:
    """The topic somebody means: 高龄提醒, 高龄, 全部; their words where it is none of those known."""
    said = words.strip(" 。，、“”\"'")
    if said in _ALL_NAMES:
        return ALL
    named = [code for code, name in TOPICS.items() if said and (said == code or said in name or name in said)]
    return named[0] if len(named) == 1 else next((code for code in named if TOPICS[code] == said), said)


_MINE = "SELECT topic FROM opt_out WHERE resident_id = $1 ORDER BY topic"


async def list_topics(person: Person) -> list[Topic]:
    """Every kind of notices, and those of other names that this person has refused."""
    out = {row["topic"] for row in await fetch(_MINE, person.resident_id)}
    codes = [*TOPICS, *sorted(out - TOPICS.keys() - {ALL})]
    return [Topic(code, topic_name(code), code not in out and ALL not in out) for code in codes]


_HEARD_OF = "SELECT 1 FROM broadcast WHERE topic = $1 LIMIT 1"
_ALL_HEARD_OF = "SELECT DISTINCT topic FROM broadcast WHERE topic <> $1"
_REFUSE = """
INSERT INTO opt_out (resident_id, topic, at) SELECT id, $2, $3 FROM resident WHERE id = $1 AND deleted_at IS NULL
FOR KEY SHARE ON CONFLICT (resident_id, topic) DO NOTHING RETURNING id
"""
_WANT = "DELETE FROM opt_out WHERE resident_id = $1 AND topic = ANY ($2::text[]) RETURNING id"


async def opt_out(person: Person, topic: str, now: datetime, source: str = "") -> None:
    """Have no more of this topic (`*`: of any). Once more changes nothing. Raises BadRequest for a topic nobody knows,
    NotAllowed for warnings and for whoever is no resident."""
    if not person.resident_id:
        raise NotAllowed("no resident", say="这是居民用的。请用您自己的微信。")
    if topic == SAFETY:
        raise NotAllowed("warnings are told to everybody", say="安全提醒（停水停电、台风等）会发给每个人，不能退订。")
    known = topic == ALL or topic in TOPICS
    if not known and (not 0 < len(topic) <= _LONGEST or not await fetch(_HEARD_OF, topic)):
        raise BadRequest("no such topic", say=f"没有这类通知。可以退订：{'、'.join(TOPICS.values())}，或全部。")
    async with transaction():
        if await fetch(_REFUSE, person.resident_id, topic, now):
            await audit(person.actor, "opt_out:add", person.resident_id, now, source=source)


async def opt_in(person: Person, topic: str, now: datetime, source: str = "") -> None:
    """Have this topic again; who had refused all has all but the others again."""
    async with transaction():
        gone = await fetch(_WANT, person.resident_id, [topic])
        if topic != ALL and await fetch(_WANT, person.resident_id, [ALL]):
            gone += [{"id": 0}]
            heard_of = {row["topic"] for row in await fetch(_ALL_HEARD_OF, SAFETY)}
            for other in (TOPICS.keys() | heard_of) - {topic}:
                await fetch(_REFUSE, person.resident_id, other, now)
        if topic == ALL:
            gone += await fetch("DELETE FROM opt_out WHERE resident_id = $1 RETURNING id", person.resident_id)
        if gone:
            await audit(person.actor, "opt_out:end", person.resident_id, now, source=source)
