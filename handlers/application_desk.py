"""申请待办: staff take an application, ask for what is missing, accept, finish or refuse it, by number or in words."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import application_work as work
from domain.application_notices import short, stands, titled
from domain.application_work import Dossier, Result
from domain.applications import Tie
from domain.clock import say_latest
from domain.forms import say
from domain.notices import Tap, tap_id
from errors import BadRequest
from handlers.applications import show_own
from handlers.chat import Chat, is_staff, numbered, pattern, state, words
from handlers.form_filling import said_here
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("application_desk")

_SHOWN = 6
_TAKE, _ACCEPT, _ASK, _FINISH, _REFUSE, _PICTURES = "我来办", "受理", "要补材料", "办好了", "不予办理", "看照片"
_QUESTIONS = {
    _ASK: "请写清楚要补什么，申请人会看到。",
    _FINISH: "请写一句办理结果，申请人会看到。\n要来取的，写明带什么、到哪里取。",
    _REFUSE: "请写不予办理的原因，申请人会看到。",
}
_IN_WORDS = re.compile(
    r"(?P<verb>我来办|受理|要补材料|补材料|办好了|办结|不予办理)\s*(?P<number>[Bb]\d{4,8}[-—]?\d{4,6})\s*(?P<words>.*)",
    re.DOTALL,
)
_VERBS = {"补材料": _ASK, "办结": _FINISH}


@router.on(is_staff, words("申请待办", "待办申请", "办件", "网上申请待办"))
async def to_do(chat: Chat) -> Reply:
    """What waits in their area, what ends first before the others."""
    found = await work.list_work(chat.person, limit=_SHOWN + 1)
    if not found:
        return Reply("现在没有等着办的网上申请。有新的会告诉您。")
    chat.go()
    lines = [f"{place} {_line(chat, one)}" for place, one in enumerate(found[:_SHOWN], 1)]
    chat.ask("", [(short(one.number), tap_id(one.id, Tap.SHOW_APPLICATION)) for one in found[:_SHOWN]])
    more = ["还有更多，办掉前面的再看。"] if len(found) > _SHOWN else []
    return Reply("\n".join(["等着办的网上申请：", *lines, *more, "回复前面的数字看详情。"]))


def _line(chat: Chat, one: work.Line) -> str:
    ahead = f"，{say_latest(one.due_at, chat.now)}" if one.due_at and not one.asked_at else ""
    due = "，已超时" if one.is_late(chat.now) else ahead
    who = f"，{one.holder}" if one.holder else "，没人接"
    return f"{short(one.number)} {one.title}（{one.says(chat.now)}{who}{due}）"


@router.on(case_tap(Tap.SHOW_APPLICATION))
async def show(chat: Chat) -> Reply:
    """One's own as its applicant reads it; another's as far as one may."""
    return await _show(chat, tapped_case(chat))


@router.on(pattern(r"(?:查一?下?|查询|进度)?\s*[:：]?\s*[Bb](?:20\d{2})?\d{4}\s*[-—－]\s*\d{4,6}.{0,6}"))
async def by_number(chat: Chat) -> Reply:
    """“查 B1121-0007”: one's own, or what staff may read of it."""
    found = await work.by_serial(chat.person, chat.text)
    return await _show(chat, found.id)


async def _show(chat: Chat, application_id: int, head: str = "") -> Reply:
    read = await work.read(chat.person, application_id, chat.now, chat.source)
    if Tie.APPLICANT in read.ties and Tie.HOLDER not in read.ties and Tie.OFFICER not in read.ties:
        return await show_own(chat, read, head)
    choices = _choices(read)
    chat.go("desk.application", id=application_id, labels=choices)
    text = "\n".join(part for part in (head, _facts(chat, read), *_answers(read)) if part)
    return chat.ask(text, numbered(*choices)) if choices else Reply(text)


def _facts(chat: Chat, read: Dossier) -> str:
    found = read.application
    due = f"，{say_latest(found.due_at, chat.now)}" if found.due_at and found.due_at > chat.now else ""
    who = f"，{read.holder}" if read.holder else ""
    hint = "" if read.whole else "\n填了什么只有经办人看得到。"
    return f"{titled(found, read.title)}：{stands(found.state, read.asked_at, chat.now)}{who}{due}。{hint}"


def _answers(read: Dossier) -> list[str]:
    given = read.application.answers
    who = f"申请人：{read.name} {read.phone}".strip() if read.name or read.phone else ""
    lines = [f"{field.label}：{say(field, given.get(field.key))}" for field in read.fields]
    more = f"后来又发了 {count} 张照片" if (count := sum(file.field == "more" for file in read.files)) else ""
    said = [line.text for line in read.events if line.verb == "supplement" and line.text]
    return [part for part in (who, *lines, *(f"补充：{text}" for text in said[-2:]), more) if part]


def _choices(read: Dossier) -> list[str]:
    """What one may do with it, in the order of the numbers."""
    if not read.application.state.is_open:
        return []
    if Tie.HOLDER not in read.ties:
        return [_TAKE] if Tie.OFFICER in read.ties else []
    match read.application.state:
        case "submitted":
            found = [_ACCEPT, _ASK, _FINISH, _REFUSE]
        case "accepted":
            found = [_FINISH, _ASK, _REFUSE]
        case _:
            found = [_REFUSE]
    return [*found, *([_PICTURES] if read.files else [])]


def _chosen(chat: Chat) -> str:
    """The label chosen by number or in words; "" for none."""
    labels = chat.data.get("labels", [])
    if chat.tap and 0 < chat.tap <= len(labels):
        return str(labels[chat.tap - 1])
    return chat.text if chat.text in labels else ""


@router.on(state("desk.application"), lambda chat: bool(_chosen(chat)))
async def act(chat: Chat) -> Reply:
    """Done at once, or first the sentence it wants: “2 照片太糊” brings it along."""
    verb, application_id = _chosen(chat), chat.data["id"]
    if verb in _QUESTIONS and not chat.rest:
        chat.go("desk.sentence", id=application_id, verb=verb)
        return Reply(_QUESTIONS[verb])
    return await _carry_out(chat, application_id, verb, chat.rest)


@router.on(is_staff, pattern(_IN_WORDS.pattern))
async def by_words(chat: Chat) -> Reply:
    """“补材料 B1121-0007 照片太糊”: verb, number and sentence in one message."""
    found = _IN_WORDS.fullmatch(chat.text.strip())
    if found is None:
        raise BadRequest("application verb")
    known = await work.by_serial(chat.person, found["number"])
    verb, said = _VERBS.get(found["verb"], found["verb"]), found["words"].strip(" ：:")
    if verb in _QUESTIONS and not said:
        chat.go("desk.sentence", id=known.id, verb=verb)
        return Reply(_QUESTIONS[verb])
    return await _carry_out(chat, known.id, verb, said)


@router.on(state("desk.sentence"), said_here)
async def sentence(chat: Chat) -> Reply:
    """What is missing, what came of it, or why not."""
    return await _carry_out(chat, chat.data["id"], chat.data["verb"], chat.text)


async def _carry_out(chat: Chat, application_id: int, verb: str, said: str) -> Reply:
    person, now, source = chat.person, chat.now, chat.source
    if verb == _TAKE:
        await work.take(person, application_id, now, source)
        return await _show(chat, application_id, "归您办了。")
    if verb == _PICTURES:
        count = await work.send_pictures(person, application_id, now)
        return await _show(chat, application_id, f"{count} 张照片正在发给您。")
    if verb == _ACCEPT:
        await work.accept(person, application_id, now, source)
        return await _show(chat, application_id, "已受理，申请人知道了。")
    if verb == _ASK:
        found, told = await work.ask(person, application_id, said, now, source), "已请申请人补材料，补好了告诉您"
    elif verb == _FINISH:
        found, told = await work.finish(person, application_id, Result(said), now, source), "已办结，结果告诉了申请人"
    else:
        found, told = await work.refuse(person, application_id, said, now, source), "已按不予办理结束，原因告诉了申请人"
    chat.go()
    return Reply(f"{short(found.number)} {told}。")
