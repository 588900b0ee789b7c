"""What a report in a room becomes without anybody: dangers at once, clear matters where the community wants it so.

A message says at most one thing here: it opens a case, joins the one that is known, or stays a hint for the worker.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import nlp
from domain import duplicates
from domain.likeness import radius_of
from domain.notices import excerpt, serial, short
from domain.people import Home, Person, home_of_grid, post_of
from domain.places import find_buildings
from domain.reports import Draft, Receipt, report
from domain.room_cases import (
    Changes,
    Filed,
    Said,
    belong,
    draft_of,
    follow,
    known_already,
    made_of,
    reply,
    speaker,
    unclaimed,
)
from domain.room_questions import tell_post
from models.cases import Case
from models.database import fetch, transaction
from models.enums import MessageState

#: Further words about one danger belong to the case just made.
_ONE_DANGER = timedelta(minutes=30)
_WIDE = 250  # metres: a matter of the whole grid needs no other place
_EVERYBODYS = 500  # metres: water, power, heating
#: Likeness from which a neighbour's case is joined without asking; duplicates are merged, a lost report is lost.
_SAME = 1.5

_NOT_THE_SAME = "不是同一件就回复“@助手 另一件”，再说一遍情况。"


async def look(message_id: int, now: datetime, sure: float) -> None:
    """Look at a likely report: a danger opens an urgent case in every room, also where the message is held back; what
    is clear (`sure` or more) opens or joins one where the room is set so. Whatever is not clear stays a hint."""
    async with transaction():
        said = await _untouched(message_id)
        if said is None:
            return
        seen = nlp.understand(said.entry.text)
        if seen.urgent and seen.emergency:
            await alarm(said, seen, now)
        elif said.room.auto_case and said.entry.state is MessageState.SHOWN and is_clear(seen, sure):
            await open_or_join(said, now)


async def _untouched(message_id: int) -> Said | None:
    """A message that belongs to no case yet and is not dismissed or taken back, claimed."""
    said = await unclaimed(message_id)
    gone = said is None or said.entry.state is MessageState.RECALLED or (said.entry.hint or {}).get("ignored")
    return None if gone else said


def is_clear(seen: nlp.Understanding, sure: float) -> bool:
    """Whether somebody surely reports something of a known kind, and says where; what concerns a whole grid, or is no
    matter of a place, needs none."""
    if seen.intent != "report" or not seen.category or seen.confidence < sure:
        return False
    return bool(seen.places) or not 0 < radius_of(seen.category) < _WIDE


async def open_or_join(said: Said, now: datetime, *, words: str = "", new: bool = False) -> Filed:
    """A case of its own, or a place among those who wait for the open one about the same matter; the room reads which.
    `words` instead of the message's own; `new`: they say that it is another matter. In the running transaction."""
    draft = replace(await draft_of(said, Changes(text=words)), via=f"room:{said.entry.id}")
    person = await speaker(said)
    if not draft.urgent and not new and (known := await _known(person, draft, now)):
        return await _join(said, known, person, now)
    receipt = await report(person, draft, now)
    return await _made(said, receipt, made_of(receipt, now), now)


async def _made(said: Said, receipt: Receipt, text: str, now: datetime) -> Filed:
    await belong(said, receipt.case)
    await reply(said, text, receipt.case, now)
    return Filed(receipt.case, receipt.holder)


async def _known(person: Person, draft: Draft, now: datetime) -> int | None:
    """The open case about the same matter: their own, or one of a public place that anybody may join. Nobody is asked
    here, so a neighbour's must be the same place or nearly the same words; an outage is everybody's in the grid."""
    if person.resident_id:
        for one in await duplicates.open_like(draft, person.home, now):
            if await duplicates.is_theirs(person, one.case_id):
                return one.case_id
    radius = radius_of(draft.category)
    if not radius:
        return None
    least = 0.0 if radius >= _EVERYBODYS else _SAME
    for one in await duplicates.open_like(draft, person.home, now, least=least):
        if radius_of((await Case.get(id=one.case_id)).category):
            return one.case_id
    return None


async def _join(said: Said, case_id: int, person: Person, now: datetime) -> Filed:
    theirs = bool(person.resident_id) and await duplicates.is_theirs(person, case_id)
    await follow(said.entry, await Case.get(id=case_id), now)
    case = await Case.get(id=case_id)
    await belong(said, case)
    text = await known_already(case, now)
    await reply(said, text if theirs else f"{text}\n{_NOT_THE_SAME}", case, now)
    return Filed(case, await post_of(case.holder_id), joined=True)


_SAME_DANGER = """
SELECT DISTINCT c.id, c.place, c.description FROM room_message m JOIN cases c ON c.id = m.case_id
WHERE m.room_id = $1 AND m.at > $2 AND c.urgency = 'urgent' AND c.subject = $3 AND c.closed_at IS NULL
ORDER BY c.id DESC LIMIT 20
"""


def _same_building(here: str, there: str) -> bool:
    """Whether two dangers may be one: not where each is said to be in another building."""
    mine, theirs = set(find_buildings(here)), set(find_buildings(there))
    return not mine or not theirs or bool(mine & theirs)


async def alarm(said: Said, seen: nlp.Understanding, now: datetime) -> Filed:
    """Danger: an urgent case and advice in one answer. More words about the same one within half an hour go to those
    who are on their way. In the running transaction."""
    danger = nlp.emergency(seen.emergency)
    rows = await fetch(_SAME_DANGER, said.room.id, now - _ONE_DANGER, danger.name)
    for row in rows:
        if _same_building(said.entry.text, f"{row['place']}。{row['description']}"):
            return await _add_to_alarm(said, row["id"], now)
    draft = replace(await draft_of(said, Changes(urgent=True)), via=f"room:{said.entry.id}")
    receipt = await report(await speaker(said), draft, now)
    home = await home_of_grid(said.room.grid_id)
    return await _made(said, receipt, _advice(receipt, danger, home), now)


async def _add_to_alarm(said: Said, case_id: int, now: datetime) -> Filed:
    await follow(said.entry, await Case.get(id=case_id), now)
    case = await Case.get(id=case_id)
    holder = await post_of(case.holder_id)
    await belong(said, case)
    if holder:
        told = f"{serial(case.number)} {case.subject}，群里又有人说：“{excerpt(said.entry.text, 200)}”"
        await tell_post(holder, lambda _: told, [said.entry.id], now, waits=False)
    who = holder.label if holder else "社区值班"
    text = f"已转告{who}（编号 {short(case.number)}）。请先离开危险的地方，急事打 110、119 或 120。"
    await reply(said, text, case, now)
    return Filed(case, holder, joined=True)


def _advice(receipt: Receipt, danger: nlp.Emergency, home: Home) -> str:
    advice = danger.advice.strip().replace("{gas_phone}", home.gas_phone or "燃气公司")
    told = f"{receipt.holder.label}和社区值班" if receipt.holder else "社区值班"
    where = "" if receipt.case.place else "您在哪一栋？"
    return f"{advice}\n已同时通知{told} {receipt.duty_phone}（编号 {short(receipt.case.number)}）。{where}"
