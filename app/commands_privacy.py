"""Commands about personal data. What they print is for the person concerned or the auditor: keep it accordingly."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

import orjson
from rich.console import Console
from rich.table import Table

from app.commands_open import opened
from bot.inbox import utc_now
from domain.data_requests import children_in, find_residents, list_forgotten, resident
from domain.erasure import erase
from domain.personal_data import gather
from errors import NotFound, SettingsError

_OUT = Console()
_SOURCE = "cli:privacy"


async def show_found(text: str) -> None:
    """Residents this text belongs to."""
    async with opened():
        found = await find_residents(text)
    table = Table("number", "name", "nickname", "phone", "grid", "cases")
    for one in found:
        table.add_row(str(one.id), one.name, one.nickname, one.phone, one.grid, str(one.cases))
    _OUT.print(table if found else "nobody")


async def show_package(ident: int) -> None:
    """The whole package."""
    async with opened():
        package = await gather(await resident(ident), utc_now(), _SOURCE)
    sys.stdout.buffer.write(orjson.dumps(asdict(package), option=orjson.OPT_INDENT_2) + b"\n")


async def forget_residents(idents: Sequence[int], *, yes: bool, again: bool) -> None:
    """Forget each; all or none is not needed, whoever is done stays done."""
    if not yes:
        raise SettingsError(f"this deletes what is kept of {len(idents)} residents for good: say --yes")
    async with opened():
        for ident in idents:
            try:
                await erase(await resident(ident), utc_now(), _SOURCE, even_open=True)
            except NotFound:
                if not again:
                    raise
    _OUT.print(f"forgotten: {len(idents)}. Files leave the disk with the next round of a worker.")


async def show_forgotten() -> None:
    """One line each: number and time."""
    async with opened():
        for one in await list_forgotten():
            sys.stdout.write(f"{one.id} {one.at.isoformat()}\n")


async def show_children(year: int) -> None:
    """The figures as JSON."""
    async with opened():
        figures = await children_in(year)
    sys.stdout.write(orjson.dumps(asdict(figures), option=orjson.OPT_INDENT_2).decode() + "\n")
