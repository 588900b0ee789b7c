"""Danger: advice at once *and* an urgent case, in one turn; then everything said is added to that case."""

from __future__ import annotations

import re
from datetime import timedelta

import nlp
from bot.messages import Kind, Reply
from bot.router import Router
from domain.notices import serial, short
from domain.rating import supplement
from domain.reports import add_media, report
from errors import Conflict
from handlers.chat import MEDIA, Chat, has_text, kind, state
from handlers.drafts import Draft

router: Router[Chat] = Router("emergency")

#: Danger said where a name, a number or a sentence is asked for: stands before all that would take it as the answer.
meanwhile: Router[Chat] = Router("danger meanwhile")

#: Where residents are asked for words, and where these may be a story, which is longer than a cry for help.
_ASKED = {"apply.name", "apply.phone", "apply.relation", "apply.amend", "booking.other", "activity.other"}
_ASKED |= {"activity.name", "households.where", "households.name"}
_TOLD = {"apply.field", "apply.supply", "services.ask", "providers.complaint"}
_CRY = 30
#: How long further words belong to the emergency just reported.
_LASTS = timedelta(minutes=30)


async def raise_alarm(chat: Chat, draft: Draft) -> Reply:
    """Make the urgent case without asking anything first, and say what to do now."""
    danger = nlp.emergency(draft.emergency)
    draft.subject = danger.name
    receipt = await report(chat.person, draft.final(), chat.now, message_id=chat.turn.inbox_id)
    chat.drop_draft()
    case = receipt.case
    chat.go("adding", case=case.id, at=chat.now.timestamp(), danger=draft.emergency)
    if not draft.place:
        chat.data["asked_place"] = True
    home = chat.person.home
    advice = danger.advice.strip().replace("{gas_phone}", home.gas_phone if home and home.gas_phone else "燃气公司")
    told = f"{receipt.holder.label}和社区值班" if receipt.holder else "社区值班"
    where = "可以接着说现场情况。" if draft.place else "您在哪一栋？" if home else "您在哪个小区哪一栋？"
    return Reply(f"{advice}\n已同时通知{told} {receipt.duty_phone}（编号 {short(case.number)}）。{where}")


def _cries_out(chat: Chat) -> bool:
    """Danger, and no answer: once a form has been left for one, its story may be told with the same words."""
    asked = chat.state in _ASKED or (chat.state in _TOLD and len(chat.text) <= _CRY)
    heard = chat.state in _TOLD and (chat.data.get("form") or {}).get("heard")
    return asked and not heard and chat.tap is None and chat.seen.urgent and bool(chat.seen.emergency)


@meanwhile.on(has_text, _cries_out)
async def cry(chat: Chat) -> Reply:
    """Help first; a form that was begun is kept."""
    if form := chat.data.get("form"):
        form["heard"] = True
    draft = Draft.load(chat.data) or Draft()
    draft.begin(chat.text, chat.seen)
    reply = await raise_alarm(chat, draft)
    return Reply(f"{reply.text}\n填的表还在，没事了回复“继续申请”。") if form else reply


_THANKS = re.compile(
    r"(?:好的?|嗯+|哦|行|收到|知道了|谢谢?|多谢|感谢|辛苦|ok|再见|没有了?|您|你|啊|了|\[.{1,4}\]|[。！!~，, ])+",
    re.IGNORECASE,
)


def _fresh(chat: Chat) -> bool:
    return chat.now.timestamp() - float(chat.data.get("at", 0)) < _LASTS.total_seconds()


def _belongs(chat: Chat) -> bool:
    """Whether words belong to the case just made: statements do; another danger, complaint or question do not."""
    if not chat.text:
        return False
    if chat.text.isdigit() and len(chat.text) == 1:
        return bool(chat.data.get("asked_place"))
    seen = chat.seen
    if seen.urgent and seen.emergency:
        return seen.emergency == chat.data.get("danger")
    if not chat.data.get("danger"):
        return True  # talking to the grid worker: everything is passed on
    if seen.intent == "report":
        return not seen.category
    return seen.intent == "chat"


@router.on(state("adding"), _fresh, lambda chat: bool(_THANKS.fullmatch(chat.text)))
async def acknowledged(chat: Chat) -> Reply:
    """“好的”, “谢谢” add nothing to the case."""
    return Reply("好的，注意安全。" if chat.data.get("danger") else "不客气。有话接着说。")


@router.on(state("adding"), _fresh, _belongs)
async def add_words(chat: Chat) -> Reply:
    """Where it is, who is hurt: to the same case, and to whoever is on the way."""
    try:
        case = await supplement(chat.person, chat.data["case"], chat.text, chat.now, chat.source)
    except Conflict:
        chat.go()
        return Reply("刚才那件事已经处理完了。有危险请直接打 110、119 或 120，别的事再说一次就行。")
    holder = chat.person.home.worker if chat.person.home else None
    safety = "\n人要紧，先离开危险的地方。" if chat.data.get("danger") else ""
    return Reply(f"已加到 {serial(case.number)}，{holder.label if holder else '社区'}看得到。{safety}")


@router.on(state("adding"), _fresh, kind(*MEDIA, Kind.LOCATION))
async def add_media_or_place(chat: Chat) -> Reply:
    """Photos and the place of it."""
    draft = Draft()
    draft.add(chat.message)
    case = await add_media(chat.person, chat.data["case"], draft.final(), chat.now, chat.source)
    return Reply(f"收到，已加到 {serial(case.number)}。")
