"""`linli run` with its own PostgreSQL and Valkey: Ctrl-C leaves nothing running, and the data stay."""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import free_port
from tests.fault.processes import Process, mentioning, output
from tests.waiting import eventually

CHEN = "o_sim_resident_chen"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the database's own user may reach."""
    with tempfile.TemporaryDirectory(prefix="linli-run-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def said(port: int, text: str) -> str:
    """What 陈阿姨 is answered, over the simulator's page."""
    url = f"http://127.0.0.1:{port}/simulator/api/phones/{CHEN}/text"
    async with aiohttp.ClientSession() as session, session.post(url, json={"text": text}) as response:
        return str((await response.json())["text"])


async def replay(folder: Path, environment: Mapping[str, str]) -> None:
    """`linli replay` finds the server that runs and uses it."""
    rows = folder / "rows.csv"
    rows.write_text("title,body,time\n路灯,路灯不亮,1\n垃圾,东门垃圾没人收,2\n", encoding="utf-8")
    code, printed = await output("replay", str(rows), environment=environment, folder=folder)
    assert code == 0, printed
    assert re.search(r"inbox rows in all .* 6 of 6", printed), printed


async def test_ctrl_c_leaves_no_process_and_the_next_start_has_the_data(folder: Path) -> None:
    port = free_port()
    environment = {"LINLI_HOME": str(folder / "var"), "LINLI_PORT": str(port), "LINLI_SIMULATOR": "1"}
    run = Process("run", environment, folder)
    await run.start()
    assert "看起来您要反映" in await said(port, "3栋2单元楼道灯坏了")
    assert "编号" in await said(port, "1")
    await replay(folder, environment)
    code, seconds = await run.stop(signal.SIGINT)
    assert (code, seconds < 10) == (0, True), run.log.read_text()[-2000:]
    assert "Traceback" not in run.log.read_text()
    assert mentioning(folder) == []

    await run.start()
    assert "楼道" in await said(port, "我的事项")
    await run.kill()  # the engines stay behind
    await run.start()  # and are taken over
    assert "楼道" in await said(port, "我的事项")
    assert (await run.stop(signal.SIGINT))[0] == 0
    await eventually(lambda: mentioning(folder) == [])
