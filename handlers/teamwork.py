"""Staff among themselves, in words with a number: ask, agree, transfer, assist, merge, split, supervise, remark.

“延期 0037 3天 等配件”, “同意 0037”, “转 0037 房管所 管道是产权单位的”. What is missing is asked for in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import nlp
from bot.messages import Reply
from bot.router import Router
from domain import casework, requests, supervision, together
from domain.access import access_case
from domain.clock import read_until
from domain.kinds import find_kinds
from domain.lookup import find_case
from domain.notices import Tap, excerpt, serial
from domain.reports import Draft
from domain.requests import NAMES, Case, RequestKind, Wish
from domain.worktime import TimeLimit
from errors import BadRequest, NotFound
from handlers.chat import Chat, has_text, is_staff, pattern, state, words
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("teamwork")

_NUMBER = r"(?P<number>(?:20\d{2})?(?:\d{4}[-—－])?\d{4,6})"
Action = Callable[[Chat, Case, str], Awaitable[str]]


async def _ask(chat: Chat, case: Case, wish: Wish) -> str:
    case, told = await requests.ask(chat.person, case.id, wish, chat.now, chat.source)
    return f"{serial(case.number)} 已向{told[0].label}申请{NAMES[wish.kind]}，决定了就告诉您。"


async def _extend(chat: Chat, case: Case, said: str) -> str:
    found = read_until(said, chat.now, case.due_at)
    if found is None:
        raise BadRequest("no time", say=f"延到什么时候？比如“延期 {serial(case.number)} 3天 等配件”。")
    return await _ask(chat, case, Wish(RequestKind.EXTEND, found[1], found[0]))


async def _suspend(chat: Chat, case: Case, said: str) -> str:
    found = read_until(said, chat.now)
    if found is None:
        raise BadRequest("no time", say=f"挂账到什么时候？比如“挂账 {serial(case.number)} 10天 等开春施工”。")
    return await _ask(chat, case, Wish(RequestKind.SUSPEND, found[1], found[0]))


async def _void(chat: Chat, case: Case, said: str) -> str:
    return await _ask(chat, case, Wish(RequestKind.VOID, said))


async def _wait(chat: Chat, case: Case, said: str) -> str:
    await requests.wait_for_resident(chat.person, case.id, said, chat.now, chat.source)
    return f"{serial(case.number)} 已请居民补充，居民回复前时间停着。"


async def _resume(chat: Chat, case: Case, _said: str) -> str:
    await requests.resume(chat.person, case.id, chat.now, chat.source)
    return f"{serial(case.number)} 已恢复办理，时间接着算。"


async def _agree(chat: Chat, case: Case, _said: str) -> str:
    if await requests.offered_to(chat.person, case.id):
        await together.take_over(chat.person, case.id, chat.now, chat.source)
        return f"已接 {serial(case.number)}。办好后点“办好了”并发张照片。"
    waiting = await requests.awaiting(chat.person, case.id)
    if waiting is None:
        raise NotFound("nothing asked", say=f"{serial(case.number)} 现在没有等您决定的申请。")
    await requests.grant(chat.person, case.id, waiting.kind, chat.now, chat.source)
    more = f"请回复“派 {serial(case.number)} 网格名”。" if waiting.kind is RequestKind.RETURN else ""
    return f"{serial(case.number)} 已同意{NAMES[waiting.kind]}。{more}"


async def _refuse(chat: Chat, case: Case, said: str) -> str:
    _, request = await requests.refuse(chat.person, case.id, said, chat.now, source=chat.source)
    return f"{serial(case.number)} 没有同意{NAMES[request.kind]}，已告诉申请的人。"


def _to_whom(case: Case, said: str, example: str) -> tuple[str, str]:
    to, _, why = said.strip().removeprefix("给").removeprefix("到").strip().partition(" ")
    if not to:
        raise BadRequest("nobody named", say=f"给谁？比如“{example.format(serial(case.number))}”。")
    return to, why.strip()


async def _transfer(chat: Chat, case: Case, said: str) -> str:
    to, why = _to_whom(case, said, "转 {} 房管所 管道是产权单位的")
    case, other = await together.transfer(chat.person, case.id, to, why, chat.now, chat.source)
    return f"{serial(case.number)} 已转给{other.label}，对方接之前还由您负责。"


def _limit(said: str) -> tuple[TimeLimit | None, str]:
    """A time limit in front of the sentence, and the rest of it."""
    first, _, rest = said.partition(" ")
    try:
        return TimeLimit.parse(first), rest.strip()
    except BadRequest:
        return None, said


async def _assist(chat: Chat, case: Case, said: str) -> str:
    to, what = _to_whom(case, said, "协办 {} 城管 帮忙清一下车")
    within, what = _limit(what)
    case, other = await together.assist(chat.person, case.id, to, what, chat.now, chat.source, within=within)
    return f"{serial(case.number)} 已请{other.label}协办，您仍是经办人。"


async def _assisted(chat: Chat, case: Case, said: str) -> str:
    await together.assisted(chat.person, case.id, said, chat.now, chat.source)
    return f"{serial(case.number)} 协办已记下，经办人看得到。"


async def _merge(chat: Chat, case: Case, said: str) -> str:
    many = chat.policy.pressing_joiners
    merged, survivor = await together.merge(chat.person, case.id, said, chat.now, chat.source, many=many)
    return f"{serial(merged.number)} 已并入 {serial(survivor.number)}，两边的居民都会收到进展。"


async def _split(chat: Chat, case: Case, said: str) -> str:
    seen = nlp.understand(said)
    subject = nlp.category(seen.category).subject if seen.category else excerpt(said, 20)
    place = seen.places[0] if seen.places else case.place
    draft = Draft(said, seen.category or "other", subject, seen.domain or case.domain, place, seen.urgent)
    case, part = await together.split(chat.person, case.id, draft, chat.now, chat.source)
    return f"{serial(case.number)} 拆出一件新的：{serial(part.number)} {part.subject}。"


async def _supervise(chat: Chat, case: Case, said: str) -> str:
    within, text = _limit(said)
    limit = within or supervision.ANSWER_WITHIN
    case, holder = await supervision.supervise(chat.person, case.id, text, chat.now, within=limit, source=chat.source)
    return f"{serial(case.number)} 已督办" + (f"，等{holder.label}答复。" if holder else "。")


async def _answer(chat: Chat, case: Case, said: str) -> str:
    await supervision.answer(chat.person, case.id, said, chat.now, chat.source)
    return f"{serial(case.number)} 的答复已送到。"


async def _memo(chat: Chat, case: Case, said: str) -> str:
    case, told = await supervision.memo(chat.person, case.id, said, chat.now, chat.source)
    names = "、".join(post.name for post in told)
    return f"{serial(case.number)} 备注记下了，居民看不到。" + (f"已告诉{names}。" if names else "")


async def _recategorise(chat: Chat, case: Case, said: str) -> str:
    kind = _kind(said)
    await casework.recategorise(chat.person, case.id, (kind.code, kind.subject, kind.domain), chat.now, chat.source)
    return f"{serial(case.number)} 已改成“{kind.subject}”，时限不变。"


def _kind(said: str) -> nlp.Category:
    """The kind the words are about or name; misspelt ones and pinyin are found by name."""
    if code := nlp.understand(said).category:
        return nlp.category(code)
    found = find_kinds(said)
    if found.sure:
        return found.likely[0]
    unclear = f"没看出“{excerpt(said, 20)}”是哪一类"
    if found.likely:
        names = "、".join(kind.name for kind in found.likely)
        raise BadRequest("which category", say=f"{unclear}。是不是{names}？请写全。")
    raise BadRequest("no category", say=f"{unclear}，请换个词，比如“停车”“漏水”。")


async def _explain(chat: Chat, case: Case, said: str) -> str:
    await casework.dispose(chat.person, case.id, said, chat.now, outcome="explained", source=chat.source)
    return f"{serial(case.number)} 已答复居民，正在请居民确认。"


async def _cannot(chat: Chat, case: Case, said: str) -> str:
    await casework.dispose(chat.person, case.id, said, chat.now, outcome="cannot", source=chat.source)
    return f"{serial(case.number)} 已把办不了的原因告诉居民。"


_ACTIONS: dict[str, Action] = {
    "解释": _explain,
    "办不了": _cannot,
    "申请延期": _extend,
    "延期": _extend,
    "申请挂账": _suspend,
    "挂账": _suspend,
    "申请作废": _void,
    "作废": _void,
    "待补充": _wait,
    "请居民补充": _wait,
    "恢复": _resume,
    "不同意": _refuse,
    "同意": _agree,
    "转办": _transfer,
    "转给": _transfer,
    "转": _transfer,
    "协办好了": _assisted,
    "协办完成": _assisted,
    "协办": _assist,
    "并案": _merge,
    "并入": _merge,
    "并": _merge,
    "拆分": _split,
    "拆": _split,
    "督办": _supervise,
    "答复": _answer,
    "备注": _memo,
    "改类别": _recategorise,
    "改类型": _recategorise,
}
_SAID = re.compile(rf"(?P<verb>{'|'.join(_ACTIONS)})\s*{_NUMBER}\s*[:：，,]?\s*(?P<words>.*)", re.DOTALL)


_HELP = """办一件事，先说做什么，再说编号和原因：
办好了 0037 换了灯泡
上报 0037 要换线路
退回 0037 不在我的网格
转 0037 房管所 管道是产权单位的
协办 0037 城管 帮忙清一下
延期 0037 3天 等配件
挂账 0037 10天 等开春施工
待补充 0037 是哪一盏灯
解释 0037 原因，办不了 0037 原因
并 0037 0035，拆 0037 另一件事
备注 0037 内部的话 @同事
常用语 0037，类似 0037，热点，群审核
预约：今天预约，签到 012345
住户：档案 3栋501，核对住户"""
_HELP_DISPATCHERS = """
派单的还可以说：
派 0037 第二网格
同意 0037，不同意 0037 原因
通过 0037，返工 0037 原因
督办 0037 2小时 今天到现场
网上申请：回复“申请待办”"""


@router.on(is_staff, words("工作帮助", "口令", "工作口令"))
async def work_help(chat: Chat) -> Reply:
    """What staff can type, by example."""
    post = chat.person.post
    return Reply(_HELP + (_HELP_DISPATCHERS if post and post.dispatches else ""))


@router.on(is_staff, pattern(_SAID.pattern))
async def by_words(chat: Chat) -> Reply:
    """Verb, number and sentence in one message."""
    found = _SAID.fullmatch(chat.text.strip())
    if found is None:
        raise BadRequest("verb")
    case = await find_case(chat.person, found["number"])
    said = await _ACTIONS[found["verb"]](chat, case, found["words"].strip())
    chat.go()
    return Reply(said)


@router.on(case_tap(Tap.AGREE))
async def agree(chat: Chat) -> Reply:
    """A tap on 同意."""
    case = await _tapped(chat)
    chat.go()
    return Reply(await _agree(chat, case, ""))


@router.on(case_tap(Tap.REFUSE))
async def refuse(chat: Chat) -> Reply:
    """A tap on 不同意: asks for the reason, unless it came along."""
    case = await _tapped(chat)
    if chat.rest:
        chat.go()
        return Reply(await _refuse(chat, case, chat.rest))
    chat.go("team.refuse", case=case.id)
    return Reply("请说一句为什么不同意，申请的人会看到。")


@router.on(state("team.refuse"), has_text)
async def refuse_because(chat: Chat) -> Reply:
    """The reason."""
    case = await access_case(chat.person, chat.data["case"])
    said = chat.text
    chat.go()
    return Reply(await _refuse(chat, case, said))


async def _tapped(chat: Chat) -> Case:
    return await access_case(chat.person, tapped_case(chat))
