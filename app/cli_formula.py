"""`linli formula …`: the indicators' weights, denominators and limits, version by version."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

formula = typer.Typer(help="Weights, denominators and limits of the indicators, by version.", no_args_is_help=True)

Month = Annotated[str, typer.Option(help="a month, 2026-12; default the present one")]


@formula.command("show")
def formula_show(month: Month = "") -> None:
    """Print what holds for a month, as JSON that `linli formula set` takes back."""
    from app.formulas import show_formula  # noqa: PLC0415 - each command loads only what it needs

    asyncio.run(show_formula(month))


@formula.command("history")
def formula_history() -> None:
    """Every version: since which month, who added it and when, what it changed."""
    from app.formulas import show_history  # noqa: PLC0415

    asyncio.run(show_history())


@formula.command("set")
def formula_set(
    file: Annotated[Path, typer.Argument(help="JSON; what it does not name keeps Linli's default")],
    by: Annotated[str, typer.Option(help="staff number (工号) of the district or city post that decided it")],
    start: Annotated[str, typer.Option("--from", help="first month it holds for, 2026-12")],
    note: Annotated[str, typer.Option(help="why, for the history: 区考核办 2026 年 12 号文")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would change, write nothing")] = False,
) -> None:
    """Add a version; months that were frozen keep the one they were published with."""
    from app.formulas import Plan, set_formula  # noqa: PLC0415

    asyncio.run(set_formula(Plan(file, by, start, note), dry_run=dry_run))
