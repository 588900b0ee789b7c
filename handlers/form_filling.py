"""网上申请: a form filled in one question at a time, looked over, handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.messages import Kind, Reply
from bot.router import Router
from domain import applications
from domain.application_notices import STATE_NAMES, short
from domain.applications import Filled
from domain.booking_rules import Other
from domain.clock import say_latest
from domain.forms import (
    Field,
    FieldType,
    Unfit,
    asked_at,
    check,
    introduction,
    question,
    read_fields,
    read_phone,
    read_words,
    say,
)
from domain.notices import read_tap
from domain.services import find_item
from domain.uploads import expect_picture
from errors import BadRequest, Conflict, NotFound
from handlers.chat import MEDIA, Chat, either, is_staff, kind, numbered, pattern, state, tapped, words

router: Router[Chat] = Router("form_filling")

READY = {"好了", "发完了", "就这些", "没有了", "完成", "ok", "OK"}
_SKIP = {"跳过", "不填", "没有", "不用", "无"}
_WHO = numbered("我自己", "家里人（没有微信）")
_WHO_STAFF = numbered("我自己", "居民（没有微信）")
_KIN = r"(?:给|替|帮)?我?(?:家|的)?(?:[妈爸爷奶]|母亲|父亲|父母|外公|外婆|老伴|老人|孩子|老公|老婆).{0,6}"
_PREVIEW = numbered("提交", "改一项", "先不交了")
#: Words that lead elsewhere also while a form is being filled in; it stays, and “继续申请” leads back.
_ELSEWHERE = frozenset(
    ("我的事项", "待办", "服务导航", "预约", "我的预约", "活动", "进群", "我的申请", "申请待办", "网上申请", "继续申请")
)


def said_here(chat: Chat) -> bool:
    """Words that are an answer: no command, and no line that was tapped on something else."""
    tapped_here = chat.message.tap is None or (read_tap(chat.message.tap) is None and bool(chat.data.get("choices")))
    return bool(chat.text) and tapped_here and chat.text.strip("。 ") not in _ELSEWHERE


@router.on(words("网上申请", "网上办理", "线上办理", "线上申请", "在线申请", "网上办事"))
async def menu(chat: Chat) -> Reply:
    """What one can apply for."""
    found = await applications.offered_items(chat.person)
    if not found:
        return Reply("现在没有能在网上申请的事。想办什么直接说，比如“怎么办居住证”。")
    chat.go("apply.menu", items=[item.code for item in found])
    return chat.ask("想申请哪一件？", numbered(*(item.title for item in found)))


@router.on(state("apply.menu"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data.get("items", []))))
async def chosen(chat: Chat) -> Reply:
    """The first question of its form."""
    return await start(chat, chat.data["items"][(chat.tap or 1) - 1])


async def start(chat: Chat, code: str, before: str = "") -> Reply:
    """For whom it is; who is on duty applies for others. Raises NotFound where there is nothing to fill in."""
    item, form = await applications.find_form(chat.person, code)
    begun = {"code": code, "title": item.title, "version": form.version}
    begun |= {"answers": {}, "step": 0, "own": False, "other": None, "amends": False}
    chat.data["form"] = begun
    head = before + introduction(item.title, read_fields(form.fields_), form.time_limit)
    if is_staff(chat) and chat.person.home is None:
        return _ask_other(chat, "name", f"{head}\n请写老人或居民的姓名。")
    chat.go("apply.who")
    return chat.ask(f"{head}\n给谁申请？", _WHO_STAFF if is_staff(chat) else _WHO)


@router.on(state("apply.who"), either(tapped(1), words("我自己", "自己", "本人", "我")))
async def for_oneself(chat: Chat) -> Reply:
    """The first field, unless the same is open already, or nobody knows where they live."""
    begun = chat.data["form"]
    if chat.person.home is None:
        raise BadRequest("no grid", say="请先回复“我的网格”，选您住的网格；选好再回复“继续申请”。")
    there = await applications.open_of(chat.person, await find_item(chat.person, begun["code"]))
    if there:
        chat.drop_form()
        chat.go()
        number, how = short(there.number), STATE_NAMES[there.state]
        return Reply(f"您已经申请过了：{number}，{how}。\n回复“我的申请”看进度。")
    begun["own"] = True
    return await _next(chat)


@router.on(state("apply.who"), either(tapped(2), words("家里人", "老人", "家人", "替家里人", "居民"), pattern(_KIN)))
async def for_another(chat: Chat) -> Reply:
    """Somebody without WeChat: who they are."""
    return _ask_other(chat, "name", "请写要申请的人的姓名。")


def _ask_other(chat: Chat, what: str, question: str) -> Reply:
    chat.go(f"apply.{what}")
    return Reply(question)


@router.on(state("apply.name"), said_here)
async def name_said(chat: Chat) -> Reply:
    """Then their telephone."""
    chat.data["form"]["other"] = {"name": chat.text[:32], "phone": "", "relation": ""}
    return _ask_other(chat, "phone", f"请写{chat.text[:32]}的电话，方便经办人联系。")


@router.on(state("apply.phone"), said_here)
async def phone_said(chat: Chat) -> Reply:
    """Then what one is to them; of staff that is known."""
    other = chat.data["form"]["other"]
    try:
        other["phone"] = read_phone("电话", chat.text)
    except Unfit as error:
        return Reply(error.say)
    if is_staff(chat):
        return await _next(chat)
    chat.go("apply.relation")
    return chat.ask(f"您是{other['name']}的什么人？", numbered("子女", "配偶", "亲戚", "邻居"))


@router.on(state("apply.relation"), said_here)
async def relation_said(chat: Chat) -> Reply:
    """Then the form."""
    labels = ["子女", "配偶", "亲戚", "邻居"]
    said = labels[chat.tap - 1] if chat.tap and chat.tap <= len(labels) else chat.text
    chat.data["form"]["other"]["relation"] = said[:16]
    return await _next(chat)


async def _fields(chat: Chat) -> list[Field]:
    begun = chat.data["form"]
    return await applications.fields_of(chat.person, begun["code"], begun["version"])


async def _next(chat: Chat, head: str = "") -> Reply:
    """The question of the field it stands at; past the last, or when one was amended, the whole to look over."""
    begun, fields = chat.data["form"], await _fields(chat)
    if begun["step"] >= len(fields):
        return _preview(chat, fields)
    chat.go("apply.field")
    return _put(chat, asked_at(fields, begun["step"], head))


def _question(chat: Chat, field: Field, head: str) -> Reply:
    return _put(chat, question(field, head))


def _put(chat: Chat, asked: tuple[str, Sequence[str]]) -> Reply:
    text, options = asked
    return chat.ask(text, numbered(*options)) if options else Reply(text)


@router.on(state("apply.field"), kind(Kind.IMAGE))
async def photo(chat: Chat) -> Reply:
    """A picture, where one is asked for; the rest of them, or on to the next."""
    begun, fields = chat.data["form"], await _fields(chat)
    field = fields[begun["step"]]
    if field.type is not FieldType.PHOTO:
        return _question(chat, field, f"这一项不用照片：{field.label}")
    sent = [
        *begun["answers"].get(field.key, []),
        str(await expect_picture(chat.person, chat.message.media_id, chat.now)),
    ]
    begun["answers"][field.key] = sent
    if len(sent) >= field.limit:
        return await _answered(chat, field, sent)
    chat.go("apply.field")
    return Reply(f"收到 {len(sent)} 张，还可以再发。\n发完了回复“好了”。")


@router.on(state("apply.field"), kind(Kind.LOCATION))
async def position(chat: Chat) -> Reply:
    """A place, where one is asked for."""
    fields = await _fields(chat)
    field, message = fields[chat.data["form"]["step"]], chat.message
    if field.type is not FieldType.POSITION:
        return _question(chat, field, f"这一项请用文字回答：{field.label}")
    given = {"text": message.label[:100], "latitude": message.latitude, "longitude": message.longitude}
    return await _answered(chat, field, given)


@router.on(state("apply.field"), said_here)
async def answered(chat: Chat) -> Reply:
    """An answer in words, by number or by name."""
    begun, fields = chat.data["form"], await _fields(chat)
    field, said = fields[begun["step"]], chat.text.strip("。 ")
    if field.type is FieldType.PHOTO:
        sent = begun["answers"].get(field.key, [])
        if said in READY | _SKIP:
            return await _answered(chat, field, sent)
        return _question(chat, field, f"这一项要照片：{field.label}")
    if said in _SKIP and not field.required and field.type is not FieldType.YES_NO:
        return await _answered(chat, field, None)
    return await _answered(chat, field, read_words(field, chat.text))


@router.on(
    state("apply.field", "apply.preview", "apply.amend", "apply.who", "apply.name", "apply.phone", "apply.relation"),
    kind(*MEDIA, Kind.LOCATION),
)
async def not_asked_for(chat: Chat) -> Reply:
    """One picture too many, a recording nobody can read: no report begins with it, and the question stays."""
    fields = await _fields(chat)
    begun = chat.data["form"]
    if chat.state == "apply.preview":
        return _preview(chat, fields, "这一张没有收，照片够了。")
    if chat.state == "apply.field":
        field = fields[begun["step"]]
        return _question(chat, field, f"这一项请用文字回答：{field.label}")
    return Reply("这一步请用文字回答。不填了回复“取消”。")


async def _answered(chat: Chat, field: Field, value: Any) -> Reply:
    begun = chat.data["form"]
    try:
        kept = check(field, value)
    except Unfit as error:
        return _question(chat, field, error.say)
    begun["answers"].pop(field.key, None)
    if kept is not None:
        begun["answers"][field.key] = kept
    begun["step"] = len(await _fields(chat)) if begun["amends"] else begun["step"] + 1
    return await _next(chat)


def _preview(chat: Chat, fields: Sequence[Field], head: str = "") -> Reply:
    begun = chat.data["form"]
    begun["amends"] = False
    chat.go("apply.preview")
    other = f"替{begun['other']['name']}申请，电话 {begun['other']['phone']}" if begun["other"] else ""
    lines = [f"{one.label}：{say(one, begun['answers'].get(one.key))}" for one in fields]
    return chat.ask(
        "\n".join(part for part in (head, f"{begun['title']}，请看对不对：", other, *lines) if part), _PREVIEW
    )


@router.on(
    state("apply.preview"), either(tapped(1), words("提交", "对", "对的", "好", "好的", "是", "可以", "没错", "交"))
)
async def hand_in(chat: Chat) -> Reply:
    """Handed in, with its number; what does not fit any more is asked again."""
    begun = chat.data["form"]
    other = Other(**begun["other"]) if begun["other"] else None
    try:
        made = await applications.submit(
            chat.person,
            begun["code"],
            Filled(begun["answers"], other, version=begun["version"]),
            chat.now,
            chat.source,
        )
    except Conflict as error:
        if error.data.get("changed"):
            return await start(chat, begun["code"], error.in_chat)
        raise
    except (BadRequest, NotFound) as error:
        fields = await _fields(chat)
        if (place := _to_mend(fields, error)) is None:
            raise
        begun["answers"].pop(fields[place].key, None)
        begun["step"], begun["amends"] = place, True
        return await _next(chat, error.in_chat)
    chat.drop_form()
    chat.go()
    due = f"，{say_latest(made.due_at, chat.now)}办好" if made.due_at else ""
    return Reply(f"交好了，编号 {short(made.number)}{due}。\n有进展会告诉您。\n随时回复“我的申请”看进度。")


def _to_mend(fields: Sequence[Field], error: BadRequest | NotFound) -> int | None:
    """Which field an error is about: the form has changed since, or a photo was not used for too long."""
    named = {str(one["field"]).removeprefix("answers.") for one in error.data.get("fields", ())}
    lost = error.data.get("tag") == "upload:use"
    return next(
        (place for place, one in enumerate(fields) if one.key in named or (lost and one.type is FieldType.PHOTO)), None
    )


@router.on(state("apply.preview"), either(tapped(2), words("改", "改一项", "修改", "不对", "改一下")))
async def amend(chat: Chat) -> Reply:
    """Which one?"""
    fields = await _fields(chat)
    chat.go("apply.amend")
    lines = [f"{place} {one.label}" for place, one in enumerate(fields, 1)]
    return Reply("\n".join(["改哪一项？回复前面的数字。", *lines]))


@router.on(state("apply.amend"), said_here)
async def amend_field(chat: Chat) -> Reply:
    """Its question once more."""
    fields, said = await _fields(chat), chat.text.strip("。 ")
    names = [one.label for one in fields]
    place = int(said) if said.isascii() and said.isdigit() else names.index(said) + 1 if said in names else 0
    if not 1 <= place <= len(fields):
        return await amend(chat)
    begun, field = chat.data["form"], fields[place - 1]
    begun["step"], begun["amends"] = place - 1, True
    if field.type is FieldType.PHOTO:
        begun["answers"].pop(field.key, None)
    return await _next(chat)


@router.on(state("apply.preview"), either(tapped(3), words("先不交了", "不交了", "等一下")))
async def leave(chat: Chat) -> Reply:
    """It stays as it is."""
    chat.go()
    return Reply("先放着，回复“继续申请”接着办；不要了回复“取消”。\n照片只留两天，过了要重新发。")


@router.on(words("继续申请", "接着申请"))
async def resume(chat: Chat) -> Reply:
    """Back to where it was left."""
    begun = chat.data.get("form")
    if not begun:
        return Reply("没有填到一半的申请。回复“网上申请”看能申请什么。")
    fields = await _fields(chat)
    if not begun["own"] and not (begun["other"] or {}).get("phone"):
        return await start(chat, begun["code"])
    begun["step"] = min(begun["step"], len(fields))
    return await _next(chat, f"接着办{begun['title']}。")
