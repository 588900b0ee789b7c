"""我也遇到: a resident joins what neighbours reported already, hears of it, and may stop hearing of it."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import duplicates
from domain.clock import say_latest
from domain.notices import serial, short
from errors import Conflict, NotFound
from handlers.amend import amend
from handlers.chat import Chat, either, numbered, pattern, state, tapped, words
from handlers.drafts import Draft
from handlers.report import hand_in, show
from handlers.similar import JOIN, REPORT

router: Router[Chat] = Router("join")

_SAME = ("我也遇到", "我也遇到了", "我也是", "是", "是的", "对", "对的", "嗯", "同一件", "是同一件", "一样", "同一个")
_OTHER = ("不是", "不是的", "不对", "不是同一件", "照常上报", "上报", "提交", "交", "另一件", "不一样")


@router.on(state("report.join"), either(tapped(1), words(*_SAME)))
async def join(chat: Chat) -> Reply:
    """The same: no new case, and whatever happens to that one is told here too."""
    draft = Draft.load(chat.data) or Draft()
    if chat.rest:
        draft.texts.append(chat.rest)
    try:
        found = await duplicates.join(
            chat.person,
            chat.data["similar"],
            draft.final(),
            chat.now,
            many=chat.policy.pressing_joiners,
            source=chat.source,
        )
    except Conflict:
        return await show(chat, draft, "那一件刚刚办完了，您这件照常上报。")
    chat.drop_draft()
    chat.go()
    due = f"，{say_latest(found.due_at, chat.now)}" if found.due_at else ""
    return Reply(
        f"记下了，您也遇到。编号 {short(found.number)}，{duplicates.say_progress(found)}{due}。\n"
        f"有进展会告诉您，随时回复“查 {serial(found.number)}”。"
    )


@router.on(state("report.join"), either(tapped(2), words(*_OTHER)))
async def another(chat: Chat) -> Reply:
    """Another matter: it is handed in as usual."""
    return await hand_in(chat)


@router.on(state("report.join"), words("改", "改一下", "修改", "错了"))
async def change(chat: Chat) -> Reply:
    """Neither: something about it was read wrongly."""
    return await amend(chat)


@router.on(state("report.join"), lambda chat: chat.text.isdigit() and len(chat.text) < 4)
async def no_such_choice(chat: Chat) -> Reply:
    """A number that is no choice."""
    return chat.ask(f"没有第 {chat.text} 项。请回复 1 或 2。", numbered(JOIN, REPORT))


@router.on(pattern(r"(?:不再关注|取消关注|不关注)\s*[:：]?\s*(?:20\d{2})?(?:\d{4}[-—－])?\d{4,6}[。]?"))
async def leave(chat: Chat) -> Reply:
    """“不再关注 0037”."""
    found = await duplicates.followed(chat.person, chat.text, 1)
    if not found:
        raise NotFound("does not follow it", say="您没有关注这个编号。关注的事回复“我的事项”可以看到。")
    case = await duplicates.leave(chat.person, found[0].case_id, chat.now, chat.source)
    chat.go()
    return Reply(f"好的，{serial(case.number)} 的进展不再发给您。")
