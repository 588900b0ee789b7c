"""退订 in the chat: which kinds of notices somebody wants, and why they were told something."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import opt_outs
from domain.audience_previews import why_told
from handlers.chat import Chat, numbered, pattern, state, words

router: Router[Chat] = Router("topics")

_OUT = r"(?:退订|取消订阅)\s*[:：]?\s*(\S.{0,23})"
_IN = r"(?:重新订阅|恢复订阅|订阅)\s*[:：]?\s*(\S.{0,23})"


@router.on(words("退订", "订阅", "我的订阅", "通知设置", "不想收通知", "太多通知了"))
async def topics(chat: Chat) -> Reply:
    """Every kind, switched by a tap."""
    found = await opt_outs.list_topics(chat.person)
    found = found[:10]
    chat.go("topics.listed", topics=[[one.code, one.wanted] for one in found])
    labels = [f"{'☑' if one.wanted else '☐'} {one.name}" for one in found]
    return chat.ask(
        "哪些通知要收？点一下就改，☑ 是收。\n都不要回复“退订 全部”；安全提醒和您自己的事照常告诉您。", numbered(*labels)
    )


@router.on(state("topics.listed"), lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data["topics"]))
async def switch(chat: Chat) -> Reply:
    """One of them on or off."""
    code, wanted = chat.data["topics"][(chat.tap or 1) - 1]
    change = opt_outs.opt_out if wanted else opt_outs.opt_in
    await change(chat.person, code, chat.now, chat.source)
    return await topics(chat)


@router.on(pattern(_OUT))
async def out(chat: Chat) -> Reply:
    """“退订 高龄提醒”."""
    topic = opt_outs.read_topic(_behind(_OUT, chat))
    await opt_outs.opt_out(chat.person, topic, chat.now, chat.source)
    chat.go()
    return Reply(f"好的，{opt_outs.topic_name(topic)}不再发给您。\n想再收，回复“订阅 {opt_outs.topic_name(topic)}”。")


@router.on(pattern(_IN))
async def back(chat: Chat) -> Reply:
    """“订阅 高龄提醒”."""
    topic = opt_outs.read_topic(_behind(_IN, chat))
    await opt_outs.opt_in(chat.person, topic, chat.now, chat.source)
    chat.go()
    return Reply(f"好的，{opt_outs.topic_name(topic)}以后会发给您。")


def _behind(expression: str, chat: Chat) -> str:
    found = re.fullmatch(expression, chat.text.strip(), re.DOTALL)
    return found[1] if found else ""


@router.on(words("为什么收到", "为什么发给我", "为什么给我发", "为什么告诉我", "怎么知道我的", "你们怎么知道的"))
async def why(chat: Chat) -> Reply:
    """Which part of its rule led the newest notice to them."""
    said = await why_told(chat.person, None, chat.now)
    return Reply(f"{said}\n不想收这类，回复“退订”；记得不对，回复“我的档案”。")
