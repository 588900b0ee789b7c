"""群发 at the console: composed in a form, looked at on a phone, approved by somebody else, told to the last door."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from app.demo import settle_homes
from console.audience_form import Audience, fields_of, rule_of
from domain import broadcast_runs, services
from domain.people import find_person
from models.broadcasts import Broadcast, Delivery
from models.database import fetch
from models.enums import BroadcastState, DeliveryState
from tests.console.conftest import Desk, sit_down
from tests.domain.neighbours import FIRST, SECOND
from tests.town import CHEN, LI, Town

WATER = {"title": "明天停水", "text": "9 点到 15 点停水，请先接好水。", "channels": "notice", "areas": FIRST}


async def enter(town: Town, desk: Desk, code: str) -> Desk:
    """Sign in as the member of staff with this number."""
    await sit_down(town, desk, code)
    return desk


@pytest.fixture
async def street(town: Town) -> AsyncIterator[Desk]:
    """The browser of the street's officer."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield await enter(town, Desk(session, town.url), "J001")


@pytest.fixture
async def community(town: Town, desk: Desk) -> Desk:
    """The browser of the community's officer."""
    return await enter(town, desk, "S001")


async def written(desk: Desk, **more: str) -> int:
    """A draft that was composed in the form; gives its number."""
    assert "看看效果" in await desk.open("/broadcasts/new")
    await desk.send("/broadcasts/new", **WATER | more)
    assert "草稿存好了" in desk.page
    return int(desk.path.rpartition("/")[2])


async def send_all(town: Town) -> None:
    """Let the workers send what has been approved."""
    while await broadcast_runs.advance(town.clock()) + await town.deliver():
        pass


async def test_a_notice_goes_from_the_form_over_a_second_person_to_the_phone(
    town: Town, community: Desk, street: Desk
) -> None:
    await town.say(CHEN, "您好")
    ident = await written(community)
    await community.send(f"/broadcasts/{ident}/hand-in")
    counted = re.search(r"要发给 (\d+) 人", community.page)
    assert counted
    assert "批准</button>" not in community.page
    assert "群发审批" not in await community.open("/"), "nobody approves their own"
    assert "群发审批 1" in await street.open("/")
    await community.open(f"/broadcasts/{ident}")
    await community.send(f"/broadcasts/{ident}/approve", version="1")
    assert (community.status, "自己写的要请别人批" in community.page) == (403, True)
    await town.deliver()
    assert "明天停水" not in "".join(town.heard(CHEN))

    assert "请您审批" in await street.open(f"/broadcasts/{ident}")
    assert "批准了" in await street.send(f"/broadcasts/{ident}/approve", version="1")
    await send_all(town)
    assert "请先接好水" in town.last(CHEN)
    assert f"数到 {counted[1]} 人" in await community.open(f"/broadcasts/{ident}")
    assert "已发完" in community.page
    assert "已送达" in await community.open(f"/broadcasts/{ident}/progress")


async def test_the_version_that_was_read_is_the_one_approved_and_a_refusal_says_why(
    town: Town, community: Desk, street: Desk
) -> None:
    ident = await written(community)
    await community.send(f"/broadcasts/{ident}/hand-in")
    await street.open(f"/broadcasts/{ident}")
    await community.open(f"/broadcasts/{ident}/edit")
    assert "要重新提交审批" in await community.send(f"/broadcasts/{ident}/edit", **WATER | {"title": "后天停水"})
    await community.send(f"/broadcasts/{ident}/hand-in")
    await street.send(f"/broadcasts/{ident}/approve", version="1")
    assert (street.status, "刚刚改过" in street.page) == (409, True)
    await street.open(f"/broadcasts/{ident}")
    await street.send(f"/broadcasts/{ident}/refuse", version="2", why="")
    assert (street.status, "请写一句" in street.page) == (400, True)
    await street.open(f"/broadcasts/{ident}")
    await street.send(f"/broadcasts/{ident}/refuse", version="2", why="日子写错了")
    assert "日子写错了" in await community.open(f"/broadcasts/{ident}")


async def test_the_preview_shows_phone_people_and_quotas_and_keeps_nothing(town: Town, community: Desk) -> None:
    await settle_homes(town.clock())
    await community.open("/broadcasts/new")
    chosen = {"tags": "alone", "buildings": "", "age_from": "", "title": "<b>看看</b>", "text": "正文"}
    page = await community.send("/broadcasts/preview", **WATER | chosen)
    assert "手机上看到的样子" in page
    assert "独居" in page
    assert "客服消息" in page
    assert "&lt;b&gt;看看&lt;/b&gt;" in page
    assert 'value="alone" checked' in page
    assert not await Broadcast.filter(event__isnull=True).exists()
    assert "48 小时内跟公众号说过话" in await community.open("/quotas")


async def test_guides_stand_in_groups_by_their_class(town: Town, community: Desk) -> None:
    page = await community.open("/broadcasts/new")
    groups = dict(re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page))
    assert len(groups) > 3
    person = await find_person(LI, town.clock())
    for one in await services.classes():
        items = await services.list_items(person, one.code, limit=200)
        assert re.findall(r'value="([^"]+)"', groups.get(one.name, "")) == [item.code for item in items], one.name


async def test_what_is_wrong_in_the_form_is_said_beside_the_button(town: Town, community: Desk) -> None:
    await community.open("/broadcasts/new")
    mark = community.page.split('name="mark" value="')[1].split('"')[0]
    headers = {"Origin": community.url, "HX-Request": "true"}
    given = WATER | {"mark": mark, "rule": '{"age": {"from": 80}}', "channels": "room"}
    async with community.session.post(f"{community.url}/console/broadcasts/new", data=given, headers=headers) as answer:
        assert (answer.status, answer.headers["X-Fault"]) == (200, "bad_request")
        assert "不能发到网格群" in await answer.text()
    for wrong, said in ({"rule": '{"building": "\\ud800"}'}, "看不懂"), ({"text": "看\0不见"}, "看不见的字符"):
        await community.open("/broadcasts/new")
        await community.send("/broadcasts/new", **WATER | wrong)
        assert (community.status, said in community.page) == (400, True)


async def test_times_are_china_time_and_come_back_into_the_form_and_so_do_life_events(
    town: Town, community: Desk
) -> None:
    ident = await written(community, when="days", days="周一", time="09:30", until="2026-12-31")
    assert "每周一上午 9 点半" in community.page
    page = await community.open(f"/broadcasts/{ident}/edit")
    assert 'name="time" value="09:30"' in page
    assert 'value="周一" checked' in page
    once = await written(community, when="at", at="2026-11-23T09:00")
    assert (await Broadcast.get(id=once)).calendar == {"at": "2026-11-23T09:00:00+08:00"}
    ninety = {"event_from": "birthday", "event_years": "90", "event_days_before": "10"}
    ident = await written(community, **ninety)
    assert "满 90 岁，提前 10 天" in community.page
    page = await community.open(f"/broadcasts/{ident}/edit")
    assert 'name="event_years" value="90"' in page


async def test_a_life_event_is_switched_on_by_a_second_person_only(town: Town, community: Desk, street: Desk) -> None:
    assert "还没有提醒" in await community.open("/broadcasts/events")
    assert "写好了 7 条草稿" in await community.send("/broadcasts/events")
    rule = await Broadcast.get(title="满 80 岁可领高龄津贴")
    assert "满 80 岁，提前 30 天" in community.page
    await community.send(f"/broadcasts/{rule.id}/hand-in")
    await street.open(f"/broadcasts/{rule.id}")
    await street.send(f"/broadcasts/{rule.id}/approve", version="1")
    assert (await Broadcast.get(id=rule.id)).state is BroadcastState.APPROVED
    assert "已启用" in await community.open("/broadcasts/events")


async def test_what_is_under_way_is_paused_resumed_and_given_up(town: Town, community: Desk, street: Desk) -> None:
    ident = await written(community, when="days", days="每天", time="09:00")
    await community.send(f"/broadcasts/{ident}/hand-in")
    await street.open(f"/broadcasts/{ident}")
    await street.send(f"/broadcasts/{ident}/approve", version="1")
    assert "已暂停" in await street.send(f"/broadcasts/{ident}/pause", why="等等")
    assert "已批准" in await street.send(f"/broadcasts/{ident}/resume")
    assert "已取消" in await street.send(f"/broadcasts/{ident}/cancel", why="不用了")
    town.clock.advance(timedelta(days=2))
    await send_all(town)
    assert not await Delivery.filter(broadcast_id=ident).exists()


async def test_the_grid_worker_finds_who_was_not_reached_and_notes_that_they_were_told(
    town: Town, community: Desk, street: Desk
) -> None:
    await settle_homes(town.clock())
    ident = await written(community)
    await community.send(f"/broadcasts/{ident}/hand-in")
    await street.open(f"/broadcasts/{ident}")
    await street.send(f"/broadcasts/{ident}/approve", version="1")
    await send_all(town)
    worker = await enter(town, community, "G001")
    assert f"/broadcasts/{ident}/unread" in await worker.open("/broadcasts")
    page = await worker.open(f"/broadcasts/{ident}/unread")
    delivery = re.search(r'name="delivery" value="(\d+)"', page)
    assert delivery
    page = await worker.send(f"/broadcasts/{ident}/told", delivery=delivery[1])
    assert f'name="delivery" value="{delivery[1]}"' not in page
    assert (await Delivery.get(id=int(delivery[1]))).state is DeliveryState.TOLD
    await worker.open(f"/broadcasts/{ident}")
    assert worker.status == 404  # it was written above the grid


async def test_departments_and_other_areas_find_nothing_here(town: Town, community: Desk) -> None:
    ident = await written(community)
    elsewhere = await fetch("SELECT id FROM area WHERE code = $1", SECOND)
    await Broadcast.filter(id=ident).update(area_id=elsewhere[0]["id"])
    worker = await enter(town, community, "G001")
    await worker.open(f"/broadcasts/{ident}")
    assert worker.status == 404
    police = await enter(town, worker, "B021")
    page = await police.open("/broadcasts")
    assert (police.status, 'href="/console/broadcasts"' in page) == (403, False)


@pytest.mark.parametrize(
    "rule",
    [
        {"area": ["4299"]},
        {"all": [{"area": ["1", "2"]}, {"building": "3栋"}, {"age": {"from": 60, "to": 79}}]},
        {"all": [{"area": ["1"]}, {"any": [{"building": "3栋"}, {"building": "5栋"}]}]},
        {"all": [{"area": ["1"]}, {"any": [{"age": {"from": 80}}, {"fact": "alone", "is": True}]}]},
        {"all": [{"area": ["1"]}, {"household": {"all": [{"fact": "dog", "is": True}, {"followers": True}]}}]},
        {"household": {"fact": "dog", "is": True}},
        {"all": [{"fact": "a", "is": False}, {"fact": "house", "is": ["租住", "自住"]}]},
        {"all": [{"fact": "income", "is": {"to": 500.5}}, {"date": "licence_expires", "within_days": 60}]},
        {"all": [{"birthday": "month"}, {"badge": "volunteer"}]},
        {"role": ["grid_worker"]},
        {"not": {"age": {"from": 18}}},
        {"any": [{"area": ["1"]}, {"age": {"from": 80}}]},
        {"all": [{"age": {"from": 80}}, {"area": ["1"]}]},
    ],
)
def test_every_rule_comes_back_out_of_the_form_as_it_went_in(rule: dict[str, object]) -> None:
    assert rule_of(Audience(**fields_of(rule)), {}) == rule


def test_what_the_fields_can_say_is_shown_in_fields_and_not_as_json() -> None:
    assert fields_of({"all": [{"area": ["1"]}, {"age": {"from": 80}}]}) == {"areas": ["1"], "age_from": "80"}
    assert set(fields_of({"not": {"age": {"from": 18}}})) == {"rule"}
