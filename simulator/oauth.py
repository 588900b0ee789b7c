"""Signing in to a web page opened inside WeChat: the consent page's address, and who a code stands for.

A real phone knows whose it is. Here the page that asks is a window of a browser: one whose name is an openid belongs to
that phone (the page of phones names its windows so); any other is asked.
"""

from html import escape
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from simulator.call import Call
from simulator.platform import Platform
from simulator.refusals import ApiRefusal

AUTHORIZE: Final = "/connect/oauth2/authorize"
_SCOPES: Final = ("snsapi_base", "snsapi_userinfo")
_LONGEST_STATE: Final = 128
_PAGE: Final = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>微信登录</title>
<meta name="viewport" content="width=device-width">
<h1>用哪部手机打开？</h1><ul>{rows}</ul><script src="{script}"></script></html>"""


def authorize(platform: Platform, request: web.Request) -> web.Response:
    """`GET /connect/oauth2/authorize`: back to `redirect_uri` with a code, once it is known whose phone it is."""
    query = request.query
    target = urlsplit(query.get("redirect_uri", ""))
    state = query.get("state", "")
    wrong = {
        "appid 参数错误": query.get("appid") != platform.config.appid,
        "response_type 参数错误": query.get("response_type") != "code",
        "scope 参数错误": query.get("scope") not in _SCOPES,
        "redirect_uri 参数错误": target.scheme not in ("http", "https") or not target.hostname,
        "state 参数错误": len(state) > _LONGEST_STATE or not (state.isascii() and (state.isalnum() or not state)),
    }
    for said, is_wrong in wrong.items():
        if is_wrong:
            return web.Response(text=said, status=400)
    phone = platform.phones.find(query.get("phone", ""))
    if phone is None:
        return _whose(platform, request)
    back = {"code": platform.make_code(phone.openid, "web"), "state": state}
    joined = "&".join(part for part in (target.query, urlencode(back)) if part)
    return web.Response(status=302, headers={"Location": target._replace(query=joined, fragment="").geturl()})


def _whose(platform: Platform, request: web.Request) -> web.Response:
    here = {name: value for name, value in request.query.items() if name != "phone"}
    rows = "".join(
        f'<li><a data-phone="{escape(phone.openid)}" href="?{escape(urlencode(here | {"phone": phone.openid}))}">'
        f"{escape(phone.name)}</a></li>"
        for phone in platform.phones.on_page()
    )
    script = f"{platform.config.base_url}/static/authorize.js"
    return web.Response(text=_PAGE.format(rows=rows, script=escape(script)), content_type="text/html")


def web_user(call: Call) -> dict[str, Any]:
    """`GET /sns/oauth2/access_token`: who a web code belongs to. A code of the preview mode gives a made-up person."""
    query, platform = call.query, call.platform
    if query.get("appid", "") != platform.config.appid:
        raise ApiRefusal(40013)
    platform.tokens.check_account(platform.config.appid, query.get("secret", ""))
    if query.get("grant_type") != "authorization_code":
        raise ApiRefusal(40002)
    code = query.get("code", "")
    if not code:
        raise ApiRefusal(41008)
    preview = platform.codes.purpose(code) == "preview"
    openid = platform.codes.redeem("preview" if preview else "web", code, platform.now())
    union = {"unionid": f"union_{openid}"} if platform.config.miniapp_appid and not preview else {}
    return {
        "access_token": f"{platform.random.getrandbits(256):064x}",
        "expires_in": 7200,
        "refresh_token": f"{platform.random.getrandbits(256):064x}",
        "openid": f"o_preview_{platform.random.getrandbits(64):016x}" if preview else openid,
        "scope": "snsapi_base",
        **union,
        **({"is_snapshotuser": 1} if preview else {}),
    }
