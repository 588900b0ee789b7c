"""“我那个灯的事怎么样了”: a resident's cases, one case with its timeline, urging and adding to it."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import cards, notices, rating
from domain.access import access_case, reads_only
from domain.applications import own_applications
from domain.duplicates import card, followed, list_line
from domain.lookup import asked_back, find_case, own_cases, timeline
from domain.notices import Tap, serial, tap_id
from domain.privacy import masked_case, masked_lines
from errors import NotFound
from handlers.chat import Chat, click, either, has_text, pattern, state, words
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("progress")

#: Weight of words that speak for another kind of matter beyond which an answer is none: more than one strong word.
_ONE_WORD = 4.0
_NUMBER = (
    r"(?:查一?下?|查询|编号|进度)\s*[:：]?\s*(?:20\d{2})?(?:\d{4}\s*[-—－]\s*)?\d{4,6}\s*(?:号|怎么样了|进度)?[。？?]*"
)


@router.on(
    either(click("my_cases"), words("我的事项", "我的事", "我反映的事", "我的案件", "查进度", "进度", "查询", "查"))
)
async def my_cases(chat: Chat) -> Reply:
    """What this resident reported, open ones first."""
    cases, joined = await own_cases(chat.person), await followed(chat.person, limit=3)
    chat.go()
    applied = any(one.state.is_open for one in await own_applications(chat.person))
    also = "\n网上申请的事，回复“我的申请”看。" if applied else ""
    if not cases and not joined:
        return Reply(f"您还没有反映过事情。\n有事直接说就行，比如“3栋楼道灯坏了”。{also}")
    if len(cases) == 1 and not joined:
        return await show_case(chat, cases[0].id)
    listed = [(case.id, case.number, cards.list_line(case)) for case in cases]
    listed += [(one.case_id, one.number, f"{list_line(one)}（您也遇到）") for one in joined]
    lines = [f"{place} {line}" for place, (_, _, line) in enumerate(listed, 1)]
    chat.ask("", [(serial(number), tap_id(case_id, Tap.SHOW)) for case_id, number, _ in listed])
    return Reply("您反映过的事：\n" + "\n".join(lines) + f"\n回复前面的数字看进度。{also}")


@router.on(either(pattern(_NUMBER), pattern(r"\d{4}[-—－]\d{4,6}|20\d{6}[-—－]\d{4,6}")))
async def by_number(chat: Chat) -> Reply:
    """“查 0037”."""
    try:
        case = await find_case(chat.person, chat.text)
    except NotFound:
        return await show_followed(chat, said=chat.text)
    return await show_case(chat, case.id)


async def show_followed(chat: Chat, *, case_id: int = 0, said: str = "") -> Reply:
    """A neighbour's case this person joined, as far as joiners may read it; NotFound for everything else."""
    found = [one for one in await followed(chat.person, said, 50) if said or one.case_id == case_id]
    if not found:
        raise NotFound(f"case {case_id or 'by number'}", tag="case:read", object_id=case_id or None)
    chat.go()
    return Reply(card(found[0], chat.now))


@router.on(case_tap(Tap.SHOW))
async def tapped(chat: Chat) -> Reply:
    """A line of the list, or “看详情” of a notice."""
    return await show_case(chat, tapped_case(chat))


async def show_case(chat: Chat, case_id: int) -> Reply:
    """The card of one case, with what this person may do next."""
    try:
        case = await access_case(chat.person, case_id)
    except NotFound:
        return await show_followed(chat, case_id=case_id)
    mine = case.reporter_id == chat.person.resident_id
    post = chat.person.post
    lines = await timeline(case, staff=not mine)
    if post and await reads_only(chat.person, case):
        case, lines = masked_case(case), masked_lines(lines)
    chat.go()
    if post and case.holder_id == post.id and case.status in ("dispatched", "disposing"):
        return chat.ask(cards.staff_card(case, lines, chat.now), notices.task_choices(case))
    if not mine:
        return Reply(cards.staff_card(case, lines, chat.now))
    text = cards.resident_card(case, lines, chat.now)
    choices = notices.resident_choices(case)
    return chat.ask(text, choices) if choices else Reply(text)


async def talk_of_progress(chat: Chat) -> Reply:
    """A sentence that asks how far it is, with or without a number."""
    if any(character.isdigit() for character in chat.text):
        return await by_number(chat)
    cases = await own_cases(chat.person)
    open_ones = [case for case in cases if case.closed_at is None]
    if len(open_ones) == 1:
        return await show_case(chat, open_ones[0].id)
    return await my_cases(chat)


@router.on(words("催", "催一下", "催办", "催促", "快点"))
async def urge_in_words(chat: Chat) -> Reply:
    """“催一下” without saying what: the one open case, or the list."""
    return await _the_one(chat, Tap.URGE)


@router.on(words("补充", "补充情况", "我要补充"))
async def supplement_in_words(chat: Chat) -> Reply:
    """“补充” without saying to what: the one open case, or the list."""
    return await _the_one(chat, Tap.SUPPLEMENT)


async def answer_question(chat: Chat) -> Reply | None:
    """Staff asked for something (请您补充), and the resident just says it. Another matter stays another matter."""
    if chat.state or not chat.text or chat.message.tap is not None:
        return None
    waiting = await asked_back(chat.person)
    seen = chat.seen
    spoken = sum(match.weight for match in seen.matched if match.category == seen.category)
    other = spoken > _ONE_WORD and waiting and seen.category != waiting[0].category
    if len(waiting) != 1 or other or (seen.urgent and seen.emergency):
        return None
    case = await rating.supplement(chat.person, waiting[0].id, chat.text, chat.now, chat.source)
    return Reply(f"已加到 {serial(case.number)}，接着办。\n如果说的是另一件事，请再说一次并写明在哪里。")


async def _the_one(chat: Chat, tap: Tap) -> Reply:
    open_ones = [case for case in await own_cases(chat.person) if case.closed_at is None]
    if len(open_ones) != 1:
        return await my_cases(chat)
    chat.tap = tap_id(open_ones[0].id, tap)
    return await (urge(chat) if tap is Tap.URGE else begin_supplement(chat))


@router.on(case_tap(Tap.URGE))
async def urge(chat: Chat) -> Reply:
    """Asks to hurry."""
    case, told = await rating.urge(chat.person, tapped_case(chat), chat.now, chat.source)
    chat.go()
    home = chat.person.home
    phone = f"\n急的话可以打社区值班电话 {home.duty_phone}。" if home and home.duty_phone else ""
    return Reply(f"已催{told.label if told else '社区'}尽快处理 {serial(case.number)}。{phone}")


@router.on(case_tap(Tap.SUPPLEMENT))
async def begin_supplement(chat: Chat) -> Reply:
    """The next words go to this case."""
    case = await access_case(chat.person, tapped_case(chat))
    chat.go("supplement", case=case.id)
    return Reply(f"请说要给 {serial(case.number)} {case.subject} 补充什么。不补充了回复“取消”。")


@router.on(state("supplement"), has_text)
async def supplement(chat: Chat) -> Reply:
    """They go there."""
    case = await rating.supplement(chat.person, chat.data["case"], chat.text, chat.now, chat.source)
    chat.go()
    return Reply(f"已加到 {serial(case.number)}，处理的人看得到。")


@router.on(pattern(r"撤回\s*[:：]?\s*(?:20\d{2})?(?:\d{4}[-—－])?\d{4,6}[。]?"))
async def withdraw(chat: Chat) -> Reply:
    """“撤回 0037”, while nobody has begun."""
    found = await find_case(chat.person, chat.text)
    case = await rating.withdraw(chat.person, found.id, chat.now, chat.source)
    chat.go()
    return Reply(f"{serial(case.number)} {case.subject} 已撤回。")
