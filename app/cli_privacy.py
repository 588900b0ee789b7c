"""`linli privacy …`: requests about personal data by letter or at the counter; the yearly account of children."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

privacy = typer.Typer(
    help="Personal data: find, export, forget; the yearly account of children's.", no_args_is_help=True
)

Ident = Annotated[int, typer.Argument(help="the resident's number, see `linli privacy find`")]


@privacy.command()
def find(text: Annotated[str, typer.Argument(help="telephone, name, nickname, WeChat id or case number")]) -> None:
    """Whom a request is about."""
    from app.commands_privacy import show_found  # noqa: PLC0415 - each command loads only what it needs

    asyncio.run(show_found(text))


@privacy.command()
def export(ident: Ident) -> None:
    """Everything kept about somebody, as JSON."""
    from app.commands_privacy import show_package  # noqa: PLC0415

    asyncio.run(show_package(ident))


@privacy.command()
def forget(
    idents: Annotated[list[int], typer.Argument(help="numbers of residents")],
    yes: Annotated[bool, typer.Option("--yes", help="do it: it cannot be undone")] = False,
    again: Annotated[bool, typer.Option("--again", help="after a restore: who is gone already is no fault")] = False,
) -> None:
    """Delete everything by which they could be known, at their request."""
    from app.commands_privacy import forget_residents  # noqa: PLC0415

    asyncio.run(forget_residents(idents, yes=yes, again=again))


@privacy.command()
def forgotten() -> None:
    """Numbers of those who were forgotten: keep the list beside the backups, and forget them again after a restore."""
    from app.commands_privacy import show_forgotten  # noqa: PLC0415

    asyncio.run(show_forgotten())


@privacy.command()
def children(year: Annotated[int, typer.Argument(help="2026", min=2020, max=2100)]) -> None:
    """Figures for the yearly compliance audit of minors' data, as JSON."""
    from app.commands_privacy import show_children  # noqa: PLC0415

    asyncio.run(show_children(year))
