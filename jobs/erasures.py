"""ERASE jobs: the files of somebody who was forgotten leave the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.outbox import Done, Job, sent


class Erasures:
    """The outbox's handler of ERASE jobs. `folder` is the media folder; nothing outside it is touched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Take each file away; one that is gone already is no fault."""
        for job in jobs:
            await asyncio.to_thread(self._remove, job.payload["paths"])
            end(job, sent("erase"))

    def _remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            file = (self._folder / path).resolve()
            if file.is_relative_to(self._folder):
                file.unlink(missing_ok=True)
