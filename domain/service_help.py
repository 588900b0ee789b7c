"""Help with one service: am I eligible, what do I still lack, what nobody could answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nlp
from domain.clock import SHANGHAI
from domain.journal import audit
from domain.notices import excerpt
from domain.people import Person, Post, ancestors, first_community
from domain.privacy import mask
from domain.reports import Draft, Receipt, report
from domain.service_tables import FORM_NAMES
from domain.services import find_item, seen_areas
from errors import BadRequest, NotAllowed, NotFound
from models.database import fetch, from_json, to_json, transaction
from models.enums import Source
from models.services import MissingItem, ServiceItem
from nlp.search import wanted

_OTHER = "other"
_LONG_NUMBER = re.compile(r"\d{5,}[xX]?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the questions stand: `next` with the question to ask, or `yes`, `no`, `ask` (the counter decides)."""

    verdict: str
    say: str
    question: dict[str, Any] | None = None


def judge(item: ServiceItem, answers: Sequence[int]) -> Verdict:
    """What the answers so far (numbers from 1, one a question) come to. Raises BadRequest for an answer there is not,
    or an item without questions."""
    if not item.questions:
        raise BadRequest(f"{item.code} asks nothing", say="这项服务没有要先问的问题，直接看材料就行。")
    if len(answers) > len(item.questions):
        raise BadRequest(f"{item.code}: {len(answers)} answers", say="问题已经问完了，请从头再来一次。")
    for question, answer in zip(item.questions, answers, strict=False):
        if not 1 <= answer <= len(question["answers"]):
            raise BadRequest(f"{item.code}: answer {answer}", say="没有这个选项，请选列出来的一个。")
        given = question["answers"][answer - 1]
        if given["verdict"] != "next":
            return Verdict(given["verdict"], given["say"])
    if len(answers) < len(item.questions):
        return Verdict("next", "", item.questions[len(answers)])
    return Verdict("yes", "")


_TICKED = "SELECT ticked FROM checklist WHERE resident_id = $1 AND item_id = $2"
_TICK = """
INSERT INTO checklist (resident_id, item_id, ticked, changed_at) VALUES ($1, $2, $3::jsonb, $4)
ON CONFLICT (resident_id, item_id) DO UPDATE SET ticked = excluded.ticked, changed_at = excluded.changed_at
"""


async def ticked(person: Person, item: ServiceItem) -> set[str]:
    """The names of the materials this resident has at hand; what the item no longer asks for is left out."""
    rows = await fetch(_TICKED, person.resident_id, item.id)
    return set(from_json(rows[0]["ticked"])) & {one["name"] for one in item.materials} if rows else set()


async def tick(person: Person, code: str, names: Collection[str], now: datetime, source: str = "") -> ServiceItem:
    """Keep which materials are at hand, all of them at once. Raises BadRequest for one the item does not ask for."""
    async with transaction():
        item = await find_item(person, code)
        if not person.resident_id:
            raise NotAllowed(f"{person.actor} is no resident", tag="service:tick", object_id=item.id)
        known = [one["name"] for one in item.materials]
        if set(names) - set(known):
            raise BadRequest(f"{code}: no such material", say="材料清单刚刚改过，请重新打开再勾。")
        await fetch(_TICK, person.resident_id, item.id, to_json([name for name in known if name in names]), now)
        await audit(person.actor, "service:tick", item.id, now, source=source)
    return item


def say_material(material: dict[str, Any]) -> str:
    """`居住证明（复印件 1 份，房产证或租房合同）`."""
    form = FORM_NAMES[material["form"]] if material["form"] != "online" else "手机上传"
    facts = [f"{form} {material['count']} 份" if material["form"] != "online" else form, material["note"]]
    if material["source"]:
        facts.append(f"{material['source']}拿")
    return f"{material['name']}（{'，'.join(fact for fact in facts if fact)}）"


def share_text(item: ServiceItem, at_hand: Collection[str]) -> str:
    """The checklist as a text to be sent on: what is there, what is lacking, where to go."""
    lines = [f"{'☑' if one['name'] in at_hand else '☐'} {say_material(one)}" for one in item.materials]
    facts = (("地点", item.place), ("时间", item.hours), ("电话", item.phone), ("费用", item.fee))
    known = [f"{head}：{text}" for head, text in facts if text]
    return "\n".join([f"{item.title} 要带：" if lines else item.title, *lines, *known])


# What somebody asks for again though it was done is open again.
_COUNT = """
INSERT INTO missing_item (area_id, wanted, count, first_at, last_at, case_id) VALUES ($1, $2, 1, $3, $3, $4)
ON CONFLICT (area_id, wanted) DO UPDATE SET count = missing_item.count + 1, last_at = excluded.last_at,
    case_id = excluded.case_id, done_at = NULL, item_id = NULL
"""


async def ask(
    person: Person,
    question: str,
    now: datetime,
    *,
    source: Source = Source.WECHAT,
    via: str = "",
    message_id: int | None = None,
    about: ServiceItem | None = None,
) -> Receipt:
    """What the directory has no answer to goes to the grid worker in the resident's words, and is counted. A question
    `about` an item that is there goes the same way; nothing is missing then."""
    seen = nlp.understand(question)
    words = f"{about.title}：{question}" if about else question
    draft = Draft(
        description=words,
        category=seen.category or _OTHER,
        subject=f"咨询：{excerpt(about.title if about else question, 16)}",
        domain=seen.domain or "",
        place=seen.places[0] if seen.places else "",
        source=source,
        via=via,
    )
    async with transaction():
        receipt = await report(person, draft, now, message_id=message_id)
        if about:
            return receipt
        area_id = person.home.community_id if person.home else (await first_community())[0]
        named = _LONG_NUMBER.sub("", wanted(question)) or "没说清"
        await fetch(_COUNT, area_id, named[:100], now, receipt.case.id)
    return receipt


@dataclass(frozen=True, slots=True)
class Missing:
    """What residents asked for and nobody had written down: how often, when last, in the newest asker's words."""

    id: int
    wanted: str
    count: int
    last_at: datetime
    words: str
    case_number: str


_MISSING = """
SELECT m.id, m.wanted, m.count, m.last_at, c.description AS words, c.number AS case_number
FROM missing_item m JOIN cases c ON c.id = m.case_id
WHERE m.area_id = ANY ($1) AND m.done_at IS NULL ORDER BY m.count DESC, m.last_at DESC, m.id LIMIT $2
"""


async def missing_items(person: Person, limit: int = 50) -> list[Missing]:
    """For staff: the questions of their area without an answer, those asked most first; numbers of people masked."""
    if person.post is None:
        return []
    rows = await fetch(_MISSING, await seen_areas(person), limit)
    return [Missing(**(row | {"wanted": mask(row["wanted"]), "words": mask(row["words"])})) for row in rows]


async def answer_missing(person: Person, missing_id: int, code: str, now: datetime, source: str = "") -> ServiceItem:
    """For those who keep the directory: this item answers it now, so it is off the list until somebody asks in vain
    again. Raises NotFound for a question or an item that is not of their area."""
    async with transaction():
        post = _keeper(person, "missing:done", missing_id)
        found = await MissingItem.filter(id=missing_id).select_for_update().get_or_none()
        if found is None or post.area_id not in await ancestors(found.area_id):
            raise NotFound(f"missing item {missing_id}", tag="missing:done", object_id=missing_id)
        item = await find_item(person, code)
        found.item_id, found.done_at = item.id, now
        await found.save(update_fields=["item_id", "done_at"])
        await audit(person.actor, "missing:done", missing_id, now, source=source)
    return item


async def review(person: Person, code: str, now: datetime, source: str = "") -> ServiceItem:
    """Somebody made sure today that an item is still right. Raises NotFound, NotAllowed."""
    async with transaction():
        item = await find_item(person, code)
        post = _keeper(person, "service:review", item.id)
        item.reviewed_on, item.reviewer = now.astimezone(SHANGHAI).date(), post.name
        await item.save(update_fields=["reviewed_on", "reviewer"])
        await audit(person.actor, "service:review", item.id, now, source=source)
    return item


def _keeper(person: Person, tag: str, object_id: int) -> Post:
    """The post of somebody who answers for what the directory says."""
    if person.post is None or not person.post.dispatches:
        say = "服务导航由社区核对。有不对的地方，请告诉社区。"
        raise NotAllowed(f"{person.actor} does not keep the directory", say=say, tag=tag, object_id=object_id)
    return person.post
