"""What no other route took: numbers without a question, photos first, plain sentences, nonsense.

Whatever comes, the resident is told what to do next.
"""

from __future__ import annotations

import nlp
from bot.messages import Kind, Reply
from bot.router import Router
from domain.notices import excerpt
from errors import NotFound
from handlers import bookings, services
from handlers.chat import MEDIA, Chat, has_text, kind, numbered, state, tapped
from handlers.contact import call_worker
from handlers.drafts import Draft
from handlers.emergency import raise_alarm
from handlers.my_bookings import stars_in_words
from handlers.progress import answer_question, my_cases, talk_of_progress
from handlers.rate import answer_in_words
from handlers.report import offer, offer_media, start
from handlers.room import pass_on, pass_on_media
from handlers.staff import number_without_question

router: Router[Chat] = Router("fallback")

#: From this many characters on, a complaint of no known kind is offered as a report rather than asked about.
_CLEAR = 12
_THANKS = ("谢谢", "多谢", "辛苦", "感谢", "麻烦")
_HELLO = ("你好", "您好", "在吗", "早上好", "下午好", "晚上好", "早", "hi", "hello")


@router.on(kind(*MEDIA, Kind.LOCATION))
async def media_first(chat: Chat) -> Reply:
    """A photo, a place or a voice message goes into the room, in relay mode, or begins a report."""
    return await pass_on_media(chat) or await offer_media(chat)


@router.on(state("unsure"), tapped(1))
async def meant_report(chat: Chat) -> Reply:
    """“反映问题”: what was said is the report."""
    said = chat.data.get("said", "")
    if not said:
        return await start(chat)
    chat.text = said
    return await offer(chat, nlp.understand(said))


@router.on(state("unsure"), tapped(2))
async def meant_question(chat: Chat) -> Reply:
    """“问怎么办事”."""
    return await _question(chat, chat.data.get("said", ""))


@router.on(state("unsure"), tapped(3))
async def meant_progress(chat: Chat) -> Reply:
    """“查我反映过的事”."""
    return await my_cases(chat)


@router.on(state("unsure"), tapped(4))
async def meant_person(chat: Chat) -> Reply:
    """“找网格员说话”."""
    return await call_worker(chat, chat.data.get("said", ""))


@router.on(state("question"), tapped(1))
async def ask_worker(chat: Chat) -> Reply:
    """The grid worker answers; the answer comes back as any result does."""
    return await services.ask_worker(chat, chat.data.get("said", ""))


@router.on(state("question"), tapped(2))
async def question_is_report(chat: Chat) -> Reply:
    """It was a problem, not a question."""
    chat.text = chat.data.get("said", "")
    return await offer(chat, chat.seen)


@router.on(state("question"), tapped(3))
async def question_dropped(chat: Chat) -> Reply:
    """Never mind."""
    chat.go()
    return Reply("好的。有事随时直接说。")


async def _question(chat: Chat, said: str) -> Reply:
    """From the directory of services; the grid worker is asked what it does not know."""
    return await services.answer(chat, said) or _offer_question(chat, said)


def _offer_question(chat: Chat, said: str) -> Reply:
    home = chat.person.home
    who = home.worker.label if home and home.worker else "网格员"
    chat.go("question", said=said)
    return chat.ask(
        f"您想问：“{excerpt(said, 40)}”。\n请{who}来回答吗？", numbered("请网格员回答", "我是要反映问题", "不用了")
    )


@router.on(has_text)
async def sentence(chat: Chat) -> Reply:
    """Any sentence: a number for a pushed question, an emergency, a problem, a question, small talk."""
    for answer in (number_without_question, answer_in_words, stars_in_words):
        if reply := await answer(chat):
            return reply
    seen = chat.seen
    if seen.urgent and seen.emergency:
        return await _alarm(chat)
    for answer in (answer_question, pass_on, bookings.answer_booking, services.answer_looking):
        if reply := await answer(chat):
            return reply
    match seen.intent:
        case "report" if seen.category or seen.places or len(chat.text) >= _CLEAR:
            return await offer(chat, seen)
        case "progress":
            return await _progress(chat)
        case "consult":
            return await _question(chat, chat.text)
        case _:
            return await _small_talk(chat)


async def _alarm(chat: Chat) -> Reply:
    draft = Draft.load(chat.data) or Draft()
    draft.begin(chat.text, chat.seen)
    return await raise_alarm(chat, draft)


async def _progress(chat: Chat) -> Reply:
    try:
        return await talk_of_progress(chat)
    except NotFound:
        return await my_cases(chat)


async def _small_talk(chat: Chat) -> Reply:
    text = chat.text.lower()
    if any(word in text for word in _THANKS) and len(text) <= 20:
        return Reply("不客气。有事随时直接说。")
    if any(text.startswith(word) for word in _HELLO) and len(text) <= 12:
        return Reply("您好。有什么问题直接说，比如“3栋楼道灯坏了”。\n看进度回复“我的事项”，找人回复“人工”。")
    if text.strip("。. ").isdigit():  # to no question: as words of a report it would say nothing
        return Reply("现在没有要选的。\n有事直接说，比如“3栋楼道灯坏了”；看进度回复“我的事项”。")
    if reply := await services.answer(chat, chat.text, sure=True):
        return reply
    chat.go("unsure", said=chat.text)
    return chat.ask("我没完全明白，您是想：", numbered("反映问题", "问怎么办事", "查我反映过的事", "找网格员说话"))


def _something(chat: Chat) -> bool:
    return chat.message.kind in (Kind.LINK, Kind.MINIPROGRAMPAGE, Kind.TEXT)


@router.on(_something)
async def nothing_in_it(_chat: Chat) -> Reply:
    """An empty text, a card."""
    return Reply("没看到文字。请用一句话说说是什么事，也可以发照片。")
