"""One person known twice becomes one, whatever they had done before and however often it is tried at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from domain import rooms
from domain.accounts import MiniappLogin, login_miniapp, login_web
from domain.audit import verify
from domain.consents import give, holds, say_age
from domain.erasure import erase
from domain.linking import ask_union, link_union
from domain.people import Person, find_person, join_grid
from domain.room_messages import post
from domain.room_words import Words
from domain.tokens import find_token
from models.accounts import LoginToken, MiniappUser
from models.database import fetch, parse_url
from models.enums import BadgeKind, LoginKind, MessageKind, Purpose
from models.people import Resident, Staff
from models.rooms import Badge, Room, RoomMessage
from tests.town import Clock
from tests.waiting import locked_out

GRID = "429906001001001"
LOGIN = MiniappLogin("mini_he", "union_he")


async def sign_in(clock: Clock, login: MiniappLogin = LOGIN) -> tuple[str, Person]:
    """The mini-program's way."""
    signed = await login_miniapp(login, "", clock())
    return signed.token, signed.person


async def agreed(person: Person, clock: Clock, *purposes: Purpose) -> None:
    await say_age(person, True, clock())
    for purpose in purposes:
        await give(person, purpose, 1, clock())


async def say(person: Person, room: Room, text: str, clock: Clock, name: str = "") -> None:
    clock.advance(timedelta(seconds=1))
    await post(person, room.id, Words(MessageKind.TEXT, text, name or text), clock())


async def in_both(clock: Clock) -> tuple[Person, Person]:
    """Somebody in the mini-program, and the same one as a follower, both in the first grid."""
    _, mini = await sign_in(clock)
    await join_grid(mini, clock(), code=GRID)
    await agreed(await find_person(mini.openid, clock()), clock, Purpose.ROOM)
    follower = await find_person("o_he", clock())
    await join_grid(follower, clock(), code=GRID)
    await agreed(await find_person("o_he", clock()), clock, Purpose.ROOM)
    return await find_person(mini.openid, clock()), await find_person("o_he", clock())


async def test_what_was_done_in_the_mini_program_becomes_the_followers(orm: None, clock: Clock):
    mini, follower = await in_both(clock)
    token = await LoginToken.get(resident_id=mini.resident_id)
    room = await rooms.room_of_grid(mini.home.grid_id if mini.home else 0)
    await say(mini, room, "我在小程序里说的", clock)
    await Resident.filter(id=mini.resident_id).update(nickname="老何", phone="13800138000")
    await link_union("o_he", "union_he", clock())
    stays = await Resident.get(openid="o_he")
    assert (stays.unionid, stays.nickname, stays.phone) == ("union_he", "老何", "13800138000")
    assert not await Resident.filter(id=mini.resident_id).exists()
    assert (await RoomMessage.get(text="我在小程序里说的")).sender == f"resident:{follower.resident_id}"
    assert (await LoginToken.get(id=token.id)).resident_id == follower.resident_id
    assert (await MiniappUser.get()).resident_id == follower.resident_id
    assert await holds(follower.resident_id, Purpose.ROOM)
    assert (await verify()).fault == ""


async def test_two_private_talks_of_one_grid_become_one_without_a_gap(orm: None, clock: Clock):
    mini, follower = await in_both(clock)
    theirs, mine = await rooms.private_room(mini, clock()), await rooms.private_room(follower, clock())
    for number in range(3):
        await say(mini, theirs, f"小程序{number}", clock)
        await say(follower, mine, f"公众号{number}", clock)
    await link_union("o_he", "union_he", clock())
    entries = await RoomMessage.filter(room_id=mine.id).order_by("seq")
    assert [entry.seq for entry in entries] == list(range(1, (await Room.get(id=mine.id)).last_seq + 1))
    assert {f"小程序{number}" for number in range(3)} <= {entry.text for entry in entries}
    assert {entry.sender for entry in entries if entry.sender.startswith("resident")} == {
        f"resident:{follower.resident_id}"
    }
    assert not await Room.filter(id=theirs.id).exists()


async def test_the_same_badge_is_worn_once(orm: None, clock: Clock):
    mini, follower = await in_both(clock)
    granted = await Staff.get(code="S001")
    for person in (mini, follower):
        await Badge.create(
            kind=BadgeKind.VOLUNTEER, resident_id=person.resident_id, granted_by=granted, granted_at=clock()
        )
    await link_union("o_he", "union_he", clock())
    badges = await Badge.filter(resident_id=follower.resident_id)
    assert (len(badges), sum(badge.ended_at is None for badge in badges)) == (2, 1)


async def test_a_mute_goes_with_the_person(orm: None, clock: Clock):
    mini, follower = await in_both(clock)
    room = await rooms.room_of_grid(mini.home.grid_id if mini.home else 0)
    await rooms.seats(room.id, [f"resident:{mini.resident_id}", f"resident:{follower.resident_id}"])
    until = clock() + timedelta(days=1)
    muted = "UPDATE room_seat SET muted_until = $2, muted_why = '刷屏' WHERE who = $1"
    await fetch(muted, f"resident:{mini.resident_id}", until)
    await link_union("o_he", "union_he", clock())
    seats = await fetch("SELECT who, muted_until, muted_why FROM room_seat WHERE room_id = $1", room.id)
    assert seats == [{"who": f"resident:{follower.resident_id}", "muted_until": until, "muted_why": "刷屏"}]


async def test_the_account_first_and_the_mini_program_after_need_no_move(orm: None, clock: Clock):
    signed = await login_web("o_he", "union_he", "", clock())
    _, mini = await sign_in(clock)
    assert mini.resident_id == signed.person.resident_id
    assert await Resident.filter(unionid="union_he").count() == 1


async def test_a_unionid_that_comes_with_a_later_login_joins_them(orm: None, clock: Clock):
    token, mini = await sign_in(clock, MiniappLogin("mini_he", ""))
    await login_web("o_he", "union_he", "", clock())
    _, joined = await sign_in(clock)
    assert joined.openid == "o_he"
    assert (await find_token(token, clock()))[0].resident_id == joined.resident_id
    assert not await Resident.filter(id=mini.resident_id).exists()


async def test_two_followers_are_never_taken_for_one(orm: None, clock: Clock):
    first = await login_web("o_he", "union_he", "", clock())
    await find_person("o_other", clock())
    await link_union("o_other", "union_he", clock())
    assert (await Resident.get(unionid="union_he")).id == first.person.resident_id
    assert (await Resident.get(openid="o_other")).unionid is None


async def test_ten_first_logins_at_once_make_one_resident(orm: None, clock: Clock):
    signed = await asyncio.gather(*(sign_in(clock) for _ in range(10)))
    assert len({person.resident_id for _, person in signed}) == 1
    assert len({token for token, _ in signed}) == 10
    assert await Resident.filter(openid="mini:mini_he").count() == 1


async def test_linking_from_both_sides_at_once_ends_with_one_person(orm: None, clock: Clock):
    await in_both(clock)
    results = await asyncio.gather(
        *(link_union("o_he", "union_he", clock()) for _ in range(4)),
        *(sign_in(clock) for _ in range(4)),
        return_exceptions=True,
    )
    assert [one for one in results if isinstance(one, BaseException)] == []
    assert [row.openid for row in await Resident.filter(unionid="union_he")] == ["o_he"]
    assert (await MiniappUser.get()).resident_id == (await Resident.get(openid="o_he")).id


async def test_wechat_is_asked_once_about_a_follower_and_never_when_it_is_known(orm: None, clock: Clock):
    person = await find_person("o_he", clock())
    for _ in range(2):
        await ask_union(person.resident_id, person.openid, clock())
    jobs = await fetch("SELECT payload FROM outbox WHERE kind = 'union'")
    assert len(jobs) == 1
    await fetch("UPDATE outbox SET finished_at = $1", clock())
    await link_union("o_he", "union_he", clock())
    await ask_union(person.resident_id, person.openid, clock())
    assert len(await fetch("SELECT id FROM outbox WHERE kind = 'union'")) == 1


async def test_a_page_and_the_mini_program_are_two_kinds_of_sign_in(orm: None, clock: Clock):
    await login_web("o_he", "", "微信", clock())
    await sign_in(clock)
    assert {token.kind for token in await LoginToken.all()} == {LoginKind.WEB, LoginKind.MINIAPP}


async def test_who_signs_in_while_they_are_forgotten_is_somebody_new(orm: None, clock: Clock, database_url: str):
    _, mini = await sign_in(clock)
    gate = await asyncpg.connect(**parse_url(database_url))
    async with gate.transaction():
        await gate.execute("SELECT FROM login_token FOR UPDATE")  # what is forgotten late
        forgetting = asyncio.create_task(erase(mini, clock()))
        await locked_out(gate, 1)
        signing_in = asyncio.create_task(sign_in(clock))
        await locked_out(gate, 2)
    await forgetting
    _, again = await signing_in
    await gate.close()
    assert (await Resident.get(id=mini.resident_id)).deleted_at
    assert (await Resident.get(id=again.resident_id)).deleted_at is None
