"""What the account owns on WeChat's side: templates, subscription notices, menu; to compare the settings with.

Asked past the token store, as whoever checks the settings does before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.config import TemplateConfig
from bot.fields import keyword_type
from bot.menu import Button, menu_body
from bot.notice_kinds import KINDS, suiting
from bot.transport import Call, Transport
from errors import WeChatError

_KEYWORD = re.compile(r"\{\{\s*(\w{1,40})\.DATA\s*\}\}")
_DROPPED = ("first", "remark")  # of templates from before 2023: WeChat leaves them out by itself
_NO_MENU = 46003
_SHOWN = ("type", "name", "key", "url", "sub_button")


@dataclass(frozen=True, slots=True)
class AccountTemplate:
    """A template as the account has it: its title, and its keywords in order."""

    title: str
    keywords: Sequence[str]


async def templates(transport: Transport, token: str) -> dict[str, AccountTemplate]:
    """The account's message templates by id. Raises WeChatError, WeChatUnreachable."""
    answer = await transport.json(Call("GET", "cgi-bin/template/get_all_private_template"), token)
    return _listed(answer.get("template_list"), "template_id")


async def subscriptions(transport: Transport, token: str) -> dict[str, AccountTemplate]:
    """The account's subscription notices by id. Raises WeChatError, WeChatUnreachable."""
    answer = await transport.json(Call("GET", "wxaapi/newtmpl/gettemplate"), token)
    return _listed(answer.get("data"), "priTmplId")


def _listed(entries: Any, id_field: str) -> dict[str, AccountTemplate]:
    return {
        str(entry.get(id_field, "")): AccountTemplate(
            str(entry.get("title", "")), tuple(_KEYWORD.findall(str(entry.get("content", ""))))
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping)
    }


def differences(kind: str, ours: TemplateConfig, account: Mapping[str, AccountTemplate]) -> list[str]:
    """What of a template's setting is not as the account has it, a sentence each."""
    theirs = account.get(ours.template_id)
    if theirs is None:
        has = "; ".join(f"{id_} ({one.title})" for id_, one in list(account.items())[:10]) or "none"
        return [f"the account has no template {ours.template_id}; it has {has}"]
    unfilled = [one for one in theirs.keywords if one not in ours.fields.values() and keyword_type(one) not in _DROPPED]
    wrong = [_elsewhere(kind, name, keyword, theirs, unfilled) for name, keyword in ours.fields.items()]
    left = f"{', '.join(unfilled)} of “{theirs.title}” would stay empty: WeChat sends no message with an empty keyword"
    return [fault for fault in wrong if fault] + ([left] if unfilled else [])


def _elsewhere(kind: str, name: str, keyword: str, theirs: AccountTemplate, free: Sequence[str]) -> str:
    """Why a keyword is none of the template's, with the free ones that would do; "" where it is."""
    value = KINDS[kind].get(name)
    if keyword in theirs.keywords or value is None:
        return ""
    fitting = suiting(value, free)
    advice = f"{' or '.join(fitting)} would do" if fitting else "no free one of them holds it, leave the value out"
    return f"{name} → {keyword}: “{theirs.title}” has {', '.join(theirs.keywords)}; {advice}"


async def menu_differs(transport: Transport, token: str, buttons: Sequence[Button]) -> bool:
    """Whether the account's menu is another than ours, or missing. Raises WeChatError, WeChatUnreachable."""
    try:
        answer = await transport.json(Call("GET", "cgi-bin/menu/get"), token)
    except WeChatError as error:
        if error.errcode == _NO_MENU:
            return True
        raise
    menu = answer.get("menu")
    return _bare(menu.get("button") if isinstance(menu, Mapping) else None) != _bare(menu_body(buttons)["button"])


def _bare(buttons: Any) -> list[dict[str, Any]]:
    """Buttons without what WeChat adds (empty lists of sub-buttons, types of those that hold others)."""
    found = []
    for button in buttons if isinstance(buttons, list) else []:
        kept = {name: button[name] for name in _SHOWN if button.get(name)}
        if sub := _bare(button.get("sub_button")):
            kept = {"name": kept.get("name"), "sub_button": sub}
        found.append(kept)
    return found
