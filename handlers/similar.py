"""Is it the same matter? The one question a resident is asked about it, and what staff are shown: 类似 0037, 热点."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import cards, duplicates
from domain.duplicates import Similar, likely_duplicates
from domain.hot_matters import hotspots_of
from domain.lookup import find_case
from domain.notices import Tap, excerpt, serial, short, tap_id
from errors import NotAllowed
from handlers.chat import Chat, is_staff, numbered, pattern, words
from handlers.drafts import Draft

router: Router[Chat] = Router("similar")

JOIN, REPORT = "我也遇到（有进展告诉您）", "不是同一件，照常上报"


async def find(chat: Chat, draft: Draft) -> Similar | None:
    """An open case the draft is probably about, unless the resident was asked before."""
    if draft.asked_similar or draft.urgent:
        return None
    return await duplicates.find_similar(chat.person, draft.final(), chat.now)


def ask(chat: Chat, draft: Draft, found: Similar, head: str) -> Reply:
    """Instead of 要交给网格员处理吗: the draft was read, so “照常上报” hands it in."""
    draft.asked_similar = True
    chat.go("report.join", draft=draft.dump(chat.now), similar=found.case_id)
    place = f"｜{found.place}" if found.place else ""
    lines = [
        head,
        f"看起来您要反映：{draft.subject}" + (f"，{draft.place}" if draft.place else ""),
        f"附近已有人反映：{found.subject}{place}（编号 {short(found.number)}，{duplicates.say_progress(found)}）。",
        "是同一件事吗？",
    ]
    return chat.ask("\n".join(line for line in lines if line), numbered(JOIN, REPORT))


@router.on(pattern(r"(?:类似|重复|相似)\s*[:：]?\s*(?:20\d{2})?(?:\d{4}[-—－])?\d{4,6}[。]?"))
async def alike(chat: Chat) -> Reply:
    """“类似 0037”: open cases that are probably the same, to be merged if they are."""
    _staff_only(chat, "staff:similar")
    case = await find_case(chat.person, chat.text)
    found = await likely_duplicates(case.id, chat.now)
    number = serial(case.number)
    chat.go()
    if not found:
        return Reply(f"没有找到和 {number} 类似的事项。")
    chat.ask("", [(serial(one.number), tap_id(one.id, Tap.SHOW)) for one in found])
    lines = [
        f"{row} {cards.task_line(one, chat.now)}\n“{excerpt(one.description, 40)}”" for row, one in enumerate(found, 1)
    ]
    return Reply(
        f"可能和 {number} {case.subject}是同一件：\n"
        + "\n".join(lines)
        + f"\n回复前面的数字看详情；是同一件就回复“并 {number} {serial(found[0].number)}”。"
    )


@router.on(words("热点", "热点提示", "未诉先办"))
async def hot(chat: Chat) -> Reply:
    """“热点”: what has lately come up far more often than usual, to be looked at before more people complain."""
    _staff_only(chat, "staff:hotspots")
    found = await hotspots_of(chat.person, chat.now)
    chat.go()
    if not found:
        return Reply("最近一周没有比平时明显多的事。")
    lines = [f"{row} {spot.line}" for row, spot in enumerate(found, 1)]
    chat.ask("", [(spot.subject, tap_id(spot.case_ids[-1], Tap.SHOW)) for spot in found])
    return Reply("比平时明显多的事，建议先去看看：\n" + "\n".join(lines) + "\n回复前面的数字看最近的一件。")


def _staff_only(chat: Chat, tag: str) -> None:
    if not is_staff(chat):
        raise NotAllowed(f"{tag} of a resident", say="这是工作人员用的。", tag=tag)
