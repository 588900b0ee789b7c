"""What people are told of their bookings."""

from __future__ import annotations

from datetime import datetime

from domain.booking_cards import STATE_NAMES, Card
from domain.clock import SHANGHAI, say_date, template_number, template_time
from domain.journal import Notice, is_platform
from domain.notices import TAP_LABELS, Tap, excerpt, tap_id
from models.database import fetch, to_json
from models.enums import BookingState

_DAYS = {0: "今天", 1: "明天", 2: "后天"}
_WEEKDAYS = "一二三四五六日"


def say_day(starts_at: datetime, now: datetime) -> str:
    """`明天（周三）`, `11 月 27 日（周五）`."""
    local = starts_at.astimezone(SHANGHAI)
    days = (local.date() - now.astimezone(SHANGHAI).date()).days
    return f"{_DAYS.get(days) or say_date(starts_at, now)}（周{_WEEKDAYS[local.weekday()]}）"


def say_time(starts_at: datetime, now: datetime) -> str:
    """`明天（周三）9:30`, `11 月 27 日（周五）14:00`."""
    local = starts_at.astimezone(SHANGHAI)
    return f"{say_day(starts_at, now)}{local.hour}:{local.minute:02}"


def _whose(card: Card) -> str:
    """In front of what it is; another's is told to who booked it."""
    return f"您给{card.who}约的" if card.for_other else "您约的"


def _what(card: Card, now: datetime) -> str:
    return f"{_whose(card)}{card.title}，{say_time(card.starts_at, now)}"


def _fields(card: Card, note: str, state: BookingState | None = None) -> dict[str, str]:
    return {
        "number": template_number(card.starts_at),
        "subject": card.title,
        "status": STATE_NAMES[state or card.state],
        "time": template_time(card.starts_at),
        "note": note,
        "place": excerpt(card.place or "社区"),
        "code": card.code,
    }


def _notice(card: Card, text: str, note: str, state: BookingState | None = None, *taps: Tap) -> Notice:
    choices = [(TAP_LABELS[tap], tap_id(card.id, tap)) for tap in taps]
    return Notice(card.openid, text, choices, _fields(card, note, state), kind="booking")


def moved_up(card: Card, now: datetime) -> Notice:
    """A seat came free for who waited."""
    text = f"排到了：{_what(card, now)}，有位置了。{_where(card)}\n签到码 {card.code}，到了给工作人员看。"
    return _notice(card, text, "候补排到了", None, Tap.NOT_COMING)


def _again(card: Card) -> str:
    return "看别的活动，回复“活动”。" if card.is_activity else "要另约时间，回复“预约”。"


def _where(card: Card) -> str:
    return f"\n地点：{card.place}" if card.place else ""


def reminder(card: Card, now: datetime) -> Notice:
    """It is soon."""
    text = f"提醒：{_what(card, now)}。{_where(card)}\n签到码 {card.code}，到了给工作人员看。"
    return _notice(card, text, "请按时来", None, Tap.NOT_COMING)


def moved(card: Card, now: datetime) -> Notice:
    """Staff gave it another time."""
    text = f"您的预约改到：{say_time(card.starts_at, now)}，{card.title}。{_where(card)}\n签到码 {card.code}。"
    return _notice(card, text, "预约改时间", None, Tap.NOT_COMING)


def no_luck(card: Card, now: datetime) -> Notice:
    """The time began, and no seat came free."""
    text = f"{_what(card, now)}，没有排到位置。\n{_again(card)}"
    return _notice(card, text, "候补没排到", BookingState.EXPIRED)


def missed(card: Card, now: datetime) -> Notice:
    """They stayed away; staff can take the mark back."""
    phone = f" {card.plan_phone}" if card.plan_phone else ""
    text = f"{_what(card, now)}，没有来签到。\n下次来不了，请提前回复“取消预约”。记错了请打电话{phone}说一声。"
    return _notice(card, text, "没有来签到", BookingState.MISSED)


def ask_stars(card: Card, now: datetime) -> Notice:
    """How it was; asked once."""
    text = f"{_what(card, now)}，办得满意吗？\n1 分最差，5 分最好。不想评可以不回。"
    stars = (Tap.STARS_1, Tap.STARS_2, Tap.STARS_3, Tap.STARS_4, Tap.STARS_5)
    return _notice(card, text, "请您评价", BookingState.ARRIVED, *stars)


def cancelled(card: Card, reason: str, now: datetime) -> Notice:
    """Staff cancelled it."""
    why = f"：{reason.strip()}" if reason.strip() else ""
    text = f"{_what(card, now)}，取消了{why}。\n{_again(card)}"
    return _notice(card, text, "预约取消", BookingState.CANCELLED)


_TELL = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, coalesce($4::timestamptz, $3), '', '', 0, '', $3, $4 IS NOT NULL)
"""


async def tell(notice: Notice, now: datetime, *, later: datetime | None = None, booking: int | None = None) -> None:
    """Put it into the outbox; `later` keeps it back until the quiet hours end, and `booking` names what takes it back
    when that ends before."""
    if notice.recipient and not is_platform(notice.recipient):
        payload = notice.payload() | ({"booking": booking} if booking else {})
        await fetch(_TELL, notice.recipient, to_json(payload), now, later)


# Without a reminder there is nothing to look for, and nothing is.
_TAKE_BACK = """
DELETE FROM outbox o USING booking b WHERE b.id = $1::bigint AND b.reminded <> '[]'::jsonb AND o.kind = 'notice'
    AND o.state = 'pending' AND o.quiet AND o.tries = 0 AND o.payload->>'booking' = $1::bigint::text
"""


async def take_back(booking_id: int) -> None:
    """A reminder that waits for the morning is not sent any more."""
    await fetch(_TAKE_BACK, booking_id)
