"""Staff in chat: 发活动 question by question, who signed up, calling one off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.messages import Reply
from bot.router import Router
from domain import activity_desk as desk
from domain import arrivals, sign_ups
from domain.activities import Event, find_activity, list_looked_after
from domain.activity_desk import NewSession
from domain.booking_notices import say_time
from domain.booking_rules import Other
from domain.clock import say_minutes
from domain.spoken_times import read_span
from handlers.activities import OTHER, describe
from handlers.chat import Chat, Filter, either, has_text, is_staff, numbered, state, tapped, words

router: Router[Chat] = Router("activity desk")

_KINDS = {"活动": "activity", "课程": "course", "志愿服务": "volunteer"}
_SEATS = re.compile(r"\D{0,6}(\d{1,4})\D{0,4}")
_NAMES = 8
_HOW_LONG = "时间没看清。请写日期、开始和结束，比如：11月28日 9:00-11:00，或：周六下午3点到5点"


def _one_of(name: str) -> Filter:
    return lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data.get(name, []))


@router.on(is_staff, words("发活动", "发布活动", "办活动", "新活动", "发课程", "发志愿服务"))
async def write(chat: Chat) -> Reply:
    """What kind."""
    chat.go("board.kind", given={})
    return chat.ask("要发布哪一种？", numbered(*_KINDS))


@router.on(state("board.kind"), tapped(1, 2, 3))
async def kind_given(chat: Chat) -> Reply:
    """Then its name."""
    return _next(chat, "board.title", "叫什么名字？比如：重阳节包饺子", kind=list(_KINDS.values())[(chat.tap or 1) - 1])


def _next(chat: Chat, where: str, question: str, **given: object) -> Reply:
    chat.go(where, given=chat.data["given"] | given)
    return Reply(question)


@router.on(state("board.title"), has_text)
async def title_given(chat: Chat) -> Reply:
    """Then its time."""
    title = " ".join(chat.text.split())
    if not 2 <= len(title) <= 32:
        return Reply("名称写 2 到 32 个字。不发了回复“取消”。")
    return _next(chat, "board.time", "什么时候？比如：11月28日 9:00-11:00\n几场就写几行。", title=title)


@router.on(state("board.time"), has_text)
async def time_given(chat: Chat) -> Reply:
    """Then its place. Each line is a time of its own."""
    spans = [read_span(line, chat.now) for line in chat.text.splitlines() if line.strip()]
    if not spans or not all(spans):
        return Reply(_HOW_LONG)
    for begin, end in filter(None, spans):
        NewSession(begin, end, 1).checked(chat.now)
    if len({span[0] for span in spans if span}) < len(spans):
        return Reply("有两场的开始时间一样。请把几场再写一遍，一行一场。")
    times = [[one.isoformat() for one in span] for span in spans if span]
    return _next(chat, "board.place", "在哪里？比如：社区活动室", times=times)


@router.on(state("board.place"), has_text)
async def place_given(chat: Chat) -> Reply:
    """Then its seats."""
    return _next(chat, "board.seats", "每场多少个名额？", place=" ".join(chat.text.split())[:200])


@router.on(state("board.seats"), has_text)
async def seats_given(chat: Chat) -> Reply:
    """Then what residents should know."""
    found = _SEATS.fullmatch(chat.text)
    if not found or not 1 <= int(found[1]) <= desk.MOST_SEATS:
        return Reply(f"请写一个数，1 到 {desk.MOST_SEATS}。")
    question = "还要告诉居民什么？比如要带什么、适合谁。没有就回复“没有”。"
    return _next(chat, "board.words", question, seats=int(found[1]))


@router.on(state("board.words"), has_text)
async def words_given(chat: Chat) -> Reply:
    """The draft, as residents will read it."""
    text = "" if chat.text.strip(" 。") in ("没有", "无", "不用") else chat.text
    given = chat.data["given"]
    sessions = [
        NewSession(datetime.fromisoformat(begin), datetime.fromisoformat(end), given["seats"])
        for begin, end in given["times"]
    ]
    new = desk.of_chat(given["kind"], given["title"], sessions, text, given["place"])
    made = await desk.create_activity(chat.person, new, chat.now, source=chat.source)
    chat.go("board.confirm", id=made)
    event = await find_activity(chat.person, made)
    return chat.ask(f"居民会看到：\n{describe(event, chat.now)}", numbered("发布", "不发了"))


@router.on(state("board.confirm"), either(tapped(1), words("发布", "确认", "好", "发")))
async def publish(chat: Chat) -> Reply:
    """Residents may sign up from now on."""
    await desk.open_activity(chat.person, chat.data["id"], chat.now, source=chat.source)
    event = await find_activity(chat.person, chat.data["id"])
    chat.go()
    return Reply(
        f"发布了：{event.title}。居民回复“活动”就能报名。\n"
        f"现场签到码 {event.code}，到时写在签到处。\n看谁报了名，回复“报名名单”；要告诉大家，回复“发通知”。"
    )


@router.on(state("board.confirm"), either(tapped(2), words("不发了", "不发")))
async def drop(chat: Chat) -> Reply:
    """The draft ends."""
    await desk.cancel_activity(chat.person, chat.data["id"], "没有发布", chat.now, source=chat.source)
    chat.go()
    return Reply("没有发布。要重新写，回复“发活动”。")


@router.on(is_staff, words("报名名单", "活动名单", "活动报名情况", "谁报名了", "签到码", "活动签到码"))
async def lists(chat: Chat) -> Reply:
    """Open ones of one's area."""
    found = await list_looked_after(chat.person, state="open", limit=8)
    if not found:
        chat.go()
        return Reply("现在没有在报名的活动。\n要发布一个，回复“发活动”。")
    chat.go("board.list", ids=[one.id for one in found])
    return chat.ask("看哪一个？", numbered(*(f"{one.title}（报 {_taken(one)} 人）" for one in found)))


def _taken(event: Event) -> int:
    """How many people come."""
    return _people(event, [one.taken for one in event.sessions])


def _people(event: Event, by_time: Sequence[int]) -> int:
    """Whoever takes a course is one, however many times it has."""
    return max(by_time) if event.is_course else sum(by_time)


@router.on(state("board.list"), _one_of("ids"))
async def who(chat: Chat) -> Reply:
    """How many, who first, and the code for the wall."""
    event = await find_activity(chat.person, chat.data["ids"][(chat.tap or 1) - 1])
    cards = await sign_ups.list_sign_ups(chat.person, event.id, limit=30)
    came = _people(event, await sign_ups.count_came(chat.person, event.id))
    names = "、".join(card.who for card in cards if card.state in ("booked", "arrived"))
    waiting = _people(event, [one.waiting for one in event.sessions])
    worth = f"，每次记 {say_minutes(event.minutes)}" if event.minutes else ""
    chat.go("board.one", id=event.id)
    return chat.ask(
        f"{event.title}，{say_time(event.sessions[0].starts_at, chat.now)}{worth}\n"
        f"已报 {_taken(event)} 人，候补 {waiting} 人，已签到 {came} 人。现场签到码 {event.code}。\n"
        f"{names[:60] or '还没有人报名'}\n完整名单（带电话）在工作台导出。",
        numbered("登记来的人", "取消这个活动"),
    )


@router.on(state("board.one"), either(tapped(1), words("登记来的人", "登记")))
async def who_came(chat: Chat) -> Reply:
    """Somebody without WeChat stands there."""
    chat.go("board.came", id=chat.data["id"])
    return Reply("来的人姓名、电话，比如：李桂英 13800001234\n用微信的让他们自己签到。登记完了回复“取消”。")


@router.on(state("board.came"), has_text)
async def came(chat: Chat) -> Reply:
    """One after the other."""
    found = OTHER.fullmatch(chat.text)
    if found is None:
        return Reply("没看清。请按这个样子发：李桂英 13800001234\n登记完了回复“取消”。")
    other = Other(found[1], found[2], found[3])
    card = await arrivals.bring(chat.person, chat.data["id"], other, chat.now, source=chat.source)
    return Reply(f"{card.who}签到好了。还有人就接着发，登记完了回复“取消”。")


@router.on(state("board.one"), either(tapped(2), words("取消这个活动", "取消活动")))
async def call_off(chat: Chat) -> Reply:
    """Not without a reason."""
    chat.go("board.why", id=chat.data["id"])
    return Reply("为什么取消？写一句，报了名的人会看到。\n不取消就回复“取消”。")


@router.on(state("board.why"), has_text)
async def called_off(chat: Chat) -> Reply:
    """Everybody is told."""
    event = await find_activity(chat.person, chat.data["id"])
    await desk.cancel_activity(chat.person, event.id, chat.text, chat.now, source=chat.source)
    chat.go()
    return Reply(f"{event.title}取消了，报了名的 {_taken(event)} 人都会收到通知。")
