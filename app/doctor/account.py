"""Are the templates in the settings those that the account has, keyword by keyword, and is its menu ours?"""

from __future__ import annotations

import aiohttp

from app.doctor.report import Report
from app.settings import TEMPLATE_SETTINGS, Settings
from app.template_settings import setting_name
from bot.account import differences, menu_differs, subscriptions, templates
from bot.menu import DEFAULT_MENU
from bot.transport import Transport
from errors import LinliError, WeChatError

#: The account's own answer to each setting of templates, by the page where the operator finds it.
_LISTS = {
    "LINLI_WECHAT_TEMPLATE": (templates, "模板消息"),
    "LINLI_WECHAT_SUBSCRIPTION": (subscriptions, "订阅通知"),
}


async def check_account(settings: Settings, token: str, report: Report) -> None:
    """Compare with what WeChat says the account has."""
    async with aiohttp.ClientSession() as session:
        transport = Transport(settings.wechat().api_base, session)
        for name in _LISTS:
            await _templates(settings, name, transport, token, report)
        try:
            differs = await menu_differs(transport, token, DEFAULT_MENU)
        except LinliError as error:
            report.note(f"the account's menu was not read ({error.detail})")
        else:
            if differs:
                report.note("the account's menu is not Linli's", "`linli account` puts it there")
            else:
                report.ok("the account's menu is Linli's")


async def _templates(settings: Settings, name: str, transport: Transport, token: str, report: Report) -> None:
    ours = TEMPLATE_SETTINGS[name](settings)
    if not ours:
        return
    listed, page = _LISTS[name]
    try:
        account = await listed(transport, token)
    except WeChatError as error:
        report.note(f"{name}: the account's {page} were not read ({error.errcode} {error.errmsg})", "is it allowed to?")
        return
    except LinliError as error:
        report.note(f"{name}: the account's {page} were not read ({error.detail})")
        return
    for kind, template in ours.items():
        if faults := differences(kind, template, account):
            report.wrong(
                f"{setting_name(name, kind)}: {'; '.join(faults)}", f"compare with mp.weixin.qq.com, {page}, 详情"
            )
        else:
            report.ok(f"{setting_name(name, kind)}: the account has it, with these keywords")
