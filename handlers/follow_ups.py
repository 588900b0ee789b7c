"""回访: 还好, 又出现了, 不用再问我: by a tap, or in these words."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import follow_ups
from domain.clock import say_latest
from domain.notices import Tap, serial
from domain.people import post_of
from handlers.chat import Chat, is_staff, pattern, words
from handlers.report import offer
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("follow_ups")

_AGAIN = r"又出现了?(?:[，,。 ].*)?"


@router.on(case_tap(Tap.STILL_FINE))
async def fine(chat: Chat) -> Reply:
    """Still well."""
    return await _fine(chat, tapped_case(chat), chat.rest)


async def _fine(chat: Chat, ident: int, said: str) -> Reply:
    await follow_ups.say_fine(chat.person, ident, said, chat.now, chat.source)
    chat.go()
    return Reply("那就好，谢谢您。有事随时直接说。")


@router.on(case_tap(Tap.HAPPENED_AGAIN))
async def again(chat: Chat) -> Reply:
    """It happened again: somebody looks after it at once."""
    return await _again(chat, tapped_case(chat), chat.rest)


async def _again(chat: Chat, ident: int, said: str) -> Reply:
    _, case = await follow_ups.say_again(
        chat.person, ident, said, chat.now, within=chat.policy.reopen_within, source=chat.source
    )
    holder = await post_of(case.holder_id)
    due = f"，{say_latest(case.due_at, chat.now)}有结果" if case.due_at else ""
    chat.go("supplement", case=case.id)
    who = f"已交给{holder.label}" if holder else "社区正在安排人"
    return Reply(f"抱歉又麻烦您。{who}，编号 {serial(case.number)}{due}。\n现在什么情况？可以说一句，或发照片。")


@router.on(case_tap(Tap.ASK_NO_MORE))
async def no_more(chat: Chat) -> Reply:
    """Not asked again."""
    return await _no_more(chat, tapped_case(chat))


async def _no_more(chat: Chat, ident: int) -> Reply:
    await follow_ups.want_no_more(chat.person, ident, chat.now, chat.source)
    chat.go()
    return Reply("好的，以后不再回访您。\n有事随时直接说。")


@router.on(words("还好", "还好的", "挺好的", "都好", "没再出现"))
async def fine_in_words(chat: Chat) -> Reply:
    """The same, typed."""
    asked = await follow_ups.list_asked(chat.person)
    return await _fine(chat, asked[0][0].id, "") if asked else Reply("那就好。有事随时直接说。")


@router.on(pattern(_AGAIN))
async def again_in_words(chat: Chat) -> Reply:
    """“又出现了 昨天晚上又不亮”."""
    asked = await follow_ups.list_asked(chat.person)
    said = chat.text.removeprefix("又出现").removeprefix("了").strip(" ，,。")
    if not asked:
        ask = Reply("是哪件事又出现了？请说一说在哪里、什么情况，我们马上登记。")
        return await offer(chat, chat.seen) if said else ask
    return await _again(chat, asked[0][0].id, said)


@router.on(words("不用再问我", "不用再问", "不要回访", "别再问我"))
async def no_more_in_words(chat: Chat) -> Reply:
    """The same, typed."""
    asked = await follow_ups.list_asked(chat.person)
    return await _no_more(chat, asked[0][0].id) if asked else Reply("现在没有在问您的事。")


@router.on(is_staff, words("回访情况", "回访", "回访统计"))
async def figures(chat: Chat) -> Reply:
    """For staff: how it was found four weeks later."""
    found = await follow_ups.figures(chat.person, chat.now)
    if not found.asked:
        return Reply("近 90 天没有回访。\n解决了的事办结四周后，系统会问一次居民。")
    share = f"，还好的占 {found.share_fine:.0%}" if found.share_fine is not None else ""
    head = f"近 90 天回访 {found.asked} 人：还好 {found.fine}，又出现 {found.again}{share}。"
    return Reply(f"{head}\n没回答 {found.silent} 人，不算还好；不愿再问 {found.no_more} 人。")
