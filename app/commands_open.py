"""Commands about others' programs: keys of the open interface, connectors to other platforms."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from app.engines import engines
from app.logs import configure_logs
from app.settings import Settings, load_settings
from bot.inbox import utc_now
from domain.api_keys import add_key, list_keys, revoke_key
from domain.clock import SHANGHAI
from domain.connectors import (
    ConnectorPlan,
    add_connector,
    change_mapping,
    find_connector,
    list_connectors,
    replay,
    stop_connector,
)
from errors import LinliError, SettingsError
from jobs.webhooks import Webhooks
from models.database import database

_OUT = Console()


@asynccontextmanager
async def opened() -> AsyncIterator[Settings]:
    """The database, open for one command."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            try:
                yield settings
            except LinliError as error:  # its sentence is for people who write to the account
                raise SettingsError(error.detail) from error


async def make_key(name: str, *, read_only: bool) -> None:
    """A new key, printed once."""
    async with opened():
        key = await add_key(name, utc_now(), may_write=not read_only)
    _OUT.print(f"{name}: {key}", soft_wrap=True)
    _OUT.print("Write it down now: only its hash is kept.")


async def show_keys() -> None:
    """Every key that works."""
    async with opened():
        table = Table("name", "may", "made", "last used")
        for row in await list_keys():
            may = "read and file" if row.may_write else "read"
            table.add_row(row.name, may, said(row.created_at), said(row.last_used_at))
        _OUT.print(table)


async def drop_key(name: str) -> None:
    """A key works no more."""
    async with opened():
        await revoke_key(name, utc_now())
    _OUT.print(f"{name}: revoked")


def read_mapping(file: Path | None) -> dict[str, Any]:
    """The mapping of a JSON file. Raises SettingsError."""
    if file is None:
        return {}
    try:
        mapping = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from error
    if not isinstance(mapping, dict):
        raise SettingsError(f"{file} is not a JSON object")
    return mapping


async def connect_platform(plan: ConnectorPlan) -> None:
    """A new connector; its shared key is printed once."""
    async with opened() as settings:
        secret = await add_connector(plan, utc_now(), plain_http=settings.connector_http)
    _OUT.print(f"{plan.name}: {secret}", soft_wrap=True)
    _OUT.print("Give this key to the platform: both sides sign with it (docs/interconnection.md).")


async def show_platforms() -> None:
    """Each connector with what waits and what was put aside."""
    async with opened():
        table = Table("name", "sends to", "area", "post", "waiting", "parked", "last arrived", "last trouble")
        for row in await list_connectors():
            name = row["name"] if row["active"] else f"{row['name']} (stopped)"
            figures = str(row["waiting"]), str(row["parked"]), said(row["sent_at"]), row["error"] or ""
            table.add_row(name, row["url"] or "–", row["area"] or "all", row["staff"] or "–", *figures)
        _OUT.print(table)


async def map_platform(name: str, file: Path) -> None:
    """Another mapping for a connector."""
    async with opened():
        await change_mapping(name, read_mapping(file), utc_now())
    _OUT.print(f"{name}: mapping replaced")


async def stop_platform(name: str) -> None:
    """A connector is used no more."""
    async with opened():
        await stop_connector(name, utc_now())
    _OUT.print(f"{name}: stopped")


async def try_platform(name: str) -> None:
    """Post a signed message without a case. Raises SettingsError with the answer when it is not taken."""
    async with opened() as settings, aiohttp.ClientSession() as session:
        connector = await find_connector(name)
        webhooks = Webhooks(session, now=utc_now, plain_http=settings.connector_http)
        fault = await webhooks.ping(connector.name, connector.url, connector.secret)
    if fault:
        raise SettingsError(fault)
    _OUT.print(f"{name}: took the test message")


async def replay_platform(name: str, start: str, end: str, *, failed_only: bool) -> None:
    """Send again what left between two times."""
    now = utc_now()
    async with opened():
        count = await replay(name, _moment(start), _moment(end) if end else now, now, also_sent=not failed_only)
    _OUT.print(f"{name}: {count} updates will be sent again by the worker")


def _moment(text: str) -> datetime:
    """`2026-11-20`, `2026-11-20T08:00`; without a zone Shanghai time. Raises SettingsError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} must look like 2026-11-20 or 2026-11-20T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def said(moment: datetime | None) -> str:
    """A time as an operator reads it: 2026-11-20 10:00, Shanghai time."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if moment else "–"
