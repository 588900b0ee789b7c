"""The model of running processes: read when they start, and again whenever its file changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from domain.background import end
from errors import SettingsError
from nlp import model as models

log = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0
"""Seconds between looks at the model's file."""


class ModelWatch:
    """Adopts the model at `path` as often as the file changes; without a good one the rules go on alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Adopt what is there now. True when something changed."""
        state = self._state()
        if state == self._seen:
            return False
        self._seen = state
        if state is None:
            models.adopt(None)
            log.info("no learned model: the rules work alone")
            return True
        try:
            made = models.read(self._path)
        except SettingsError as wrong:
            models.adopt(None)
            log.warning("learned model not used, the rules work alone", detail=wrong.detail)
            return True
        models.adopt(made)
        log.info("learned model in use", trained=str(made.about.trained), rows=made.about.rows, **made.about.scores)
        return True

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


@asynccontextmanager
async def watched_model(path: Path) -> AsyncIterator[None]:
    """Use the model at `path` for as long as the context lasts, each new one within `LOOK_AGAIN` seconds."""
    watch = ModelWatch(path)
    watch.look()
    task = asyncio.create_task(_keep_looking(watch))
    try:
        yield
    finally:
        await end(task)
        models.adopt(None)


async def _keep_looking(watch: ModelWatch) -> None:
    while True:
        await asyncio.sleep(LOOK_AGAIN)
        await asyncio.to_thread(watch.look)
