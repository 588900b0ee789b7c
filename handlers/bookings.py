"""预约 in chat: what, day, time, yes. For oneself, or for somebody without WeChat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from bot.messages import Reply
from bot.router import Router
from domain import booking_changes, booking_plans, bookings
from domain.booking_cards import Card
from domain.booking_notices import say_day, say_time
from domain.booking_people import family
from domain.booking_rules import Other
from domain.clock import SHANGHAI
from domain.services import ServiceItem
from domain.slots import FreeSlot, free_slots
from errors import BadRequest, Conflict
from handlers.chat import Chat, Filter, either, has_text, numbered, pattern, state, tapped, words

router: Router[Chat] = Router("bookings")

_PLANS, _DAYS, _TIMES = 8, 8, 8
_MORE = "看更多"
_ANOTHER_TIME = "换个时间"
_YES = ("好", "好的", "可以", "行", "约", "确定", "对", "嗯", "要", "就这个", "就约这个", "是的")
_FOR_SOMEBODY = r"(?:给|替|帮).{1,6}(?:约|预约)?(?:的|一个)?"
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)")
_BETWEEN = re.compile(r"[\s，,、。：:；;]+")
_CALLED = re.compile(r"^(?:他|她)?(?:叫|姓名|名字|是我的?|我的?|关系)")
#: “帮我妈预约体检”: what stands behind it is what a plan is called, or a part of it.
_WANTS = re.compile(
    r"(?:我|想|要|请|帮|给|替|[我他她]?[爸妈]|妈妈|爸爸|老人|家人)*(?:预约|约)(?:个|一个|一下|下)?"
    r"(?P<what>[\u4e00-\u9fff]{2,10}?)[吗吧呢了]?[。！？!?]*"
)


_HOW = re.compile(
    r"(?P<what>[\u4e00-\u9fff]{2,8}?)(?:怎么|如何|可以|能不能|可不可以|能|要)(?:预约|约)[吗吧呢了]?[。！？!?]*"
)


def one_of(name: str) -> Filter:
    """A tap on one of what was listed under this name, not on what stands behind it."""
    return lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data.get(name, []))


def behind(name: str) -> Filter:
    """A tap on the line behind what was listed."""
    return lambda chat: chat.tap == len(chat.data.get(name, [])) + 1


@router.on(words("预约", "我要预约", "预约办事", "预约服务", "网上预约", "可以预约什么", "能预约什么"))
async def menu(chat: Chat) -> Reply:
    """What can be booked here."""
    return await _plans(chat, await booking_plans.list_plans(chat.person, limit=_PLANS + 1))


async def plans_of(chat: Chat, item: ServiceItem) -> Reply:
    """The times of an item: at once where it has one plan, else by choice."""
    return await _plans(chat, await booking_plans.plans_of_item(chat.person, item.code))


async def answer_booking(chat: Chat) -> Reply | None:
    """“预约律师”: the days of what is called so. None for everything else."""
    found = _WANTS.fullmatch(chat.text.strip()) or _HOW.fullmatch(chat.text.strip())
    if found is None:
        return None
    plans = await booking_plans.list_plans(chat.person, limit=50)
    meant = [plan for plan in plans if found["what"] in plan.title or plan.title in found["what"]]
    return await _plans(chat, meant) if meant else None


async def _plans(chat: Chat, plans: Sequence[booking_plans.BookingPlan]) -> Reply:
    chat.go()
    if not plans and chat.person.home is None:
        return Reply("先告诉我您住哪个网格，回复“我的网格”选一下，再回复“预约”。")
    if not plans:
        return Reply("您这里现在没有能预约的。\n想办什么直接说，比如“居住证怎么办”。")
    if len(plans) == 1:
        return await _days(chat, plans[0].code)
    shown = plans[:_PLANS]
    chat.go("booking.plan", plans=[plan.code for plan in shown], after=shown[-1].id)
    labels = [*(plan.title for plan in shown), *([_MORE] if len(plans) > _PLANS else [])]
    return chat.ask("想约哪一个？\n看约好的，回复“我的预约”。", numbered(*labels), named=True)


@router.on(state("booking.plan"), one_of("plans"))
async def plan_chosen(chat: Chat) -> Reply:
    """Its days."""
    return await _days(chat, chat.data["plans"][(chat.tap or 1) - 1])


@router.on(state("booking.plan"), behind("plans"))
async def more_plans(chat: Chat) -> Reply:
    """The next of them."""
    return await _plans(chat, await booking_plans.list_plans(chat.person, after=chat.data["after"], limit=_PLANS + 1))


def _can(slot: FreeSlot, *, move: bool) -> bool:
    """A move needs a free seat; else one may wait for one."""
    return slot.left > 0 or (slot.may_wait and not move)


def _day_of(slot: FreeSlot) -> date:
    return slot.starts_at.astimezone(SHANGHAI).date()


async def _days(chat: Chat, plan: str, move: int = 0) -> Reply:
    """The days with a seat, or a place on a list; the times at once where there is one day."""
    slots = [one for one in await free_slots(chat.person, plan, chat.now) if _can(one, move=bool(move))]
    days = list(dict.fromkeys(map(_day_of, slots)))[:_DAYS]
    if not days:
        chat.go()
        return Reply("最近没有能约的时间，每天会放新的号。\n过一两天回复“预约”再看看。")
    if len(days) == 1:
        return await times(chat, plan, days[0], move)
    chat.go("booking.day", plan=plan, days=[day.isoformat() for day in days], move=move)
    return chat.ask("想约哪一天？", numbered(*(_day_label(day, slots, chat.now) for day in days)), named=True)


def _day_label(day: date, slots: Sequence[FreeSlot], now: datetime) -> str:
    of_day = [one for one in slots if _day_of(one) == day]
    left = sum(one.left for one in of_day)
    return f"{say_day(of_day[0].starts_at, now)} {f'剩 {left} 个号' if left else '约满，可候补'}"


@router.on(state("booking.day"), one_of("days"))
async def day_chosen(chat: Chat) -> Reply:
    """Its times."""
    day = date.fromisoformat(chat.data["days"][(chat.tap or 1) - 1])
    return await times(chat, chat.data["plan"], day, chat.data["move"])


async def times(chat: Chat, plan: str, day: date, move: int = 0, start: int = 0) -> Reply:
    """The times of one day, some at once."""
    found = await free_slots(chat.person, plan, chat.now, first=day, last=day)
    slots = [one for one in found if _can(one, move=bool(move))]
    shown = slots[start : start + _TIMES]
    if not shown:
        chat.go()
        return Reply("这一天刚刚约满了。\n回复“预约”选别的日子。")
    following = start + _TIMES if start + _TIMES < len(slots) else 0
    chat.go("booking.time", plan=plan, day=day.isoformat(), slots=[one.id for one in shown], move=move, start=following)
    more = [_MORE] if len(slots) > _TIMES else []
    head = f"{say_day(shown[0].starts_at, chat.now)}，想约几点？"
    return chat.ask(head, numbered(*(_time_label(one) for one in shown), *more), named=True)


def _time_label(slot: FreeSlot) -> str:
    local = slot.starts_at.astimezone(SHANGHAI)
    left = f"剩 {slot.left} 个" if slot.left else f"约满，可候补，前面 {slot.waiting} 人"
    return f"{local.hour}:{local.minute:02}（{left}）"


@router.on(state("booking.time"), behind("slots"))
async def more_times(chat: Chat) -> Reply:
    """The next of the day; after the last the first again."""
    return await times(
        chat, chat.data["plan"], date.fromisoformat(chat.data["day"]), chat.data["move"], chat.data["start"]
    )


@router.on(state("booking.time"), one_of("slots"))
async def time_chosen(chat: Chat) -> Reply:
    """What would be booked, before it is."""
    return await _confirm(chat, chat.data["slots"][(chat.tap or 1) - 1])


async def _confirm(chat: Chat, slot_id: int, head: str = "") -> Reply:
    plan, day, move = chat.data["plan"], chat.data["day"], chat.data["move"]
    there = {one.id: one for one in await free_slots(chat.person, plan, chat.now, first=date.fromisoformat(day))}
    slot = there.get(slot_id)
    if slot is None or not _can(slot, move=bool(move)):
        return await _days(chat, plan, move)
    titled = await booking_plans.find_plan(chat.person, plan)
    wait = slot.left == 0
    chat.go("booking.move" if move else "booking.confirm", plan=plan, day=day, slot=slot_id, wait=wait, move=move)
    full = f"约满了，可以候补，前面有 {slot.waiting} 人。" if wait else ""
    lines = [head, titled.title, say_time(slot.starts_at, chat.now), titled.place, full]
    text = "\n".join(line for line in lines if line)
    if move:
        return chat.ask(f"{text}\n改到这个时间吗？", numbered("改", "不改"))
    other = "替居民约" if chat.person.post else "替家人约"
    return chat.ask(text, numbered("候补" if wait else "约这个时间", other, _ANOTHER_TIME))


@router.on(state("booking.confirm"), either(tapped(1), words(*_YES)))
async def confirmed(chat: Chat) -> Reply:
    """Booked for whoever writes."""
    return await _book(chat, None)


@router.on(state("booking.confirm"), tapped(3))
async def another_time(chat: Chat) -> Reply:
    """The days again."""
    return await _days(chat, chat.data["plan"])


@router.on(state("booking.confirm"), either(tapped(2), pattern(_FOR_SOMEBODY)))
async def for_other(chat: Chat) -> Reply:
    """Somebody without WeChat: who it is."""
    kept = {name: chat.data[name] for name in ("plan", "day", "slot", "wait", "move")}
    at_home = [] if chat.person.post else [one for one in await family(chat.person) if one.phone]
    chat.go("booking.other", **kept, family=[[one.name, one.phone, one.relation] for one in at_home])
    how = "请发姓名、电话和关系，比如：李桂英 13812345678 母亲\n不约了回复“取消”。"
    if not at_home:
        return Reply(f"替谁约？{how}")
    return chat.ask(f"替谁约？选家里人，或者{how}", numbered(*(one.name for one in at_home)))


@router.on(state("booking.other"), one_of("family"))
async def for_family(chat: Chat) -> Reply:
    """One of the household."""
    return await _book(chat, Other(*chat.data["family"][(chat.tap or 1) - 1]))


@router.on(state("booking.other"), has_text)
async def named(chat: Chat) -> Reply:
    """Their name, number and what they are to each other, in any order of the last two."""
    try:
        return await _book(chat, read_other(chat.text).checked())
    except BadRequest as error:
        return Reply(f"{error.in_chat}\n请再发一次，比如：李桂英 13812345678 母亲")


def read_other(text: str) -> Other:
    """`李桂英 13812345678 母亲`, `我妈 李桂英，电话13812345678`: what is no number is first the name, then the
    relation."""
    phone = _PHONE.search(text)
    rest = _PHONE.sub(" ", text).replace("电话", " ").replace("手机号", " ").replace("手机", " ")
    found = [cleaned for word in _BETWEEN.split(rest) if (cleaned := _CALLED.sub("", word))]
    return Other(found[0] if found else "", phone[1] if phone else "", found[1] if len(found) > 1 else "")


async def _book(chat: Chat, other: Other | None) -> Reply:
    slot_id, wait = chat.data["slot"], chat.data["wait"]
    try:
        card = await bookings.book(chat.person, slot_id, chat.now, other=other, wait=wait, source=chat.source)
    except Conflict as refused:
        if refused.data.get("full"):
            return await _confirm(chat, slot_id, "刚刚被人约走了。")
        chat.go()
        raise
    chat.go()
    return Reply(booked_text(card, chat.now))


def booked_text(card: Card, now: datetime) -> str:
    """What somebody has now, and what to do with it."""
    whose = f"给{card.name}" if card.for_other else ""
    if card.is_waiting:
        before = f"，前面有 {card.ahead} 人" if card.ahead else "，您排第一"
        lines = [
            f"已{whose}候补：{card.title}，{say_time(card.starts_at, now)}{before}。",
            "有位置马上告诉您，不用再来问。",
        ]
        return "\n".join([*lines, "不想等了，回复“取消预约”。"])
    lines = [f"{whose}约好了：{card.title}，{say_time(card.starts_at, now)}。"]
    lines += [f"地点：{card.place}"] if card.place else []
    lines.append(f"签到码 {card.code}，到了给工作人员看。")
    return "\n".join([*lines, "来不了，回复“取消预约”。"])


@router.on(state("booking.move"), tapped(1))
async def moved(chat: Chat) -> Reply:
    """The same booking at another time."""
    card = await booking_changes.move(chat.person, chat.data["move"], chat.data["slot"], chat.now, chat.source)
    chat.go()
    return Reply(f"改好了。\n{booked_text(card, chat.now)}")


@router.on(state("booking.move"), tapped(2))
async def not_moved(chat: Chat) -> Reply:
    """All stays."""
    chat.go()
    return Reply("好的，原来的预约没有变。\n要看，回复“我的预约”。")


async def other_time(chat: Chat, card: Card) -> Reply:
    """Days to which a booking can be moved."""
    return await _days(chat, card.plan_code, card.id)
