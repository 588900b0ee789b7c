"""我的申请: how far what one applied for is, what is still wanted, taking it back, how it went."""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages import Kind, Reply
from bot.router import Router
from domain import application_work as work
from domain import applications
from domain.application_notices import STATE_NAMES, short, titled
from domain.application_rows import titles_of
from domain.applications import Supply, Tie
from domain.clock import say_latest
from domain.notices import TAP_LABELS, Tap, tap_id
from domain.uploads import expect_picture
from handlers.chat import Chat, either, has_text, kind, numbered, state, tapped, words
from handlers.form_filling import READY, said_here
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("applications")

_STARS = {Tap.GOOD_SERVICE: 5, Tap.FAIR_SERVICE: 3, Tap.BAD_SERVICE: 1}
_SHOWN = 5


@router.on(words("我的申请", "申请进度", "查申请", "我的办件"))
async def mine(chat: Chat) -> Reply:
    """One's own, the newest first."""
    found = await applications.own_applications(chat.person, limit=_SHOWN)
    begun = chat.data.get("form")
    half = [f"{begun['title']}填到一半，回复“继续申请”。"] if begun else []
    if not found:
        return Reply("\n".join(half) or "您还没有网上申请过。回复“网上申请”看能申请什么。")
    titles: Mapping[int, str] = await titles_of(found)
    chat.go()
    lines = [
        f"{place} {titled(one, titles[one.item_id])}{f'（{one.name}）' if one.name else ''}：{STATE_NAMES[one.state]}"
        for place, one in enumerate(found, 1)
    ]
    chat.ask("", [(short(one.number), tap_id(one.id, Tap.SHOW_APPLICATION)) for one in found])
    return Reply("\n".join(["您的申请：", *lines, *half, "回复前面的数字看详情。"]))


async def show(chat: Chat, application_id: int, head: str = "") -> Reply:
    return await show_own(chat, await work.read(chat.person, application_id, chat.now, chat.source), head)


async def show_own(chat: Chat, read: work.Dossier, head: str = "") -> Reply:
    """How far one's own is, and what one may do."""
    found = read.application
    due = say_latest(found.due_at, chat.now) if found.due_at and found.due_at > chat.now and found.state.is_open else ""
    who = f"，{read.holder}在办" if read.holder and found.state.is_open else ""
    facts = [f"{titled(found, read.title)}：{STATE_NAMES[found.state]}{who}。"]
    facts += [f"{due}办好。"] if due else []
    facts += [f"还差：{found.asked}"] if found.asked and read.whole else []
    facts += [f"结果：{found.result}"] if found.result and read.whole else []
    chat.go("apply.own", id=found.id)
    choices = _own_choices(read)
    text = "\n".join(part for part in (head, *facts) if part)
    return chat.ask(text, choices) if choices else Reply(text)


def _own_choices(read: work.Dossier) -> list[tuple[str, int]]:
    found = read.application
    if Tie.APPLICANT not in read.ties:
        return []
    if found.state == "supplement":
        return [(TAP_LABELS[Tap.SUPPLY], tap_id(found.id, Tap.SUPPLY)), ("撤回申请", 2)]
    if found.state.is_open:
        return [("撤回申请", 2)]
    if found.state != "withdrawn" and found.stars is None:
        return [(TAP_LABELS[tap], tap_id(found.id, tap)) for tap in _STARS]
    return []


@router.on(state("apply.own"), either(tapped(2), words("撤回", "撤回申请")))
async def ask_withdraw(chat: Chat) -> Reply:
    """Once more, because it cannot be undone."""
    chat.go("apply.withdraw", id=chat.data["id"])
    return chat.ask("撤回后要办得重新申请。确定撤回吗？", numbered("撤回", "不撤回"))


@router.on(state("apply.withdraw"), either(tapped(1), words("撤回", "确定")))
async def withdraw(chat: Chat) -> Reply:
    """Gone."""
    found = await applications.withdraw(chat.person, chat.data["id"], chat.now, chat.source)
    chat.go()
    return Reply(f"{short(found.number)} 已撤回。要办了，随时重新申请。")


@router.on(state("apply.withdraw"), either(tapped(2), words("不撤回", "不")))
async def keep(chat: Chat) -> Reply:
    """Nothing happened."""
    return await show(chat, chat.data["id"], "好的，没有撤回。")


@router.on(case_tap(Tap.SUPPLY))
async def ask_supply(chat: Chat) -> Reply:
    """What is wanted, to be written or photographed."""
    return await _ask_supply(chat, tapped_case(chat))


@router.on(words("补充申请", "去补充", "补材料"))
async def ask_supply_in_words(chat: Chat) -> Reply:
    """The same for the one that waits for it."""
    waiting = [one for one in await applications.own_applications(chat.person) if one.state == "supplement"]
    if not waiting:
        return Reply("没有等您补材料的申请。回复“我的申请”看进度。")
    return await _ask_supply(chat, waiting[0].id)


async def _ask_supply(chat: Chat, application_id: int) -> Reply:
    read = await work.read(chat.person, application_id, chat.now, chat.source)
    if Tie.APPLICANT not in read.ties or read.application.state != "supplement":
        return await show_own(chat, read)
    chat.go("apply.supply", id=application_id, photos=[], said="")
    return Reply(
        f"{titled(read.application, read.title)} 还差：{read.application.asked}\n请发照片或写一句，发完回复“好了”。"
    )


@router.on(state("apply.supply"), kind(Kind.IMAGE))
async def supply_photo(chat: Chat) -> Reply:
    """One more picture."""
    sent = [*chat.data["photos"], str(await expect_picture(chat.person, chat.message.media_id, chat.now))][:9]
    chat.data["photos"] = sent
    return Reply(f"收到 {len(sent)} 张。发完回复“好了”。")


@router.on(state("apply.supply"), said_here)
async def supply_said(chat: Chat) -> Reply:
    """Words are kept until “好了”; then it goes to who works on it."""
    if chat.text.strip("。 ") not in READY:
        chat.data["said"] = f"{chat.data['said']} {chat.text}".strip()[:500]
        return Reply("记下了。还可以再说或发照片，发完回复“好了”。")
    supply = Supply(words=chat.data["said"], photos=chat.data["photos"])
    found = await applications.supplement(chat.person, chat.data["id"], supply, chat.now, chat.source)
    chat.go()
    due = f"，{say_latest(found.due_at, chat.now)}办好" if found.due_at and found.due_at > chat.now else ""
    return Reply(f"{short(found.number)} 补充好了{due}。有进展会告诉您。")


@router.on(case_tap(*_STARS))
async def rated(chat: Chat) -> Reply:
    """How it went; a sentence may follow the number."""
    application_id = tapped_case(chat)
    stars = next(count for tap, count in _STARS.items() if tap_id(application_id, tap) == chat.tap)
    await applications.rate(chat.person, application_id, stars, chat.rest, chat.now, chat.source)
    if chat.rest:
        chat.go()
        return Reply("记下了，谢谢您。")
    chat.go("apply.comment", id=application_id, stars=stars)
    return Reply("谢谢您。有话可以再说一句，没有就不用回了。")


@router.on(state("apply.comment"), has_text, lambda chat: chat.seen.intent in ("rate", "chat"))
async def comment(chat: Chat) -> Reply:
    """A sentence with the stars; a new problem said here is a new report instead."""
    given = chat.data
    await applications.rate(chat.person, given["id"], given["stars"], chat.text, chat.now, chat.source)
    chat.go()
    return Reply("记下了，谢谢您。")
