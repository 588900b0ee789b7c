"""活动 in chat: what is on, 报名, one's own, 签到 on the spot, time given and its certificate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.messages import Reply
from bot.router import Router
from domain import arrivals, certificates, sign_ups, volunteers
from domain.activities import Event, Session, find_activity, list_activities
from domain.booking_cards import Card
from domain.booking_notices import say_time
from domain.booking_rules import Other
from domain.clock import SHANGHAI, say_minutes
from domain.notices import excerpt
from handlers.chat import Chat, Filter, click, either, has_text, is_staff, numbered, pattern, state, words

router: Router[Chat] = Router("activities")

_PAGE, _MORE = 5, "看更多"
_JOIN, _QUEUE, _FOR_OTHER, _LEAVE, _BACK = "报名", "候补", "帮家人报名", "取消报名", "看别的"
OTHER = re.compile(r"\s*([\u4e00-\u9fff·]{2,16})[^\d]{0,6}?(1\d{10}|0\d{2,3}-?\d{7,8})[\s，,。]*(\S{0,16})\s*")
_YES = words("我要报名", "报名", "报上", "报一个", "参加", "我参加", "我要参加", "好", "好的", "可以", "行", "要")
_LEAVES = r"(?:怎么|我要|我想|想|帮我|要)?(?:取消|退掉?|退出)(?:报名|活动|报的活动)[了吧呢？?。]*"
_ARRIVE = r"(?:我来了?[，,\s]*)?签到\s*[:：]?\s*(\d{4})"
_NAMES = {"course": "课程", "volunteer": "志愿服务"}


def _one_of(name: str) -> Filter:
    """A tap on one of what was listed."""
    return lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data.get(name, []))


def _chose(label: str) -> Filter:
    """The choice with this label among those that stand open."""
    said = words(label)

    def agrees(chat: Chat) -> bool:
        labels = chat.data.get("labels", [])
        return label in labels and (said(chat) or chat.tap == labels.index(label) + 1)

    return agrees


_ASKED = words(
    "活动", "社区活动", "最近活动", "近期活动", "有什么活动", "最近有什么活动", "报名", "我要报名", "活动报名"
)


@router.on(either(click("activities"), _ASKED), lambda chat: not _agrees(chat))
async def menu(chat: Chat) -> Reply:
    """What is on, soonest first."""
    return await _list(chat, "", None)


@router.on(words("课程", "社区课程", "培训", "培训班", "兴趣班"))
async def courses(chat: Chat) -> Reply:
    """Courses alone."""
    return await _list(chat, "course", None)


@router.on(words("志愿服务", "志愿活动", "志愿者活动", "志愿服务报名", "我要做志愿者", "当志愿者", "做志愿者"))
async def shifts(chat: Chat) -> Reply:
    """Volunteer shifts alone."""
    return await _list(chat, "volunteer", None)


async def _list(chat: Chat, kind: str, beyond: Event | None) -> Reply:
    if chat.person.home is None and chat.person.post is None:
        chat.go()
        return Reply("还不知道您住哪个网格。\n先回复“我的网格”选一下，再回复“活动”。")
    found = await list_activities(chat.person, chat.now, kind=kind, beyond=beyond, limit=_PAGE + 1)
    if not found:
        chat.go()
        what = f"{'没有更多' if beyond else '最近没有可以报名的'}{_NAMES.get(kind, '活动')}"
        return Reply(f"{what}。\n想办什么活动，回复“人工”告诉网格员。")
    page = found[:_PAGE]
    labels = [f"{one.title}，{say_time(one.ahead(chat.now)[0].starts_at, chat.now)}" for one in page]
    labels += [_MORE] if len(found) > _PAGE else []
    chat.go("activity.list", ids=[one.id for one in page], kind=kind, last=page[-1].id, labels=labels)
    return chat.ask("最近可以报名的，想看哪一个？", numbered(*labels), named=True)


@router.on(state("activity.list"), _one_of("ids"))
async def chosen(chat: Chat) -> Reply:
    """What it is."""
    return await _show(chat, chat.data["ids"][(chat.tap or 1) - 1])


@router.on(state("activity.list"), either(_chose(_MORE), words("更多", "下一页")))
async def more(chat: Chat) -> Reply:
    """The next ones."""
    return await _list(chat, chat.data["kind"], await find_activity(chat.person, chat.data["last"]))


async def _show(chat: Chat, activity_id: int) -> Reply:
    event = await find_activity(chat.person, activity_id)
    ahead, labels = event.ahead(chat.now), [_LEAVE] if event.mine else []
    if event.takes_people(chat.now):
        join = _JOIN if any(one.left for one in ahead) else _QUEUE
        labels = [*labels, *([] if event.mine else [join]), _FOR_OTHER]
    labels = [*labels, _BACK]
    chat.go("activity.one", id=activity_id, labels=labels)
    return chat.ask(describe(event, chat.now), numbered(*labels))


def describe(event: Event, now: datetime) -> str:
    """An activity in six short lines at most."""
    worth = f"，记 {say_minutes(event.minutes)}" if event.minutes else ""
    lines = [f"{event.title}（{event.kind_name}{worth}）", excerpt(event.words, 120), _when(event, now)]
    lines += [f"地点：{event.place}" if event.place else "", _stands(event, now)]
    return "\n".join(line for line in lines if line)


def _when(event: Event, now: datetime) -> str:
    ahead = event.ahead(now) or list(event.sessions)
    if len(ahead) == 1:
        end = ahead[0].ends_at.astimezone(SHANGHAI)
        return f"时间：{say_time(ahead[0].starts_at, now)}–{end.hour}:{end.minute:02}"
    how = "每次都要来" if event.is_course else "选一个时间"
    return f"时间：共 {len(ahead)} 场，第一场 {say_time(ahead[0].starts_at, now)}，{how}"


def _stands(event: Event, now: datetime) -> str:
    """Whether one has signed up, or still can."""
    if event.is_draft:
        return f"名额：每场 {event.sessions[0].capacity} 人"
    if event.why:
        return f"已取消：{event.why}"
    if event.mine:
        return "您已经报上了。" if event.mine.mine == "booked" else "您在候补，排到了会告诉您。"
    if not event.takes_people(now):
        return "报名已经截止。"
    ahead = event.ahead(now)
    left = min(one.left for one in ahead) if event.is_course else sum(one.left for one in ahead)
    return f"还有 {left} 个名额。" if left else f"已经报满，{sum(one.waiting for one in ahead)} 人在候补。"


@router.on(state("activity.one"), _chose(_BACK))
async def back(chat: Chat) -> Reply:
    """The list again."""
    return await _list(chat, "", None)


def _agrees(chat: Chat) -> bool:
    """“我要报名” to one that takes people."""
    open_ones = {_JOIN, _QUEUE}.intersection(chat.data.get("labels", []))
    return chat.state == "activity.one" and bool(open_ones) and _YES(chat)


@router.on(state("activity.one"), either(_chose(_JOIN), _chose(_QUEUE), _agrees))
async def join(chat: Chat) -> Reply:
    """At once, or first the time."""
    return await _which_time(chat, await find_activity(chat.person, chat.data["id"]), None)


async def _which_time(chat: Chat, event: Event, other: Other | None) -> Reply:
    ahead = event.ahead(chat.now)
    if event.is_course or len(ahead) == 1:
        return await _sign_up(chat, event.id, 0, other)
    ahead = ahead[:9]
    given = [other.name, other.phone, other.relation] if other else []
    chat.go("activity.time", id=event.id, slots=[one.id for one in ahead], other=given)
    return chat.ask("选哪个时间？", numbered(*(_time_label(one, chat.now) for one in ahead)), named=True)


def _time_label(one: Session, now: datetime) -> str:
    return f"{say_time(one.starts_at, now)}（{f'还有 {one.left} 个' if one.left else '已满，可候补'}）"


@router.on(state("activity.time"), _one_of("slots"))
async def time_chosen(chat: Chat) -> Reply:
    """For oneself or for who was named before."""
    given = chat.data["other"]
    other = Other(*given) if given else None
    return await _sign_up(chat, chat.data["id"], chat.data["slots"][(chat.tap or 1) - 1], other)


async def _sign_up(chat: Chat, activity_id: int, slot_id: int, other: Other | None) -> Reply:
    cards = await sign_ups.sign_up(
        chat.person, activity_id, chat.now, slot_id=slot_id, other=other, wait=True, source=chat.source
    )
    chat.go()
    first, waiting = cards[0], [card for card in cards if card.ahead or card.state == "waiting"]
    whose = f"给{first.who}" if other else ""
    times = say_time(first.starts_at, chat.now) + (f" 起，共 {len(cards)} 次" if len(cards) > 1 else "")
    where = f"，{first.place}" if first.place else ""
    if waiting and len(waiting) < len(cards):
        return Reply(
            f"{whose}报好了：{first.title}，{times}{where}\n其中 {len(waiting)} 次报满了，先排候补，有位置会告诉您。\n"
            "来不了回复“取消报名”。"
        )
    if waiting:
        return Reply(
            f"报满了，{whose}先排上候补，前面有 {waiting[0].ahead} 人。\n{first.title}，{times}{where}\n"
            "有人退出就轮到您，会马上告诉您。不想等了回复“取消报名”。"
        )
    how = f"到了报签到码 {first.code}" if other else "到了回复“签到”加现场的四位数字"
    return Reply(f"{whose}报好了：{first.title}\n{times}{where}\n{how}。来不了回复“取消报名”。")


@router.on(state("activity.one"), _chose(_FOR_OTHER))
async def for_other(chat: Chat) -> Reply:
    """Somebody without WeChat."""
    chat.go("activity.other", id=chat.data["id"])
    return Reply("请发家人的姓名、电话、是您什么人，比如：\n李桂英 13800001234 母亲\n不报了回复“取消”。")


@router.on(state("activity.other"), has_text)
async def other_named(chat: Chat) -> Reply:
    """Who it is."""
    found = OTHER.fullmatch(chat.text)
    if found is None:
        return Reply("没看清。请按这个样子发：李桂英 13800001234 母亲\n不报了回复“取消”。")
    other = Other(found[1], found[2], found[3]).checked()
    return await _which_time(chat, await find_activity(chat.person, chat.data["id"]), other)


@router.on(either(words("我的活动", "我的报名", "我报的活动"), pattern(_LEAVES), _chose(_LEAVE)))
async def mine(chat: Chat) -> Reply:
    """What one signed up for, and the way out."""
    groups = _grouped(await sign_ups.my_sign_ups(chat.person, chat.now, 100))[:5]
    if not groups:
        chat.go()
        return Reply("您现在没有报名的活动。\n看有什么活动，回复“活动”。")
    chat.go("activity.mine", bookings=[[card.id for card in group] for group in groups])
    lines = ["您报了：", *(_line(group, chat.now) for group in groups)]
    labels = [f"取消{group[0].title}，{_first_time(group, chat.now)}" for group in groups]
    return chat.ask("\n".join(lines), numbered(*labels))


def _grouped(cards: Sequence[Card]) -> list[list[Card]]:
    """What is given back together: all times of a course of one person."""
    groups: dict[tuple[object, ...], list[Card]] = {}
    for card in cards:
        together = card.plan_id if card.kind == "course" else f"booking {card.id}"
        groups.setdefault((together, card.resident_id, card.name, card.phone), []).append(card)
    return list(groups.values())


def _first_time(group: Sequence[Card], now: datetime) -> str:
    more = f" 起 {len(group)} 次" if len(group) > 1 else ""
    return say_time(group[0].starts_at, now) + more


def _line(group: Sequence[Card], now: datetime) -> str:
    card = group[0]
    stands = f"候补，前面 {card.ahead} 人" if card.state == "waiting" else f"签到码 {card.code}"
    whose = f"（{card.who}）" if card.for_other else ""
    return f"{card.title}{whose}，{_first_time(group, now)}，{stands}"


@router.on(state("activity.mine"), _one_of("bookings"))
async def leave(chat: Chat) -> Reply:
    """The seat is given back; of a course all."""
    chosen_ones = chat.data["bookings"][(chat.tap or 1) - 1]
    cards = await sign_ups.leave(chat.person, chosen_ones, chat.now, source=chat.source)
    chat.go()
    return Reply(f"取消好了：{cards[0].title}，{_first_time(cards, chat.now)}。\n想再报，回复“活动”。")


@router.on(pattern(_ARRIVE))
async def arrive(chat: Chat) -> Reply:
    """The code on the wall."""
    code = "".join(filter(str.isdigit, chat.text))
    card = await arrivals.arrive_by_code(chat.person, code, chat.now, source=chat.source)
    chat.go()
    given = "\n结束后给您记志愿时长，回复“我的志愿时长”能看到。" if card.kind == "volunteer" else ""
    return Reply(f"签到好了：{card.title}。{given}")


@router.on(words("签到", "我要签到", "我来签到"), lambda chat: not is_staff(chat))
async def how_to_arrive(_chat: Chat) -> Reply:
    """Without the code."""
    return Reply("请看现场写的四位数字，回复“签到”加数字，比如：签到 1234\n到窗口办事，把签到码给工作人员看就行。")


@router.on(words("我的志愿时长", "志愿时长", "我的时长", "志愿时间", "我的志愿服务", "我的志愿时间"))
async def time_given(chat: Chat) -> Reply:
    """The account, with its last rows."""
    account = await volunteers.my_time(chat.person, limit=3)
    if not account.rows:
        chat.go()
        return Reply("还没有记到志愿时长。\n参加志愿服务并签到，结束后就会记上。看有什么可以参加，回复“志愿服务”。")
    lines = [f"{row.on.month} 月 {row.on.day} 日 {row.what}：{_signed(row.minutes)}" for row in account.rows]
    chat.go("activity.account", labels=["开证书", "看志愿服务"])
    head = f"您的志愿时长共 {say_minutes(account.minutes)}，{account.times} 次。最近的："
    return chat.ask("\n".join([head, *lines]), numbered("开证书", "看志愿服务"))


def _signed(minutes: int) -> str:
    return say_minutes(minutes) if minutes >= 0 else f"减 {say_minutes(-minutes)}"


@router.on(state("activity.account"), _chose("看志愿服务"))
async def more_shifts(chat: Chat) -> Reply:
    """Where one may help next."""
    return await _list(chat, "volunteer", None)


@router.on(either(words("志愿证书", "志愿服务证书", "开证书", "开志愿证书", "我的证书"), _chose("开证书")))
async def certificate(chat: Chat) -> Reply:
    """Whose name stands on it."""
    made = await certificates.my_certificates(chat.person, 1)
    chat.go("activity.name", names=[made[0].name] if made else [])
    if made:
        return chat.ask("证书上写什么姓名？可以点下面的，也可以直接发。", numbered(made[0].name))
    return Reply("证书上写什么姓名？请直接发，比如：李桂英\n不开了回复“取消”。")


@router.on(state("activity.name"), either(_one_of("names"), has_text))
async def named(chat: Chat) -> Reply:
    """The picture follows as a message of its own."""
    name = chat.data["names"][chat.tap - 1] if chat.tap else chat.text
    made = await certificates.make_certificate(chat.person, name, chat.now, send=True, source=chat.source)
    chat.go()
    return Reply(f"{made.name}的证书开好了，共 {say_minutes(made.minutes)}，图片马上发给您。")


@router.on(pattern(r"(?:查|核对)证书\s*([Vv][2-9A-Za-z]{15})"))
async def check(chat: Chat) -> Reply:
    """Whether a paper somebody was shown is real."""
    number = chat.text.strip()[-16:]
    found = await certificates.check_certificate(number)
    days = f"{found.starts_on:%Y-%m-%d} 至 {found.ends_on:%Y-%m-%d}"
    return Reply(
        f"有这张证书：{found.name}，{days}，志愿服务 {found.times} 次，共 {say_minutes(found.minutes)}。\n"
        f"{found.community or '社区'}开具。姓名只显示姓，请和纸上核对。"
    )
