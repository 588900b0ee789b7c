"""网格群 from the chat: staff decide what waits (“群审核”), whom it hit objects (“申诉 我没有骂人”)."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import moderation, reviews
from domain.clock import say_moment
from domain.review_notices import excerpt
from errors import Conflict
from handlers.chat import Chat, either, has_text, is_staff, numbered, pattern, state, tapped, words

router: Router[Chat] = Router("moderation")

_KEEP, _HIDE, _NEXT = 1, 2, 3
_REASONS = ("骂人或说脏话", "广告", "有别人的电话或隐私", "和群里的事无关")
_LOOKED = 30  # reviews looked through at most
_WHY = {
    "words": "词表拿不准",
    "platform": "微信检查拿不准",
    "complaint": "有人投诉，先不显示",
    "appeal": "有人申诉",
}
#: What was done, by (shown or lifted, whether it was about a mute).
_DONE = {
    (True, False): "已显示。",
    (False, False): "不显示，原因已告诉本人。",
    (True, True): "已解除禁言。",
    (False, True): "继续禁言，原因已告诉本人。",
}


@router.on(is_staff, words("群审核", "待审核", "审核"))
async def look(chat: Chat) -> Reply:
    """The oldest that waits."""
    return await _show_next(chat, [])


async def _show_next(chat: Chat, passed: list[int], said: str = "") -> Reply:
    """The oldest review not passed over; `said` goes before it."""
    waiting = [one for one in await reviews.list_reviews(chat.person, limit=_LOOKED) if one.id not in passed]
    if not waiting:
        chat.go()
        return Reply(f"{said}\n没有别的等您看了。".strip() if said else "群里没有等您看的内容。")
    one = waiting[-1]
    chat.go("moderation.look", review=one.id, passed=passed, muted=one.entry is None)
    more = f"（还有 {len(waiting) - 1} 条）" if len(waiting) > 1 else ""
    lines = [said, f"{one.room_name}群{more}", _described(chat, one)]
    labels = ("解除禁言", "继续禁言") if one.entry is None else ("显示", "不显示")
    return chat.ask("\n".join(line for line in lines if line), numbered(*labels, "下一条"))


def _described(chat: Chat, one: reviews.ReviewLine) -> str:
    reason = f"：{one.reason}" if one.reason else ""
    if one.entry is None:
        return f"{one.by}申诉禁言{reason}"
    text = one.entry.text or excerpt(one.entry)
    head = f"{one.entry.author} {say_moment(one.entry.at, chat.now)}：{text[:300]}"
    why = f"（{one.entry.why}）" if one.entry.why and one.kind != "complaint" else ""
    return f"{head}\n{_WHY[one.kind]}{reason}{why}"


@router.on(is_staff, state("moderation.look"), tapped(_KEEP))
async def keep(chat: Chat) -> Reply:
    """Show it, or end the mute."""
    return await _decide(chat, keep=True, why="")


@router.on(is_staff, state("moderation.look"), tapped(_HIDE))
async def hide(chat: Chat) -> Reply:
    """Leave it hidden; whom it hit reads why."""
    if chat.rest:
        return await _decide(chat, keep=False, why=chat.rest)
    chat.go("moderation.why", **_kept(chat))
    return chat.ask("为什么？发消息的人会看到，也可以自己写一句。", numbered(*_REASONS))


@router.on(is_staff, state("moderation.look"), tapped(_NEXT))
async def pass_over(chat: Chat) -> Reply:
    """Look at another first."""
    return await _show_next(chat, [*chat.data.get("passed", []), chat.data["review"]])


@router.on(is_staff, state("moderation.why"), either(tapped(1, 2, 3, 4), has_text))
async def hide_because(chat: Chat) -> Reply:
    """The reason, tapped or written."""
    why = _REASONS[chat.tap - 1] if chat.tap and not chat.rest else chat.rest or chat.text
    return await _decide(chat, keep=False, why=why)


async def _decide(chat: Chat, *, keep: bool, why: str) -> Reply:
    muted, passed = bool(chat.data.get("muted")), list(chat.data.get("passed", []))
    review = int(chat.data["review"])
    try:
        await reviews.decide(chat.person, review, keep, why, chat.now, chat.source)
    except Conflict as refused:  # somebody was faster: the next one
        return await _show_next(chat, [*passed, review], refused.in_chat)
    return await _show_next(chat, passed, _DONE[keep, muted])


def _kept(chat: Chat) -> dict[str, object]:
    return {name: chat.data[name] for name in ("review", "passed", "muted") if name in chat.data}


@router.on(words("申诉", "我要申诉"))
async def ask_reason(chat: Chat) -> Reply:
    """Without a reason there is nothing to decide about."""
    chat.go("moderation.appeal")
    return Reply("请写一句理由，另一位工作人员会再看一次。\n不申诉了回复“取消”。")


@router.on(pattern(r"申诉[\s，,：:]+.+"))
async def object_to(chat: Chat) -> Reply:
    """“申诉 我没有骂人”."""
    return await _appeal(chat, chat.text.strip().removeprefix("申诉").strip(" ，,：:\n"))


@router.on(state("moderation.appeal"), has_text)
async def reason_given(chat: Chat) -> Reply:
    """The reason, asked for before."""
    return await _appeal(chat, chat.text)


async def _appeal(chat: Chat, reason: str) -> Reply:
    chat.go()
    await moderation.appeal_newest(chat.person, reason, chat.now, chat.source)
    return Reply("收到您的申诉，另一位工作人员会再看一次，有结果就告诉您。")
