"""我的预约 in chat: what one has, another time, giving it back, how it was; and the counter's list with 签到."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.messages import Reply
from bot.router import Router
from domain import booking_changes, bookings
from domain.booking_cards import STATE_NAMES, Card
from domain.booking_counter import counter_figures, counter_list
from domain.booking_notices import say_time
from domain.clock import SHANGHAI
from domain.notices import Tap
from handlers.bookings import booked_text, one_of, other_time
from handlers.chat import Chat, either, numbered, pattern, state, tapped, words
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("my_bookings")

_SHOWN = 6
_CODE = re.compile(r"签到\s*[:：]?\s*(\d{6})")
_GIVES_BACK = r"(?:我|想|要|请|帮|把)*(?:取消|退掉?).{0,10}预约[了吧。！!]*"
_GIVES_BACK += r"|.{0,12}预约.{0,6}(?:取消|退掉?|不去|来不了)(?:一下|了|掉|吧)*[。！!]*"
_WHEN = r"我(?:的)?(?:预约|约)(?:的|了)?(?:是)?(?:在)?(?:什么时候|几点|哪天|哪一天|什么时间).{0,4}"
_MARK = re.compile(r"([1-5一二三四五])\s*(?:分|颗?星)?[。！!]*")
_STARS = (Tap.STARS_1, Tap.STARS_2, Tap.STARS_3, Tap.STARS_4, Tap.STARS_5)
_NOTHING = "您现在没有预约。\n要约，回复“预约”。"


def _line(card: Card, chat: Chat) -> str:
    whose = f"，给{card.name}" if card.for_other else ""
    return f"{say_time(card.starts_at, chat.now)} {card.title}（{STATE_NAMES[card.state]}{whose}）"


@router.on(
    state("booking.plan", "booking.day", "booking.time", "booking.confirm", "booking.other"),
    words("不约了", "先不约", "先不约了", "不要了", "不用了", "不约"),
)
async def not_after_all(chat: Chat) -> Reply:
    """Nothing was booked yet."""
    chat.go()
    return Reply("好的，没有约。\n要约，随时回复“预约”。")


@router.on(either(words("我的预约", "查预约", "看预约", "预约记录", "我约的"), pattern(_WHEN)))
async def mine(chat: Chat) -> Reply:
    """What lies ahead."""
    found = list(await bookings.my_bookings(chat.person, chat.now, limit=_SHOWN))
    if not found:
        chat.go()
        return Reply(_NOTHING)
    if len(found) == 1:
        return _show(chat, found[0])
    chat.go("booking.mine", ids=[card.id for card in found])
    return chat.ask("您的预约：", numbered(*(_line(card, chat) for card in found)))


@router.on(state("booking.mine"), one_of("ids"))
async def one(chat: Chat) -> Reply:
    """All of it, and what can be done."""
    return _show(chat, await bookings.find_booking(chat.person, chat.data["ids"][(chat.tap or 1) - 1]))


def _show(chat: Chat, card: Card) -> Reply:
    chat.go("booking.one", id=card.id)
    choices = ["取消预约", *([] if card.is_activity else ["换个时间"])]
    return chat.ask(booked_text(card, chat.now).rsplit("\n", 1)[0], numbered(*choices))


@router.on(state("booking.one"), tapped(2))
async def another(chat: Chat) -> Reply:
    """Another time for it."""
    return await other_time(chat, await bookings.find_booking(chat.person, chat.data["id"]))


def _gives_back(chat: Chat) -> bool:
    return chat.state == "booking.one" and chat.tap == 1


@router.on(either(words("取消预约", "不约了", "退号", "来不了", "来不了取消"), pattern(_GIVES_BACK), _gives_back))
async def give_back(chat: Chat) -> Reply:
    """Which one, and whether it is meant."""
    if chat.state == "booking.one" and chat.tap:
        return _ask_cancel(chat, await bookings.find_booking(chat.person, chat.data["id"]))
    found = list(await bookings.my_bookings(chat.person, chat.now, limit=_SHOWN))
    if not found:
        chat.go()
        return Reply(_NOTHING)
    if len(found) == 1:
        return _ask_cancel(chat, found[0])
    chat.go("booking.give_back", ids=[card.id for card in found])
    return chat.ask("取消哪一个？", numbered(*(_line(card, chat) for card in found)))


@router.on(state("booking.give_back"), one_of("ids"))
async def which(chat: Chat) -> Reply:
    """Whether it is meant."""
    return _ask_cancel(chat, await bookings.find_booking(chat.person, chat.data["ids"][(chat.tap or 1) - 1]))


@router.on(case_tap(Tap.NOT_COMING))
async def not_coming(chat: Chat) -> Reply:
    """From a reminder, however old."""
    return _ask_cancel(chat, await bookings.find_booking(chat.person, tapped_case(chat)))


def _ask_cancel(chat: Chat, card: Card) -> Reply:
    if not card.is_live:
        chat.go()
        return Reply(f"这个预约{STATE_NAMES[card.state]}，不用再取消。\n要约，回复“预约”。")
    chat.go("booking.cancel", id=card.id)
    late = "\n时间很近了，下次请早点说，好让给别人。" if chat.now > card.free_until else ""
    return chat.ask(f"要取消吗？\n{_line(card, chat)}{late}", numbered("取消预约", "不取消"))


@router.on(state("booking.cancel"), tapped(1))
async def cancelled(chat: Chat) -> Reply:
    """The seat goes to who waits."""
    await bookings.cancel(chat.person, chat.data["id"], chat.now, source=chat.source)
    chat.go()
    return Reply("已取消，位置会让给候补的人。\n要另约，回复“预约”。")


@router.on(state("booking.cancel"), tapped(2))
async def kept(chat: Chat) -> Reply:
    """All stays."""
    chat.go()
    return Reply("好的，预约还在，请按时来。")


@router.on(case_tap(*_STARS))
async def stars(chat: Chat) -> Reply:
    """How it was."""
    return await _rated(chat, tapped_case(chat), (chat.tap or 0) % 100 - Tap.STARS_1 + 1)


async def stars_in_words(chat: Chat) -> Reply | None:
    """“5”, “五分”: the notice says what the numbers mean. None where it was not asked lately."""
    found = _MARK.fullmatch(chat.text.strip())
    if found is None or chat.state:
        return None
    asked = await booking_changes.asked_lately(chat.person, chat.now)
    return await _rated(chat, asked, "12345".find(found[1]) + 1 or "一二三四五".find(found[1]) + 1) if asked else None


async def _rated(chat: Chat, booking_id: int, given: int) -> Reply:
    await booking_changes.rate(chat.person, booking_id, given, chat.now, source=chat.source)
    chat.go()
    if given >= 3:
        return Reply("谢谢您的评价。")
    return Reply("谢谢您说真话，社区会看到。\n想说说哪里没办好，直接发就行，会转给网格员。")


@router.on(pattern(_CODE.pattern))
async def check_in(chat: Chat) -> Reply:
    """For staff at the counter."""
    found = _CODE.fullmatch(chat.text.strip())
    card = await bookings.check_in(chat.person, found[1] if found else "", chat.now, source=chat.source)
    about = f"\n要办：{card.note}" if card.note else ""
    return Reply(f"签到好了：{card.name or '居民'}，{card.title}，{say_time(card.starts_at, chat.now)}。{about}")


@router.on(words("今天预约", "今日预约", "今天的预约", "预约名单", "明天预约", "明天的预约"))
async def counter(chat: Chat) -> Reply:
    """For staff: who comes."""
    is_tomorrow = "明天" in chat.text
    day = chat.now + timedelta(days=1) if is_tomorrow else chat.now
    found = await counter_figures(chat.person, day)
    name = "明天" if is_tomorrow else "今天"
    if not found.seats + found.waiting:
        return Reply(f"{name}没有预约。")
    still = await counter_list(chat.person, day, limit=_SHOWN + 1, still=True)
    lines = [f"{_clock(card)} {card.who} {card.title}" for card in still[:_SHOWN]]
    lines += ["后面还有，全部在工作台看。"] if len(still) > _SHOWN else []
    head = f"{name}预约 {found.seats} 人，已到 {found.came} 人，候补 {found.waiting} 人。"
    return Reply("\n".join([head, *lines, *([] if is_tomorrow else ["签到：回复“签到”加六位码，比如“签到 012345”。"])]))


def _clock(card: Card) -> str:
    local = card.starts_at.astimezone(SHANGHAI)
    return f"{local.hour}:{local.minute:02}"
