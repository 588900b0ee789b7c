"""Connectors to other platforms and keys of the open interface, as the system administrator keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from domain import api_keys, connectors
from domain.administrators import kind_of
from domain.journal import audit
from domain.people import Post
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import AdminKind
from models.interconnection import ApiKey, Connector

_START_AGAIN = "UPDATE connector SET active = true WHERE name = $1 AND NOT active RETURNING id"


async def connectors_of(by: Post) -> list[dict[str, Any]]:
    """Each platform with what waits, what was put aside, and when something last arrived there. Raises NotAllowed."""
    await check_keeps(by)
    return await connectors.list_connectors()


async def connector_of(by: Post, name: str) -> Connector:
    """One platform. Raises NotAllowed, NotFound."""
    await check_keeps(by)
    with _told():
        return await connectors.find_connector(name)


async def keys_of(by: Post) -> list[ApiKey]:
    """Every key that works. Raises NotAllowed."""
    await check_keeps(by)
    return await api_keys.list_keys()


async def add(
    by: Post, plan: connectors.ConnectorPlan, now: datetime, source: str = "", *, plain_http: bool = False
) -> str:
    """Connect a platform; gives the shared key, to be shown once. Raises NotAllowed, BadRequest, Conflict, NotFound."""
    async with transaction():
        await check_keeps(by)
        with _told():
            secret = await connectors.add_connector(plan, now, plain_http=plain_http)
            made = await connectors.find_connector(plan.name)
        await audit(by.actor, "connector:add", made.id, now, source=source)
    return secret


async def change_mapping(by: Post, name: str, mapping: Mapping[str, Any], now: datetime, source: str = "") -> None:
    """Replace a platform's mapping. Raises NotAllowed, BadRequest, NotFound."""
    async with transaction():
        found = await connector_of(by, name)
        with _told():
            await connectors.change_mapping(name, mapping, now)
        await audit(by.actor, "connector:map", found.id, now, source=source)


async def stop(by: Post, name: str, now: datetime, source: str = "") -> None:
    """Send nothing more and let nothing more in. Raises NotAllowed, NotFound."""
    async with transaction():
        found = await connector_of(by, name)
        await connectors.stop_connector(name, now)
        await audit(by.actor, "connector:stop", found.id, now, source=source)


async def start(by: Post, name: str, now: datetime, source: str = "") -> None:
    """Use a stopped platform again. Raises NotAllowed, NotFound, Conflict."""
    async with transaction():
        found = await connector_of(by, name)
        if not await fetch(_START_AGAIN, name):
            raise Conflict(f"connector {name} is active", say="这个平台本来就在用。")
        await audit(by.actor, "connector:start", found.id, now, source=source)


async def replay(
    by: Post, name: str, period: tuple[datetime, datetime], now: datetime, source: str = "", *, also_sent: bool
) -> int:
    """Send again what left, or should have, within a period; gives how many. Raises NotAllowed, NotFound."""
    async with transaction():
        found = await connector_of(by, name)
        count = await connectors.replay(name, *period, now, also_sent=also_sent)
        await audit(by.actor, "connector:replay", found.id, now, source=source)
    return count


async def add_key(by: Post, name: str, now: datetime, source: str = "", *, may_write: bool) -> str:
    """A key for a client, to be shown once. Raises NotAllowed, Conflict."""
    async with transaction():
        await check_keeps(by)
        with _told():
            key = await api_keys.add_key(name, now, may_write=may_write)
        await audit(by.actor, "key:add", None, now, source=source)
    return key


async def revoke_key(by: Post, name: str, now: datetime, source: str = "") -> None:
    """The client is let in no more. Raises NotAllowed, NotFound."""
    async with transaction():
        await check_keeps(by)
        with _told():
            await api_keys.revoke_key(name, now)
        await audit(by.actor, "key:revoke", None, now, source=source)


async def check_keeps(by: Post) -> None:
    """Raises NotAllowed for whoever is not the system administrator."""
    if await kind_of(by.id) is not AdminKind.SYSTEM:
        raise NotAllowed("connectors", say="对接由系统管理员管理。", tag="connector:read", object_id=None)


@contextmanager
def _told() -> Iterator[None]:
    """What the command line says in English, for people at a desk."""
    try:
        yield
    except Conflict as error:
        raise Conflict(error.detail, say="这个名称已经有了，请换一个，或先停用原来的。") from error
    except NotFound as error:
        raise NotFound(error.detail, say="没有找到，请核对名称、区域编码和工号。") from error
    except BadRequest as error:
        raise BadRequest(error.detail, say=f"填得不对，请改好再提交：{error.detail}") from error
