"""Several processes over one database and one Redis, against a simulated platform that outlives them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import TestServer
from redis import asyncio as aioredis

from app.engines import Engines
from app.settings import Settings
from models.database import database, fetch
from simulator import Platform, SimulatorConfig, create_app
from tests.conftest import free_port
from tests.fault.processes import Process
from tests.reliability.wire import WeChat

APPID, SECRET, TOKEN = "wx1234567890abcdef", "a-secret", "a-token"
AES_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"
TEMPLATE = {
    "id": "tpl_case_progress",
    "fields": {
        "number": "character_string1",
        "subject": "thing2",
        "status": "phrase3",
        "time": "time4",
        "note": "thing5",
    },
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Processes to be started by name, the platform, and WeChat's requests to the web processes in turn."""

    start: Callable[[str], Process]
    platform: Platform
    wechat: WeChat
    urls: list[str]
    environment: dict[str, str]


@pytest.fixture
async def cluster(started_engines: Engines, database_url: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Two addresses for web processes (`web 0`, `web 1`) and any number of workers; everything is killed at the end."""
    redis = aioredis.from_url(started_engines.redis_url)
    await redis.flushall()
    await redis.aclose()
    ports = [free_port(), free_port()]
    callback = f"http://127.0.0.1:{ports[0]}/wechat/callback"
    config = SimulatorConfig(callback, APPID, SECRET, TOKEN, AES_KEY)
    started: list[Process] = []

    async with (
        database(database_url, 8),
        Platform(config) as platform,
        TestServer(create_app(config, platform=platform)) as server,
    ):
        await fetch("UPDATE staff SET capacity = 10000")  # so that every case finds somebody
        environment = {
            "LINLI_HOME": str(tmp_path),
            "LINLI_DATABASE_URL": database_url,
            "LINLI_REDIS_URL": started_engines.redis_url,
            "LINLI_WECHAT_APPID": APPID,
            "LINLI_WECHAT_SECRET": SECRET,
            "LINLI_WECHAT_TOKEN": TOKEN,
            "LINLI_WECHAT_AES_KEY": AES_KEY,
            "LINLI_WECHAT_API_BASE": str(server.make_url("/wechat")),
            "LINLI_WECHAT_TEMPLATE": orjson.dumps(TEMPLATE).decode(),
        }

        def start(name: str) -> Process:
            command, _, number = name.partition(" ")
            port = {"LINLI_PORT": str(ports[int(number or 0)])}
            started.append(Process(command, environment | port, tmp_path))
            return started[-1]

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            settings = Settings(
                wechat_appid=APPID, wechat_secret=SECRET, wechat_token=TOKEN, wechat_aes_key=AES_KEY, _env_file=None
            )
            urls = [f"http://127.0.0.1:{port}" for port in ports]
            yield Cluster(start, platform, WeChat(settings.wechat(), session, *urls), urls, environment)
        for process in started:
            await process.kill()
