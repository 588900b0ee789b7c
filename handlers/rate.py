"""解决了吗、满意吗: answered in chat by a tap, a number or in words. Silence is never taken for an answer."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import notices, rating
from domain.clock import say_latest
from domain.lookup import awaiting_answer, find_case
from domain.notices import Tap, serial, tap_id
from handlers.chat import Chat, has_text, read_number, state
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("rate")

_SATISFACTION = {Tap.SATISFIED: 3, Tap.BASICALLY: 2, Tap.NOT_SATISFIED: 1}
_NOT_SOLVED = re.compile(
    r"没有?(?:解决|修好|弄好|处理|搞定|好)|还是?(?:不|没)|未解决|又(?:坏|不|漏|堵|满|有)|不行|没用|没人来"
)
_NOT_SATISFIED = re.compile(r"不(?:太|怎么|是很|大)?满意|差评|太差|失望|不好")
_BASICALLY = re.compile(r"基本满意|还行|还可以|一般|凑合")
_SATISFIED = re.compile(r"满意|很好|非常好|好评|点赞|不错")
_SOLVED = re.compile(r"解决了|修好了|好了|已解决|弄好了|处理好了|搞定了|可以了|没问题了")


@router.on(case_tap(Tap.SOLVED))
async def solved(chat: Chat) -> Reply:
    """Solved: closed; how satisfied?"""
    return await _solved(chat, tapped_case(chat))


async def _solved(chat: Chat, case_id: int) -> Reply:
    case = await rating.confirm_solved(chat.person, case_id, chat.now, chat.source)
    chat.go("rate.satisfaction", case=case.id)
    return chat.ask("谢谢。这次满意吗？也可以直接说一句。", notices.satisfaction_choices(case))


@router.on(case_tap(Tap.NOT_SOLVED))
async def not_solved(chat: Chat) -> Reply:
    """Not solved: once more, and the community knows."""
    return await _not_solved(chat, tapped_case(chat), chat.rest)


async def _not_solved(chat: Chat, case_id: int, reason: str) -> Reply:
    case, holder, superior = await rating.say_not_solved(
        chat.person, case_id, reason, chat.now, within=chat.policy.reopen_within, source=chat.source
    )
    number = serial(case.number)
    if holder is None:
        chat.go()
        phone = chat.person.home.duty_phone if chat.person.home else ""
        who = superior.label if superior else "社区"
        return Reply(
            f"抱歉，{number} 两次都没解决，已交{who}直接联系您。"
            + (f"\n也可以打社区值班电话 {phone}。" if phone else "")
        )
    due = f"，{say_latest(case.due_at, chat.now)}" if case.due_at else ""
    told = f"，并告诉了{superior.label}" if superior else ""
    if reason:
        chat.go()
        return Reply(f"抱歉。{number} 已重新交给{holder.label}{told}{due}。")
    chat.go("supplement", case=case.id)
    return Reply(f"抱歉。{number} 已重新交给{holder.label}{told}{due}。\n哪里没解决？可以说一句，或发照片。")


@router.on(case_tap(*_SATISFACTION))
async def satisfaction(chat: Chat) -> Reply:
    """3, 2 or 1; a sentence may follow."""
    meant = next(tap for tap in _SATISFACTION if tap_id(tapped_case(chat), tap) == chat.tap)
    return await _rated(chat, tapped_case(chat), _SATISFACTION[meant], chat.rest)


async def _rated(chat: Chat, case_id: int, value: int, said: str) -> Reply:
    await rating.rate(chat.person, case_id, value, chat.now, chat.source)
    if said:
        await rating.comment(chat.person, case_id, said, chat.now, chat.source)
        chat.go()
        return Reply("记下了，谢谢您。" if value > 1 else "记下了，抱歉没让您满意，社区会看到。")
    chat.go("rate.comment", case=case_id)
    return Reply(
        "谢谢您的评价。有话可以再说一句，没有就不用回了。"
        if value > 1
        else "抱歉没让您满意。哪里不好，请说一句，社区会看到。"
    )


def _judgement(text: str) -> int | None:
    """Satisfaction in words: 3, 2, 1; None when there is none."""
    for value, expression in ((1, _NOT_SATISFIED), (2, _BASICALLY), (3, _SATISFIED)):
        if expression.search(text):
            return value
    return None


@router.on(state("rate.satisfaction"), has_text, lambda chat: _judgement(chat.text) is not None)
async def satisfaction_in_words(chat: Chat) -> Reply:
    """“挺满意的，师傅来得快” is an answer and a sentence at once."""
    return await _rated(chat, chat.data["case"], _judgement(chat.text) or 2, chat.text)


@router.on(
    state("rate.comment", "rate.satisfaction"),
    has_text,
    lambda chat: chat.seen.intent in ("rate", "chat"),
)
async def comment(chat: Chat) -> Reply:
    """A sentence with the rating; a new problem said here is a new report instead."""
    await rating.comment(chat.person, chat.data["case"], chat.text, chat.now, chat.source)
    chat.go()
    return Reply("记下了，谢谢您。")


def _answers(chat: Chat) -> bool:
    """Words or a number that can answer 解决了吗, said without an open question in this conversation."""
    if chat.state or not chat.text or chat.tap is not None:
        return False
    found = read_number(chat.text)
    return bool(found and found[0] <= 2) or bool(
        len(chat.text) <= 40
        and any(one.search(chat.text) for one in (_NOT_SOLVED, _SOLVED, _SATISFIED, _NOT_SATISFIED))
    )


async def answer_in_words(chat: Chat) -> Reply | None:
    """The push asked 解决了吗 and the resident answers: 1, 2, 解决了, 没修好 … None when nothing waits for it."""
    if not _answers(chat):
        return None
    waiting = await awaiting_answer(chat.person)
    if not waiting:
        return None
    number = read_number(chat.text)
    if len(waiting) > 1 and not any(serial(case.number) in chat.text for case in waiting):
        lines = [f"{place} {serial(case.number)} {case.subject}" for place, case in enumerate(waiting, 1)]
        chat.ask("", [(serial(case.number), tap_id(case.id, Tap.SHOW)) for case in waiting])
        return Reply("您有几件事等您确认，说的是哪一件？\n" + "\n".join(lines) + "\n回复前面的数字。")
    case = waiting[0] if len(waiting) == 1 else await find_case(chat.person, chat.text)
    if (number and number[0] == 2) or (
        not number and (_NOT_SOLVED.search(chat.text) or _NOT_SATISFIED.search(chat.text))
    ):
        return await _not_solved(chat, case.id, number[1] if number else chat.text)
    reply = await _solved(chat, case.id)
    judged = _judgement(chat.text) if not number else None
    return await _rated(chat, case.id, judged, chat.text) if judged else reply
