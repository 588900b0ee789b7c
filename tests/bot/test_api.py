"""The API client against a platform played on a real socket: tokens, errors, repeats, what goes out."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import orjson
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot import transport
from bot.api import CustomImage, CustomMenu, CustomText, Notice, QrCode, UserInfo, WeChatApi, connect
from bot.config import WeChatConfig
from bot.limits import Limit, RateLimits
from bot.menu import DEFAULT_MENU
from bot.messages import Choice
from bot.qrcodes import create_grid_qrcode, poster_svg
from bot.tokens import TokenStore, TokenUnavailable, stable_token
from bot.verdicts import Verdict, ruling, verdict
from errors import BadRequest, SettingsError, Unavailable, WeChatError, WeChatUnreachable

OPENID = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"
OK = {"errcode": 0, "errmsg": "ok"}
Answer = Callable[[web.Request], web.StreamResponse] | dict[str, Any] | bytes


class Platform:
    """WeChat's side: stable tokens, and for each path the answers in order, the last one for ever."""

    def __init__(self) -> None:
        self.base = ""
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, list[Answer]] = {}
        self.generation = 1
        self.token_requests: list[dict[str, Any]] = []
        self.token_error: dict[str, Any] | None = None
        self.hang = asyncio.Event()

    def expire_tokens(self) -> None:
        self.generation += 1

    @property
    def token(self) -> str:
        return f"access-{self.generation}"

    def bodies(self, path: str) -> list[Any]:
        return [orjson.loads(body) for _, seen, _, body in self.seen if seen == path]

    def count(self, path: str) -> int:
        return sum(seen == path for _, seen, _, _ in self.seen)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.path.removeprefix("/sim/")
        if path == "cgi-bin/stable_token":
            self.token_requests.append(orjson.loads(body))
            return web.json_response(self.token_error or {"access_token": self.token, "expires_in": 7200})
        self.seen.append((request.method, path, dict(request.query), body))
        if request.query.get("access_token") != self.token:
            return web.json_response({"errcode": 42001, "errmsg": "access_token expired rid: 1"})
        planned = self.answers.get(path, [OK])
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="image/jpeg")
        if isinstance(answer, dict):
            return web.json_response(answer)
        if answer is hanging:
            await self.hang.wait()
        return answer(request)


def hanging(_: web.Request) -> web.StreamResponse:
    return web.json_response(OK)


def cut_off(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@pytest.fixture(autouse=True)
def no_waiting_between_repeats() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    played = Platform()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", played.handle)
    async with TestServer(app, handler_cancellation=True) as server:
        played.base = str(server.make_url("/sim"))
        yield played
        played.hang.set()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.from_url(redis_url, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        yield client


@pytest.fixture
def config(platform: Platform) -> WeChatConfig:
    return WeChatConfig(f"wx{secrets.token_hex(8)}", "the-secret", "token", api_base=platform.base)


@pytest.fixture
def api(config: WeChatConfig, session: aiohttp.ClientSession, redis: aioredis.Redis) -> WeChatApi:
    return connect(config, session, redis)


async def test_a_custom_text_goes_out_as_real_utf8_with_the_token(api: WeChatApi, platform: Platform) -> None:
    await api.send_custom(OPENID, CustomText("已交给网格员王芳\n编号 1120-0037 🏠"))
    ((method, path, query, body),) = platform.seen
    assert (method, path, query) == ("POST", "cgi-bin/message/custom/send", {"access_token": "access-1"})
    assert "已交给网格员王芳\\n编号 1120-0037 🏠".encode() in body
    assert orjson.loads(body)["touser"] == OPENID


async def test_the_token_is_asked_for_by_post_and_never_by_force(
    api: WeChatApi, platform: Platform, config: WeChatConfig
) -> None:
    await api.send_custom(OPENID, CustomText("好"))
    await api.send_custom(OPENID, CustomText("好"))
    assert platform.token_requests == [
        {"grant_type": "client_credential", "appid": config.appid, "secret": "the-secret"}
    ]


async def test_every_kind_of_message_has_wechats_shape(api: WeChatApi, platform: Platform) -> None:
    await api.send_custom(OPENID, CustomImage("media-1"))
    await api.send_custom(OPENID, CustomMenu("解决了吗？", (Choice("解决了", 3701), Choice("没解决", 3702)), "谢谢"))
    await api.typing(OPENID, True)
    await api.typing(OPENID, False)
    assert platform.bodies("cgi-bin/message/custom/send") == [
        {"touser": OPENID, "msgtype": "image", "image": {"media_id": "media-1"}},
        {
            "touser": OPENID,
            "msgtype": "msgmenu",
            "msgmenu": {
                "head_content": "解决了吗？",
                "list": [{"id": "3701", "content": "解决了"}, {"id": "3702", "content": "没解决"}],
                "tail_content": "谢谢",
            },
        },
    ]
    assert platform.bodies("cgi-bin/message/custom/typing") == [
        {"touser": OPENID, "command": "Typing"},
        {"touser": OPENID, "command": "CancelTyping"},
    ]


async def test_a_template_message_carries_our_id_and_gives_wechats(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/message/template/send"] = [{**OK, "msgid": 3717005636572528642}]
    notice = Notice("tpl", {"thing2": "楼道灯"}, "https://a.cn", "wx1", "pages/case?id=37")
    assert await api.send_template(OPENID, notice, "notice-37") == 3717005636572528642
    assert platform.bodies("cgi-bin/message/template/send") == [
        {
            "touser": OPENID,
            "template_id": "tpl",
            "url": "https://a.cn",
            "miniprogram": {"appid": "wx1", "pagepath": "pages/case?id=37"},
            "data": {"thing2": {"value": "楼道灯"}},
            "client_msg_id": "notice-37",
        }
    ]


async def test_a_subscription_notice_without_a_page_has_none(api: WeChatApi, platform: Platform) -> None:
    await api.send_subscription(OPENID, Notice("tpl", {"phrase1": "已办结"}))
    await api.send_subscription(OPENID, Notice("tpl", {"phrase1": "已办结"}, url="https://a.cn"))
    first, second = platform.bodies("cgi-bin/message/subscribe/bizsend")
    assert first == {"touser": OPENID, "template_id": "tpl", "data": {"phrase1": {"value": "已办结"}}}
    assert second == {**first, "page": "https://a.cn"}


async def test_the_menu_is_put_as_wechat_takes_it(api: WeChatApi, platform: Platform) -> None:
    await api.create_menu(DEFAULT_MENU)
    (sent,) = platform.bodies("cgi-bin/menu/create")
    assert sent["button"][0] == {"type": "click", "name": "我要说事", "key": "report"}


async def test_a_menu_beyond_limits_is_not_sent(api: WeChatApi, platform: Platform) -> None:
    with pytest.raises(SettingsError):
        await api.create_menu(DEFAULT_MENU * 2)
    assert platform.seen == []


async def test_qr_codes_of_every_kind(api: WeChatApi, platform: Platform) -> None:
    made = {"ticket": "gQ==/+", "url": "http://weixin.qq.com/q/1", "expire_seconds": 2592000}
    platform.answers["cgi-bin/qrcode/create"] = [made]
    assert await api.create_qrcode(7, permanent=False) == QrCode("gQ==/+", "http://weixin.qq.com/q/1", 2592000)
    grid = await create_grid_qrcode(api, "420106-003")
    assert grid == QrCode("gQ==/+", "http://weixin.qq.com/q/1", None)
    temporary, permanent = platform.bodies("cgi-bin/qrcode/create")
    assert temporary == {
        "expire_seconds": 2592000,
        "action_name": "QR_SCENE",
        "action_info": {"scene": {"scene_id": 7}},
    }
    assert permanent == {
        "action_name": "QR_LIMIT_STR_SCENE",
        "action_info": {"scene": {"scene_str": "grid:420106-003"}},
    }
    assert api.qrcode_url("gQ==/+") == f"{platform.base}/cgi-bin/showqrcode?ticket=gQ%3D%3D%2F%2B"
    assert poster_svg(grid).startswith(b"<?xml")


@pytest.mark.parametrize(
    ("scene", "permanent"), [(0, False), (2**32, False), (100_001, True), ("", True), ("x" * 65, False)]
)
async def test_a_scene_beyond_limits_is_not_sent(
    api: WeChatApi, platform: Platform, scene: str | int, permanent: bool
) -> None:
    with pytest.raises(BadRequest):
        await api.create_qrcode(scene, permanent=permanent)
    assert platform.seen == []


async def test_a_picture_a_resident_sent_comes_with_its_type(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/media/get"] = [b"\xff\xd8\xff picture"]
    media = await api.download_media("m1")
    assert (media.data, media.content_type) == (b"\xff\xd8\xff picture", "image/jpeg")
    assert platform.seen[0][2]["media_id"] == "m1"


async def test_a_media_error_inside_200_is_an_error(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/media/get"] = [{"errcode": 40007, "errmsg": "invalid media_id"}]
    with pytest.raises(WeChatError) as refused:
        await api.download_media("gone")
    assert (refused.value.errcode, refused.value.api) == (40007, "cgi-bin/media/get")


async def test_a_video_is_fetched_from_the_address_wechat_gives(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/media/get"] = [{"video_url": f"{platform.base}/video/1?access_token=access-1"}]
    platform.answers["video/1"] = [b"a video"]
    assert (await api.download_media("m1")).data == b"a video"


@pytest.mark.parametrize("url", ["http://169.254.169.254/x", "http://evil.example/?qq.com", "file:///etc/passwd", ""])
async def test_a_video_elsewhere_is_not_fetched(api: WeChatApi, platform: Platform, url: str) -> None:
    platform.answers["cgi-bin/media/get"] = [{"video_url": url}]
    with pytest.raises(WeChatUnreachable, match="neither a file"):
        await api.download_media("m1")


async def test_too_large_a_file_is_refused_whatever_it_claims(
    api: WeChatApi, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.api.MEDIA_LIMIT", 100_000)
    platform.answers["cgi-bin/media/get"] = [b"x" * 100_001, b"x" * 100_001, b"x" * 100_001, b"x" * 100_000]
    with pytest.raises(WeChatUnreachable, match="over 100000 bytes"):
        await api.download_media("m1")
    assert len((await api.download_media("m1")).data) == 100_000


async def test_a_file_is_uploaded_as_multipart(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/media/upload"] = [{"type": "image", "media_id": "m9", "created_at": 1}]
    assert await api.upload_media("image", "现场.jpg", b"\xff\xd8picture", "image/jpeg") == "m9"
    _, _, query, body = platform.seen[0]
    assert query["type"] == "image"
    assert b'name="media"' in body
    assert b"\xff\xd8picture" in body


async def test_a_person_who_follows_and_one_who_does_not(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/user/info"] = [
        {
            "subscribe": 1,
            "openid": OPENID,
            "language": "zh_CN",
            "tagid_list": [128],
            "qr_scene": 0,
            "qr_scene_str": "grid:3",
        },
        {"subscribe": 0, "openid": OPENID},
    ]
    follower = UserInfo(OPENID, True, language="zh_CN", tag_ids=(128,), scene="grid:3")
    assert await api.user_info(OPENID) == follower
    assert await api.user_info(OPENID) == UserInfo(OPENID, False)


async def test_settings_can_be_checked_past_the_store(api: WeChatApi, platform: Platform) -> None:
    assert await api.stable_token() == ("access-1", 7200.0)
    platform.token_error = {"errcode": 40164, "errmsg": "invalid ip 1.2.3.4"}
    with pytest.raises(WeChatError, match="40164"):
        await api.stable_token()


async def test_two_hundred_sends_on_an_expired_token_renew_it_once_and_all_arrive(
    config: WeChatConfig, session: aiohttp.ClientSession, redis: aioredis.Redis, platform: Platform
) -> None:
    processes = [connect(config, session, redis) for _ in range(2)]
    await asyncio.gather(*(process.send_custom(OPENID, CustomText("先")) for process in processes))
    for round_ in range(3):
        platform.expire_tokens()
        platform.seen.clear()
        await asyncio.gather(*(processes[n % 2].send_custom(OPENID, CustomText(str(n))) for n in range(200)))
        delivered = [
            orjson.loads(body) for _, _, query, body in platform.seen if query["access_token"] == platform.token
        ]
        assert sorted(int(message["text"]["content"]) for message in delivered) == list(range(200))
        assert len(platform.token_requests) == 2 + round_
    assert all("force_refresh" not in request for request in platform.token_requests)


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_token_refused_again_after_renewal_is_given_up(
    api: WeChatApi, platform: Platform, errcode: int
) -> None:
    def refuse(_: web.Request) -> web.StreamResponse:
        platform.expire_tokens()
        return web.json_response({"errcode": errcode, "errmsg": "invalid credential"})

    platform.answers["cgi-bin/message/custom/send"] = [refuse]
    with pytest.raises(WeChatError) as refused:
        await api.send_custom(OPENID, CustomText("好"))
    assert (refused.value.errcode, platform.count("cgi-bin/message/custom/send")) == (errcode, 2)


async def test_with_the_token_endpoint_down_nothing_is_sent_and_it_is_asked_once(
    api: WeChatApi, platform: Platform
) -> None:
    platform.token_error = {"errcode": -1, "errmsg": "system error"}
    results = await asyncio.gather(
        *(api.send_custom(OPENID, CustomText("好")) for _ in range(100)),
        *(api.user_info(OPENID) for _ in range(100)),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {TokenUnavailable}
    assert (len(platform.token_requests), platform.seen) == (1, [])


BUSY = {"errcode": -1, "errmsg": "system error rid: 1"}


@pytest.mark.parametrize(
    ("path", "call", "tries"),
    [
        ("cgi-bin/user/info", lambda api: api.user_info(OPENID), 3),
        ("cgi-bin/media/get", lambda api: api.download_media("m"), 3),
        ("cgi-bin/message/template/send", lambda api: api.send_template(OPENID, Notice("t", {}), "id-1"), 3),
        ("cgi-bin/message/custom/send", lambda api: api.send_custom(OPENID, CustomText("好")), 1),
        ("cgi-bin/message/subscribe/bizsend", lambda api: api.send_subscription(OPENID, Notice("t", {})), 1),
        ("cgi-bin/media/upload", lambda api: api.upload_media("image", "a", b"x", "image/png"), 1),
    ],
)
async def test_system_busy_is_repeated_only_where_that_is_harmless(
    api: WeChatApi, platform: Platform, path: str, call: Callable[[WeChatApi], Any], tries: int
) -> None:
    platform.answers[path] = [BUSY]
    with pytest.raises(WeChatError) as refused:
        await call(api)
    assert (refused.value.errcode, platform.count(path)) == (-1, tries)


async def test_a_read_that_works_the_second_time_is_no_error(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/user/info"] = [BUSY, {"subscribe": 1, "openid": OPENID}]
    assert (await api.user_info(OPENID)).subscribed
    assert platform.count("cgi-bin/user/info") == 2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", aiohttp.ClientTimeout(total=0.6))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("cgi-bin/message/custom/send", lambda api: api.send_custom(OPENID, CustomText("好"))),
        ("cgi-bin/message/template/send", lambda api: api.send_template(OPENID, Notice("t", {}), "id-1")),
        ("cgi-bin/message/subscribe/bizsend", lambda api: api.send_subscription(OPENID, Notice("t", {}))),
    ],
)
@pytest.mark.parametrize("trouble", [hanging, cut_off])
async def test_a_send_without_an_answer_is_not_repeated(
    api: WeChatApi, platform: Platform, path: str, call: Callable[[WeChatApi], Any], trouble: Answer
) -> None:
    await api.create_menu(DEFAULT_MENU)  # so that the connection is a used one, which clients like to repeat on
    platform.answers[path] = [trouble]
    with pytest.raises(WeChatUnreachable) as lost:
        await call(api)
    assert platform.count(path) == 1
    assert (lost.value.data["sent"], ruling(lost.value).maybe_sent) == (True, True)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("trouble", [hanging, cut_off])
async def test_a_read_without_an_answer_is_repeated(api: WeChatApi, platform: Platform, trouble: Answer) -> None:
    platform.answers["cgi-bin/user/info"] = [trouble, {"subscribe": 1, "openid": OPENID}]
    assert (await api.user_info(OPENID)).subscribed


GARBAGE: dict[str, Answer] = {
    "500": lambda _: web.Response(status=500),
    "404": lambda _: web.Response(status=404, text="{}"),
    "redirect": lambda _: web.Response(status=302, headers={"Location": "http://evil.example/"}),
    "HTML": lambda _: web.Response(text="<html>维护中</html>"),
    "empty": lambda _: web.Response(text=""),
    "list": lambda _: web.Response(text="[]"),
    "deep": lambda _: web.Response(text="[" * 100_000),
    "errcode of a word": lambda _: web.Response(text='{"errcode": "bad"}'),
    "over a megabyte": lambda _: web.Response(body=b" " * (1024 * 1024 + 1)),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_an_answer_that_is_none_is_unreachable_and_shows_no_token(
    api: WeChatApi, platform: Platform, answer: Answer
) -> None:
    platform.answers["cgi-bin/message/custom/send"] = [answer]
    with pytest.raises(WeChatUnreachable) as lost:
        await api.send_custom(OPENID, CustomText("好"))
    assert platform.count("cgi-bin/message/custom/send") == 1
    assert platform.token not in str(lost.value) + repr(lost.value.__cause__)


async def test_nobody_listening_means_certainly_not_sent(
    config: WeChatConfig, session: aiohttp.ClientSession, redis: aioredis.Redis
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    closed = WeChatConfig(config.appid, "s", "t", api_base=f"http://127.0.0.1:{port}")

    async def fetch() -> tuple[str, float]:
        return "a-token", 7200.0

    lonely = WeChatApi(closed, session, TokenStore(redis, closed.appid, fetch), RateLimits(redis, closed.appid))
    with pytest.raises(WeChatUnreachable) as lost:
        await lonely.send_custom(OPENID, CustomText("好"))
    assert lost.value.data["sent"] is False
    assert ruling(lost.value).maybe_sent is False


async def test_names_with_broken_characters_do_not_hide_the_answer(api: WeChatApi, platform: Platform) -> None:
    platform.answers["cgi-bin/user/info"] = [
        lambda _: web.Response(body=b'{"subscribe":1,"openid":"o1","remark":"\x1d\xff"}', content_type="text/plain")
    ]
    assert (await api.user_info("o1")).subscribed


async def test_a_limit_of_ours_stops_the_call_before_it_is_made(
    config: WeChatConfig, session: aiohttp.ClientSession, redis: aioredis.Redis, platform: Platform
) -> None:
    tokens = TokenStore(redis, config.appid, stable_token(config, transport.Transport(config.api_base, session)))
    limits = RateLimits(redis, config.appid, {"cgi-bin/message/custom/send": [Limit(2, 86_400)]})
    limited = WeChatApi(config, session, tokens, limits)
    await limited.send_custom(OPENID, CustomText("一"))
    await limited.send_custom(OPENID, CustomText("二"))
    with pytest.raises(Unavailable) as refused:
        await limited.send_custom(OPENID, CustomText("三"))
    assert platform.count("cgi-bin/message/custom/send") == 2
    assert ruling(refused.value).verdict is Verdict.RETRY_LATER
    assert ruling(refused.value).retry_after == refused.value.data["retry_after"] > 0


VERDICTS = {
    Verdict.RETRY_LATER: [-1, 40001, 40014, 42001, 41001, 40164, 61004, 45009, 45011],
    Verdict.NEXT_RUNG: [45015, 45047, 43004, 43101, 40003, 48002, 43019, 45002, 40200],
    Verdict.PARK: [40037, 47003, 40007, 41030, 45008, 40033, 47001, 123456],
}


@pytest.mark.parametrize(
    ("errcode", "expected"),
    [(errcode, verdict_) for verdict_, codes in VERDICTS.items() for errcode in codes],
)
def test_every_refusal_has_a_verdict_and_a_reason_for_staff(errcode: int, expected: Verdict) -> None:
    refusal = WeChatError(errcode, "refused rid: 1", "cgi-bin/message/custom/send")
    judged = ruling(refusal)
    assert (verdict(refusal), judged.maybe_sent) == (expected, False)
    assert f"（{errcode}）" in judged.reason


@pytest.mark.parametrize(
    ("error", "expected", "maybe_sent"),
    [
        (WeChatUnreachable("x", "TimeoutError"), Verdict.RETRY_LATER, True),
        (TokenUnavailable("down"), Verdict.RETRY_LATER, False),
        (Unavailable("limit", retry_after=9), Verdict.RETRY_LATER, False),
        (BadRequest("phrase3: at most 5"), Verdict.PARK, False),
        (KeyError("x"), Verdict.PARK, False),
    ],
)
def test_errors_that_are_no_refusal_have_verdicts_too(error: Exception, expected: Verdict, maybe_sent: bool) -> None:
    judged = ruling(error)
    assert (judged.verdict, judged.maybe_sent) == (expected, maybe_sent)
    assert judged.reason


async def test_the_platforms_own_pictures_come_from_its_own_host(
    session: aiohttp.ClientSession, redis: aioredis.Redis
) -> None:
    official = connect(WeChatConfig("wx1", "s", "t"), session, redis)
    assert official.qrcode_url("a/b") == "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=a%2Fb"
