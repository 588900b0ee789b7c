"""Real processes of Linli that a test starts, kills and stops, and the platform they talk to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import warm


class Process:
    """One `linli` command; `run` starts from nothing, the others warm. Its log is kept for the failure report."""

    def __init__(self, command: str, environment: Mapping[str, str], folder: Path) -> None:
        self._command, self._environment, self._folder = command, environment, folder
        self._process: asyncio.subprocess.Process | warm.Forked | None = None
        self.log = folder / f"{command}-{id(self):x}.log"

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        with self.log.open("ab") as log:
            if self._command == "run":
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "app.cli",
                    self._command,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    cwd=self._folder,
                    env=_environment(self._environment),
                    start_new_session=True,  # a group of its own, which gets Ctrl-C as in a terminal
                )
            else:
                environment = _environment(self._environment)
                self._process = await warm.start([self._command], environment, self._folder, log.fileno())
        assert self._process.stdout
        async with asyncio.timeout(120):
            line = await self._process.stdout.readline()
        assert b"ready" in line, (line, self.log.read_text(errors="replace")[-3000:])

    async def kill(self) -> None:
        """kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self, with_: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; gives its exit code and the seconds it took."""
        clock = asyncio.get_running_loop().time
        started = clock()
        return await self._end(with_), clock() - started

    def interrupt(self) -> None:
        """Send SIGTERM and do not wait."""
        os.kill(self.pid, signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code, once it has one."""
        assert self._process
        async with asyncio.timeout(60):
            return await self._process.wait()

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None or self._process.returncode is not None:
            return 0
        if number == signal.SIGINT:
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)
        return await self.ended()


async def output(*words: str, environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run a `linli` command to its end; gives its exit code and everything it printed."""
    process = await warm.start(words, _environment(environment), folder)
    printed = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, printed.decode()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """These settings, without those of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    return kept | {"PYTHONPATH": str(warm.ROOT)} | dict(settings)


def mentioning(folder: Path) -> list[str]:
    """The command lines of all processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            here = (entry / "cwd").readlink()
        except OSError:
            continue  # it ended while we looked
        if str(folder) in words or str(here).startswith(str(folder)):
            found.append(words)
    return found
