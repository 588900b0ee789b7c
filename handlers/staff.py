"""Staff in chat, one thumb: bind, 待办, sign, write progress, send photos, dispose, escalate, return.

Every action goes through the domain, which checks who this is; a resident sending the same words has no such power.
"""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import binding, cards, casework, dispatching, notices, requests, together
from domain.clock import say_moment
from domain.lookup import find_case, tasks, to_decide, to_dispatch, undelivered
from domain.notices import Tap, excerpt, serial, tap_id
from domain.people import role_name
from domain.reports import Media
from domain.requests import RequestKind, Wish, offered_to
from errors import BadRequest, NotAllowed
from handlers.chat import MEDIA, Chat, has_text, is_staff, kind, pattern, read_number, state, within, words
from handlers.drafts import Draft
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("staff")

_BIND = re.compile(r"绑定\s*[:：]?\s*(\d{8})")
_NUMBER = r"(?P<number>(?:20\d{2})?(?:\d{4}[-—－])?\d{4,6})"
_DISPATCH = re.compile(rf"派\s*{_NUMBER}\s*(?:给|到)?\s*(?P<words>.+)", re.DOTALL)
_VERBS = re.compile(
    rf"(?P<verb>接|签收|办好了|办结|上报|退回|进展|不受理|核查|通过|返工|重启)\s*{_NUMBER}\s*[:：]?\s*(?P<words>.*)",
    re.DOTALL,
)
_DONE = {"好了", "办好了", "完成", "没有了", "发完了", "就这些", "ok", "OK"}
_ASKS = {
    Tap.DISPOSE: ("staff.dispose", "请发处理后的照片，或说一句结果。"),
    Tap.ESCALATE: ("staff.escalate", "请说一句为什么要上报，居民会看到。"),
    Tap.RETURN: ("staff.ask_return", "请说一句退回的原因。"),
    Tap.NOTE: ("staff.note", "请写一句进展，或发照片，居民会看到。"),
}


@router.on(pattern(r"绑定.*"))
async def bind(chat: Chat) -> Reply:
    """“绑定 12345678” with the code handed over in person."""
    found = _BIND.fullmatch(chat.text.strip())
    if not found:
        return Reply("请发“绑定”加社区给您的八位数字，比如“绑定 12345678”。")
    post = await binding.bind(chat.person, found[1], chat.now, chat.source)
    chat.go()
    return Reply(
        f"绑定好了：{post.area_name}{role_name(post.role)}{post.name}。\n新任务会发给您。回复“待办”看现在的任务。"
    )


@router.on(words("解绑", "解除绑定"))
async def unbind(chat: Chat) -> Reply:
    """This WeChat is no member of staff's any more."""
    await binding.unbind(chat.person, chat.now, chat.source)
    chat.go()
    return Reply("已解除工作绑定，不再收到任务。")


@router.on(words("待办", "我的任务", "任务", "待办事项"))
async def to_do(chat: Chat) -> Reply:
    """What waits for this member of staff, the most pressing first."""
    if not is_staff(chat):
        raise NotAllowed(
            "to-do of a resident", say="这是工作人员用的。您要看自己反映的事，请回复“我的事项”。", tag="staff:to_do"
        )
    chat.go()
    mine, unassigned, asked = await tasks(chat.person), await to_dispatch(chat.person), await to_decide(chat.person)
    if not mine and not unassigned and not asked:
        return Reply("现在没有待办。有新任务会发给您。")
    shown = [*mine[:6], *unassigned[:3], *asked[:3]]
    lines = [f"{place} {cards.task_line(case, chat.now)}" for place, case in enumerate(shown, 1)]
    more = len(mine) + len(unassigned) + len(asked) - len(shown)
    chat.ask("", [(serial(case.number), tap_id(case.id, Tap.SHOW)) for case in shown])
    hint = ("待派的回复“派 编号 网格名”。" if unassigned else "") + ("等决定的回复“同意 编号”。" if asked else "")
    counts = ((mine, "待办"), (unassigned, "待派"), (asked, "等您决定"))
    count = "，".join(f"{name} {len(cases)} 件" for cases, name in counts if cases or name == "待办")
    return Reply(
        "\n".join(
            [f"{count}：", *lines, *([f"还有 {more} 件没列出。"] if more else []), f"回复前面的数字看详情。{hint}"]
        )
    )


@router.on(words("未送达", "没送到", "未送达通知"))
async def not_delivered(chat: Chat) -> Reply:
    """Notices that reached nobody, so that somebody can call."""
    if not is_staff(chat):
        raise NotAllowed("undelivered of a resident", say="这是工作人员用的。", tag="staff:undelivered")
    rows = await undelivered(chat.person, 6)
    if not rows:
        return Reply("没有未送达的通知。")
    lines = [
        f"{serial(row['number']) if row['number'] else row['who'] or '居民'} {row['subject']}"
        f"（{say_moment(row['at'], chat.now)}）：{row['error']}"
        for row in rows
    ]
    return Reply("没送到居民手机上的通知，请打电话或上门：\n" + "\n".join(lines))


@router.on(case_tap(Tap.SIGN))
async def sign(chat: Chat) -> Reply:
    """1 接."""
    case_id = tapped_case(chat)
    if await offered_to(chat.person, case_id):
        case = await together.take_over(chat.person, case_id, chat.now, chat.source)
    else:
        case = await casework.sign(chat.person, case_id, chat.now, chat.source)
    chat.go("staff.case", case=case.id)
    return chat.ask(f"已接 {serial(case.number)}。办好后点“办好了”并发张照片。", _signed_choices(case.id))


def _signed_choices(case_id: int) -> list[tuple[str, int]]:
    return [(notices.TAP_LABELS[tap], tap_id(case_id, tap)) for tap in (Tap.NOTE, Tap.DISPOSE, Tap.ESCALATE)]


@router.on(case_tap(*_ASKS))
async def ask_words(chat: Chat) -> Reply:
    """2 办好了, 3 上报, 4 退回: asks for the sentence, unless it came along: “3 要换线路”."""
    case_id = tapped_case(chat)
    meant = next(tap for tap in _ASKS if tap_id(case_id, tap) == chat.tap)
    name, question = _ASKS[meant]
    await casework.check_holder(chat.person, case_id, name.removeprefix("staff."))
    chat.go(name, case=case_id)
    return await _carry_out(chat, chat.rest) if chat.rest else Reply(question)


@router.on(within("staff"), kind(*MEDIA))
async def photo(chat: Chat) -> Reply:
    """Photos of the result; a photo right after signing means that it is done."""
    if chat.state == "staff.case":
        chat.go("staff.dispose", case=chat.data["case"])
    if chat.state not in ("staff.dispose", "staff.note"):
        return Reply("照片收到，但这一步要一句话。请先说原因。")
    kept = Draft(media=list(chat.data.get("media", [])))
    refused = kept.add(chat.message)
    chat.data["media"] = kept.media
    if chat.data.get("words"):
        return await _carry_out(chat, chat.data["words"])
    end = (
        "再说一句结果就办结，没有话说就回复“好了”。"
        if chat.state == "staff.dispose"
        else "再说一句进展，没有话说就回复“好了”。"
    )
    return Reply(refused or f"收到，共 {kept.media_line()}。\n{end}")


@router.on(state("staff.dispose", "staff.escalate", "staff.ask_return", "staff.note"), has_text)
async def sentence(chat: Chat) -> Reply:
    """The result or the reason."""
    return await _carry_out(chat, "" if chat.text in _DONE else chat.text)


async def _carry_out(chat: Chat, said: str) -> Reply:
    """Do what the state is about with the sentence (and the photos)."""
    case_id, media = chat.data["case"], [Media(**item) for item in chat.data.get("media", [])]
    match chat.state:
        case "staff.dispose":
            return await _dispose(chat, case_id, said, media)
        case "staff.note":
            case = await casework.write_note(chat.person, case_id, said, chat.now, media=media, source=chat.source)
            chat.go("staff.case", case=case_id)
            return chat.ask(f"{serial(case.number)} 进展已告诉居民。", _signed_choices(case_id))
        case "staff.escalate":
            case, holder = await casework.escalate(chat.person, case_id, said, chat.now, chat.source)
            chat.go()
            return Reply(f"{serial(case.number)} 已上报{holder.label}，您仍是联系人。")
        case _:
            wish = Wish(RequestKind.RETURN, said)
            case, told = await requests.ask(chat.person, case_id, wish, chat.now, chat.source)
            chat.go()
            return Reply(f"{serial(case.number)} 已向{told[0].label}申请退回，同意之前还由您负责。")


async def _dispose(chat: Chat, case_id: int, said: str, media: list[Media]) -> Reply:
    try:
        case = await casework.dispose(chat.person, case_id, said, chat.now, media=media, source=chat.source)
    except BadRequest as error:
        if error.data.get("need") != "photo":
            raise
        chat.data["words"] = said  # the sentence is good, only a photo is missing
        return Reply(error.in_chat)
    chat.go()
    asking = "正在请居民确认。" if case.status == "verified" else "等社区核查。"
    return Reply(f"{serial(case.number)} 已记为办好，{asking}")


@router.on(is_staff, pattern(_DISPATCH.pattern))
async def dispatch(chat: Chat) -> Reply:
    """“派 0037 第二网格”."""
    found = _DISPATCH.fullmatch(chat.text)
    if found is None:
        raise BadRequest("dispatch")
    known = await find_case(chat.person, found["number"])
    case, holder = await dispatching.dispatch_to_grid(chat.person, known.id, found["words"], chat.now, chat.source)
    chat.go()
    return Reply(f"{serial(case.number)} 已派给{holder.label}。")


@router.on(is_staff, pattern(_VERBS.pattern))
async def by_words(chat: Chat) -> Reply:
    """“办好了 0037 换了灯泡”: verb, number and sentence in one message."""
    found = _VERBS.fullmatch(chat.text)
    if found is None:
        raise BadRequest("verb")
    known = await find_case(chat.person, found["number"])
    said = found["words"].strip()
    taps = {
        "接": Tap.SIGN,
        "签收": Tap.SIGN,
        "办好了": Tap.DISPOSE,
        "办结": Tap.DISPOSE,
        "上报": Tap.ESCALATE,
        "退回": Tap.RETURN,
        "进展": Tap.NOTE,
    }
    if found["verb"] in taps:
        chat.tap, chat.rest = tap_id(known.id, taps[found["verb"]]), said
        return await (sign(chat) if taps[found["verb"]] is Tap.SIGN else ask_words(chat))
    return await _dispatcher_verb(chat, found["verb"], known.id, said)


async def _dispatcher_verb(chat: Chat, verb: str, case_id: int, said: str) -> Reply:
    """What only those who give out work may do."""
    if verb == "不受理":
        case = await casework.reject(chat.person, case_id, said, chat.now, chat.source)
        return Reply(f"{serial(case.number)} 已按不受理处理，原因告诉了居民。")
    if verb in ("核查", "通过"):
        case = await casework.verify(chat.person, case_id, chat.now, chat.source)
        return Reply(f"{serial(case.number)} 核查通过，正在请居民确认。")
    if verb == "返工":
        case = await casework.rework(chat.person, case_id, said, chat.now, chat.source)
        return Reply(f"{serial(case.number)} 已要求返工：{excerpt(said)}。")
    case = await casework.reopen_as_superior(chat.person, case_id, said, chat.now, chat.source)
    return Reply(f"{serial(case.number)} 已重新打开。")


async def number_without_question(chat: Chat) -> Reply | None:
    """A push offered 1 接 2 办好了 …, and the number comes without an open question: it means the one task there is."""
    found = read_number(chat.text)
    labels = [Tap.SIGN, Tap.DISPOSE, Tap.ESCALATE, Tap.RETURN]
    said = next((place for place, tap in enumerate(labels, 1) if chat.text == notices.TAP_LABELS[tap]), 0)
    place = found[0] if found else said
    if chat.person.post is None or not 1 <= place <= len(labels) or chat.tap is not None or chat.state:
        return None
    mine = await tasks(chat.person)
    if not mine:
        return None
    if len(mine) > 1:
        shown = mine[:6]
        lines = [f"{row} {cards.task_line(case, chat.now)}" for row, case in enumerate(shown, 1)]
        chat.ask("", [(serial(case.number), tap_id(case.id, labels[place - 1])) for case in shown])
        return Reply(
            f"您有 {len(mine)} 件任务，“{notices.TAP_LABELS[labels[place - 1]]}”是哪一件？\n"
            + "\n".join(lines)
            + "\n回复前面的数字。"
        )
    chat.tap, chat.rest = tap_id(mine[0].id, labels[place - 1]), found[1] if found else ""
    return await (sign(chat) if place == 1 else ask_words(chat))
