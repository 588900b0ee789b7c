"""网格群 over HTTP, as a mini-program uses it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.audit import AuditEvent
from models.enums import MessageState
from models.people import Staff
from models.rooms import RoomMessage, RoomSeat
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.talk import MoveIn, room_of, say
from tests.domain.neighbours import FAR, neighbour
from tests.town import CHEN, LI, WANG, Town


async def test_two_neighbours_and_the_grid_worker_talk_in_one_room(move_in: MoveIn, sign_in: SignIn, town: Town):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    await town.say(WANG, "待办")
    wang = await sign_in(WANG)
    room = await room_of(chen)
    assert await room_of(zhao) == await room_of(wang) == room
    first = await say(chen, room, "3栋2单元楼道灯坏了好几天了")
    await say(wang, room, "今天就去修", reply_to=first["id"], mentions=[first["author"]["handle"]])  # type: ignore[index]
    items = (await zhao.get(f"/rooms/{room}/messages")).json["items"]
    assert [(one["seq"], one["text"], one["author"]["me"]) for one in items] == [
        (1, "3栋2单元楼道灯坏了好几天了", False),
        (2, "今天就去修", False),
    ]
    assert items[1]["author"]["label"] == "网格员王芳"
    assert items[1]["author"]["badges"] == [{"kind": "grid_worker", "label": "网格员"}]
    assert (items[1]["reply_to"], items[1]["mentions"]) == (first["id"], [items[0]["author"]["handle"]])
    assert [one["hint"] for one in items] == [None, None]
    seen_on_duty = (await wang.get(f"/rooms/{room}/messages")).json["items"]
    assert seen_on_duty[0]["hint"]["subject"] == "楼道照明损坏"
    assert [one["author"]["me"] for one in seen_on_duty] == [False, True]


async def test_nothing_of_a_neighbour_but_nickname_and_handle_leaves_the_server(move_in: MoveIn, town: Town):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    room = await room_of(chen)
    await say(chen, room, "早上好")
    person = await neighbour("chen", town.clock())
    read = await zhao.get(f"/rooms/{room}/messages")
    [entry] = read.json["items"]
    assert person.openid.encode() not in read.raw
    assert f"resident:{person.resident_id}".encode() not in read.raw
    assert set(entry["author"]) == {"label", "badges", "staff", "me", "handle"}
    assert entry["client_id"] == ""


async def test_who_did_not_agree_to_be_read_by_neighbours_reads_but_does_not_speak(move_in: MoveIn):
    shy, chen = await move_in("shy", agrees=False), await move_in("chen")
    room = await room_of(chen)
    await say(chen, room, "早上好")
    refused = await shy.post(f"/rooms/{room}/messages", {"client_id": "1", "text": "我也早上好"})
    assert (refused.status, refused.code) == (403, "consent_needed")
    assert len((await shy.get(f"/rooms/{room}/messages")).json["items"]) == 1
    private = (await shy.post("/rooms/private", {})).json["id"]
    await say(shy, private, "我想单独问问")


async def test_the_same_client_id_is_the_same_message_over_http(move_in: MoveIn):
    chen = await move_in("chen")
    room = await room_of(chen)
    first, again = [await say(chen, room, "停水了吗") for _ in range(2)]
    assert first == again
    keyed = [
        await chen.post(
            f"/rooms/{room}/messages", {"client_id": "k", "text": "来水了"}, headers={"Idempotency-Key": "k1"}
        )
        for _ in range(2)
    ]
    assert keyed[0].json == keyed[1].json
    assert [one["seq"] for one in (await chen.get(f"/rooms/{room}/messages")).json["items"]] == [1, 2]


async def test_history_is_read_backwards_and_what_was_missed_forwards_page_by_page(move_in: MoveIn):
    chen = await move_in("chen")
    room = await room_of(chen)
    for number in range(1, 8):
        await say(chen, room, f"第{number}句")
    assert await _pages(chen, f"/rooms/{room}/messages", {"limit": "3"}) == [[5, 6, 7], [2, 3, 4], [1]]
    assert await _pages(chen, f"/rooms/{room}/messages", {"limit": "3", "after": "1"}) == [[2, 3, 4], [5, 6, 7], []]
    both = await chen.get(f"/rooms/{room}/messages", params={"after": "1", "before": "5"})
    assert both.status == 400


async def _pages(caller: Caller, path: str, query: dict[str, str]) -> list[list[int]]:
    found = []
    while True:
        page = (await caller.get(path, params=query)).json
        found.append([one["seq"] for one in page["items"]])
        if not page["next"]:
            return found
        query = {"limit": query["limit"], "cursor": page["next"]}


async def test_a_cursor_of_somebody_else_or_of_another_room_is_refused(move_in: MoveIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    room = await room_of(chen)
    for number in range(3):
        await say(chen, room, f"第{number}句")
    cursor = (await chen.get(f"/rooms/{room}/messages", params={"limit": "1"})).json["next"]
    private = (await chen.post("/rooms/private", {})).json["id"]
    assert (await zhao.get(f"/rooms/{room}/messages", params={"cursor": cursor})).status == 400
    assert (await chen.get(f"/rooms/{private}/messages", params={"cursor": cursor})).status == 400


async def test_a_slip_is_taken_back_within_two_minutes(move_in: MoveIn, town: Town):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    room = await room_of(chen)
    slip, kept = await say(chen, room, "发错群了"), await say(chen, room, "这句留着")
    assert (await zhao.post(f"/messages/{slip['id']}/recall")).status == 403
    assert (await chen.post(f"/messages/{slip['id']}/recall")).json["state"] == "recalled"
    town.clock.advance(timedelta(minutes=3))
    assert (await chen.post(f"/messages/{kept['id']}/recall")).status == 409
    items = (await zhao.get(f"/rooms/{room}/messages")).json["items"]
    assert [(one["kind"], one["text"], one["target"]) for one in items] == [
        ("text", "", None),
        ("text", "这句留着", None),
        ("recall", "", slip["id"]),
    ]


async def test_staff_remove_with_a_reason_that_its_sender_alone_reads(move_in: MoveIn, sign_in: SignIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    advert = await say(chen, room, "便宜卖烟花爆竹")
    assert (await wang.post(f"/messages/{advert['id']}/remove", {"why": ""})).status == 400
    assert (await wang.post(f"/messages/{advert['id']}/remove", {"why": "群里不卖东西"})).status == 200
    assert (await chen.get(f"/messages/{advert['id']}")).json["why"] == "群里不卖东西"
    theirs = (await zhao.get(f"/messages/{advert['id']}")).json
    assert (theirs["state"], theirs["text"], theirs["why"]) == ("removed", "", "")


async def test_what_is_held_back_is_told_to_its_sender_and_nobody_else(move_in: MoveIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    room = await room_of(chen)
    held = await say(chen, room, "找我就打13812345678")
    assert (held["seq"], held["state"], held["why"]) == (None, "review", "含有手机号码")
    assert (await zhao.get(f"/rooms/{room}/messages")).json["items"] == []
    assert [one["id"] for one in (await chen.get(f"/rooms/{room}/waiting")).json["items"]] == [held["id"]]
    assert (await zhao.get(f"/rooms/{room}/waiting")).json["items"] == []
    assert (await zhao.get(f"/messages/{held['id']}")).status == 404


async def test_announcements_stand_in_a_list_of_their_own(move_in: MoveIn, sign_in: SignIn):
    chen, wang = await move_in("chen"), await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    for number in range(1, 4):
        made = await wang.post(f"/rooms/{room}/announcements", {"client_id": f"{number}", "text": f"公告{number}"})
        assert made.status == 201
        await say(chen, room, f"收到{number}")
    assert (await wang.post(f"/messages/{made.json['id']}/remove", {"why": "写错了"})).status == 200
    assert await _pages(chen, f"/rooms/{room}/announcements", {"limit": "1"}) == [[3], [1], []]


async def test_reading_on_makes_the_room_less_new(move_in: MoveIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    room = await room_of(chen)
    for number in range(4):
        await say(chen, room, f"第{number}句")
    assert (await zhao.get(f"/rooms/{room}")).json["unread"] == 4
    assert (await zhao.ask("PUT", f"/rooms/{room}/read", json={"seq": 3})).json == {"seq": 3}
    assert (await zhao.ask("PUT", f"/rooms/{room}/read", json={"seq": 1})).json == {"seq": 3}
    assert [(one["unread"], one["read_seq"]) for one in (await zhao.get("/rooms")).json["items"]] == [(1, 3)]


async def test_who_is_on_duty_is_listed_nearest_first_and_can_be_mentioned(move_in: MoveIn):
    chen = await move_in("chen")
    room = await room_of(chen)
    staff = (await chen.get(f"/rooms/{room}/staff")).json["items"]
    assert [one["label"] for one in staff[:3]] == ["网格员王芳", "东亭社区李主任", "水果湖街道周科长"]
    police = next(one for one in staff if one["unit"] == "水果湖派出所")
    assert police["badges"] == [{"kind": "department_staff", "label": "水果湖派出所"}]
    asked = await say(chen, room, "请问身份证在哪里办", mentions=[police["handle"], "助手"])
    assert asked["mentions"] == [police["handle"], "助手"]


async def test_a_grid_worker_opens_a_private_talk_with_who_spoke_in_the_room(move_in: MoveIn, sign_in: SignIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    wang, liu = [await sign_in(staff=await Staff.get(code=code)) for code in ("G001", "G002")]
    room = await room_of(chen)
    handle = (await say(chen, room, "家里有事想单独说"))["author"]["handle"]  # type: ignore[index]
    opened = await wang.post("/rooms/private", {"room": room, "handle": handle})
    own = await chen.post("/rooms/private", {})
    assert opened.json["id"] == own.json["id"]
    assert (own.json["kind"], own.json["name"]) == ("private", "和网格员私聊")
    await say(wang, own.json["id"], "您说，我听着")
    assert [one["text"] for one in (await chen.get(f"/rooms/{own.json['id']}/messages")).json["items"]] == [
        "您说，我听着"
    ]
    for stranger in (zhao, liu):
        assert (await stranger.get(f"/rooms/{own.json['id']}")).status == 404
    assert (await liu.post("/rooms/private", {"room": room, "handle": handle})).status == 404
    assert (await wang.post("/rooms/private", {"room": room, "handle": "m999999"})).status == 400


async def test_a_list_of_many_rooms_goes_page_by_page_with_the_newest_talk_first(sign_in: SignIn, move_in: MoveIn):
    li = await sign_in(staff=await Staff.get(code="S001"))
    for name in ("a", "b", "c"):
        resident = await move_in(name)
        await say(resident, (await resident.post("/rooms/private", {})).json["id"], f"我是{name}")
    seen: list[int] = []
    query: dict[str, str] = {"limit": "2"}
    kinds: list[str] = []
    while query:
        page = (await li.get("/rooms", params=query)).json
        seen += [one["id"] for one in page["items"]]
        kinds += [one["kind"] for one in page["items"]]
        query = {"limit": "2", "cursor": page["next"]} if page["next"] else {}
    assert kinds == ["grid"] * 3 + ["private"] * 3
    assert len(set(seen)) == 6
    assert seen[3:] == sorted(seen[3:], reverse=True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "没有名字"}, "client_id"),
        ({"client_id": "1", "text": "长" * 2001}, "text"),
        ({"client_id": "1", "text": "您好", "kind": "announcement"}, "kind"),
        ({"client_id": "1", "text": "您好", "sender": "staff:1"}, "sender"),
        ({"client_id": "1", "text": "您好", "state": "shown"}, "state"),
        ({"client_id": "1", "text": "您好", "reply_to": "1"}, "reply_to"),
        ({"client_id": "1", "text": "您好", "mentions": ["resident:1"]}, "mentions.0"),
        ({"client_id": "1", "text": "您好", "mentions": ["助手"] * 21}, "mentions"),
        ({"client_id": "1", "kind": "location", "position": {"latitude": 91, "longitude": 0}}, "position.latitude"),
        ({"client_id": "1", "kind": "image", "upload": "../../etc/passwd"}, "upload"),
    ],
)
async def test_a_message_that_is_none_is_refused_with_the_field_named(move_in: MoveIn, body: object, field: str):
    chen = await move_in("chen")
    reply = await chen.post(f"/rooms/{await room_of(chen)}/messages", body)
    assert (reply.status, reply.fields) == (400, [field])
    assert await RoomMessage.all().count() == 0


async def test_html_means_nothing_and_comes_back_as_typed(move_in: MoveIn):
    chen = await move_in("chen")
    room = await room_of(chen)
    typed = "<img src=x onerror=alert(1)>]]></script> & \"'"
    assert (await say(chen, room, typed))["text"] == typed
    answer = await chen.get(f"/rooms/{room}/messages")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_foreign_room_is_refused_as_one_that_is_not_there_and_the_attempt_is_audited(move_in: MoveIn):
    chen, far = await move_in("chen"), await move_in("far", FAR)
    room = await room_of(chen)
    refused = await far.post(f"/rooms/{room}/messages", {"client_id": "1", "text": "我是隔壁的"})
    absent = await far.post("/rooms/999999/messages", {"client_id": "1", "text": "我是隔壁的"})
    assert refused.status == absent.status == 404
    assert refused.json["error"]["say"] == absent.json["error"]["say"]
    assert await RoomMessage.all().count() == 0
    assert await AuditEvent.filter(tag="room:speak", object_id=room, allowed=False).count() == 1


async def test_a_badge_is_shown_from_when_its_wearer_agrees_until_one_of_both_takes_it_back(
    move_in: MoveIn, sign_in: SignIn, town: Town
):
    zhao, chen = await move_in("zhao"), await move_in("chen")
    li = await sign_in(staff=await Staff.get(code="S001"))
    room = await room_of(chen)
    entry = await say(chen, room, "我来组织大家扫雪")
    handle = entry["author"]["handle"]  # type: ignore[index]

    async def shown() -> list[str]:
        items = (await zhao.get(f"/rooms/{room}/messages")).json["items"]
        return [badge["label"] for badge in items[0]["author"]["badges"]]

    made = await li.post(f"/rooms/{room}/badges", {"handle": handle, "kind": "party_member", "unit": "第二支部"})
    assert made.status == 201
    assert await shown() == []
    [line] = (await chen.get("/badges")).json["items"]
    assert (line["label"], line["mine"], line["agreed_at"]) == ("党员·第二支部", True, None)
    assert (await zhao.get("/badges")).json["items"] == []
    assert (await li.post(f"/badges/{line['id']}/agree")).status == 403
    assert (await zhao.post(f"/badges/{line['id']}/agree")).status == 404
    assert (await chen.post(f"/badges/{line['id']}/agree")).status == 200
    assert await shown() == ["党员·第二支部"]
    again = await li.post(f"/rooms/{room}/badges", {"handle": handle, "kind": "party_member"})
    assert again.status == 409
    assert (await chen.ask("DELETE", f"/badges/{line['id']}")).status == 204
    assert await shown() == []
    tags = await AuditEvent.filter(object_id=line["id"], tag__startswith="badge:", allowed=True).order_by("id")
    assert [row.tag for row in tags] == ["badge:grant", "badge:agree", "badge:end"]


async def test_who_gets_a_badge_in_wechat_is_asked_there(town: Town, sign_in: SignIn):
    await town.say(CHEN, "您好")
    await town.say(LI, "待办")
    chen, li = await sign_in(CHEN), await sign_in(LI)
    room = next(one["id"] for one in (await li.get("/rooms")).json["items"] if one["name"] == "东亭社区第一网格")
    await chen.ask("PUT", f"/rooms/{room}/read", json={"seq": 0})
    seat = await RoomSeat.get(room_id=room, who__startswith="resident:")
    assert (await li.post(f"/rooms/{room}/badges", {"handle": f"m{seat.id}", "kind": "volunteer"})).status == 201
    await town.deliver()
    assert "志愿者" in town.last(CHEN)
    assert "同意" in town.last(CHEN)


async def test_only_the_communitys_staff_set_badges(move_in: MoveIn, sign_in: SignIn):
    chen = await move_in("chen")
    room = await room_of(chen)
    handle = (await say(chen, room, "早上好"))["author"]["handle"]  # type: ignore[index]
    for code, status in (("G001", 403), ("J001", 403), ("B021", 403), ("S002", 404), ("G002", 404)):
        staff = await sign_in(staff=await Staff.get(code=code))
        body = {"handle": handle, "kind": "party_member"}
        assert (await staff.post(f"/rooms/{room}/badges", body)).status == status, code
    assert (await chen.post(f"/rooms/{room}/badges", {"handle": handle, "kind": "party_member"})).status == 403


async def test_who_lost_their_post_sits_in_no_room(sign_in: SignIn, move_in: MoveIn):
    chen, wang = await move_in("chen"), await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    await say(wang, room, "大家好")
    await Staff.filter(code="G001").update(active=False)
    assert (await wang.get(f"/rooms/{room}/messages")).status == 401
    assert (await RoomMessage.get(room_id=room)).state is MessageState.SHOWN
