"""What people are told of applications (线上办理). Staff are told kind, grid and number, never who it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.clock import SHANGHAI, say_latest, template_time
from domain.journal import Notice
from domain.notices import TAP_LABELS, Tap, excerpt, tap_id
from models.bookings import Application
from models.enums import ApplicationState

STATE_NAMES = {
    ApplicationState.SUBMITTED: "待审核",
    ApplicationState.SUPPLEMENT: "待补材料",
    ApplicationState.ACCEPTED: "办理中",
    ApplicationState.DONE: "已办结",
    ApplicationState.REFUSED: "不予办理",
    ApplicationState.WITHDRAWN: "已撤回",
}


def stands(state: ApplicationState, asked_at: datetime | None, now: datetime) -> str:
    """`办理中`, `等居民补件 3 天`, for staff."""
    if state is not ApplicationState.SUPPLEMENT or asked_at is None:
        return STATE_NAMES[state]
    days = (now.astimezone(SHANGHAI).date() - asked_at.astimezone(SHANGHAI).date()).days
    return f"等居民补件 {days} 天" if days else "等居民补件"


def short(number: str) -> str:
    """`B1121-0007` of B20261121-0007, as people say it."""
    return number[:1] + number[5:]


def titled(application: Application, title: str) -> str:
    """`B1121-0007 高龄津贴`."""
    return f"{short(application.number)} {title}"


def _notice(application: Application, openid: str, title: str, text: str, note: str, *taps: Tap) -> Notice:
    fields = {
        "number": application.number,
        "subject": title,
        "status": STATE_NAMES[application.state],
        "time": template_time(application.due_at or application.submitted_at),
        "note": note,
    }
    choices = [(TAP_LABELS[tap], tap_id(application.id, tap)) for tap in taps]
    return Notice(openid, text, choices, fields, kind="application")


def to_officer(application: Application, openid: str, title: str, what: str, now: datetime) -> Notice:
    """To who decides: something is new, has come back, or is late."""
    ahead = application.due_at if application.state.is_open else None
    due = f"，{say_latest(ahead, now)}办完" if ahead and ahead > now else ""
    text = f"{what} {titled(application, title)}{due}。\n回复“申请待办”看全部。"
    return _notice(application, openid, title, text, what, Tap.SHOW_APPLICATION)


def taken(application: Application, openid: str, title: str, by: str) -> Notice:
    """To the applicant: somebody works on it."""
    return _notice(application, openid, title, f"{titled(application, title)}：{by}在办了。", "已有人办理")


def accepted(application: Application, openid: str, title: str, now: datetime) -> Notice:
    """To the applicant: all is there."""
    due = application.due_at
    until = f"，{say_latest(due, now)}办好" if due and due > now else ""
    text = f"{titled(application, title)}：材料齐了，已受理{until}。"
    return _notice(application, openid, title, text, "已受理")


def asks(application: Application, openid: str, title: str) -> Notice:
    """To the applicant: what is still wanted."""
    text = f"{titled(application, title)} 还差一点：{excerpt(application.asked, 200)}\n点“去补充”，或回复“补充申请”。"
    return _notice(application, openid, title, text, "请补充材料", Tap.SUPPLY)


def reminds(application: Application, openid: str, title: str) -> Notice:
    """To the applicant, once: what is still wanted, and what happens without it."""
    text = (
        f"{titled(application, title)} 还在等您补：{excerpt(application.asked, 200)}\n"
        "没补之前先放着，不算办理时间。一直不补，可能按不予办理结束，要办得重新申请。\n点“去补充”，或回复“补充申请”。"
    )
    return _notice(application, openid, title, text, "请补充材料", Tap.SUPPLY)


def done(application: Application, openid: str, title: str) -> Notice:
    """To the applicant: the result, and how it went."""
    text = f"{titled(application, title)} 办好了：{excerpt(application.result, 300)}\n这次办得怎么样？"
    return _notice(application, openid, title, text, "已办结", Tap.GOOD_SERVICE, Tap.FAIR_SERVICE, Tap.BAD_SERVICE)


def pictures(application: Application, openid: str, title: str, images: Sequence[str]) -> Notice:
    """To who works on it and asked for them."""
    text = f"{titled(application, title)}：{len(images)} 张照片。没看到的，请在小程序里看。"
    return replace(_notice(application, openid, title, text, "照片"), images=images)


def refused(application: Application, openid: str, title: str) -> Notice:
    """To the applicant: why not, and what to do."""
    text = f"{titled(application, title)} 没有办成：{excerpt(application.result, 300)}\n有疑问回复“人工”找网格员。"
    return _notice(application, openid, title, text, "不予办理")
