"""Keeping the directory, for staff: what residents asked for in vain, and what somebody should look at again."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import service_help, services
from domain.clock import SHANGHAI
from domain.notices import excerpt, serial
from domain.services import ServiceItem
from handlers.chat import Chat, has_text, is_staff, numbered, pattern, state, words

router: Router[Chat] = Router("directory")

_SHOWN = 5
_REVIEWED = re.compile(r"(?:已核对|核对过|核对好了|已经核对)\s*[:：]?\s*(?P<name>.{2,40})", re.DOTALL)


@router.on(is_staff, words("缺的事项", "缺的服务", "没有答案的问题"))
async def missing(chat: Chat) -> Reply:
    """What residents asked for and nobody has written down."""
    found = await service_help.missing_items(chat.person, _SHOWN)
    if not found:
        return Reply("没有居民问倒过服务导航。")
    chat.go("directory.missing", ids=[one.id for one in found])
    head = "服务导航里还没有，居民问过："
    hint = "请写成服务事项，用表格导入。写好了的，回复前面的数字。"
    labels = [f"{one.count} 次：{excerpt(one.words, 30)}（{serial(one.case_number)}）" for one in found]
    lines = [f"{place} {label}" for place, label in enumerate(labels, 1)]
    chat.ask("", numbered(*labels))
    return Reply("\n".join([head, *lines, hint]))


@router.on(state("directory.missing"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data.get("ids", []))))
async def missing_chosen(chat: Chat) -> Reply:
    """Which item answers it now?"""
    chat.go("directory.answer", id=chat.data["ids"][(chat.tap or 1) - 1])
    return Reply("哪个事项能回答了？请写它的名称，比如“居住证办理”。\n还没写好，回复“取消”。")


@router.on(state("directory.answer"), has_text, lambda chat: not _REVIEWED.fullmatch(chat.text))
async def answered(chat: Chat) -> Reply:
    """The question is off the list."""
    item = await _meant(chat, chat.text)
    if item is None:
        return Reply(f"没有找到“{excerpt(chat.text, 20)}”这个事项。请写全名，或先用表格导入。")
    await service_help.answer_missing(chat.person, chat.data["id"], item.code, chat.now, chat.source)
    chat.go()
    return Reply(f"记下了：由“{item.title}”回答。再有人问不到，会重新列出来。")


@router.on(is_staff, words("待核对", "待核对的事项", "服务核对"))
async def overdue(chat: Chat) -> Reply:
    """Items nobody has looked at for half a year."""
    found = await services.overdue_reviews(chat.person, chat.now.astimezone(SHANGHAI).date(), _SHOWN + 1)
    if not found:
        return Reply("服务事项都在半年内核对过。")
    lines = [
        f"{one.title}（{f'{one.reviewed_on:%Y-%m-%d} 核对' if one.reviewed_on else '没核对过'}）"
        for one in found[:_SHOWN]
    ]
    more = ["还有更多。"] if len(found) > _SHOWN else []
    hint = "看过没错，回复“已核对 名称”；要改的，在表格里改好再导入。"
    return Reply("\n".join(["超过半年没核对的服务事项：", *lines, *more, hint]))


@router.on(is_staff, pattern(_REVIEWED.pattern))
async def reviewed(chat: Chat) -> Reply:
    """“已核对 居住证办理”: somebody made sure today."""
    said = _REVIEWED.fullmatch(chat.text.strip())
    name = said["name"].strip('“”"。 ') if said else ""
    item = await _meant(chat, name)
    if item is None:
        return Reply(f"没有找到“{excerpt(name, 20)}”这个事项。回复“待核对”看名称，照着写。")
    kept = await service_help.review(chat.person, item.code, chat.now, chat.source)
    chat.go()
    return Reply(f"记下了：{kept.title}，{kept.reviewed_on:%Y-%m-%d} 由{kept.reviewer}核对。")


async def _meant(chat: Chat, said: str) -> ServiceItem | None:
    """The item called so, or surely meant."""
    found = await services.search(chat.person, said)
    for hit in found.hits:
        if hit.item and said in (hit.item.title, *hit.item.aliases):
            return hit.item
    return found.hits[0].item if found.clear and not found.meant and found.hits else None
