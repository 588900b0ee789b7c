"""Is the official account set up completely, and does WeChat agree?"""

from __future__ import annotations

import time
from collections.abc import Mapping

import aiohttp

from app.doctor.account import check_account
from app.doctor.report import Report
from app.settings import TEMPLATE_SETTINGS, Settings, template_faults, wechat_faults
from app.template_settings import setting_name
from bot.config import WeChatConfig
from bot.crypto import Cryptor, signature
from bot.notice_kinds import CASE, KINDS
from bot.tokens import stable_token
from bot.transport import Transport
from errors import LinliError, SettingsError, WeChatError

_PATIENCE = 5.0  # seconds our own address may take to answer
_ACCOUNT = "mp.weixin.qq.com, 设置与开发 → 基本配置"
_MINIAPP = "mp.weixin.qq.com of the mini-program, 开发管理 → 开发设置"
#: What WeChat's answer to a token request means for the operator (return codes of its token API).
_TOKEN_ADVICE: Mapping[int, str] = {
    -1: "WeChat is busy: run `linli doctor` again in a minute",
    40013: f"LINLI_WECHAT_APPID is not an account WeChat knows: copy the AppID from {_ACCOUNT}",
    40125: f"LINLI_WECHAT_SECRET is wrong or was reset: reset it and copy the new AppSecret from {_ACCOUNT}",
    40001: f"LINLI_WECHAT_SECRET does not belong to LINLI_WECHAT_APPID: copy both from {_ACCOUNT}",
    40164: f"the address WeChat names is not in the IP whitelist (IP白名单): add it in {_ACCOUNT}",
    61004: f"this server's address is not in the IP whitelist (IP白名单): add it in {_ACCOUNT}",
    40243: f"the AppSecret is frozen: thaw it in {_ACCOUNT}",
    50004: "WeChat forbids this account to get tokens: see the notices in mp.weixin.qq.com",
    45009: "today's calls are used up: wait until midnight, and look who else uses this account",
}


async def check_wechat(settings: Settings, report: Report) -> None:
    """Settings, keys, templates, and a token from WeChat itself (not with the simulator on)."""
    if settings.simulator:
        report.ok("the simulator plays WeChat: no account is needed")
        if settings.host not in ("127.0.0.1", "::1", "localhost"):
            report.note(
                f"the simulator is reachable on {settings.host}: whoever opens it can play any resident and any staff",
                "keep LINLI_HOST=127.0.0.1 while LINLI_SIMULATOR=1",
            )
    elif not settings.wechat_appid:
        report.wrong(
            "no official account is set",
            "to try Linli without one: LINLI_SIMULATOR=1 (`make run` sets it); with one: docs/how-to.md, “Connect an "
            "official account”",
        )
        return
    faults = wechat_faults(settings)
    for name, fault in faults:
        report.wrong(name, fault)
    if not faults:
        await _account(settings, report)


async def _account(settings: Settings, report: Report) -> None:
    wechat = settings.wechat()
    if wechat.aes_keys:
        try:
            Cryptor(wechat.appid, wechat.token, wechat.aes_keys)
        except SettingsError as error:
            report.wrong("LINLI_WECHAT_AES_KEY", error.detail)
    if wechat.mode != "safe":
        report.note(
            f"LINLI_WECHAT_MODE is {wechat.mode}",
            "safe (安全模式) encrypts what residents write; choose it on both sides",
        )
    _templates(settings, report)
    if not settings.simulator:
        if token := await _token(wechat, report):
            await check_account(settings, token, report)
        await _answers(settings, "/wechat/callback", wechat.token, "LINLI_WECHAT_TOKEN", report)
        await _miniapp(settings, report)


def _templates(settings: Settings, report: Report) -> None:
    """Does every value we would put into the templates' keywords suit their types?"""
    faults = dict(template_faults(settings))
    for name, templates in TEMPLATE_SETTINGS.items():
        found = templates(settings)
        if CASE not in found:
            report.note(f"{name} is not set", "without it a notice reaches only those who wrote within 48 hours")
        for kind in found:
            _template(setting_name(name, kind), faults, report)
        if lacking := [kind for kind in KINDS if found and kind not in found and kind != CASE]:
            report.note(
                f"{name}S has none for {', '.join(lacking)}", f"such notices go by {name}, whose words are of a case"
            )


def _template(name: str, faults: Mapping[str, str], report: Report) -> None:
    if name in faults:
        report.wrong(
            f"{name}: {faults[name]}", "copy the keywords from the template's detail page, e.g. thing2, phrase3"
        )
    else:
        report.ok(f"{name}: every value suits its keyword")


async def _token(wechat: WeChatConfig, report: Report, *, miniapp: bool = False) -> str:
    """A token, or "" where WeChat gives none."""
    whom = " the mini-program" if miniapp else ""
    async with aiohttp.ClientSession() as session:
        try:
            token, _ = await stable_token(wechat, Transport(wechat.api_base, session))()
        except WeChatError as error:
            advice = _TOKEN_ADVICE.get(error.errcode, "look the code up in WeChat's table of global return codes")
            if miniapp:
                advice = advice.replace("LINLI_WECHAT", "LINLI_MINIAPP").replace(_ACCOUNT, _MINIAPP)
            report.wrong(f"WeChat gives{whom} no token: {error.errcode} {error.errmsg}", advice)
        except LinliError as error:
            report.wrong(
                f"{wechat.api_base} does not answer ({error.detail})",
                "check this server's way to the internet, and LINLI_WECHAT_API_BASE",
            )
        else:
            report.ok(f"WeChat gives{whom} a token: app id, secret and IP whitelist are right")
            return token
    return ""


async def _miniapp(settings: Settings, report: Report) -> None:
    """Does the mini-program get a token, and do results of picture checks find us?"""
    config = settings.miniapp()
    if config is None:
        return
    await _token(config, report, miniapp=True)
    if config.token:
        await _answers(settings, "/wechat/miniapp", config.token, "LINLI_MINIAPP_TOKEN", report)
    elif settings.checks_content:
        report.note(
            "LINLI_MINIAPP_TOKEN is not set: no result of a picture check arrives, staff look at every picture",
            "set 消息推送 of the mini-program to https://…/wechat/miniapp",
        )


async def _answers(settings: Settings, path: str, token: str, named: str, report: Report) -> None:
    """Ask our own public address what WeChat asks when the server settings are saved."""
    if not settings.public_url:
        report.note(f"LINLI_PUBLIC_URL is not set: {path} was not tried", "https://… as residents' phones reach it")
        return
    address = f"{settings.public_url.rstrip('/')}{path}"
    query = {"timestamp": str(int(time.time())), "nonce": "linli-doctor", "echostr": "linli"}
    query["signature"] = signature(token, query["timestamp"], query["nonce"])
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PATIENCE)) as session,
            session.get(address, params=query) as answer,
        ):
            said, status = await answer.text(), answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        report.note(f"{address} does not answer ({type(error).__name__})", "is Linli running, and the way to it open?")
        return
    if status == 200 and said == query["echostr"]:
        report.ok(f"{address} answers as WeChat wants it: enter this URL in the server settings")
    else:
        report.wrong(f"{address} answers {status}", f"another program, or a Linli with another {named}, is there")
