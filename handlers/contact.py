"""“人工”: always reaches the grid worker, with what was being said."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain.clock import SHANGHAI
from domain.notices import short
from domain.reports import report
from handlers.chat import Chat, click, either, words
from handlers.drafts import Draft

router: Router[Chat] = Router("contact")

CONTACT = "contact"
_OPENS, _CLOSES = 8, 18


@router.on(
    either(click("worker"), words("人工", "找网格员", "联系网格员", "找人工", "转人工", "人工服务", "网格员", "找人"))
)
async def call_worker(chat: Chat, said: str = "") -> Reply:
    """The grid worker gets a task to contact the resident; a draft at hand goes with it."""
    draft = Draft.load(chat.data) or Draft()
    draft.texts = [*draft.texts, *([said] if said else [])] or ["居民请网格员联系"]
    draft.category, draft.subject = CONTACT, "居民请网格员联系"
    receipt = await report(chat.person, draft.final(), chat.now, message_id=chat.turn.inbox_id)
    chat.drop_draft()
    chat.go("adding", case=receipt.case.id, at=chat.now.timestamp())
    who = receipt.holder.label if receipt.holder else "社区"
    hour = chat.now.astimezone(SHANGHAI).hour
    when = "" if _OPENS <= hour < _CLOSES else f"，{_OPENS}:00 上班，会先看到您这条"
    phone = f"\n急事请打社区值班 {receipt.duty_phone}。" if receipt.duty_phone else ""
    return Reply(f"已转给{who}{when}（编号 {short(receipt.case.number)}）。{phone}\n有话请接着说，都会转过去。")


def _asks_number(chat: Chat) -> bool:
    """“王芳电话多少”, “社区电话”: a number of ours, not of a gas firm or a school."""
    if len(chat.text) > 16 or not re.search(r"电话|号码|联系方式", chat.text):
        return False
    worker = chat.person.home.worker.name if chat.person.home and chat.person.home.worker else "网格员"
    return any(word in chat.text for word in (worker, "网格员", "社区", "居委会", "你们", "值班"))


@router.on(_asks_number)
async def numbers(chat: Chat) -> Reply:
    """The numbers to call."""
    home = chat.person.home
    if home is None or not home.duty_phone:
        return Reply("回复“人工”，网格员会联系您。")
    worker = f"{home.worker.label}：回复“人工”，会联系您。" if home.worker else "回复“人工”，会有人联系您。"
    return Reply(f"{home.community_name}值班电话 {home.duty_phone}。\n{worker}")
