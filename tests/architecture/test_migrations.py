"""The migrations are the schema: they match the models, and any number of processes may run them at once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector

from app.engines import Engines
from models.database import DEVELOPMENT, migrate, parse_url
from tests import warm

ROOT = Path(__file__).resolve().parents[2]


def written() -> list[str]:
    """The names of the migrations that ship, in order."""
    return sorted(path.stem for path in (ROOT / "models" / "migrations").glob("[0-9]*.py"))


@pytest.mark.usefixtures("orm")
async def test_makemigrations_would_find_nothing_to_do():
    assert Tortoise.apps
    missing = await MigrationAutodetector(Tortoise.apps, DEVELOPMENT["apps"]).changes()
    assert [(writer.name, writer.operations) for writer in missing] == []


async def test_migrating_an_empty_database_applies_every_migration_and_the_second_time_none(empty_database: str):
    assert await migrate(empty_database) == written()
    assert await migrate(empty_database) == []


async def test_two_processes_that_migrate_at_once_both_succeed_and_one_of_them_applies(
    started_engines: Engines, empty_database: str, tmp_path: Path
):
    own = {
        "LINLI_HOME": str(tmp_path),
        "LINLI_DATABASE_URL": empty_database,
        "LINLI_REDIS_URL": started_engines.redis_url,
    }
    ended = await asyncio.gather(_linli_migrate(own, tmp_path), _linli_migrate(own, tmp_path))

    assert sorted(said.split(":")[0].strip() for _, said in ended) == ["applied", "nothing to migrate"]
    assert [code for code, _ in ended] == [0, 0]
    connection = await asyncpg.connect(**parse_url(empty_database))
    try:
        applied = await connection.fetch("SELECT name FROM tortoise_migrations ORDER BY name")
    finally:
        await connection.close()
    assert [row["name"] for row in applied] == written()


async def _linli_migrate(own: dict[str, str], folder: Path) -> tuple[int | None, str]:
    """`linli migrate` as a process of its own: exit code and what it said."""
    process = await warm.start(["migrate"], os.environ | own | {"PYTHONPATH": str(ROOT)}, folder)
    said = await process.communicate()
    return process.returncode, said.decode()
