"""Application forms at the console: written question by question, seen as the chat asks them, in versions."""

from __future__ import annotations

import re
from html import unescape

import pytest

from domain.people import find_person
from models.bookings import Application, ServiceForm
from models.people import Area, Staff
from models.services import ServiceItem
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.console.desks import history
from tests.console.forms import form_to
from tests.domain.applied import applied
from tests.town import CHEN, Town

COMMUNITY = "429906001001"


@pytest.fixture
async def li(town: Town, desk: Desk) -> Desk:
    """The community's desk."""
    await sit_down(town, desk, await Staff.get(name="李主任"))
    return desk


async def own_item(code: str) -> ServiceItem:
    """An item of the community alone."""
    await ServiceItem.filter(code=code).update(area_id=(await Area.get(code=COMMUNITY)).id)
    return await ServiceItem.get(code=code)


def heard(text: str) -> list[str]:
    """The lines of a message, each choice one."""
    return [line.strip() for line in text.replace("\u3000", "\n").split("\n") if line.strip()]


def bubbles(page: str) -> list[list[str]]:
    """What stands on the phone beside the form, message by message."""
    found = re.findall(r'<div class="bubble">(.*?)</div>', page, re.DOTALL)
    return [heard(unescape(re.sub(r"<[^>]+>", "\n", one))) for one in found]


def lines(*questions: str) -> dict[str, list[str]]:
    """`名称 类型 必填 选项或范围 提示` each, as the form has them; - is blank."""
    parts = [["" if part == "-" else part for part in [*one.split(), "-", "-", "-"][:5]] for one in questions]
    names = ("label", "kind", "needed", "limits", "hint")
    found = {name: [part[place] for part in parts] for place, name in enumerate(names)}
    return found | {"place": [str(place) for place in range(1, len(questions) + 1)]}


async def test_the_first_form_of_an_item_is_asked_in_the_chat_word_for_word_as_it_was_previewed(town: Town, li: Desk):
    item = await own_item("flyz")
    page = f"/services/forms/{item.id}"
    assert item.title in await li.open("/services/forms")
    assert "还没有申请表" in await li.open(f"/services/forms/open?item={item.id}")
    typed = form_to(li.page, page).typed() | lines(
        "申请人姓名 文字 必填 2-20",
        "什么纠纷 单选 必填 劳动、婚姻、其他",
        "要哪些帮助 多选 选填 咨询、代写、出庭",
        "有残疾证吗 是否 选填",
        "哪天发生的 日期 必填",
        "材料照片 照片 必填 1-3 拍清楚字",
        "住在哪里 位置 选填",
    )
    typed["place"][6] = "2"  # type: ignore[index]
    typed["time_limit"] = "7 个工作日"
    seen = bubbles(await li.send(f"{page}/preview", **typed))
    assert "一共 7 项，交了以后 7工作日内办好" in seen[0][0]
    assert [one[0] for one in seen[1:4]] == ["（1/7）申请人姓名", "（2/7）住在哪里", "（3/7）什么纠纷"]
    assert not await ServiceForm.exists(item_id=item.id), "a preview keeps nothing"
    assert "第 1 版" in await li.send(page, **typed)

    menu = heard(await town.say(CHEN, "网上申请"))
    chosen = next(line for line in menu if line.endswith(item.title))
    assert heard(await town.say(CHEN, chosen.split()[0]))[:2] == seen[0][:2]
    for said, bubble in zip(("1", "张桂兰", "3栋501", "1", "1 2", "是", "2026-11-01"), seen[1:], strict=True):
        assert heard(await town.say(CHEN, said)) == bubble


async def test_another_question_is_another_version_and_who_applied_before_keeps_theirs(town: Town, li: Desk):
    before = await applied(await find_person(CHEN, town.clock()), town.clock())
    item = await own_item("gljt")
    old = [one["label"] for one in (await ServiceForm.get(item_id=item.id)).fields_]
    page = f"/services/forms/{item.id}"
    assert "1 件" in await li.open("/services/forms")
    typed = form_to(await li.open(page), page).typed()
    await li.send(page, **typed)
    assert await ServiceForm.filter(item_id=item.id).count() == 1, "saved as it was it is no version"
    await li.open(page)
    await li.send(page, **typed | lines("老人姓名 文字 必填 2-20", "- 文字 必填", "备注 长文 选填"))
    new = await ServiceForm.filter(item_id=item.id).order_by("-version").first()
    assert new
    assert [one["label"] for one in new.fields_] == ["老人姓名", "备注"]
    assert (new.version, new.time_limit) == (2, "10工作日")
    assert (await Application.get(id=before.id)).form_id != new.id
    assert history(await li.open(page)) == ["加了备注", f"去掉了{'、'.join(old[1:])}", "第一次写"]
    assert all(label in li.page.partition('id="history"')[2] for label in old), "what the older version asked"
    await li.open(f"/applications/{before.id}")
    kept = await li.send(f"/applications/{before.id}/take")
    assert "填的是第 1 版申请表" in kept
    assert "去掉了" in kept
    assert all(f"<dt>{label}</dt>" in kept for label in old)
    await li.open(page)
    assert "刚刚有人改过" in await li.send(page, **typed)


async def test_what_cannot_be_read_is_refused_with_the_line_it_stands_in(town: Town, li: Desk):
    item = await own_item("gljt")
    page = f"/services/forms/{item.id}"
    typed = form_to(await li.open(page), page).typed()
    for line, said in (
        ("户型 单选 必填 一居", "户型的选项不对"),
        ("姓名｜文字 文字 必填", "不要用竖线"),
        ("- 文字 必填 - 写清楚", "第 1 项还没有名称"),
        ("- 文字 必填", "请至少写一项"),
        ("照片 照片 必填 1-20", "照片太多"),
    ):
        for path in (page, f"{page}/preview"):
            await li.open(page)
            assert said in await li.send(path, **typed | lines(line)), line
            assert li.status == 400
    await li.open(page)
    assert "办理时限：" in await li.send(page, **typed | {"time_limit": "很快"})
    assert await ServiceForm.filter(item_id=item.id).count() == 1


async def test_a_stopped_form_leaves_the_chat_and_who_does_not_write_the_item_only_reads_it(town: Town, li: Desk):
    item = await own_item("gljt")
    page = f"/services/forms/{item.id}"
    typed = form_to(await li.open(page), page).typed()
    stopped = {name: text for name, text in typed.items() if name != "active"}
    assert "停用期间" in await li.send(page, **stopped)
    assert item.title not in await town.say(CHEN, "网上申请")
    assert "停用" in await li.open("/services/forms")
    await sit_down(town, li, await Staff.get(name="王芳"))
    assert "上级统一管理" in await li.open(page)
    await li.send(page, **typed)
    assert li.status == 403
    await sit_down(town, li, await Staff.get(name="何主任"))
    await li.open(page)
    assert li.status == 404
