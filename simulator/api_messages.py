"""API endpoints that reach a phone: customer-service messages, typing, template messages, subscription
notices."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.call import Call, part_of, text_of
from simulator.links import tap_id
from simulator.notices import Template
from simulator.phones import Bubble, MenuItem
from simulator.refusals import ApiRefusal
from simulator.replies import article_bubble, text_bubble

MAX_TEXT: Final = 2048
TYPING_LASTS: Final = timedelta(seconds=15)
TYPING_AFTER: Final = timedelta(seconds=30)
"""The person must have done something within this time."""

Done = dict[str, Any]


def custom_send(call: Call) -> Done:
    """`/cgi-bin/message/custom/send`. Assumption: the content is checked before a message is taken from the
    quota."""
    body = call.json()
    platform, now = call.platform, call.platform.now()
    phone = call.follower_or_not(body.get("touser"))
    kind = text_of(body, "msgtype")
    if kind not in _CUSTOM:
        raise ApiRefusal(40008)
    bubble = _CUSTOM[kind](call, part_of(body, kind), now)
    if not phone.following:
        raise ApiRefusal(45015)
    platform.quota.spend(phone.openid, now)
    platform.receive(phone, bubble)
    return {"errcode": 0, "errmsg": "ok"}


def typing(call: Call) -> Done:
    """`/cgi-bin/message/custom/typing`: shows 正在输入 for 15 seconds."""
    body = call.json()
    platform, now = call.platform, call.platform.now()
    phone = call.follower_or_not(body.get("touser"))
    command = body.get("command")
    if command not in ("Typing", "CancelTyping"):
        raise ApiRefusal(45072)
    if command == "CancelTyping":
        phone.typing_until = None
    elif phone.interacted_at is None or now - phone.interacted_at > TYPING_AFTER:
        raise ApiRefusal(45080)
    elif phone.typing_until is not None and now < phone.typing_until:
        raise ApiRefusal(45081)
    else:
        phone.typing_until = now + TYPING_LASTS
    platform.changed(phone)
    return {"errcode": 0, "errmsg": "ok"}


def template_send(call: Call) -> Done:
    """`/cgi-bin/message/template/send`, followed by the event TEMPLATESENDJOBFINISH."""
    body = call.json()
    platform, now = call.platform, call.platform.now()
    phone = call.follower_or_not(body.get("touser"))
    template = platform.templates.get(body.get("template_id"))
    if not phone.following:
        raise ApiRefusal(43004)
    rows = template.fill(part_of(body, "data"))
    guard = text_of(body, "client_msg_id")
    earlier = platform.reentry.earlier(phone.openid, guard, now) if guard else None
    if earlier is not None:
        return {"errcode": 0, "errmsg": "ok", "msgid": earlier}
    msgid = platform.next_id()
    if guard:
        platform.reentry.note(phone.openid, guard, msgid, now)
    status = "failed:user block" if phone.blocks_templates else platform.faults.template_status
    if status == "success":
        platform.receive(phone, _card(now, template, rows, body, source_is_template=True))
    else:
        platform.note("模板消息未送达", f"{template.title}：{status}", phone.openid)
    platform.event_later(phone, "TEMPLATESENDJOBFINISH", {"MsgID": msgid, "Status": status})
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def template_list(call: Call) -> Done:
    """`/cgi-bin/template/get_all_private_template`: the account's templates, their keywords in running text."""
    return {
        "template_list": [
            {
                "template_id": template.template_id,
                "title": template.title,
                "primary_industry": "政府",
                "deputy_industry": "公共事业",
                "content": _content(template),
                "example": "",
            }
            for template in call.platform.templates
        ]
    }


def subscription_list(call: Call) -> Done:
    """`/wxaapi/newtmpl/gettemplate`: the account's subscription notices; type 3 is long-term."""
    data = [
        {
            "priTmplId": template.template_id,
            "title": template.title,
            "content": _content(template),
            "example": "",
            "type": 3 if template.long_term else 2,
        }
        for template in call.platform.subscriptions
    ]
    return {"errcode": 0, "errmsg": "ok", "data": data}


def _content(template: Template) -> str:
    return "\n".join(f"{label}:{{{{{key}.DATA}}}}" for key, label in template.keywords)


def subscribe_send(call: Call) -> Done:
    """`/cgi-bin/message/subscribe/bizsend`: uses one consent, followed by subscribe_msg_sent_event.

    `miniprogram_state` and `lang` are taken and ignored: the sources differ on whether they belong here.
    """
    body = call.json()
    platform, now = call.platform, call.platform.now()
    phone = call.follower_or_not(body.get("touser"))
    template = platform.subscriptions.get(body.get("template_id"))
    rows = template.fill(part_of(body, "data"))
    platform.consents.spend(phone.openid, template)
    msgid = platform.next_id()
    platform.receive(phone, _card(now, template, rows, body, source_is_template=False))
    entry = {
        "TemplateId": template.template_id,
        "MsgID": str(msgid),
        "ErrorCode": "0",
        "ErrorStatus": "success",
    }
    platform.event_later(phone, "subscribe_msg_sent_event", {"SubscribeMsgSentEvent": {"List": [entry]}})
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def _card(
    at: datetime,
    template: Template,
    rows: tuple[tuple[str, str], ...],
    body: Mapping[str, Any],
    *,
    source_is_template: bool,
) -> Bubble:
    """The card on the phone. With both a page and a URL, the mini-program wins."""
    program = body.get("miniprogram")
    page = program.get("pagepath", "") if isinstance(program, Mapping) else ""
    return Bubble(
        at,
        "out",
        "template" if source_is_template else "subscription",
        "card",
        title=template.title,
        rows=rows,
        url=f"mini:{page}" if page else str(body.get("url") or body.get("page") or ""),
    )


def _text(_call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
    content = text_of(part, "content")
    if not content:
        raise ApiRefusal(44004)
    if len(content.encode()) > MAX_TEXT:
        raise ApiRefusal(45002)
    return text_bubble(at, "kf", content)


def _medium(kind: str) -> Callable[[Call, Mapping[str, Any], datetime], Bubble]:
    def build(call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
        media = call.platform.media.get(part.get("media_id"), at)
        if media.kind != kind:
            raise ApiRefusal(40007)
        title, text = text_of(part, "title"), text_of(part, "description")
        return Bubble(at, "out", "kf", kind, text=text, title=title, media_id=media.media_id)

    return build


def _music(call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
    call.platform.media.get(part.get("thumb_media_id"), at)
    title, text = text_of(part, "title"), text_of(part, "description")
    return Bubble(at, "out", "kf", "music", text=text, title=title, url=text_of(part, "musicurl"))


def _news(_call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles or not isinstance(articles[0], Mapping):
        raise ApiRefusal(47001)
    if len(articles) > 1:
        raise ApiRefusal(45008)
    return article_bubble(at, "kf", articles[0])


def _article(_call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
    article = text_of(part, "article_id") or text_of(part, "media_id")
    if not article:
        raise ApiRefusal(40007)
    return Bubble(at, "out", "kf", "news", title=article)


def _menu(_call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
    lines = part.get("list")
    if not isinstance(lines, list) or not lines or not all(isinstance(line, Mapping) for line in lines):
        raise ApiRefusal(47001)
    head, tail = text_of(part, "head_content"), text_of(part, "tail_content")
    items = tuple(MenuItem(text_of(line, "content"), tap_id(line.get("id"))) for line in lines)
    if not all(item.label for item in items):
        raise ApiRefusal(44004)
    return Bubble(at, "out", "kf", "menu", text=head, menu=items, tail=tail)


def _program(call: Call, part: Mapping[str, Any], at: datetime) -> Bubble:
    call.platform.media.get(part.get("thumb_media_id"), at)
    page = text_of(part, "pagepath")
    return Bubble(at, "out", "kf", "miniprogram", title=text_of(part, "title"), url=f"mini:{page}")


_CUSTOM: Final[dict[str, Callable[[Call, Mapping[str, Any], datetime], Bubble]]] = {
    "text": _text,
    "image": _medium("image"),
    "voice": _medium("voice"),
    "video": _medium("video"),
    "music": _music,
    "news": _news,
    "mpnews": _article,
    "mpnewsarticle": _article,
    "msgmenu": _menu,
    "miniprogrampage": _program,
}
