"""Replies are always valid XML of at most 2,048 bytes of text, whatever people's words contain."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.replies import deserialize_reply

from bot.messages import Choice, Kind, Message, Reply
from bot.replies import (
    TEXT_LIMIT,
    Article,
    Music,
    Video,
    image_reply,
    music_reply,
    news_reply,
    plain,
    render,
    split_text,
    text_reply,
    transfer_reply,
    video_reply,
    voice_reply,
)
from bot.wire import parse_body

NOW = 1714112446
MESSAGE = Message("gh_1", "o1", datetime(2026, 11, 20, tzinfo=UTC), Kind.TEXT, 1, text="你好")
ASK = (Choice("交给网格员", 1), Choice("改一下", 2), Choice("不是要反映问题", 3))
NASTY = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["]]>", "<![CDATA[", "🏠", "👨‍👩‍👧", "\x1d", "\x00", "\ud800", "&", "</xml>", "灯", "\n", "a"])
    ).map("".join),
    st.tuples(st.text(max_size=20), st.integers(1, 3_000)).map(lambda pair: pair[0] * pair[1]),
)
CHOICES = st.lists(st.builds(Choice, st.text(max_size=30), st.integers(1, 2**53)), max_size=6).map(tuple)


def test_a_question_shows_its_answers_as_numbered_links_each_on_a_line_where_they_do_not_fit_one() -> None:
    assert render(Reply("要交给网格员王芳处理吗？", ASK)) == (
        "要交给网格员王芳处理吗？\n"
        '1 <a href="weixin://bizmsgmenu?msgmenucontent=交给网格员&msgmenuid=1">交给网格员</a>\n'
        '2 <a href="weixin://bizmsgmenu?msgmenucontent=改一下&msgmenuid=2">改一下</a>\n'
        '3 <a href="weixin://bizmsgmenu?msgmenucontent=不是要反映问题&msgmenuid=3">不是要反映问题</a>'
    )


def test_short_answers_stand_side_by_side() -> None:
    shown = render(Reply("这次满意吗？", (Choice("满意", 3), Choice("基本满意", 2), Choice("不满意", 1))))
    assert re.sub(r"<[^>]*>", "", shown) == "这次满意吗？\n1 满意　2 基本满意　3 不满意"


def test_a_reply_without_choices_is_its_text() -> None:
    assert render(Reply("已交给网格员王芳，编号 1120-0037。")) == "已交给网格员王芳，编号 1120-0037。"


def test_a_label_cannot_leave_its_link() -> None:
    shown = render(Reply("选", (Choice('"><a href="http://evil">&id=9', 7),)))
    assert re.findall(r'<a href="([^"]*)"', shown) == [
        "weixin://bizmsgmenu?msgmenucontent=%22%3E%3Ca%20href=%22http://evil%22%3E%26id=9&msgmenuid=7"
    ]
    assert shown.count("<a ") == 1


def test_words_of_another_person_cannot_become_a_link() -> None:
    assert plain('<a href="http://evil">点我</a>\x00') == '＜a href="http://evil"＞点我＜/a＞'


def test_a_long_text_is_cut_and_the_choices_stay_whole() -> None:
    shown = render(Reply("很长" * 2_000, ASK))
    text, choices = shown.split("\n", 1)
    assert text.endswith("…")
    assert choices == render(Reply("", ASK))
    assert TEXT_LIMIT - 3 <= len(shown.encode()) <= TEXT_LIMIT


def test_choices_too_long_for_links_are_shown_by_number() -> None:
    shown = render(Reply("选哪个？", tuple(Choice("社区服务事项" * 5, number) for number in range(1, 10))))
    assert shown.split("\n") == ["选哪个？"] + [f"{number} {'社区服务事项' * 5}" for number in range(1, 10)]


def test_a_text_is_not_cut_within_a_link_or_a_family_emoji() -> None:
    link = '<a href="https://a.cn/1">打开</a>'
    assert render(Reply("字" * 680 + link)) == "字" * 680 + "…"
    assert render(Reply("字" * 680 + "👨‍👩‍👧" + "字" * 9)) == "字" * 680 + "…"


@given(NASTY, CHOICES)
def test_no_rendered_reply_is_too_long_for_wechat(text: str, choices: tuple[Choice, ...]) -> None:
    assert len(render(Reply(text, choices)).encode()) <= TEXT_LIMIT


@given(NASTY)
def test_any_text_comes_out_of_wechatpys_parser_as_it_went_in(text: str) -> None:
    content = render(Reply(text))
    reply = deserialize_reply(text_reply(MESSAGE, text, NOW).decode())
    assert (reply.target, reply.source, reply.time) == ("o1", "gh_1", NOW)
    assert (reply.content or "").strip() == content.replace("\r\n", "\n").replace("\r", "\n").strip()


@given(NASTY, st.integers(4, 200))
def test_split_parts_fit_and_join_to_the_text(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(0 < len(part.encode()) <= limit for part in parts)
    assert "".join(parts) == render_all(text)


def render_all(text: str) -> str:
    """The text as far as XML can carry it."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def test_split_prefers_the_end_of_a_line_then_of_a_sentence() -> None:
    assert split_text("第一行字\n第二行字\n第三行", 30) == ["第一行字\n第二行字\n", "第三行"]
    assert split_text("今天上午停水。明天恢复正常供水。", 30) == ["今天上午停水。", "明天恢复正常供水。"]
    assert split_text("短", 2048) == ["短"]
    assert split_text("") == []


def test_split_keeps_links_whole() -> None:
    link = '<a href="https://a.cn/1">打开</a>'
    assert split_text("字" * 8 + link, 50) == ["字" * 8, link]


def test_a_part_that_cannot_hold_a_character_is_refused() -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        split_text("家", 3)


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_hostile_markup_is_split_in_reasonable_time(size: int) -> None:
    assert "".join(split_text("<a " * size)) == "<a " * size


MEDIA: dict[str, tuple[bytes, str, dict[str, Any]]] = {
    "image": (image_reply(MESSAGE, "m]]>1", NOW), "image", {"image": "m]]>1"}),
    "voice": (voice_reply(MESSAGE, "m1", NOW), "voice", {"voice": "m1"}),
    "video": (
        video_reply(MESSAGE, Video("m1", "标题", "说明"), NOW),
        "video",
        {"video": {"media_id": "m1", "title": "标题", "description": "说明"}},
    ),
    "music": (
        music_reply(MESSAGE, Music("t1", "曲", "词", "http://a/1", "http://a/2"), NOW),
        "music",
        {
            "music": {
                "thumb_media_id": "t1",
                "title": "曲",
                "description": "词",
                "music_url": "http://a/1",
                "hq_music_url": "http://a/2",
            }
        },
    ),
}


@pytest.mark.parametrize(("body", "type_", "expected"), MEDIA.values(), ids=MEDIA)
def test_media_replies_read_back_with_wechatpy(body: bytes, type_: str, expected: dict[str, Any]) -> None:
    reply = deserialize_reply(body.decode())
    assert (reply.type, reply.target, reply.source) == (type_, "o1", "gh_1")
    assert {name: getattr(reply, name) for name in expected} == expected


def test_an_article_reply_holds_one_article() -> None:
    body = parse_body(news_reply(MESSAGE, Article("高龄津贴", "80 岁]]>", "http://p", "http://u"), NOW))
    assert (body["ArticleCount"], body["MsgType"]) == ("1", "news")
    assert body["Articles"]["item"] == {
        "Title": "高龄津贴",
        "Description": "80 岁]]>",
        "PicUrl": "http://p",
        "Url": "http://u",
    }


def test_a_transfer_names_the_clerk_only_when_there_is_one() -> None:
    assert "TransInfo" not in parse_body(transfer_reply(MESSAGE, NOW))
    assert parse_body(transfer_reply(MESSAGE, NOW, "a@b"))["TransInfo"] == {"KfAccount": "a@b"}
