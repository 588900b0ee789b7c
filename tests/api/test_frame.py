"""What every answer of the API has in common."""

from __future__ import annotations

from tests.api.conftest import SignIn
from tests.town import CHEN, WANG, Town


async def test_who_signed_in_is_told_who_they_are(town: Town, sign_in: SignIn):
    await town.say(CHEN, "你好")
    reply = await (await sign_in(CHEN)).get("/me")
    assert (reply.status, reply.json["post"]) == (200, None)
    assert reply.json["actor"].startswith("resident:")


async def test_staff_are_told_their_post(town: Town, sign_in: SignIn):
    await town.say(WANG, "你好")
    reply = await (await sign_in(WANG)).get("/me")
    assert reply.json["post"]["label"] == "网格员王芳"


async def test_without_a_token_the_answer_is_401_and_says_what_to_do(sign_in: SignIn):
    reply = await (await sign_in()).get("/me", headers={"X-Request-Id": "abc-1"})
    assert (reply.status, reply.code) == (401, "not_signed_in")
    assert reply.json["error"]["request_id"] == reply.headers["X-Request-Id"] == "abc-1"
    assert "登录" in reply.json["error"]["say"]


async def test_an_address_that_does_not_exist_answers_in_the_same_shape(sign_in: SignIn):
    caller = await sign_in()
    absent, wrong = await caller.get("/nothing/here"), await caller.ask("DELETE", "/me")
    assert (absent.status, absent.code) == (404, "not_found")
    assert (wrong.status, wrong.code) == (405, "wrong_method")
