"""预约 in chat: day, time, yes; one's own bookings; the counter's list and 签到."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import Reply
from bot.router import Router
from domain import booking_plans
from domain.services import ServiceItem
from handlers.chat import Chat, numbered

router: Router[Chat] = Router("bookings")


async def plans_of(chat: Chat, item: ServiceItem) -> Reply:
    """The times of an item: at once where it has one plan, else by choice."""
    return await _choose(chat, await booking_plans.plans_of_item(chat.person, item.id))


async def _choose(chat: Chat, plans: Sequence[booking_plans.BookingPlan]) -> Reply:
    chat.go("booking.plan", plans=[plan.code for plan in plans])
    return chat.ask("想约哪一个？", numbered(*(plan.title for plan in plans)))
