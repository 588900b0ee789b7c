"""额度: what WeChat still takes, for staff who write to residents."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain.quotas import NAMES, Way, quotas
from handlers.chat import Chat, is_staff, words

router: Router[Chat] = Router("quotas")


@router.on(is_staff, words("额度", "剩余额度", "群发额度", "还能发多少"))
async def show(chat: Chat) -> Reply:
    """A line for each way."""
    lines = []
    for one in await quotas(chat.person, chat.now):
        when = "本月" if one.way is Way.MASS_ALL else "今天"
        lines.append(f"{NAMES[one.way]}：还有 {one.left}，{when}用了 {one.used}。{one.why}。")
    return Reply("\n".join(lines))
