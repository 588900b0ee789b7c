"""What was understood is not right: the resident corrects its kind, its place or its words."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain.notices import excerpt
from handlers.chat import Chat, either, has_text, numbered, state, tapped, words
from handlers.drafts import OTHER, Draft
from handlers.report import KINDS, NO, ask_kind, begin, keep, show

router: Router[Chat] = Router("amend")


@router.on(state("report.confirm"), either(tapped(2), words("改", "改一下", "修改", "不对", "错了")))
async def amend(chat: Chat) -> Reply:
    """What is wrong with it?"""
    draft = begin(chat)
    keep(chat, draft, "amend")
    return chat.ask("哪里不对？也可以直接说对的。", numbered("事情类型", "地点", "重新说一遍", "不改了"))


@router.on(state("report.amend"), either(tapped(1), words("类别", "类型", "分类", "种类", "事情类型")))
async def amend_category(chat: Chat) -> Reply:
    """Choose among what it could be."""
    draft = begin(chat)
    keep(chat, draft, "category")
    codes = [code for code in draft.alternatives if code != draft.category]
    return ask_kind(chat, codes[:KINDS], "是哪一类事？也可以直接说，比如“停车”“噪音”“漏水”。")


@router.on(
    state("report.category", "report.which"),
    lambda chat: bool(chat.tap and chat.tap <= len(chat.data.get("codes", []))),
)
async def category_tapped(chat: Chat) -> Reply:
    """The resident knows best; what they say afterwards does not change it."""
    draft = begin(chat)
    draft.choose(chat.data["codes"][(chat.tap or 1) - 1])
    return await show(chat, draft)


@router.on(state("report.which"), words(*NO))
async def none_of_these(chat: Chat) -> Reply:
    """None of the kinds shown: it is handed in as it was said."""
    draft = begin(chat)
    draft.choose(OTHER)
    return await show(chat, draft)


@router.on(state("report.amend"), either(tapped(2), words("地点", "位置", "地址", "地方")))
async def amend_place(chat: Chat) -> Reply:
    keep(chat, begin(chat), "place")
    return Reply("在哪里？比如“3栋2单元”“东门口”，也可以发个位置。")


@router.on(state("report.place"), has_text)
async def place_said(chat: Chat) -> Reply:
    draft = begin(chat)
    draft.place, draft.place_said = chat.text[:100], True
    return await show(chat, draft)


@router.on(state("report.amend"), either(tapped(3), words("重说", "重新说", "内容", "重来")))
async def amend_text(chat: Chat) -> Reply:
    draft = begin(chat)
    draft.texts, draft.chosen, draft.place_said, draft.place = [], False, False, draft.label
    keep(chat, draft, "collect")
    kept = f"（{draft.media_line()}还在）" if draft.media else ""
    return Reply(f"好的，请重新说一遍是什么事、在哪里。{kept}")


@router.on(state("report.amend"), tapped(4))
async def amend_nothing(chat: Chat) -> Reply:
    return await show(chat, begin(chat))


@router.on(state("report.amend", "report.category"), has_text)
async def amend_in_words(chat: Chat) -> Reply:
    """“停车” corrects the kind; “5栋” corrects the place; anything else is said so."""
    draft = begin(chat)
    seen = chat.seen
    if seen.places:
        draft.place, draft.place_said = seen.places[0], True
    if seen.category:
        draft.choose(seen.category)
    if not seen.category and not seen.places:
        keep(chat, draft, chat.state.removeprefix("report."))
        return (
            chat.ask(
                f"没看出“{excerpt(chat.text, 20)}”要改哪里。", numbered("事情类型", "地点", "重新说一遍", "不改了")
            )
            if chat.state == "report.amend"
            else await _ask_kind_again(chat, draft)
        )
    return await show(chat, draft, "改好了。")


async def _ask_kind_again(chat: Chat, draft: Draft) -> Reply:
    """The word named no kind of matter we know: better handed in as it is than stuck."""
    draft.choose(OTHER)
    return await show(chat, draft, f"没找到“{excerpt(chat.text, 20)}”这一类，先按其他问题办，网格员会看原话。")
