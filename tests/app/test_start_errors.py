"""A start that cannot work says in one line what to do; nobody sees a traceback."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app.engines import Engines
from tests import warm


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LINLI_DATABASE_URL": "postgresql://x:secret@127.0.0.1:1/linli"}, "check LINLI_DATABASE_URL"),
        ({"LINLI_DATABASE_URL": "postgresql://x:secret@127.0.0.1:abc/linli"}, "the port must be a number"),
        ({"LINLI_DATABASE_URL": "mysql://x:secret@127.0.0.1/linli"}, "must begin with postgresql://"),
        ({"LINLI_REDIS_URL": "foo://bar"}, "LINLI_REDIS_URL must look like redis://"),
        ({"LINLI_PORT": "99999"}, "LINLI_PORT"),
        ({"LINLI_SIMULATOR": ""}, "LINLI_WECHAT_APPID missing"),
        (
            {"LINLI_WECHAT_TEMPLATES": '{"booking": {"id": "t", "fields": {"place": "phrase1"}}}'},
            "LINLI_WECHAT_TEMPLATES booking place → phrase1: it is running text",
        ),
    ],
)
async def test_a_wrong_setting_is_named_with_what_to_do(
    started_engines: Engines, database_url: str, tmp_path: Path, settings: dict[str, str], said: str
):
    environment = told(Engines(database_url, started_engines.redis_url), tmp_path, settings)
    ended = await warm.start(["run"], environment, tmp_path)
    answer = (await ended.communicate()).decode()
    assert ended.returncode == 1
    assert said in answer
    assert "Traceback" not in answer
    assert "secret" not in answer


async def test_a_taken_port_is_named(started_engines: Engines, database_url: str, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = told(Engines(database_url, started_engines.redis_url), tmp_path, {"LINLI_PORT": port})
        ended = await warm.start(["run"], environment, tmp_path)
        answer = (await ended.communicate()).decode()
    assert f"cannot listen on 127.0.0.1:{port}" in answer
    assert "set LINLI_PORT to a free port" in answer
    assert "Traceback" not in answer


def told(started: Engines, home: Path, settings: dict[str, str]) -> dict[str, str]:
    """The environment with these settings, on these engines where they say nothing else."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    defaults = {"LINLI_DATABASE_URL": started.database_url, "LINLI_REDIS_URL": started.redis_url}
    environment = ours | defaults | {"LINLI_HOME": str(home), "LINLI_SIMULATOR": "1"} | settings
    if not environment["LINLI_SIMULATOR"]:
        del environment["LINLI_SIMULATOR"]
    return environment
