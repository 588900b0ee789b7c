"""Who somebody is, asked of WeChat with the code their phone was given: the mini-program's and a web page's login, and
the phone number they chose to give.

Sign-in calls carry the app secret instead of a token, and every code works once: none of them is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bot.api import OFFICIAL_BASE, Repeat, WeChatApi
from bot.config import WeChatConfig
from bot.transport import Call, Transport, unreachable
from errors import BadRequest, NotAllowed, Unavailable, WeChatError, WeChatUnreachable

_AGAIN = "登录没有成功，请关掉页面重新打开，再试一次。"
_UNSUITABLE = frozenset({40029, 40163, 41008})
"""The code is unknown, run out, used, or missing."""
_BLOCKED = 40226
_PHONE = "wxa/business/getuserphonenumber"
_BUSY = frozenset({-1, 45011, 45009})
_OPENID = re.compile(r"[!-~]{1,58}")
"""Leaves room for our own prefix in 64 characters."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who opened the mini-program or a page of ours inside WeChat; `openid` is that of the mini-program or the
    official account. The session key that comes with it is not kept: nothing here is decrypted with it."""

    openid: str
    unionid: str


class Logins:
    """The sign-in calls of one official account and its mini-program; without one, only pages can be signed in to."""

    def __init__(
        self, account: WeChatConfig, miniapp: WeChatConfig | None, transport: Transport, api: WeChatApi | None
    ) -> None:
        self._account = account
        self._miniapp = miniapp
        self._transport = transport
        self._api = api

    async def miniapp_session(self, code: str) -> Visitor:
        """Whose login code of `wx.login` this is. Raises BadRequest, NotAllowed, Unavailable."""
        if self._miniapp is None:
            raise Unavailable("no mini-program is set up", say="小程序还没有开通，请在公众号里办理。")
        config = self._miniapp
        params = {"appid": config.appid, "secret": config.secret, "js_code": code, "grant_type": "authorization_code"}
        answer = await _asked(lambda: self._transport.json(Call("GET", "sns/jscode2session", params)))
        return Visitor(_openid(answer), _text(answer, "unionid"))

    async def web_visitor(self, code: str) -> Visitor:
        """Whose code of the consent page this is. Raises BadRequest, NotAllowed (preview mode), Unavailable."""
        config = self._account
        params = {"appid": config.appid, "secret": config.secret, "code": code, "grant_type": "authorization_code"}
        answer = await _asked(lambda: self._transport.json(Call("GET", "sns/oauth2/access_token", params)))
        if answer.get("is_snapshotuser"):
            # WeChat's preview shows a made-up person, who must never become somebody's account.
            raise NotAllowed("preview mode", say="现在是预览模式，请点右上角“使用完整服务”再登录。")
        return Visitor(_openid(answer), _text(answer, "unionid"))

    async def phone_number(self, code: str) -> str:
        """The number behind a code of the phone-number button: 138…, of other countries with +. Raises BadRequest,
        Unavailable."""
        if self._api is None:
            raise Unavailable("no mini-program is set up", say="小程序还没有开通，请让网格员帮您登记电话。")
        api = self._api
        info = (await _asked(lambda: api.ask(_PHONE, {"code": code}, Repeat.NEVER))).get("phone_info")
        answer = info if isinstance(info, dict) else {}
        country, number = str(answer.get("countryCode", "86")), str(answer.get("purePhoneNumber", ""))
        if not re.fullmatch(r"\d{1,4}", country) or not re.fullmatch(r"\d{4,14}", number):
            raise Unavailable("no phone number in the answer", say="没有取到手机号，请过一会儿再试。")
        return number if country == "86" else f"+{country}{number}"

    def authorize_url(self, page: str, state: str) -> str:
        """Where a browser inside WeChat goes to come back to `page` with a code and the same `state`."""
        base = self._transport.api_base
        host = "https://open.weixin.qq.com" if base == OFFICIAL_BASE else base
        asked = {
            "appid": self._account.appid,
            "redirect_uri": page,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{host}/connect/oauth2/authorize?{urlencode(asked)}#wechat_redirect"


async def _asked(ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The answer; WeChat's refusals as errors a person can do something about."""
    try:
        return await ask()
    except WeChatError as error:
        if error.errcode in _UNSUITABLE:
            raise BadRequest(str(error), say=_AGAIN) from error
        if error.errcode == _BLOCKED:
            raise NotAllowed(str(error), say="微信认为这个账号有风险，暂时不能登录。请打社区电话办理。") from error
        if error.errcode in _BUSY:
            raise Unavailable(str(error), retry_after=60) from error
        raise
    except WeChatUnreachable as error:
        raise Unavailable(str(error), say="暂时连不上微信，请过一分钟再试。", retry_after=60) from error


def _openid(answer: dict[str, Any]) -> str:
    openid = answer.get("openid")
    if not isinstance(openid, str) or not _OPENID.fullmatch(openid):
        raise unreachable("sns", "no openid in the answer", sent=True)
    return openid


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    return value[:64] if isinstance(value, str) else ""
