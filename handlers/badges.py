"""亮身份 from the chat: who was given a badge says whether neighbours may see it, and takes it back at any time."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import badges
from domain.badges import BadgeLine
from handlers.chat import Chat, numbered, state, tapped, words

router: Router[Chat] = Router("badges")

_AGREE, _DECLINE = 1, 2
_MOST = 8  # lines to choose from


@router.on(words("亮身份", "我的身份", "身份标识"))
async def look(chat: Chat) -> Reply:
    """What waits for a yes; else what neighbours see."""
    mine = [line for line in await badges.list_badges(chat.person) if line.mine]
    waiting = [line for line in mine if line.agreed_at is None]
    if waiting:
        return _ask(chat, waiting[-1])
    if mine:
        return _offer_to_end(chat, mine[:_MOST])
    return Reply("还没有给您设置身份。\n想以党员、志愿者的身份在网格群里服务邻居，请告诉网格员，亮不亮由您决定。")


def _ask(chat: Chat, line: BadgeLine) -> Reply:
    chat.go("badges.asked", badge=line.id)
    said = f"{line.granted_by}想在网格群里为您亮出身份：{line.label}。\n同意后邻居才能看到，以后随时可以取消。"
    return chat.ask(said, numbered("同意", "不同意"))


def _offer_to_end(chat: Chat, mine: list[BadgeLine]) -> Reply:
    chat.go("badges.shown", badges=[line.id for line in mine])
    seen = "、".join(line.label for line in mine)
    return chat.ask(f"邻居在网格群里看到您是：{seen}。", numbered(*[f"不再显示“{line.label}”" for line in mine]))


@router.on(state("badges.asked"), tapped(_AGREE))
async def agree(chat: Chat) -> Reply:
    """Neighbours see it from now on."""
    badge_id = int(chat.data["badge"])
    chat.go()
    line = await badges.agree(chat.person, badge_id, chat.now, chat.source)
    return Reply(f"好的，您在网格群里显示为：{line.label}。\n想取消时回复“亮身份”。")


@router.on(state("badges.asked"), tapped(_DECLINE))
async def decline(chat: Chat) -> Reply:
    """Nobody sees it."""
    badge_id = int(chat.data["badge"])
    chat.go()
    await badges.end(chat.person, badge_id, chat.now, chat.source)
    return Reply("好的，不会显示。")


@router.on(state("badges.shown"), tapped(*range(1, _MOST + 1)))
async def end(chat: Chat) -> Reply:
    """One of those that are shown."""
    shown, place = list(chat.data["badges"]), (chat.tap or 1) - 1
    chat.go()
    if place >= len(shown):
        return Reply("没有这一项。回复“亮身份”再看一次。")
    await badges.end(chat.person, shown[place], chat.now, chat.source)
    return Reply("好的，邻居不再看到了。")
