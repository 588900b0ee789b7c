"""What goes back to a resident in the answer to a callback: text with tappable choices, and the XML around
it.

wechatpy's reply classes are not used: they leave "]]>" in a text as it is, which breaks the XML and shows
the person a fault line, they allow ten articles where WeChat takes one, and never look at the length (over
2,048 bytes WeChat shows nothing at all). The XML is read back with wechatpy in the tests.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.messages import Choice, Message, Reply
from bot.wire import cdata, printable

TEXT_LIMIT = 2048
_PHONE_LINE = 17  # characters of a line on most phones
"""Bytes of UTF-8 in a text."""
ELLIPSIS = "…"

_LINK_UNSAFE = re.compile(r'[%&#"<>\s]')
_BREAKS = ("\n", "。", "；", "，", " ")
_JOINERS = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")


@dataclass(frozen=True, slots=True)
class Article:
    """A card with a picture that opens a page."""

    title: str
    description: str
    pic_url: str
    url: str


@dataclass(frozen=True, slots=True)
class Video:
    """A video the account has uploaded."""

    media_id: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """A sound file at an address; the account has uploaded its small picture."""

    thumb_media_id: str
    title: str = ""
    description: str = ""
    url: str = ""
    hq_url: str = ""


def plain(text: str) -> str:
    """Words of one person as they may stand in a message to another: no markup of theirs becomes a link."""
    return printable(text).replace("<", "＜").replace(">", "＞")


def render(reply: Reply) -> str:
    """The reply as WeChat shows it: the text, then the choices as links that answer when tapped, 2,048 bytes
    at most.

    The text is cut where needed, the choices never: a question must keep all its answers. Where even the
    links are too long, the choices stand without them and are answered by number.
    """
    text = printable(reply.text)
    if not reply.choices:
        return _cut(text, TEXT_LIMIT)
    choices = _choice_line(reply.choices)
    # Always leave the question itself some room.
    if len(choices.encode()) > TEXT_LIMIT * 3 // 4:
        choices = "\n".join(f"{number} {plain(choice.label)}" for number, choice in enumerate(reply.choices, 1))
        choices = _cut(choices, TEXT_LIMIT * 3 // 4)
    head = _cut(text, TEXT_LIMIT - len(choices.encode()) - 1)
    return f"{head}\n{choices}" if head else choices


def split_text(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """A long text as parts of `limit` bytes at most, joined again they are the text. Breaks after a line or
    a sentence where one ends in the later half of a part, never within a character, and within a link only
    when the link alone is longer than a part."""
    return list(_parts(printable(text), limit))


def text_reply(message: Message, content: str, now: int) -> bytes:
    """A text answer; `now` is our clock in seconds. Too long a text is cut, as WeChat would show none of
    it."""
    return _reply(message, now, "text", f"<Content>{cdata(_cut(printable(content), TEXT_LIMIT))}</Content>")


def news_reply(message: Message, article: Article, now: int) -> bytes:
    """One article: WeChat takes no more in an answer."""
    item = (
        f"<Title>{cdata(article.title)}</Title><Description>{cdata(article.description)}</Description>"
        f"<PicUrl>{cdata(article.pic_url)}</PicUrl><Url>{cdata(article.url)}</Url>"
    )
    body = f"<ArticleCount>1</ArticleCount><Articles><item>{item}</item></Articles>"
    return _reply(message, now, "news", body)


def image_reply(message: Message, media_id: str, now: int) -> bytes:
    """A picture the account has uploaded."""
    return _reply(message, now, "image", f"<Image><MediaId>{cdata(media_id)}</MediaId></Image>")


def voice_reply(message: Message, media_id: str, now: int) -> bytes:
    """A sound the account has uploaded."""
    return _reply(message, now, "voice", f"<Voice><MediaId>{cdata(media_id)}</MediaId></Voice>")


def video_reply(message: Message, video: Video, now: int) -> bytes:
    """A video the account has uploaded."""
    body = (
        f"<Video><MediaId>{cdata(video.media_id)}</MediaId><Title>{cdata(video.title)}</Title>"
        f"<Description>{cdata(video.description)}</Description></Video>"
    )
    return _reply(message, now, "video", body)


def music_reply(message: Message, music: Music, now: int) -> bytes:
    """A sound file with title and small picture."""
    body = (
        f"<Music><Title>{cdata(music.title)}</Title><Description>{cdata(music.description)}</Description>"
        f"<MusicUrl>{cdata(music.url)}</MusicUrl><HQMusicUrl>{cdata(music.hq_url)}</HQMusicUrl>"
        f"<ThumbMediaId>{cdata(music.thumb_media_id)}</ThumbMediaId></Music>"
    )
    return _reply(message, now, "music", body)


def transfer_reply(message: Message, now: int, kf_account: str = "") -> bytes:
    """Hand the person over to WeChat's own customer-service desk, to a certain clerk if named."""
    to = f"<TransInfo><KfAccount>{cdata(kf_account)}</KfAccount></TransInfo>" if kf_account else ""
    return _reply(message, now, "transfer_customer_service", to)


def _reply(message: Message, now: int, type_: str, body: str) -> bytes:
    return (
        f"<xml><ToUserName>{cdata(message.openid)}</ToUserName><FromUserName>{cdata(message.account)}</FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[{type_}]]></MsgType>{body}</xml>"
    ).encode()


def _choice_line(choices: tuple[Choice, ...]) -> str:
    # Answers stand side by side where they fit a line, so that none is broken in two; else each on a line of its own.
    width = sum(len(choice.label) + len("1 　") for choice in choices) - 1
    between = "\n" if width > _PHONE_LINE else "　"
    return between.join(f"{number} {_choice_link(choice)}" for number, choice in enumerate(choices, 1))


def _choice_link(choice: Choice) -> str:
    # Chinese goes in as it is (so every known example); only what would end the link or the parameter is
    # escaped.
    content = _LINK_UNSAFE.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), printable(choice.label)
    )
    return f'<a href="weixin://bizmsgmenu?msgmenucontent={content}&msgmenuid={choice.tap}">{plain(choice.label)}</a>'


def _cut(text: str, limit: int) -> str:
    """The text within `limit` bytes; what was cut shows as "…"."""
    if len(text) * 4 <= limit or len(text.encode()) <= limit:
        return text
    end = _fitting(text, limit - len(ELLIPSIS.encode()))
    head = text[: _whole_character(text, end)]
    torn = _torn_link(head)
    return (head if torn < 0 else head[:torn]) + ELLIPSIS


def _fitting(text: str, limit: int) -> int:
    """How many characters of the text fit into `limit` bytes."""
    # Every character takes a byte at least, so no more than `limit` of them need encoding.
    return len(text[:limit].encode()[:limit].decode(errors="ignore"))


def _torn_link(text: str) -> int:
    """Where a link begins that the text does not close; -1 when there is none."""
    return text.find("<a ", text.rfind("</a>") + 1)


def _whole_character(text: str, end: int) -> int:
    """A place at or shortly before `end` where a picture made of several characters is not torn apart."""
    for place in range(end, max(0, end - 12), -1):
        joined = place < len(text) and (_JOINERS.match(text[place]) or text[place - 1] == "\u200d")
        if not joined:
            return place
    return end


def _parts(text: str, limit: int) -> Iterator[str]:
    if limit < 4:
        raise ValueError("a part must hold the longest character, which has 4 bytes")
    start = 0
    while start < len(text):
        part = text[start : start + limit]
        end = _fitting(part, limit)
        if start + end < len(text):
            end = _good_break(text[start : start + limit + 1], end)
        yield text[start : start + end]
        start += end


def _good_break(part: str, end: int) -> int:
    """Where to end a part that fits up to `end`."""
    torn = _torn_link(part[:end])
    if torn > 0:
        return torn
    for mark in _BREAKS:
        place = part.rfind(mark, end // 2, end)
        if place >= 0 and _torn_link(part[: place + 1]) < 0:
            return place + 1
    return max(1, _whole_character(part, end))
