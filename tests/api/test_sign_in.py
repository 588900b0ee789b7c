"""Signing in: who somebody is comes from WeChat or a one-time code, and a token is good for what it is good for."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from app.settings import Settings
from domain.login_codes import redeem
from domain.tokens import find_token
from errors import NotSignedIn
from models.accounts import LoginToken, MiniappUser
from models.audit import AuditEvent
from models.database import fetch
from models.people import Resident, Staff
from simulator.faults import ApiFault
from tests.api.caller import Caller, Reply
from tests.api.conftest import SignIn
from tests.town import CHEN, WANG, Town

NOBODY = "o_sim_new_person"


async def enter(town: Town, caller: Caller, openid: str, **more: str) -> Reply:
    """Sign in to the mini-program with this person's phone."""
    return await caller.post("/login/miniapp", {"code": town.platform.make_code(openid), **more})


async def as_user(town: Town, caller: Caller, openid: str) -> Caller:
    """The same, with the token in hand."""
    reply = await enter(town, caller, openid)
    assert reply.status == 200, reply.json
    return caller.holding(reply.json["token"])


async def code_of(town: Town, openid: str) -> tuple[str, str]:
    """The staff number and the code the account answers to “登录”."""
    answer = await town.say(openid, "登录")
    lines = dict(line.split("：", 1) for line in answer.splitlines()[:2])
    return lines["工号"], lines["验证码"]


async def test_the_mini_program_signs_in_with_a_code_that_works_once(town: Town, sign_in: SignIn):
    caller = await sign_in()
    code = town.platform.make_code(CHEN)
    first = await caller.post("/login/miniapp", {"code": code})
    assert (first.status, first.json["token"][:3]) == (200, "ll_")
    again = await caller.post("/login/miniapp", {"code": code})
    assert (again.status, again.code) == (400, "bad_request")
    me = await caller.holding(first.json["token"]).get("/me")
    assert (me.status, me.json["actor"]) == (200, first.json["actor"])


async def test_a_new_user_is_a_resident_and_stays_the_same_one(town: Town, sign_in: SignIn):
    caller = await sign_in()
    town.platform.add_phone(town.platform.config.people[0].__class__(NOBODY, "新人", "居民"), following=False)
    first, second = await enter(town, caller, NOBODY), await enter(town, caller, NOBODY)
    assert first.json["actor"] == second.json["actor"]
    assert await MiniappUser.filter(openid=f"mini_{NOBODY}").count() == 1
    assert first.json["token"] != second.json["token"]


@pytest.mark.parametrize(
    "body",
    [
        {"code": "0" * 41},
        {"code": ""},
        {"code": "a b"},
        {"code": "x" * 300},
        {},
        {"code": "0", "openid": CHEN},
        {"openid": CHEN},
        {"code": ["0"]},
    ],
)
async def test_forged_codes_and_openids_of_the_clients_own_sign_nobody_in(
    town: Town, sign_in: SignIn, body: dict[str, object]
):
    reply = await (await sign_in()).post("/login/miniapp", body)
    assert (reply.status, reply.code) == (400, "bad_request")
    assert await LoginToken.all().count() == 0


async def test_a_code_for_something_else_or_a_late_one_signs_nobody_in(town: Town, sign_in: SignIn):
    caller = await sign_in()
    phone, web = town.platform.make_code(CHEN, "phone"), town.platform.make_code(CHEN, "web")
    late = town.platform.make_code(CHEN)
    assert [(await caller.post("/login/miniapp", {"code": code})).status for code in (phone, web)] == [400, 400]
    town.clock.advance(timedelta(minutes=5))
    assert (await caller.post("/login/miniapp", {"code": late})).status == 400
    assert (await caller.post("/login/web", {"code": town.platform.make_code(CHEN)})).status == 400


async def test_the_same_person_in_account_and_mini_program_becomes_one(town: Town, sign_in: SignIn):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    mini = await as_user(town, await sign_in(), CHEN)
    before = (await mini.get("/me")).json
    assert (before["linked"], before["home"]) == (False, None)
    await town.platform.unfollow(CHEN)
    await town.platform.follow(CHEN)
    await town.deliver()  # WeChat is asked who the follower is
    after = (await mini.get("/me")).json
    chen = await Resident.get(openid=CHEN)
    assert (after["linked"], after["actor"]) == (True, f"resident:{chen.id}")
    assert chen.unionid == f"union_{CHEN}"
    assert not await Resident.filter(openid__startswith="mini:").exists()
    assert (await enter(town, mini, CHEN)).json["actor"] == f"resident:{chen.id}"


async def test_a_page_inside_wechat_signs_the_follower_in(town: Town, sign_in: SignIn):
    caller = await sign_in()
    reply = await caller.post("/login/web", {"code": town.platform.make_code(CHEN, "web")})
    chen = await Resident.get(openid=CHEN)
    assert (reply.status, reply.json["actor"]) == (200, f"resident:{chen.id}")
    assert chen.unionid == f"union_{CHEN}"
    # …and the mini-program is the same person's from the first moment
    assert (await enter(town, caller, CHEN)).json["actor"] == f"resident:{chen.id}"


async def test_the_made_up_person_of_the_preview_mode_is_not_signed_in(town: Town, sign_in: SignIn):
    reply = await (await sign_in()).post("/login/web", {"code": town.platform.make_code(CHEN, "preview")})
    assert (reply.status, reply.code) == (403, "not_allowed")
    assert "预览" in reply.json["error"]["say"]


async def test_a_page_is_sent_to_the_consent_page_and_comes_back(town: Town, sign_in: SignIn):
    caller = await sign_in()
    asked = {"page": "/room?grid=1", "state": "a1b2c3d4"}
    url = (await caller.get("/login/web/address", params=asked)).json["url"]
    target = parse_qs(urlsplit(url).query)
    assert target["redirect_uri"] == [f"{town.url}/room?grid=1"]
    phone = url.split("#")[0] + f"&phone={CHEN}"
    async with aiohttp.ClientSession() as browser, browser.get(phone, allow_redirects=False) as page:
        back = urlsplit(page.headers["Location"])
    given = parse_qs(back.query)
    assert (back.path, given["state"]) == ("/room", ["a1b2c3d4"])
    assert (await caller.post("/login/web", {"code": given["code"][0]})).status == 200


@pytest.mark.parametrize("page", ["//evil.example/", "https://evil.example/", "room", "/a\\b", "/@evil"])
async def test_nobody_is_sent_back_to_another_site(sign_in: SignIn, page: str):
    reply = await (await sign_in()).get("/login/web/address", params={"page": page, "state": "a1b2c3d4"})
    assert reply.status == 400


async def test_staff_sign_in_with_the_code_their_wechat_was_given(town: Town, sign_in: SignIn):
    number, code = await code_of(town, WANG)
    caller = await sign_in()
    reply = await caller.post("/login/staff", {"number": number, "code": code, "device": "办公室电脑"})
    wang = await Staff.get(openid=WANG)
    assert (reply.status, reply.json["actor"]) == (200, f"staff:{wang.id}")
    me = (await caller.holding(reply.json["token"]).get("/me")).json
    assert me["post"]["label"] == "网格员王芳"
    again = await caller.post("/login/staff", {"number": number, "code": code})
    assert (again.status, again.code) == (401, "not_signed_in")


async def test_residents_get_no_login_code(town: Town):
    assert "工作人员" in await town.say(CHEN, "登录")
    refused = await AuditEvent.filter(tag="login:code", allowed=False)
    assert len(refused) == 1


async def test_a_wrong_a_late_and_a_foreign_code_get_the_same_answer(town: Town, sign_in: SignIn):
    number, code = await code_of(town, WANG)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    caller = await sign_in()
    answers = [
        await caller.post("/login/staff", {"number": number, "code": wrong}),
        await caller.post("/login/staff", {"number": "G002", "code": code}),
        await caller.post("/login/staff", {"number": "nobody", "code": code}),
    ]
    town.clock.advance(timedelta(minutes=5))
    answers.append(await caller.post("/login/staff", {"number": number, "code": code}))
    assert {(one.status, one.json["error"]["say"]) for one in answers} == {(401, answers[0].json["error"]["say"])}


async def test_five_wrong_codes_kill_the_right_one_whatever_way_they_came(town: Town):
    number, code = await code_of(town, WANG)
    for step in range(1, 6):
        with pytest.raises(NotSignedIn):
            await redeem(number, f"{(int(code) + step) % 10**6:06}", town.clock())
    with pytest.raises(NotSignedIn):
        await redeem(number, code, town.clock())


async def test_the_sixth_try_at_one_account_in_five_minutes_is_not_even_looked_at(town: Town, sign_in: SignIn):
    number, code = await code_of(town, WANG)
    caller = await sign_in()
    tried = [(await caller.post("/login/staff", {"number": number, "code": "000000"})).status for _ in range(5)]
    sixth = await caller.post("/login/staff", {"number": number, "code": code})
    assert (set(tried), sixth.status, sixth.code) == ({401}, 429, "too_many")
    assert int(sixth.headers["Retry-After"]) <= 300


async def test_a_newer_code_ends_the_older(town: Town, sign_in: SignIn):
    number, first = await code_of(town, WANG)
    _, second = await code_of(town, WANG)
    caller = await sign_in()
    assert (await caller.post("/login/staff", {"number": number, "code": first})).status == 401
    assert (await caller.post("/login/staff", {"number": number, "code": second})).status == 200


async def test_a_residents_token_lasts_thirty_days_from_its_last_use(town: Town, sign_in: SignIn):
    mini = await as_user(town, await sign_in(), CHEN)
    for _ in range(3):
        town.clock.advance(timedelta(days=30) - timedelta(seconds=1))
        assert (await mini.get("/me")).status == 200
    town.clock.advance(timedelta(days=30))
    assert (await mini.get("/me")).status == 401


async def test_whoever_acts_as_staff_signs_in_again_after_twelve_hours(town: Town, sign_in: SignIn):
    number, code = await code_of(town, WANG)
    caller = await sign_in()
    reply = await caller.post("/login/staff", {"number": number, "code": code})
    by_code = caller.holding(reply.json["token"])
    by_page = await caller.post("/login/web", {"code": town.platform.make_code(WANG, "web")})
    by_page = caller.holding(by_page.json["token"])
    town.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert [(await one.get("/me")).status for one in (by_code, by_page)] == [200, 200]
    town.clock.advance(timedelta(seconds=1))
    assert [(await one.get("/me")).status for one in (by_code, by_page)] == [401, 401]


async def test_a_dismissed_member_of_staff_is_out_with_the_next_request_and_stays_out(town: Town, sign_in: SignIn):
    number, code = await code_of(town, WANG)
    caller = await sign_in()
    reply = await caller.post("/login/staff", {"number": number, "code": code})
    wang = caller.holding(reply.json["token"])
    assert (await wang.get("/me")).status == 200
    await Staff.filter(openid=WANG).update(active=False)
    assert (await wang.get("/me")).status == 401
    await Staff.filter(openid=WANG).update(active=True)
    assert (await wang.get("/me")).status == 401


async def test_who_moves_to_another_post_has_the_new_one_with_the_next_request(town: Town, sign_in: SignIn):
    number, code = await code_of(town, WANG)
    caller = await sign_in()
    reply = await caller.post("/login/staff", {"number": number, "code": code})
    wang = caller.holding(reply.json["token"])
    other = (await Staff.get(code="G002")).area_id
    await Staff.filter(openid=WANG).update(area_id=other)
    assert (await wang.get("/me")).json["post"]["area_id"] == other


async def test_devices_are_listed_and_signed_out_one_by_one_and_all_at_once(town: Town, sign_in: SignIn):
    nobody = await sign_in()
    tokens = [(await enter(town, nobody, CHEN, device=name)).json["token"] for name in ("手机", "平板", "电脑")]
    phone, tablet, computer = (nobody.holding(token) for token in tokens)
    listed = (await phone.get("/devices")).json["items"]
    assert {(one["name"], one["current"]) for one in listed} == {("手机", True), ("平板", False), ("电脑", False)}
    ident = next(one["id"] for one in listed if one["name"] == "平板")
    assert (await phone.ask("DELETE", f"/devices/{ident}")).status == 204
    assert ((await tablet.get("/me")).status, (await computer.get("/me")).status) == (401, 200)
    assert (await phone.ask("DELETE", f"/devices/{ident}")).status == 404
    assert (await phone.post("/logout/others")).json == {"ended": 1}
    assert ((await phone.get("/me")).status, (await computer.get("/me")).status) == (200, 401)
    assert (await phone.post("/logout")).status == 204
    assert (await phone.get("/me")).status == 401


async def test_nobody_signs_out_somebody_elses_device(town: Town, sign_in: SignIn):
    nobody = await sign_in()
    chen, wang = await as_user(town, nobody, CHEN), await as_user(town, nobody, WANG)
    ident = (await chen.get("/devices")).json["items"][0]["id"]
    foreign, absent = await wang.ask("DELETE", f"/devices/{ident}"), await wang.ask("DELETE", "/devices/999999")
    assert foreign.status == absent.status == 404
    assert foreign.json["error"]["say"] == absent.json["error"]["say"]
    assert (await chen.get("/me")).status == 200


async def test_signing_out_everywhere_ends_this_device_too(town: Town, sign_in: SignIn):
    nobody = await sign_in()
    first, second = await as_user(town, nobody, CHEN), await as_user(town, nobody, CHEN)
    assert (await first.post("/logout/everywhere")).json == {"ended": 2}
    assert [(await one.get("/me")).status for one in (first, second)] == [401, 401]


async def test_no_changed_token_is_let_in(town: Town, sign_in: SignIn):
    """S05, for opaque tokens: every flip of one bit of four tokens (over 1,000), every beginning and end, and texts
    that are tokens elsewhere."""
    nobody = await sign_in()
    callers = [await as_user(town, nobody, CHEN) for _ in range(4)]
    mini = callers[0]
    forged = {mini.token.upper(), mini.token + "A", "null", "undefined", "0"}
    forged |= {part for place in range(1, len(mini.token)) for part in (mini.token[:place], mini.token[place:])}
    forged |= {"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "eyJhbGciOiJIUzI1NiJ9.e30.x"}
    let_in = []
    for secret in forged.union(*(_flipped(one.token) for one in callers)):
        with contextlib.suppress(NotSignedIn):
            let_in.append(await find_token(secret, town.clock()))
    sendable = sorted(filter(str.isprintable, forged | _flipped(mini.token)))
    statuses = set()
    for number, one in enumerate(sendable):
        if number % 90 == 0:
            town.clock.advance(timedelta(minutes=1))
        statuses.add((await nobody.holding(one).get("/me")).status)
    assert (let_in, statuses) == ([], {401})
    assert {(await one.get("/me")).status for one in callers} == {200}


def _flipped(token: str) -> set[str]:
    """The token with one bit changed, in every way."""
    places = range(len(token))
    return {f"{token[:at]}{chr(ord(token[at]) ^ (1 << bit))}{token[at + 1 :]}" for at in places for bit in range(7)}


async def test_tokens_are_stored_as_hashes(town: Town, sign_in: SignIn):
    mini = await as_user(town, await sign_in(), CHEN)
    rows = await fetch("SELECT to_jsonb(t)::text AS row FROM login_token t")
    assert not any(mini.token in row["row"] for row in rows)


async def test_without_wechat_nobody_is_signed_in_and_told_to_wait(town: Town, sign_in: SignIn):
    town.platform.faults.api.append(ApiFault("http_500", "/sns/jscode2session"))
    reply = await enter(town, await sign_in(), CHEN)
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "unavailable", "60")


async def test_without_a_mini_program_the_answer_says_so():
    settings = Settings(wechat_appid="wx1", _env_file=None)
    assert settings.miniapp() is None
