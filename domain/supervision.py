"""督办 and what staff write to each other: a superior wants an answer by a time; memos with @mention."""

from __future__ import annotations

import re
from datetime import datetime

from domain import notices
from domain.access import Work, begin
from domain.casework import need
from domain.clock import say_latest
from domain.people import Person, Post, find_posts, post_of
from domain.worktime import TimeLimit, Unit, due_at
from errors import Conflict
from models.cases import Case, Supervision
from models.database import transaction
from models.transitions import Verb

#: Where the superior names no time.
ANSWER_WITHIN = TimeLimit(24, Unit.HOURS)
_MENTION = re.compile(r"@([一-鿿A-Za-z]{2,16})")


async def supervise(
    person: Person, case_id: int, text: str, now: datetime, *, within: TimeLimit = ANSWER_WITHIN, source: str = ""
) -> tuple[Case, Post | None]:
    """A superior wants an answer. The case cannot be disposed of without one. Gives the case and who was asked."""
    need(text, "请说一句要督办什么，比如“督办 0037 今天内到现场”。")
    async with transaction():
        work = await begin(person, case_id, Verb.SUPERVISE, now, source)
        return await raise_supervision(work, text.strip(), await due_at(now, within))


async def raise_supervision(work: Work, text: str, answer_by: datetime) -> tuple[Case, Post | None]:
    """Write it down and tell the holder, in the running transaction; also for what a deadline raises."""
    await Supervision.create(
        case_id=work.case.id,
        asked_by_id=work.person.post.id if work.person.post else None,
        asked_at=work.now,
        text=text,
        due_at=answer_by,
    )
    work.case.supervised += 1
    work.step(Verb.SUPERVISE, f"督办：{text}", public=False)
    holder = await post_of(work.case.holder_id)
    if holder:
        number = notices.serial(work.case.number)
        said = (
            f"{work.actor}督办：{notices.excerpt(text)}。请{say_latest(answer_by, work.now)}回复“答复 {number} 情况”。"
        )
        work.journal.tell(notices.to_staff(work.case, holder, said))
    return await work.finish(), holder


async def answer(person: Person, case_id: int, text: str, now: datetime, source: str = "") -> Case:
    """The holder answers every open supervision of the case; whoever asked is told."""
    need(text, "请说一句现在的情况，督办的领导会看到。")
    async with transaction():
        work = await begin(person, case_id, Verb.ANSWER, now, source)
        waiting = await Supervision.filter(case_id=case_id, answered_at=None).order_by("id")
        if not waiting:
            raise Conflict("nothing to answer", say="这件事没有等答复的督办。要告诉居民，请写进展。")
        for one in waiting:
            one.answer, one.answered_at = text.strip(), now
            one.answered_by_id = person.post.id if person.post else None
            await one.save()
        work.step(Verb.ANSWER, f"答复督办：{text.strip()}", public=False)
        for asker in {one.asked_by_id for one in waiting if one.asked_by_id}:
            if post := await post_of(asker):
                said = f"{work.actor}答复督办：{notices.excerpt(text, 200)}"
                work.journal.tell(notices.to_staff(work.case, post, said))
        return await work.finish()


async def memo(person: Person, case_id: int, text: str, now: datetime, source: str = "") -> tuple[Case, list[Post]]:
    """内部备注: the resident never reads it. @王芳 tells a colleague of the same street. Gives who was told."""
    need(text, "请写一句备注，居民看不到。")
    async with transaction():
        work = await begin(person, case_id, Verb.MEMO, now, source)
        work.step(Verb.MEMO, text.strip(), public=False)
        told: list[Post] = []
        for name in dict.fromkeys(_MENTION.findall(text)):
            for post in (await find_posts(person, name))[:1]:
                if not person.post or post.id != person.post.id:
                    told.append(post)
                    said = f"{work.actor}备注：{notices.excerpt(text, 200)}"
                    work.journal.tell(notices.to_staff(work.case, post, said))
        return await work.finish(), told
