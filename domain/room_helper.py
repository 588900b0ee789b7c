"""@助手: what somebody says to the helper in a room, and what it answers there. Everybody reads the answer.

It reports, says how far something is, urges, answers from the directory or passes questions on to the worker; for
staff it makes a case of the message they reply to (“@助手 转为事件”, “@助手 并入 0033”).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import nlp
from domain import duplicates, rating, room_entries, services
from domain.clock import say_latest
from domain.lookup import find_case, own_cases, read_number
from domain.people import Person, home_of_grid, post_of
from domain.review_notices import excerpt
from domain.room_cases import Changes, Said, join_case, resident_of, titled, to_case, unclaimed
from domain.room_jobs import said_to_helper
from domain.room_messages import append
from domain.room_questions import tell_worker
from domain.room_rules import alarm, open_or_join
from errors import LinliError, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.enums import MessageKind, MessageState

_ASKS = re.compile(r"查|进度|编号|怎么样|到哪|办好|处理得")
_URGES = re.compile(r"催")
_WHAT = re.compile(r"^(?:你|您)?(?:会|能)(?:做|干|帮).{0,6}$|^(?:帮助|怎么用|help|在吗|你好|您好)?[？?。！!]*$")
_ANOTHER = re.compile(r"^(?:这?不是同一件|是?另一件|另外一件)(?:事|事情)?[，,。:：;；\s]*")
_MAKE = re.compile(r"^(?:转|转为?事件|立案|上报)?$")
_INTO = re.compile(r"^并入?\s*(?=[\d#])")
_HELP = (
    "我能做这些，@我再说就行：\n说哪里有什么问题，我来上报\n“查 0037”看进度，“催 0037”催一下\n"
    "问怎么办事，我来答，答不了的转给网格员"
)


async def answer(message_id: int, now: datetime) -> None:
    """Answer a message that calls the helper; once. What goes wrong is said in the room too."""
    try:
        async with transaction():
            said = await _unanswered(message_id)
            if said:
                await _answer(said, now)
    except LinliError as error:
        async with transaction():
            if said := await _unanswered(message_id):
                await _say(said, error.say, now)


_KNOWN = "SELECT 1 FROM room_message WHERE room_id = $1 AND sender = 'system' AND client_id = $2"


async def _unanswered(message_id: int) -> Said | None:
    """The message, claimed; None when it has its answer, is a case, or is not shown any more."""
    said = await unclaimed(message_id)
    if said is None or said.entry.state is not MessageState.SHOWN:
        return None
    return None if await fetch(_KNOWN, said.room.id, _name(message_id)) else said


def _name(message_id: int) -> str:
    return f"helper:{message_id}"


async def _say(said: Said, text: str, now: datetime) -> None:
    await append(said.room.id, MessageKind.SYSTEM, text, now, reply_to=said.entry.id, client_id=_name(said.entry.id))


async def _answer(said: Said, now: datetime) -> None:
    text = said_to_helper(said.entry.text)
    if said.entry.staff and said.entry.reply_to and await _act_for_staff(said, text, now):
        return
    person = await _asker(said)
    seen = nlp.understand(text)
    number = read_number(text)
    if number and (_ASKS.search(text) or seen.intent == "progress" or text.isdigit()):
        await _say(said, await _progress(said, person, text, now), now)
    elif _URGES.search(text[:4]) or (number and _URGES.search(text)):
        await _say(said, await _urge(person, text, now), now)
    elif seen.urgent and seen.emergency:
        await alarm(said, seen, now)
    elif found := _ANOTHER.match(text):
        await _another(said, text[found.end() :], now)
    elif seen.intent == "report":
        await open_or_join(said, now)
    else:
        await _say(said, await _talk(said, person, seen, now), now)


async def _act_for_staff(said: Said, text: str, now: datetime) -> bool:
    """What a member of staff wants done with the message they reply to; False when they say something else."""
    person, source = await _asker(said), f"room:{said.entry.id}"
    target = said.entry.reply_to or 0
    if _MAKE.match(text):
        await to_case(person, target, Changes(), now, source)
    elif found := _INTO.match(text):
        await join_case(person, target, text[found.end() :], now, source)
    else:
        return False
    return True


async def _asker(said: Said) -> Person:
    kind, _, number = said.entry.by.partition(":")
    if kind == "staff":
        return Person("", 0, None, await post_of(int(number)))
    return replace(await resident_of(said.entry), home=await home_of_grid(said.room.grid_id))


async def _another(said: Said, words: str, now: datetime) -> None:
    """“另一件 …”: a case of its own, whatever it resembles."""
    if words.strip():
        await open_or_join(said, now, words=words, new=True)
    else:
        await _say(said, "请把情况再说一遍，比如“@助手 另一件 3栋楼道灯坏了”。", now)


_OF_ROOM = """
SELECT c.id FROM room_message m JOIN cases c ON c.id = m.case_id
WHERE m.room_id = $1 AND split_part(c.number, '-', 2) = split_part($2, '-', 2) AND c.number LIKE $2
ORDER BY c.id DESC LIMIT 1
"""


async def _progress(said: Said, person: Person, text: str, now: datetime) -> str:
    """How far a case is that is theirs, that they follow, or that this room knows of. Raises NotFound."""
    try:
        case = await find_case(person, text)
    except NotFound:
        followed = await duplicates.followed(person, text, 1) if person.resident_id else []
        ids = [one.case_id for one in followed]
        ids += [row["id"] for row in await fetch(_OF_ROOM, said.room.id, read_number(text))]
        if not ids:
            raise NotFound("no such case", say="这个群里没有这个编号。自己反映的事，请在“我的事项”里看。") from None
        case = await Case.get(id=ids[0])
    return await _how_far(case, now)


async def _how_far(case: Case, now: datetime) -> str:
    holder = await post_of(case.holder_id)
    similar = duplicates.Similar(
        case.id, case.number, case.subject, "", case.status, holder.label if holder else "", case.due_at, case.joined
    )
    due = f"，{say_latest(case.due_at, now)}" if case.due_at and case.due_at > now and case.status.is_open else ""
    return f"{titled(case)}：{duplicates.say_progress(similar)}{due}。"


async def _urge(person: Person, text: str, now: datetime) -> str:
    """Urge the case they name, or their only open one. Raises NotFound, and what `rating.urge` does."""
    if read_number(text):
        case = await find_case(person, text)
    else:
        mine = [one for one in await own_cases(person) if one.closed_at is None] if person.resident_id else []
        if len(mine) != 1:
            return "要催哪一件？请写上编号，比如“@助手 催 0037”。"
        case = mine[0]
    urged, told = await rating.urge(person, case.id, now)
    return f"已催{told.label if told else '社区'}尽快处理 {titled(urged)}。"


_TOLD = "UPDATE room_message SET collected_at = $2 WHERE id = $1"


async def _talk(said: Said, person: Person, seen: nlp.Understanding, now: datetime) -> str:
    """Their own open cases, a question passed on, or what the helper can do."""
    if seen.intent == "progress" and person.resident_id:
        mine = [case for case in await own_cases(person) if case.closed_at is None]
        if mine:
            return "\n".join([await _how_far(case, now) for case in mine])
        return "您没有正在办的事。有问题直接@我说就行。"
    if seen.intent == "consult" and not said.entry.staff and not _WHAT.match(said_to_helper(said.entry.text)):
        if guide := await _guide(person, said_to_helper(said.entry.text)):
            return guide
        asked = f"{said.entry.author}在群里问{excerpt(said.entry)}"

        def text(numbers: Sequence[int]) -> str:
            return f"{asked}\n请回复“答 {numbers[0]} 您的话”。"

        told = await tell_worker(said.room.grid_id, text, [said.entry.id], now)
        await room_entries.lock_room(said.entry.id)  # a message's row is never locked before its room
        await fetch(_TOLD, said.entry.id, now)
        return f"已转给{told.label if told else '社区'}，有答复会在这里回您。"
    return _HELP


async def _guide(person: Person, question: str) -> str:
    """What to bring and where to go for an item that is surely meant; "" for everything else: the worker answers."""
    item = await services.surely(person, question)
    if item is None:
        return ""
    brought = "、".join(one["name"] for one in item.materials)
    where = "，".join(part for part in (item.place, item.hours) if part)
    facts = (("要带", brought), ("地点", where), ("电话", item.phone))
    lines = [f"{head}：{text}" for head, text in facts if text]
    return "\n".join([item.title, *lines, "详细的在公众号里问我。"])
