"""`linli` as an operator runs it: a process with its own environment, in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import warm

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command said on both channels, and its exit code."""

    code: int
    said: str


Linli = Callable[..., Awaitable[Ended]]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """What the developer has in their shell or in a .env file is no part of a test."""
    for name in [name for name in os.environ if name.upper().startswith("LINLI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every OS user may enter, as the embedded PostgreSQL needs it."""
    with TemporaryDirectory(prefix="linli-app-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def linli(folder: Path) -> Linli:
    """Run one command to its end with these settings: `await linli("doctor", port=8081)`."""

    async def run(*words: str, **settings: object) -> Ended:
        process = await warm.start(words, os.environ | environment(**settings), folder)
        said = await process.communicate()
        return Ended(process.returncode or 0, said.decode())

    return run


def environment(**settings: object) -> dict[str, str]:
    """The variables of a process that finds our code and has these settings."""
    return {"PYTHONPATH": str(ROOT)} | {f"LINLI_{name.upper()}": str(value) for name, value in settings.items()}
