"""群发 in the chat: residents say that they know; staff write, look, approve, stop, and see who has not read it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bot.messages import Reply
from bot.router import Router
from domain import broadcast_control, broadcast_reports, broadcasts, deliveries, opt_outs
from domain.broadcast_calendar import say_calendar
from domain.broadcast_notices import CHANNEL_NAMES
from domain.broadcast_reports import Preview
from domain.broadcasts import STATE_NAMES, Broadcast, BroadcastState, Channel, Draft
from domain.notices import Tap, excerpt
from handlers import services
from handlers.chat import Chat, Filter, either, has_text, is_staff, numbered, pattern, state, tapped, words
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("broadcasts")

_WRITE = r"(?:(?:发通知|写通知|群发通知)\s*[:：]?|群发\s*[:：\s])\s*(.+)"
_BUILDING = re.compile(r"\s*(\d{1,3})\s*(?:栋|号楼|幢|座)?\s*")
_TITLE = 20
_ROWS = 6
_MOST = 20_000  # people counted while somebody waits for the answer


@router.on(case_tap(Tap.KNOWN))
async def known(chat: Chat) -> Reply:
    """Somebody has read what they were told."""
    told = await deliveries.read(chat.person, tapped_case(chat), chat.now)
    chat.go()
    return Reply(f"好的，知道您看到“{excerpt(told.title, 20)}”了。\n有不明白的直接问，网格员会答复您。")


@router.on(case_tap(Tap.GUIDE))
async def guide(chat: Chat) -> Reply:
    """How to do what it was about."""
    told = await deliveries.read(chat.person, tapped_case(chat), chat.now)
    return await services.open_guide(chat, told.item_code)


@router.on(case_tap(Tap.NO_MORE))
async def no_more(chat: Chat) -> Reply:
    """This kind is not wanted any more."""
    told = await deliveries.read(chat.person, tapped_case(chat), chat.now)
    await opt_outs.opt_out(chat.person, told.topic, chat.now, chat.source)
    name = opt_outs.topic_name(told.topic)
    chat.go()
    return Reply(f"好的，{name}不再发给您。\n想再收，回复“订阅 {name}”。")


@router.on(is_staff, either(words("发通知", "写通知", "群发", "群发通知"), pattern(_WRITE)))
async def write(chat: Chat) -> Reply:
    """“发通知”, with or without what it says."""
    broadcasts.officer(chat.person, "create")
    found = re.fullmatch(_WRITE, chat.text, re.DOTALL)
    if found:
        return _ask_whom(chat, found[1].strip())
    chat.go("broadcasts.text")
    return Reply("请写通知的内容，第一行当标题。\n不发了回复“取消”。")


@router.on(state("broadcasts.text"), has_text)
async def text_written(chat: Chat) -> Reply:
    """The words; next, to whom."""
    return _ask_whom(chat, chat.text)


def _ask_whom(chat: Chat, text: str) -> Reply:
    if len(text) > broadcasts.MOST_TEXT or not _title(text):
        chat.go("broadcasts.text")
        wrong = f"有 {len(text)} 个字，最多 {broadcasts.MOST_TEXT} 个" if _title(text) else "第一行要有标题"
        return Reply(f"{wrong}。请改好再发一遍。\n不发了回复“取消”。")
    chat.go("broadcasts.whom", text=text)
    return chat.ask("发给谁？", numbered(f"{_where(chat)}的人", "某一栋楼的人", f"{_where(chat)}里 80 岁以上的人"))


def _where(chat: Chat) -> str:
    post = chat.person.post
    return "我的网格" if post and not post.dispatches else post.area_name if post else ""


@router.on(state("broadcasts.whom"), tapped(1, 3))
async def whom_chosen(chat: Chat) -> Reply:
    """Everybody there, or the old ones."""
    audience: dict[str, Any] = {"followers": True} if chat.tap == 1 else {"age": {"from": 80}}
    return await _draft(chat, audience)


@router.on(state("broadcasts.whom"), tapped(2))
async def building(chat: Chat) -> Reply:
    """One building: which?"""
    chat.go("broadcasts.building", text=chat.data["text"])
    return Reply("哪一栋？比如“3栋”。")


@router.on(state("broadcasts.building"), has_text)
async def building_named(chat: Chat) -> Reply:
    """“3栋”, or 3 alone."""
    found = _BUILDING.fullmatch(chat.text)
    return await _draft(chat, {"building": f"{found[1]}栋" if found else chat.text.strip()[:32]})


def _title(text: str) -> str:
    """The first line; of one line alone what stands before its first mark."""
    head, _, body = text.strip().partition("\n")
    return (head if body.strip() else re.split(r"[，。！？,.!?；;：:]", head, maxsplit=1)[0])[:_TITLE].strip()


async def _draft(chat: Chat, audience: dict[str, Any]) -> Reply:
    head, _, body = chat.data["text"].strip().partition("\n")
    draft = Draft(_title(chat.data["text"]), body.strip() or head, audience)
    written = await broadcasts.create(chat.person, draft, chat.now, chat.source)
    return await _offer(chat, written)


async def _offer(chat: Chat, written: Broadcast) -> Reply:
    """The draft as it would go out, to whom and how, and what to do with it."""
    seen = await broadcast_reports.preview(chat.person, written.id, chat.now, _MOST)
    chat.go("broadcasts.draft", id=written.id)
    public = written.event is None and set(written.audience) <= {"followers", "area"}
    rooms = ["再发到网格群"] if public and Channel.ROOM not in written.channels else []
    return chat.ask(f"{_shown(written)}\n{_counted(seen)}", numbered("提交审批", "不发了", *rooms))


def _shown(written: Broadcast) -> str:
    return f"【{written.title}】\n{excerpt(written.text, 200)}"


def _counted(seen: Preview) -> str:
    ways = "，".join(f"{share.way} {share.people}{'个' if share.way == '群公告' else ' 人'}" for share in seen.shares)
    if seen.small:
        return f"发给{seen.words}，不到 3 人。"
    sample = f"\n比如：{'、'.join(seen.sample)}" if seen.sample else ""
    return f"发给{seen.words}，共 {seen.people} {'多' if seen.more else ''}人。\n{ways or '现在没有这样的人'}{sample}"


@router.on(state("broadcasts.draft"), tapped(1))
async def handed_in(chat: Chat) -> Reply:
    """Somebody else has to look now."""
    written = await broadcast_reports.submit(chat.person, chat.data["id"], chat.now, chat.source, _MOST)
    names = [post.label for post in await broadcasts.approvers(written)]
    chat.go()
    if not names:
        return Reply("已提交，但现在没有能批的人，请联系社区或街道。")
    return Reply(f"已提交，请{names[0]}批。批了就发，到时告诉您。\n看进度回复“通知进度”。")


@router.on(state("broadcasts.draft"), tapped(2))
async def dropped(chat: Chat) -> Reply:
    """Not after all."""
    await broadcast_control.cancel(chat.person, chat.data["id"], "", chat.now, chat.source)
    chat.go()
    return Reply("好的，这条通知不发了。")


@router.on(state("broadcasts.draft"), tapped(3))
async def rooms_too(chat: Chat) -> Reply:
    """The same into the rooms of the grids."""
    written = await broadcasts.find(chat.person, chat.data["id"])
    draft = broadcasts.as_draft(written, written.item.code if written.item else "")
    both = replace(draft, channels=(*draft.channels, Channel.ROOM), area_code=await broadcasts.area_code(written))
    return await _offer(chat, await broadcasts.change(chat.person, written.id, both, chat.now, chat.source))


@router.on(case_tap(Tap.LOOK, Tap.APPROVE, Tap.DECLINE))
async def look(chat: Chat) -> Reply:
    """The whole text before anybody decides; what is then decided about is this version."""
    return await _look(chat, tapped_case(chat))


async def _look(chat: Chat, ident: int) -> Reply:
    written = await broadcasts.find(chat.person, ident)
    own = written.author_id == (chat.person.post and chat.person.post.id)
    if own and written.state is BroadcastState.DRAFT:
        return await _offer(chat, written)
    if own or written.state is not BroadcastState.WAITING:
        return await _progress(chat, written)
    seen = await broadcast_reports.preview(chat.person, written.id, chat.now, _MOST)
    chat.go("broadcasts.decide", id=written.id, version=written.version)
    how = "、".join(CHANNEL_NAMES[Channel(one)] for one in written.channels)
    when = say_calendar(written.calendar, chat.now, urgent=written.urgent)
    text = f"【{written.title}】\n{written.text}\n{written.link}".strip()
    return chat.ask(f"{text}\n——\n{how}，{when}。\n{_counted(seen)}", numbered("同意", "不同意"))


@router.on(state("broadcasts.decide"), tapped(1))
async def approved(chat: Chat) -> Reply:
    """Let this version go out."""
    told = await broadcasts.approve(chat.person, chat.data["id"], chat.data["version"], chat.now, chat.source)
    chat.go()
    when = say_calendar(told.calendar, chat.now, approved=True, urgent=told.urgent)
    return Reply(f"已批准“{excerpt(told.title, 20)}”，{when}。\n看进度回复“通知进度”。")


@router.on(state("broadcasts.decide"), tapped(2))
async def declined(chat: Chat) -> Reply:
    """Why not?"""
    if chat.rest:
        return await _refuse(chat, chat.rest)
    chat.go("broadcasts.why", id=chat.data["id"], version=chat.data["version"])
    return Reply("请写一句为什么不同意，作者好改。")


@router.on(state("broadcasts.why"), has_text)
async def reason(chat: Chat) -> Reply:
    """The reason, for its author."""
    return await _refuse(chat, chat.text)


async def _refuse(chat: Chat, why: str) -> Reply:
    told = await broadcasts.refuse(chat.person, chat.data["id"], chat.data["version"], why, chat.now, chat.source)
    chat.go()
    return Reply(f"“{excerpt(told.title, 20)}”没有批准，已告诉作者原因。")


@router.on(is_staff, words("通知进度", "群发进度", "我的通知单", "通知列表"))
async def progress(chat: Chat) -> Reply:
    """The last ones."""
    found = await broadcasts.list_broadcasts(chat.person, limit=_ROWS)
    if not found:
        return Reply("还没有通知。要发一条，回复“发通知”。")
    chat.go("broadcasts.listed", ids=[one.id for one in found])
    return chat.ask("看哪一条？", numbered(*(f"{STATE_NAMES[one.state]} {excerpt(one.title, 16)}" for one in found)))


def _one_of(name: str) -> Filter:
    return lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data.get(name, ()))


@router.on(state("broadcasts.listed"), _one_of("ids"))
async def listed(chat: Chat) -> Reply:
    """How one stands."""
    return await _look(chat, chat.data["ids"][(chat.tap or 1) - 1])


async def _progress(chat: Chat, written: Broadcast) -> Reply:
    seen = await broadcast_reports.report(chat.person, written.id, chat.now)
    why = f"（{written.why}）" if written.why else ""
    text = f"{STATE_NAMES[written.state]}{why}\n{broadcast_reports.progress(written, seen)}"
    steps = {BroadcastState.APPROVED: ("暂停", "取消发送"), BroadcastState.PAUSED: ("继续发", "取消发送")}
    chat.go("broadcasts.shown", id=written.id, paused=written.state is BroadcastState.PAUSED)
    found = steps.get(written.state, ())
    return chat.ask(text, numbered(*found)) if found else Reply(text)


@router.on(state("broadcasts.shown"), tapped(1))
async def paused(chat: Chat) -> Reply:
    """Stop for the moment, or go on."""
    ident = chat.data["id"]
    if chat.data["paused"]:
        await broadcast_control.resume(chat.person, ident, chat.now, chat.source)
    else:
        await broadcast_control.pause(chat.person, ident, "", chat.now, chat.source)
    return await _progress(chat, await broadcasts.find(chat.person, ident))


@router.on(state("broadcasts.shown"), tapped(2))
async def cancelled(chat: Chat) -> Reply:
    """Give it up."""
    await broadcast_control.cancel(chat.person, chat.data["id"], "", chat.now, chat.source)
    return await _progress(chat, await broadcasts.find(chat.person, chat.data["id"]))


_UNREAD = r"(?:未读|谁没看|谁没读)\s*(.{0,20})"


@router.on(is_staff, pattern(_UNREAD))
async def unread(chat: Chat) -> Reply:
    """“未读”, “未读 停水”: of which broadcast."""
    found = re.fullmatch(_UNREAD, chat.text.strip(), re.DOTALL)
    listed_ones = await broadcast_reports.concerning(chat.person, found[1].strip() if found else "", _ROWS)
    if not listed_ones:
        return Reply("没有这样的通知，或者不涉及您这一片。")
    if len(listed_ones) == 1:
        return await _unread(chat, *listed_ones[0])
    chat.go("broadcasts.unread", ones=[[ident, title] for ident, title in listed_ones])
    return chat.ask("看哪一条通知的未读？", numbered(*(excerpt(title, 20) for _, title in listed_ones)))


@router.on(state("broadcasts.unread"), _one_of("ones"))
async def unread_chosen(chat: Chat) -> Reply:
    """Its list."""
    return await _unread(chat, *chat.data["ones"][(chat.tap or 1) - 1])


async def _unread(chat: Chat, ident: int, title: str, done: str = "") -> Reply:
    found = await broadcast_reports.unread(chat.person, ident, chat.now, limit=_ROWS)
    if not found:
        chat.go()
        return Reply(f"{done}“{excerpt(title, 20)}”都看过或告知了。")
    chat.go("broadcasts.tell", one=[ident, title], ids=[one.id for one in found])
    why = {"by_hand": "没有微信", "undelivered": "没送到", "sent": "没看"}
    labels = [f"{one.name or '居民'}{' ' + one.place if one.place else ''}（{why[one.outcome]}）" for one in found]
    more = "（先列前 6 位）" if len(found) == _ROWS else ""
    return chat.ask(f"{done}“{excerpt(title, 20)}”还没看的{more}，当面说过的点一下：", numbered(*labels))


@router.on(state("broadcasts.tell"), _one_of("ids"))
async def told_at_the_door(chat: Chat) -> Reply:
    """The worker has told them."""
    await deliveries.tell(chat.person, chat.data["ids"][(chat.tap or 1) - 1], chat.now, chat.source)
    ident, title = chat.data["one"]
    return await _unread(chat, ident, title, "记下了。")
