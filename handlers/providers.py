"""附近的家政、维修、餐饮 …: who they are, what they cost, what neighbours think; rating them and complaining."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import providers
from domain.providers import ProviderLine
from handlers.chat import Chat, has_text, numbered, state, tapped
from handlers.report import receipt_text

router: Router[Chat] = Router("providers")

_STARS = ("很满意", "满意", "一般", "不满意", "很不满意")  # 5 to 1
_MOST = 9


async def kinds(chat: Chat) -> Reply:
    """The kinds there are here."""
    found = list(
        dict.fromkeys(one.kind for one in await providers.list_providers(chat.person, "", chat.now, limit=200))
    )
    if not found:
        chat.go()
        return Reply("这里还没有登记的商家。\n要找人帮忙可以回复“人工”，网格员帮您问。")
    chat.go("providers.kind", kinds=found[:_MOST])
    return chat.ask("要找哪一种？", numbered(*found[:_MOST]))


@router.on(state("providers.kind"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data["kinds"])))
async def kind_chosen(chat: Chat) -> Reply:
    """Those of the kind."""
    return await of_kind(chat, chat.data["kinds"][(chat.tap or 1) - 1])


async def of_kind(chat: Chat, kind: str) -> Reply:
    """Who of a kind is here, whom neighbours like best first."""
    found = await providers.best_providers(chat.person, kind, chat.now, 3)
    chat.go("providers.list", ids=[one.id for one in found])
    lines = [f"{place} {one.name} {one.phone}{_stars(one)}" for place, one in enumerate(found, 1)]
    chat.ask("", numbered(*(one.name for one in found)))
    return Reply("\n".join([f"附近的{kind}：", *lines, "回复前面的数字看价格、打分或投诉。先问好价钱再上门。"]))


def _stars(one: ProviderLine) -> str:
    return f"（邻居打分 {one.stars:g}）" if one.stars is not None else ""


@router.on(state("providers.list"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data["ids"])))
async def chosen(chat: Chat) -> Reply:
    """One of them."""
    one = await providers.find_provider(chat.person, chat.data["ids"][(chat.tap or 1) - 1], chat.now)
    chat.go("providers.one", id=one.id)
    known = f"{one.ratings} 位邻居打过分" + (f"，平均 {one.stars:g} 分" if one.stars is not None else "")
    checked = f"社区 {one.checked_on:%Y-%m-%d} 看过证照和价格。" if one.checked_on else "社区还没有核查过。"
    facts = (one.phone and f"电话 {one.phone}", one.place, one.price, f"{known}。{checked}")
    return chat.ask("\n".join([one.name, *(fact for fact in facts if fact)]), numbered("打分", "投诉"))


@router.on(state("providers.one"), tapped(1))
async def ask_stars(chat: Chat) -> Reply:
    """How they were."""
    chat.go("providers.stars", id=chat.data["id"])
    return chat.ask("您觉得怎么样？", numbered(*_STARS))


@router.on(state("providers.stars"), tapped(1, 2, 3, 4, 5))
async def rate(chat: Chat) -> Reply:
    """The last opinion counts; words behind the number are for staff."""
    stars = 6 - (chat.tap or 1)
    one = await providers.rate_provider(chat.person, chat.data["id"], stars, chat.rest, chat.now, chat.source)
    chat.go()
    hint = "\n有具体的问题，可以再找到它点“投诉”。" if stars <= 2 else ""
    return Reply(f"谢谢，给{one.name}打了 {stars} 分。{hint}")


@router.on(state("providers.one"), tapped(2))
async def ask_complaint(chat: Chat) -> Reply:
    """What went wrong."""
    chat.go("providers.complaint", id=chat.data["id"])
    return Reply("请说说哪里不满意，比如什么时候、收了多少钱。\n不投诉了回复“取消”。")


@router.on(state("providers.complaint"), has_text)
async def complain(chat: Chat) -> Reply:
    """It becomes a case."""
    receipt = await providers.complain(chat.person, chat.data["id"], chat.text, chat.now, message_id=chat.turn.inbox_id)
    chat.go()
    return Reply(receipt_text(chat, receipt))
