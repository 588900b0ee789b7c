"""常用语: a ready sentence instead of typing with one thumb. “常用语 0037”, then its number."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import casework
from domain.lookup import find_case, tasks
from domain.notices import serial
from domain.templates import fill, fitting
from errors import NotFound
from handlers.chat import Chat, is_staff, numbered, pattern, state

router: Router[Chat] = Router("phrases")


@router.on(is_staff, pattern(r"常用语\s*[\d\-—－]*"))
async def offer(chat: Chat) -> Reply:
    """The sentences that fit a case: the one named, or the only one at hand."""
    asked = chat.text.strip().removeprefix("常用语").strip()
    if asked:
        case = await find_case(chat.person, asked)
    else:
        mine = await tasks(chat.person)
        if len(mine) != 1:
            raise NotFound("which case", say="是哪一件？比如“常用语 0037”。")
        case = mine[0]
    texts = [await fill(one, case, chat.now) for one in await fitting(case)]
    if not texts:
        return Reply("还没有常用语。管理员可以用表格导入。")
    chat.go("phrases.choose", case=case.id, texts=texts)
    return chat.ask(f"给 {serial(case.number)} 的居民发哪一句？", numbered(*texts))


@router.on(state("phrases.choose"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data.get("texts", []))))
async def send(chat: Chat) -> Reply:
    """The chosen sentence becomes a progress note the resident reads; words behind the number are added."""
    text = chat.data["texts"][(chat.tap or 1) - 1] + chat.rest
    case = await casework.write_note(chat.person, chat.data["case"], text, chat.now, source=chat.source)
    chat.go()
    return Reply(f"{serial(case.number)} 已告诉居民：“{text}”")
