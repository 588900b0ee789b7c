"""“我的信息”, “删除我的信息”: what we keep of somebody who only chats, and forgetting it for good."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain.erasure import erase
from domain.personal_data import summarise
from handlers.chat import Chat, numbered, state, tapped, words

router: Router[Chat] = Router("privacy")

_DELETE, _KEEP = numbered("全部删除", "不删了")


@router.on(words("我的信息", "我的资料", "个人信息", "隐私", "隐私说明"))
async def show(chat: Chat) -> Reply:
    """What is kept, what for, and how to end it."""
    kept = await summarise(chat.person)
    lines = [
        f"我们记着：{kept.what}。",
        "只用来办您反映的事，邻居看不到您是谁。",
        "精确位置在事情办结、过了重新打开的期限后删掉。",
        "要全部删掉，回复“删除我的信息”。",
    ]
    return Reply("\n".join(lines))


@router.on(words("删除我的信息", "删除我的资料", "删除个人信息", "注销账号"))
async def ask(chat: Chat) -> Reply:
    """Once more, because it cannot be undone."""
    kept = await summarise(chat.person)
    open_cases = f"\n您还有 {kept.open_cases} 件事在办，删了就没法告诉您结果。" if kept.open_cases else ""
    chat.drop_draft()
    chat.drop_form()
    chat.go("privacy.confirm")
    return chat.ask(
        f"删除后找不回来：您说过的话、照片、位置和网格都会删掉。{open_cases}\n确定要删吗？", [_DELETE, _KEEP]
    )


@router.on(state("privacy.confirm"), tapped(_DELETE[1]))
async def forget(chat: Chat) -> Reply:
    """Forgotten; whoever writes again is somebody new."""
    await erase(chat.person, chat.now, chat.source, even_open=True)
    return Reply("已全部删除。以后有事，直接说就行，我们会把您当作新来的邻居。")


@router.on(state("privacy.confirm"), tapped(_KEEP[1]))
async def keep(chat: Chat) -> Reply:
    """Nothing happened."""
    chat.go()
    return Reply("好的，没有删除。")
