"""Opening the database, and bringing it to the present form.

`execute_query` of the ORM gives back no rows for statements that begin with INSERT, UPDATE or DELETE; `fetch` does.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
import orjson
from tortoise import Tortoise, connections
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient

from errors import SettingsError
from models.migrating import run_migrations

T = TypeVar("T")

# Any number; the same for every process of one database, so that two that start together migrate one after the other.
_MIGRATION_LOCK = 0x6C696E6C69


# A process that was frozen or cut off in the middle of a transaction keeps its locks no longer than this: ours wait for
# nothing but the database.
_STANDSTILL = "5s"


def parse_url(url: str) -> dict[str, Any]:
    """Turn `postgresql://user:password@host:port/name?host=/socket/folder` into asyncpg's arguments."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise SettingsError(f"LINLI_DATABASE_URL must begin with postgresql://, is {parts.scheme or 'empty'}://…")
    query = dict(parse_qsl(parts.query))
    try:
        port = int(query.get("port") or parts.port or 5432)
    except ValueError:
        raise SettingsError(
            "LINLI_DATABASE_URL: the port must be a number, as in postgresql://…@host:5432/linli"
        ) from None
    return {
        "host": query.get("host") or parts.hostname or "localhost",
        "port": port,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.lstrip("/") or "linli",
    }


def orm_config(url: str, pool: int = 16) -> dict[str, Any]:
    """Tortoise's configuration for one PostgreSQL; `pool` is the most connections this process opens."""
    credentials = parse_url(url) | {
        "minsize": 1,
        "maxsize": pool,
        "application_name": "linli",
        "server_settings": {"idle_in_transaction_session_timeout": _STANDSTILL},
        "reset": _nothing_to_reset,
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {"linli": {"models": ["models"], "migrations": "models.migrations", "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    """Saves a round trip each time a connection goes back to the pool: asyncpg would undo SET, LISTEN, cursors and
    session locks there. None of them may be used over the pool; an open transaction is still rolled back."""


@asynccontextmanager
async def database(url: str, pool: int = 16) -> AsyncIterator[None]:
    """Open the ORM for the life of the context. Raises SettingsError when the database cannot be reached."""
    try:
        await (await _connect(parse_url(url))).close()
    except asyncpg.InvalidCatalogNameError as error:
        raise SettingsError(f"{error}: run `linli migrate` first") from error
    opened = await Tortoise.init(config=orm_config(url, pool), _enable_global_fallback=True)
    try:
        yield
    finally:
        await opened.close_connections()  # and is no longer what other tasks fall back to


def connection() -> BaseDBAsyncClient:
    """The connection of the running transaction, or the pool."""
    current: BaseDBAsyncClient = connections.get("default")
    return current


# The raw connection of the running transaction. `fetch` goes to it straight: the ORM's way there costs as much as the
# driver's whole work.
_running: ContextVar[asyncpg.Connection | None] = ContextVar("connection of the running transaction", default=None)


# What is to be done once the running transaction has committed.
_afterwards: ContextVar[list[Callable[[], None]] | None] = ContextVar("to do after the commit", default=None)


def after_commit(call: Callable[[], None]) -> None:
    """Do this once the running transaction has committed, or now where there is none; never when it is rolled back.
    For wake-ups alone: the process may die before it is done."""
    waiting = _afterwards.get()
    if waiting is None:
        call()
    else:
        waiting.append(call)


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """Everything inside commits together. Inside another transaction it joins that one, without a savepoint.

    The ORM's own `in_transaction` keeps the pool's connection for ever when BEGIN fails or is cancelled (Tortoise 1.1):
    after a restart of PostgreSQL the pool would run dry. So BEGIN is the driver's, and the ORM is told the connection.
    """
    if _running.get() is not None:
        yield
        return
    outside = connection()
    calls: list[Callable[[], None]] = []
    async with outside.acquire_connection() as pooled, pooled.transaction():
        inside = TransactionWrapper(cast("AsyncpgDBClient", outside))
        inside._connection = pooled  # noqa: SLF001 - as its own context does
        told = connections.set("default", inside)
        token, waiting = _running.set(pooled), _afterwards.set(calls)
        try:
            yield
        finally:
            _afterwards.reset(waiting)
            _running.reset(token)
            connections.reset(told)
    _note_commit()
    for call in calls:
        call()


#: What the driver raises when the connection, not the statement, is at fault.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # closed for maintenance
    asyncpg.IdleInTransactionSessionTimeoutError,  # we stood still for too long
    OSError,  # nobody listens, or no answer in time
)


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database is gone for the moment, and the same may work soon."""
    return isinstance(error, _AWAY) or isinstance(error.__cause__, _AWAY)


#: What the driver raises when PostgreSQL broke off a transaction in favour of another: nothing of it is left.
_COLLIDED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)


# A row that was looked for just before is gone, or there, by now: somebody was faster. Looked at again, all is clear.
_OVERTAKEN = (asyncpg.ForeignKeyViolationError, asyncpg.UniqueViolationError)


def is_passing(error: BaseException) -> bool:
    """Whether nothing is wrong with what was asked: the same will work soon."""
    return is_away(error) or isinstance(error, _COLLIDED)


# What the running unit of work has committed; None outside of `once_more`.
_committed: ContextVar[set[bool] | None] = ContextVar("what this unit of work has committed", default=None)

# A statement that writes. Words alone: one that only looks like it costs the second try, no more.
_WRITES = re.compile(r"\b(insert|update|delete)\b", re.IGNORECASE)


# Seconds before it is tried again. At once it would meet the same other, who has not had its turn yet.
_PAUSES = (0.05, 0.2, 0.5)


async def once_more(work: Callable[[], Awaitable[T]]) -> T:
    """Do a unit of work; where PostgreSQL breaks it off in favour of another (a deadlock, a row that this other made or
    took away), do it again from its beginning: nobody notices. Not when a part of it was committed before, which would
    be done twice, nor inside a transaction, which is lost as a whole: that is for whoever began it. Whatever else the
    work does outside the database it must be able to do again."""
    if _running.get() is not None:
        return await work()
    done: set[bool] = set()
    token = _committed.set(done)
    try:
        for pause in _PAUSES:
            try:
                return await work()
            except (*_COLLIDED, *_OVERTAKEN):
                if done:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that two part
        return await work()
    finally:
        _committed.reset(token)


def _note_commit() -> None:
    done = _committed.get()
    if done is not None:
        done.add(True)


async def fetch(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Run one statement inside the running transaction (if any) and give its rows."""
    running = _running.get()
    if running is not None:
        return [dict(row) for row in await running.fetch(sql, *values)]
    async with connection().acquire_connection() as pooled:
        rows = [dict(row) for row in await pooled.fetch(sql, *values)]
    if _committed.get() is not None and _WRITES.search(sql):
        _note_commit()
    return rows


def to_json(value: Any) -> str:
    """JSON text for a jsonb argument."""
    return orjson.dumps(value).decode()


def from_json(value: Any) -> Any:
    """A jsonb column as the driver gives it (text), decoded."""
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


async def migrate(url: str) -> list[str]:
    """Create the database if it is missing, run what migrations it lacks, one process at a time; give their names."""
    await _create_database(url)
    gate = await _connect(parse_url(url))
    try:
        await gate.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        before = await _applied(gate)
        await run_migrations(orm_config(url, pool=2))
        await connections.close_all()
        return sorted(await _applied(gate) - before)
    finally:
        await gate.close()  # ends the session, and with it the lock


async def _applied(gate: asyncpg.Connection) -> set[str]:
    if await gate.fetchval("SELECT to_regclass('tortoise_migrations')") is None:
        return set()
    return {cast("str", row["name"]) for row in await gate.fetch("SELECT name FROM tortoise_migrations")}


async def _connect(target: dict[str, Any]) -> asyncpg.Connection:
    """A connection of its own; what cannot be reached is named, without its password."""
    try:
        return await asyncpg.connect(**target, timeout=10)
    except asyncpg.InvalidCatalogNameError:
        raise  # the callers know what to do about a missing database
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        where = f"{target['host']}:{target['port']}"
        raise SettingsError(f"PostgreSQL at {where} does not let us in ({error}): check LINLI_DATABASE_URL") from error


async def _create_database(url: str) -> None:
    target = parse_url(url)
    try:
        probe = await _connect(target)
    except asyncpg.InvalidCatalogNameError:
        admin = await _connect(target | {"database": "postgres"})
        try:
            name = json.dumps(target["database"])  # a quoted identifier: the name comes from the operator's own setting
            await admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            return  # another process was faster; the second error is what a tie in the catalogue gives
        finally:
            await admin.close()
    else:
        await probe.close()


#: For `tortoise makemigrations` (see CONTRIBUTING.md), which reads the models and never connects.
DEVELOPMENT = orm_config("postgresql://postgres@localhost/linli")
