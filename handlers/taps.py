"""Taps that belong to a case, however old the message they hang on."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain.notices import Tap, read_tap
from handlers.chat import PAST, Chat, Filter

router: Router[Chat] = Router("taps")


def case_tap(*taps: Tap) -> Filter:
    """A tap (or the number or label typed for it) on a case, with one of these meanings."""

    def agrees(chat: Chat) -> bool:
        meant = read_tap(chat.tap) if chat.tap is not None else None
        return meant is not None and meant[1] in taps

    return agrees


def tapped_case(chat: Chat) -> int:
    """The case a tap belongs to."""
    meant = read_tap(chat.tap or 0)
    return meant[0] if meant else 0


@router.on(lambda chat: chat.message.tap is not None)
async def stale(chat: Chat) -> Reply:
    """An old question was tapped that nobody asks any more. Must stay behind every route that takes taps."""
    if chat.tap == PAST:
        return chat.ask("您点的是前面的问题。现在这一步请选：", [(label, tap) for label, tap in chat.data["choices"]])
    return Reply("这一步已经过去了。\n看进度回复“我的事项”，要反映问题直接说就行。")
