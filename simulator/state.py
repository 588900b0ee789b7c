"""The state file: written whole, atomically, some time after the last change and at the end."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

log = logging.getLogger(__name__)

DEBOUNCE: Final = 2.0
"""Seconds between a change and the write that keeps it; changes meanwhile share the write."""


class StateFile:
    """One JSON file. With no path it keeps nothing and costs nothing."""

    def __init__(self, path: Path | None, collect: Callable[[], dict[str, Any]]) -> None:
        self._path = path
        self._collect = collect
        self._writer: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._dirty = False

    def load(self) -> dict[str, Any]:
        """What was kept. A file that cannot be read is set aside: a simulator must start in any case."""
        if self._path is None or not self._path.is_file():
            return {}
        try:
            stored = orjson.loads(self._path.read_bytes())
        except orjson.JSONDecodeError:
            self.set_aside()
            return {}
        return stored if isinstance(stored, dict) else {}

    def set_aside(self) -> None:
        """Keep a file that cannot be used under another name, for whoever wants to know why."""
        if self._path is not None:
            self._path.replace(self._path.with_suffix(".broken"))

    def changed(self) -> None:
        """Something is to be kept; returns at once."""
        self._dirty = True
        if self._path is not None and self._writer is None:
            self._writer = asyncio.create_task(self._write_later(self._path), name="simulator-state")

    async def close(self) -> None:
        """Write what is still unwritten."""
        self._hurry.set()
        if self._writer is not None:
            await self._writer

    async def _write_later(self, path: Path) -> None:
        while self._dirty:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DEBOUNCE):
                    await self._hurry.wait()
            self._dirty = False
            # Collected on the event loop (consistent), written in a thread (a disk may be slow).
            content = orjson.dumps(self._collect())
            try:
                await asyncio.to_thread(_replace, path, content)
            except OSError as error:
                log.warning("the simulator's state was not kept: %s", error)
        self._writer = None


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
