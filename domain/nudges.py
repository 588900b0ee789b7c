"""Staff who give work to others ask whoever has it to hurry. It is no 督办: no answer is owed, and it is not counted as
the resident's own urging."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import notices
from domain.access import begin
from domain.clock import say_moment
from domain.people import Person, Post, post_of
from errors import Conflict, NotAllowed
from models.cases import Case
from models.database import fetch, transaction
from models.enums import Status
from models.transitions import Verb, Who

#: Nobody is asked about the same case again within this time, whoever asks.
APART = timedelta(hours=1)
_SAID = "催办："
_LAST = "SELECT max(at) AS at FROM case_event WHERE case_id = $1 AND verb = 'memo' AND starts_with(text, $2)"
_WAITS = (Status.DISPATCHED, Status.DISPOSING)


async def nudge(person: Person, case_id: int, words: str, now: datetime, source: str = "") -> tuple[Case, Post]:
    """Ask the holder to hurry, in `words` or without any. Gives the case and who was told. Raises NotAllowed for who
    gives nobody work, Conflict where nobody has it, where it does not wait for them, and where it was done just now."""
    async with transaction():
        work = await begin(person, case_id, Verb.MEMO, now, source)
        case = work.case
        if Who.DISPATCHER not in work.who:
            raise NotAllowed("no dispatcher", say="催办由社区和上级发出。", tag="case:nudge", object_id=case_id)
        holder = await post_of(case.holder_id)
        if holder is None or case.status not in _WAITS:
            raise Conflict("nobody works at it", say="现在没有人在办这件事，不用催。还没派人的请先派。")
        if Who.HOLDER in work.who:
            raise Conflict("own case", say="这件事就在您手上。")
        last = (await fetch(_LAST, case_id, _SAID))[0]["at"]
        if last and now - last < APART:
            raise Conflict("asked just now", say=f"{say_moment(last, now)}刚催过，过一小时再催。")
        sentence = words.strip() or "请尽快处理"
        work.step(Verb.MEMO, f"{_SAID}{sentence}", public=False)
        work.journal.tell(notices.to_staff(case, holder, f"{work.actor}催办：{notices.excerpt(sentence)}。"))
        return await work.finish(), holder
