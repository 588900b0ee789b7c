"""Sign-in calls against a platform played on a real socket: what each answer means, and what is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis import asyncio as aioredis

from bot.api import connect
from bot.config import WeChatConfig
from bot.logins import Logins
from bot.transport import Transport
from errors import BadRequest, LinliError, NotAllowed, Unavailable, WeChatError

ACCOUNT = WeChatConfig("wx_account", "account-secret", token="")
MINIAPP = WeChatConfig("wx_miniapp", "miniapp-secret", token="")
SESSION = {"openid": "oMini", "session_key": "HyVFkGl5F5OQWJZZaNzBBg==", "unionid": "oUnion"}


class Platform:
    """Answers every call alike, and keeps what was asked."""

    def __init__(self) -> None:
        self.answer: Any = SESSION
        self.status = 200
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def handle(self, request: web.Request) -> web.Response:
        if request.path == "/cgi-bin/stable_token":
            return web.json_response({"access_token": "access", "expires_in": 7200})
        self.asked.append((request.path, dict(request.query)))
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, status=self.status)
        return web.json_response(self.answer, status=self.status, content_type="text/plain")


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def logins(platform: Platform, redis_url: str) -> AsyncIterator[Logins]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", platform.handle)
    redis = aioredis.from_url(redis_url)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        base = str(server.make_url("")).rstrip("/")
        miniapp = WeChatConfig(MINIAPP.appid, MINIAPP.secret, token="", api_base=base)
        yield Logins(ACCOUNT, miniapp, Transport(base, session), connect(miniapp, session, redis))
    await redis.aclose()


async def test_a_session_is_asked_for_with_the_mini_programs_own_secret(platform: Platform, logins: Logins):
    session = await logins.miniapp_session("code-1")
    assert (session.openid, session.unionid) == (SESSION["openid"], SESSION["unionid"])
    sent = {"appid": "wx_miniapp", "secret": "miniapp-secret", "js_code": "code-1", "grant_type": "authorization_code"}
    assert platform.asked == [("/sns/jscode2session", sent)]
    assert "HyVF" not in repr(session)


async def test_a_web_code_is_asked_for_with_the_accounts_secret(platform: Platform, logins: Logins):
    platform.answer = {"access_token": "a", "openid": "oFollower", "scope": "snsapi_base"}
    visitor = await logins.web_visitor("code-2")
    assert (visitor.openid, visitor.unionid) == ("oFollower", "")
    assert platform.asked[0][1]["appid"] == "wx_account"


@pytest.mark.parametrize(
    ("errcode", "meant"),
    [
        (40029, BadRequest),
        (40163, BadRequest),
        (41008, BadRequest),
        (40226, NotAllowed),
        (45011, Unavailable),
        (-1, Unavailable),
        (40125, WeChatError),
    ],
)
async def test_each_refusal_means_something_a_person_can_do(
    platform: Platform, logins: Logins, errcode: int, meant: type[LinliError]
):
    platform.answer = {"errcode": errcode, "errmsg": "no, rid: 1"}
    with pytest.raises(meant) as refused:
        await logins.miniapp_session("code")
    assert "secret" not in str(refused.value)
    assert len(platform.asked) == 1  # a code works once: nothing is repeated


@pytest.mark.parametrize("answer", [{}, {"openid": ""}, {"openid": 7}, {"openid": "o" * 59}, {"openid": "a b"}])
async def test_an_answer_without_a_usable_openid_is_nobody(platform: Platform, logins: Logins, answer: dict[str, Any]):
    platform.answer = answer
    with pytest.raises(LinliError):
        await logins.miniapp_session("code")


@pytest.mark.parametrize(("status", "answer"), [(500, SESSION), (200, b"<html>"), (200, b"[]")])
async def test_no_answer_is_told_as_wait_a_minute(platform: Platform, logins: Logins, status: int, answer: Any):
    platform.status, platform.answer = status, answer
    with pytest.raises(Unavailable) as away:
        await logins.web_visitor("code")
    assert away.value.data["retry_after"] == 60


async def test_the_made_up_person_of_the_preview_is_nobody(platform: Platform, logins: Logins):
    platform.answer = {"openid": "oSnapshot", "is_snapshotuser": 1}
    with pytest.raises(NotAllowed, match="preview"):
        await logins.web_visitor("code")


@pytest.mark.parametrize(
    ("info", "number"),
    [
        ({"purePhoneNumber": "13800138000", "countryCode": "86"}, "13800138000"),
        ({"purePhoneNumber": "13800138000", "countryCode": 86}, "13800138000"),
        ({"purePhoneNumber": "91234567", "countryCode": "852"}, "+85291234567"),
    ],
)
async def test_a_number_is_written_as_people_write_it(
    platform: Platform, logins: Logins, info: dict[str, Any], number: str
):
    platform.answer = {"errcode": 0, "phone_info": info}
    assert await logins.phone_number("code") == number
    assert platform.asked[0][0] == "/wxa/business/getuserphonenumber"


@pytest.mark.parametrize(
    "info", [None, {}, {"purePhoneNumber": "<script>"}, {"purePhoneNumber": "138", "countryCode": "x"}]
)
async def test_what_is_no_number_is_not_kept(platform: Platform, logins: Logins, info: Any):
    platform.answer = {"errcode": 0, "phone_info": info}
    with pytest.raises(Unavailable):
        await logins.phone_number("code")


async def test_browsers_go_to_wechats_own_consent_page():
    async with aiohttp.ClientSession() as session:
        logins = Logins(ACCOUNT, None, Transport("https://api.weixin.qq.com", session), None)
        url = urlsplit(logins.authorize_url("https://linli.example/room?grid=1", "abc12345"))
        assert (url.netloc, url.path, url.fragment) == (
            "open.weixin.qq.com",
            "/connect/oauth2/authorize",
            "wechat_redirect",
        )
        # WeChat looks at the order of these
        assert list(parse_qs(url.query)) == ["appid", "redirect_uri", "response_type", "scope", "state"]
        assert parse_qs(url.query)["redirect_uri"] == ["https://linli.example/room?grid=1"]


async def test_without_a_mini_program_people_are_told_where_else_to_go():
    async with aiohttp.ClientSession() as session:
        logins = Logins(ACCOUNT, None, Transport("https://api.weixin.qq.com", session), None)
        for ask in (logins.miniapp_session, logins.phone_number):
            with pytest.raises(Unavailable) as refused:
                await ask("code")
            assert "小程序还没有开通" in refused.value.say
