"""Following, scanning a grid's QR, help, one's grid, cancelling: what works in every state."""

from __future__ import annotations

from bot.consents import note_consents, note_sent_event, note_template_result
from bot.messages import Kind, Reply
from bot.qrcodes import grid_of
from bot.router import Router
from domain.linking import ask_union
from domain.mass_calls import note_report
from domain.people import join_grid
from errors import NotFound
from handlers.chat import Chat, click, either, event, state, words
from handlers.report import ask_grid, choose_grid

router: Router[Chat] = Router("greet")

HELP = (
    "我能帮您：\n1. 反映问题：直接说就行，比如“3栋楼道灯坏了”；看进度：回复“我的事项”\n"
    "2. 问办事：直接问，比如“居住证怎么办”，或回复“服务导航”；有什么活动：回复“活动”；要预约：回复“预约”\n"
    "3. 找网格员：回复“人工”\n4. 换网格：回复“我的网格”，和邻居说话：回复“进群”，"
    "不想收的通知：回复“退订”\n说到一半不想说了，回复“取消”。"
)


_ROOM = "\n想和邻居在网格群里说话，回复“进群”。"


def _where(chat: Chat) -> str:
    home = chat.person.home
    if home is None:
        return ""
    worker = f"，{home.worker.label}为您服务" if home.worker else ""
    phone = f"\n社区值班电话 {home.duty_phone}。" if home.duty_phone else ""
    return f"您在{home.community_name}{home.grid_name}{worker}。{phone}"


async def _enter(chat: Chat, scene: str) -> bool:
    """Bind the resident to the scanned grid; False for a code that is none of ours."""
    try:
        home = await join_grid(chat.person, chat.now, code=grid_of(scene) or scene)
    except NotFound:
        return False
    chat.person = type(chat.person)(chat.person.openid, chat.person.resident_id, home, chat.person.post)
    return True


@router.on(event("subscribe", "scan"))
async def welcome(chat: Chat) -> Reply:
    """A new follower, or one who scanned a grid's QR."""
    if chat.policy.miniapp and chat.message.event == "subscribe":
        await ask_union(chat.person.resident_id, chat.person.openid, chat.now)
    known = bool(chat.message.scene) and await _enter(chat, chat.message.scene or "")
    if chat.message.scene and not known:
        return Reply("这个二维码不是网格码。回复“我的网格”可以自己选。\n有事直接说就行，比如“3栋楼道灯坏了”。")
    if chat.message.event == "scan":
        return Reply(f"已换好。{_where(chat)}\n有事直接说就行。{_ROOM}")
    return Reply(
        f"您好，这里是邻里。{_where(chat)}\n有什么问题直接说，比如“3栋楼道灯坏了”，可以发照片。\n看进度回复“我的事项”，找人回复“人工”。"
        + (_ROOM if known else "")
    )


@router.on(event("unsubscribe"))
async def goodbye(chat: Chat) -> None:
    """They left: whatever was going on is over. What they reported goes on; pushes end as visibly not delivered."""
    chat.drop_draft()
    chat.drop_form()
    chat.go()


@router.on(event("subscribe_msg_popup_event", "subscribe_msg_change_event"))
async def consent(chat: Chat) -> None:
    """Agreed to, or refused, a subscription notice."""
    await note_consents(chat.message)


@router.on(event("subscribe_msg_sent_event"))
async def subscription_result(chat: Chat) -> None:
    """How a subscription notice ended."""
    await note_sent_event(chat.message, chat.now)


@router.on(event("templatesendjobfinish"))
async def template_result(chat: Chat) -> None:
    """How a template message ended."""
    await note_template_result(chat.message, chat.now)


_COUNTS = {"total": "TotalCount", "eligible": "FilterCount", "sent": "SentCount", "errors": "ErrorCount"}


@router.on(event("masssendjobfinish"))
async def mass_result(chat: Chat) -> None:
    """How a mass send ended."""
    fields = chat.message.fields
    counts = {ours: int(text) for ours, name in _COUNTS.items() if (text := str(fields.get(name, ""))).isdecimal()}
    await note_report(str(fields.get("MsgID", ""))[:32], str(fields.get("Status", ""))[:80], counts, chat.now)


@router.on(either(click("help"), words("帮助", "使用帮助", "怎么用", "菜单", "help", "?", "？", "功能")))
async def help_(chat: Chat) -> Reply:
    """What one can do here."""
    if chat.person.post:
        return Reply(f"{HELP}\n工作人员：回复“待办”看任务，“未送达”看没发到的通知，“工作帮助”看转办、延期这些怎么说。")
    return Reply(HELP)


@router.on(words("取消", "退出", "算了", "不说了", "不报了"))
async def cancel(chat: Chat) -> Reply:
    """Leaves whatever was going on."""
    had = bool(chat.state or chat.data.get("draft") or chat.data.get("form"))
    chat.drop_draft()
    chat.drop_form()
    chat.go()
    return Reply(
        "好的，已取消，什么都没有提交。\n有事随时直接说。"
        if had
        else "现在没有要取消的。\n有事直接说，看进度回复“我的事项”。"
    )


@router.on(either(click("my_grid"), words("我的网格", "换网格", "选网格")))
async def my_grid(chat: Chat) -> Reply:
    """Shows the grid, and lets choose another."""
    return await ask_grid(chat, None, _where(chat))


@router.on(state("grid"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data.get("grids", []))))
async def grid_chosen(chat: Chat) -> Reply:
    await choose_grid(chat)
    chat.go()
    return Reply(f"好了。{_where(chat)}\n有事直接说就行。")


def _other_event(chat: Chat) -> bool:
    known_clicks = {"report", "my_cases", "help", "worker", "my_grid", "services", "activities"}
    return chat.message.kind is Kind.EVENT and not (chat.message.event == "click" and chat.message.key in known_clicks)


@router.on(_other_event)
async def other_event(_chat: Chat) -> None:
    """Places reported in the background, pages opened: nothing to answer."""
