"""Commands about groups on other platforms."""

from __future__ import annotations

import aiohttp
from rich.console import Console
from rich.table import Table

from app.commands_open import opened, said
from bot.inbox import utc_now
from domain.groups import GroupPlan, add_group, find_group, list_groups, stop_group
from errors import SettingsError
from jobs.groups import Groups

_OUT = Console()


async def connect_group(plan: GroupPlan) -> None:
    """A new group; its shared key is printed once."""
    async with opened() as settings:
        secret = await add_group(plan, utc_now(), plain_http=settings.connector_http)
        where = f"{settings.reached_at}/api/v1/groups/{plan.name}/messages"
    _OUT.print(f"{plan.name}: {secret}", soft_wrap=True)
    _OUT.print(f"Messages of the group come in at {where}, signed with this key (docs/rooms.md).", soft_wrap=True)


async def show_groups() -> None:
    """Each group with what waits and what was put aside."""
    async with opened():
        table = Table(
            "name", "platform", "grid", "sends to", "waiting", "parked", "last out", "last in", "last trouble"
        )
        for row in await list_groups():
            name = row["name"] if row["active"] else f"{row['name']} (stopped)"
            times = said(row["sent_at"]), said(row["heard_at"])
            counts = str(row["waiting"]), str(row["parked"])
            where = row["url"].split("?")[0] or "–"  # a robot's key is a password
            table.add_row(name, row["platform"], row["grid"], where, *counts, *times, row["error"] or "")
        _OUT.print(table)


async def try_group(name: str) -> None:
    """Send a test message. Raises SettingsError with the answer when it is not taken."""
    async with opened() as settings, aiohttp.ClientSession() as session:
        link = await find_group(name)
        sender = Groups(session, now=utc_now, plain_http=settings.connector_http)
        fault = await sender.test(link.name, link.url, link.secret, link.platform)
    if fault:
        raise SettingsError(fault)
    _OUT.print(f"{name}: took the test message")


async def end_group(name: str) -> None:
    """A group is used no more."""
    async with opened():
        await stop_group(name, utc_now())
    _OUT.print(f"{name}: stopped")
