"""What people are told of activities they signed up for, and of the time they gave."""

from __future__ import annotations

from datetime import datetime

from domain.booking_cards import STATE_NAMES, Card
from domain.booking_notices import say_time
from domain.clock import template_number, template_time
from domain.journal import Notice
from domain.notices import excerpt
from models.bookings import Certificate


def changed(card: Card, what: str, now: datetime) -> Notice:
    """Time or place is another now."""
    whose = f"您给{card.who}报名的" if card.for_other else "您报名的"
    where = f"\n地点：{card.place}" if card.place else ""
    text = f"{whose}{card.title}改了{what}。\n现在是：{say_time(card.starts_at, now)}{where}\n来不了请回复“取消预约”。"
    fields = {
        "number": template_number(card.starts_at),
        "subject": card.title,
        "status": STATE_NAMES[card.state],
        "time": template_time(card.starts_at),
        "note": f"改了{what}",
        "place": excerpt(card.place or "社区"),
        "code": card.code,
    }
    return Notice(card.openid, text, (), fields, kind="booking")


def time_corrected(card: Card, minutes: int, total: str, why: str, now: datetime) -> Notice:
    """Staff gave more volunteer time, or took some back."""
    step = f"加了 {minutes} 分钟" if minutes > 0 else f"减了 {-minutes} 分钟"
    whose = card.name if card.for_other else "您"
    text = f"{card.title}的志愿时长{step}：{why}。\n{whose}现在共有 {total}。有疑问请回复“人工”。"
    fields = {
        "number": template_number(now),
        "subject": card.title,
        "status": "时长更正",
        "time": template_time(now),
        "note": why,
        "place": excerpt(card.place or "社区"),
        "code": card.code,
    }
    return Notice(card.openid, text, (), fields, kind="booking")


def certificate_ready(openid: str, certificate: Certificate, now: datetime) -> Notice:
    """The picture, with how to check it."""
    text = f"您的志愿服务证书好了，编号 {certificate.number}。\n长按图片可以保存、打印；别人扫上面的码就能核对。"
    fields = {
        "number": template_number(now),
        "subject": "志愿服务证书",
        "status": "已开具",
        "time": template_time(now),
        "note": "打开公众号回复“志愿证书”查看",
        "place": certificate.community or "社区",
        "code": certificate.number[-6:],
    }
    return Notice(openid, text, (), fields, (f"drawn:certificate:{certificate.number}",), kind="booking")
