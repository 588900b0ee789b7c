"""Running a bench on the session's engines, as outside tools do."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.engines import Engines
from tests import warm

Printed = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def printed(started_engines: Engines, tmp_path: Path) -> Printed:
    """`await printed("cases", "--cases", "2000")`: the object on the last line, which has the promised four parts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    own = {
        "PYTHONPATH": str(warm.ROOT),
        "LINLI_DATABASE_URL": started_engines.database_url,
        "LINLI_REDIS_URL": started_engines.redis_url,
    }

    async def run(name: str, *options: str) -> dict[str, Any]:
        with (tmp_path / "errors").open("wb") as errors:
            process = await warm.start(
                ["bench", name, "--json", *options], clean | own, tmp_path, errors=errors.fileno()
            )
            said = await process.communicate()
        assert process.returncode == 0, (tmp_path / "errors").read_text()
        result: dict[str, Any] = orjson.loads(said.splitlines()[-1])
        assert result.keys() == {"bench", "figures", "peers", "ratios"}
        assert result["bench"] == name
        return result

    return run
