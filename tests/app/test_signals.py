"""Who waits for the line that says ready may end the process at once, and it ends in good order."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

from app.engines import Engines
from tests import warm
from tests.app.test_start_errors import told
from tests.waiting import eventually


async def test_sigterm_is_heeded_before_anybody_reads_that_a_process_is_ready(
    started_engines: Engines, database_url: str, tmp_path: Path
):
    environment = told(Engines(database_url, started_engines.redis_url), tmp_path, {})
    reading, writing = os.pipe()
    _fill(writing)  # nothing more can be said: whoever says that it is ready stands still until somebody reads
    with (tmp_path / "log").open("wb") as log:
        worker = await warm.start(["worker"], environment, tmp_path, log.fileno(), writing)
    os.close(writing)
    try:
        await eventually(lambda: _heeds(worker.pid, signal.SIGTERM))
        os.kill(worker.pid, signal.SIGTERM)
        assert b"ready" in await asyncio.to_thread(_read_all, reading)
        assert await worker.wait() == 0
    finally:
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)


def _fill(writing: int) -> None:
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1 << 12))
    os.set_blocking(writing, True)


def _heeds(pid: int, number: int) -> bool:
    """Whether the process does something of its own when the signal comes."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return bool(caught and int(caught[1], 16) >> (number - 1) & 1)


def _read_all(reading: int) -> bytes:
    with os.fdopen(reading, "rb") as pipe:
        return pipe.read()
