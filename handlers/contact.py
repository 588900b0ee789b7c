"""“人工”: always reaches the grid worker, with what was being said."""

from __future__ import annotations

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
