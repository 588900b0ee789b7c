"""Signing in to a web page inside WeChat, as the simulator plays it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.simulator.simulator_stage import APPID, CHEN, SECRET, Stage

ASKED = {
    "appid": APPID,
    "redirect_uri": "https://linli.example/room?grid=1",
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc123",
}


async def authorize(stage: Stage, **more: str) -> tuple[int, str, str]:
    """Status, Location and text of the consent page."""
    address = f"{stage.page}/wechat/connect/oauth2/authorize"
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(address, params=ASKED | more, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def redeem(stage: Stage, code: str, **more: str) -> dict[str, Any]:
    query = {"appid": APPID, "secret": SECRET, "code": code, "grant_type": "authorization_code"}
    return await stage.api.get("/sns/oauth2/access_token", **(query | more))


async def test_a_phone_comes_back_to_the_page_with_a_code_that_says_who_it_is(stage: Stage) -> None:
    status, location, _ = await authorize(stage, phone=CHEN)
    back = urlsplit(location)
    assert (status, back.netloc, back.path) == (302, "linli.example", "/room")
    given = parse_qs(back.query)
    assert (given["grid"], given["state"]) == (["1"], ["abc123"])
    answer = await redeem(stage, given["code"][0])
    assert (answer["openid"], answer["scope"], "errcode" in answer) == (CHEN, "snsapi_base", False)
    assert (await redeem(stage, given["code"][0]))["errcode"] == 40163


async def test_a_window_of_nobody_is_asked_whose_it_is(stage: Stage) -> None:
    status, _, text = await authorize(stage)
    assert (status, f'data-phone="{CHEN}"' in text, "authorize.js" in text) == (200, True, True)


@pytest.mark.parametrize(
    "wrong", [{"appid": "wx_other"}, {"scope": "all"}, {"state": "a-b"}, {"redirect_uri": "javascript:alert(1)"}]
)
async def test_a_wrong_address_is_refused(stage: Stage, wrong: dict[str, str]) -> None:
    assert (await authorize(stage, phone=CHEN, **wrong))[0] == 400


async def test_only_a_web_code_of_this_account_is_redeemed(stage: Stage) -> None:
    assert (await redeem(stage, stage.platform.make_code(CHEN, "login")))["errcode"] == 40029
    assert (await redeem(stage, stage.platform.make_code(CHEN, "web"), secret="wrong"))["errcode"] == 40125
    assert (await redeem(stage, ""))["errcode"] == 41008
    late = stage.platform.make_code(CHEN, "web")
    stage.clock.forward(minutes=5)
    assert (await redeem(stage, late))["errcode"] == 40029


async def test_the_preview_mode_gives_a_made_up_person(stage: Stage) -> None:
    answer = await redeem(stage, stage.platform.make_code(CHEN, "preview"))
    assert (answer["is_snapshotuser"], answer["openid"] == CHEN) == (1, False)
