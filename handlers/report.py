"""我要说事: collect words, photos, voice, video and place in any order, show what was understood, hand it in."""

from __future__ import annotations

from datetime import timedelta

import nlp
from bot.messages import Kind, Reply
from bot.router import Router
from domain.clock import say_latest
from domain.notices import excerpt, serial, short
from domain.people import join_grid, list_grids
from domain.reports import Receipt, report
from handlers import similar
from handlers.chat import MEDIA, Chat, click, either, has_text, kind, numbered, state, tapped, within, words
from handlers.drafts import OTHER, Draft
from handlers.emergency import raise_alarm

router: Router[Chat] = Router("report")

#: After this long a new sentence may be another matter: the resident is asked.
STALE = timedelta(hours=2)
#: Kinds of matter a resident chooses from.
KINDS = 3
#: Weight of the words that must speak for another kind of matter before the resident is asked.
_SURE = 4.0
_YES = {
    "好",
    "好的",
    "可以",
    "是",
    "是的",
    "对",
    "对的",
    "嗯",
    "嗯嗯",
    "行",
    "确认",
    "提交",
    "交",
    "没错",
    "要",
    "ok",
    "OK",
}
NO = {"不是", "不要", "不用", "不用了", "算了", "没事了", "不对"}


def begin(chat: Chat) -> Draft:
    """The draft at hand, or a new one."""
    return Draft.load(chat.data) or Draft()


def keep(chat: Chat, draft: Draft, step: str) -> None:
    """Remember the draft and what was asked."""
    chat.go(f"report.{step}", draft=draft.dump(chat.now))


@router.on(
    either(
        click("report"),
        words(
            "我要说事",
            "我要报事",
            "我要反映",
            "我要反映问题",
            "反映问题",
            "上报",
            "报修",
            "我要报修",
            "我要投诉",
            "投诉",
        ),
    )
)
async def start(chat: Chat) -> Reply:
    """By menu or by words."""
    draft = Draft.load(chat.data)
    if draft and (draft.texts or draft.media):
        return await show(chat, draft, "您还有一件没交的事。")
    keep(chat, Draft(), "collect")
    return Reply("请说说是什么事，在哪里。\n文字、照片、语音、视频、位置都可以，一条一条发就行。\n不想说了回复“取消”。")


@router.on(words("继续", "接着说", "继续办"))
async def resume(chat: Chat) -> Reply:
    """Back to a draft that was left."""
    draft = Draft.load(chat.data)
    if draft is None:
        return Reply("现在没有没办完的事。有什么要反映的，直接说就行。")
    return await show(chat, draft)


async def show(chat: Chat, draft: Draft, head: str = "") -> Reply:
    """What was understood so far, and what to do next."""
    if not draft.texts:
        keep(chat, draft, "collect")
        received = draft.media_line() or (f"位置“{draft.label}”" if draft.label else "")
        return Reply(
            _lines(head, f"收到：{received}。" if received else "", "请再说一句是什么事、在哪里，我来交给网格员。")
        )
    if draft.unclear(chat.policy.ask_below):
        draft.asked_kind = True
        keep(chat, draft, "which")
        return ask_kind(chat, draft.alternatives[:KINDS], _lines(head, "您说的是哪一类事？选一个，也可以再说详细些。"))
    if found := await similar.find(chat, draft):
        return similar.ask(chat, draft, found, head)
    keep(chat, draft, "confirm")
    home = chat.person.home
    who = home.worker.label if home and home.worker else "网格员"
    media = draft.media_line()
    lines = _lines(
        head,
        f"看起来您要反映：{draft.subject}",
        draft.place_line(home),
        f"附：{media}" if media else "",
        f"要交给{who}处理吗？" + ("" if media else "可以再发照片。"),
    )
    return chat.ask(lines, numbered("交给网格员", "改一下", "不是要反映问题"))


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


@router.on(within("report"), kind(*MEDIA, Kind.LOCATION))
async def collect(chat: Chat) -> Reply:
    """A photo, voice, video or place joins the draft, whatever was asked."""
    draft = begin(chat)
    refused = draft.add(chat.message)
    if refused:
        return Reply(refused)
    if draft.texts and not chat.text:
        keep(chat, draft, "confirm")
        what = (
            f"位置收到：{draft.label or '已定位'}。"
            if chat.message.kind is Kind.LOCATION
            else f"收到，共 {draft.media_line()}。"
        )
        return chat.ask(
            f"{what}\n回复 1 就交给网格员，回复 2 修改，也可以继续补充。",
            numbered("交给网格员", "改一下", "不是要反映问题"),
        )
    return await show(chat, draft)


@router.on(state("report.confirm"), either(tapped(1), words(*_YES)))
async def hand_in(chat: Chat) -> Reply:
    """Confirmed: a case, or first the grid it belongs to."""
    draft = begin(chat)
    if chat.rest:
        draft.texts.append(chat.rest)
    if chat.person.home is None:
        return await ask_grid(chat, draft)
    return await submit(chat, draft)


async def ask_grid(chat: Chat, draft: Draft | None, head: str = "") -> Reply:
    """Which grid the resident lives in; with a draft, it is handed in right after."""
    grids = (await list_grids())[:9]
    chat.go("report.grid" if draft else "grid", **({"draft": draft.dump(chat.now)} if draft else {}))
    chat.data["grids"] = [grid.id for grid in grids]
    lines = _lines(head, "您住在哪个网格？选一次以后就不用再选了。", "也可以扫楼道里网格的二维码。")
    return chat.ask(lines, numbered(*(f"{grid.community}{grid.name}" for grid in grids)))


@router.on(state("report.grid"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data.get("grids", []))))
async def grid_then_hand_in(chat: Chat) -> Reply:
    """The grid is known now, and with it what neighbours reported: the same, or handed in."""
    await choose_grid(chat)
    draft = begin(chat)
    if found := await similar.find(chat, draft):
        return similar.ask(chat, draft, found, "")
    return await submit(chat, draft)


async def choose_grid(chat: Chat) -> None:
    """Bind the resident to the grid they tapped."""
    home = await join_grid(chat.person, chat.now, grid_id=chat.data["grids"][(chat.tap or 1) - 1])
    chat.person = type(chat.person)(chat.person.openid, chat.person.resident_id, home, chat.person.post)


@router.on(state("report.grid"), has_text)
async def grid_not_chosen(chat: Chat) -> Reply:
    """Something else than a grid came: it joins the draft, and the question stays."""
    draft = begin(chat)
    draft.add(chat.message)
    return await ask_grid(chat, draft, "这句话也记下了。")


async def submit(chat: Chat, draft: Draft) -> Reply:
    """Make the case and give the receipt."""
    receipt = await report(chat.person, draft.final(), chat.now, message_id=chat.turn.inbox_id)
    chat.drop_draft()
    chat.go()
    return Reply(receipt_text(chat, receipt))


def receipt_text(chat: Chat, receipt: Receipt) -> str:
    """Number, owner and promised time."""
    case = receipt.case
    if receipt.holder is None:
        phone = f"急事请打社区值班电话 {receipt.duty_phone}。" if receipt.duty_phone else ""
        return _lines(
            f"已交给社区，编号 {short(case.number)}。",
            "社区安排好人就告诉您。",
            phone,
            f"随时回复“查 {serial(case.number)}”看进度。",
        )
    deadline = f"{say_latest(case.due_at, chat.now)}处理，有进展会告诉您。" if case.due_at else "有进展会告诉您。"
    return _lines(
        f"已交给{receipt.holder.label}，编号 {short(case.number)}。",
        deadline,
        f"随时回复“查 {serial(case.number)}”看进度。",
    )


@router.on(state("report.confirm"), either(tapped(3), words(*NO)))
async def not_a_report(chat: Chat) -> Reply:
    """It was no report after all."""
    chat.drop_draft()
    chat.go()
    return Reply("好的，不当作反映问题。\n有事直接说就行，找网格员回复“人工”。")


def ask_kind(chat: Chat, codes: list[str], question: str) -> Reply:
    """Let the resident choose; `category_tapped` takes the answer."""
    chat.data["codes"] = [*codes, OTHER]
    return chat.ask(question, numbered(*(nlp.category(code).subject for code in codes), "都不是"))


@router.on(state("report.resume"), tapped(1))
async def same_matter(chat: Chat) -> Reply:
    """What was said after hours belongs to the draft."""
    draft = begin(chat)
    draft.texts.append(chat.data.get("new", ""))
    draft.understand()
    return await show(chat, draft)


@router.on(state("report.resume"), tapped(3))
async def first_then_the_other(chat: Chat) -> Reply:
    """The draft is handed in as it is; what was said after it is offered next."""
    new = chat.data.get("new", "")
    if chat.person.home is None:
        return await ask_grid(chat, begin(chat))
    handed_in = await submit(chat, begin(chat))
    draft = Draft(texts=[new])
    draft.understand()
    return await show(chat, draft, handed_in.text.splitlines()[0])


@router.on(state("report.resume"), tapped(2))
async def other_matter(chat: Chat) -> Reply:
    """What was said after hours is another matter: the old draft goes."""
    draft = Draft(texts=[chat.data.get("new", "")])
    draft.understand()
    return await show(chat, draft)


@router.on(within("report"), has_text)
async def say_more(chat: Chat) -> Reply:
    """Words join the draft and it is shown again."""
    draft = begin(chat)
    if chat.state == "report.confirm" and chat.text.isdigit() and len(chat.text) < 4:
        return chat.ask(
            f"没有第 {chat.text} 项。请回复 1、2 或 3。", numbered("交给网格员", "改一下", "不是要反映问题")
        )
    if draft.texts and draft.touched and chat.now.timestamp() - draft.touched > STALE.total_seconds():
        return _ask_same(chat, draft)
    seen = chat.seen
    if draft.texts and chat.state != "report.which" and _another_matter(draft, seen):
        return _ask_same(chat, draft)
    refused = draft.add(chat.message)
    if seen.urgent and seen.emergency:
        return await raise_alarm(chat, draft)
    return await show(chat, draft, refused)


def _another_matter(draft: Draft, seen: nlp.Understanding) -> bool:
    """A whole complaint of another kind, said while one waits to be handed in."""
    known = draft.category not in ("", OTHER)
    evidence = sum(match.weight for match in seen.matched if match.category == seen.category)
    sure = seen.intent == "report" and evidence >= _SURE and not seen.urgent
    return bool(known and sure and seen.category and seen.category != draft.category)


def _ask_same(chat: Chat, draft: Draft) -> Reply:
    touched = draft.touched
    chat.go("report.resume", draft=draft.dump(chat.now) | {"touched": touched}, new=chat.text)
    return chat.ask(
        f"您之前说的“{excerpt(draft.description, 30)}”还没有交。\n刚才说的是同一件事吗？",
        numbered("同一件，加上去", "另一件，上一件不要了", "另一件，上一件先交"),
    )


async def offer(chat: Chat, seen: nlp.Understanding) -> Reply:
    """A plain sentence that reads like a problem is offered as a report, without any command."""
    kept = Draft.load(chat.data)
    if kept and kept.texts:
        return _ask_same(chat, kept)
    draft = kept or Draft()
    draft.begin(chat.text, seen)
    return await show(chat, draft)


async def offer_media(chat: Chat) -> Reply:
    """A photo, voice or place first: it begins a draft."""
    draft = Draft.load(chat.data) or Draft()
    refused = draft.add(chat.message)
    return Reply(refused) if refused else await show(chat, draft)
