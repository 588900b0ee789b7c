"""`linli rules …`: what staff change about the word lists by which messages are understood."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

rules = typer.Typer(
    help="Words that speak for a category, or against it, beside those Linli ships.", no_args_is_help=True
)

Category = Annotated[
    str, typer.Argument(help="a category's name or code; 其他… stands for the words of a whole domain")
]
Kind = Annotated[
    str, typer.Argument(help="word: speaks for it; needs: one of these must be there; not: rules it out; off")
]
Entry = Annotated[
    str, typer.Argument(help="a word; 路灯..不亮 = both, near each other, in this order; a&b = in any order")
]
Weight = Annotated[float, typer.Option(help="of a word: the shipped lists use 1, 2, 4 and 6")]
Last = Annotated[int, typer.Option(help="how many of the newest cases it is tried on")]
By = Annotated[str, typer.Option(help="staff number (工号) of the district or city post that decided it")]


@rules.command("list")
def rules_list(
    category: Annotated[str, typer.Argument(help="with a category: also the words Linli ships for it")] = "",
) -> None:
    """Print the rules that hold."""
    from app.rules import show_rules  # noqa: PLC0415 - each command loads only what it needs

    asyncio.run(show_rules(category))


@rules.command("preview")
def rules_preview(category: Category, kind: Kind, entry: Entry, weight: Weight = 2.0, last: Last = 500) -> None:
    """Say what a rule would change about the newest cases; write nothing."""
    from app.rules import Change, preview_rule  # noqa: PLC0415

    asyncio.run(preview_rule(Change(category, kind, entry, weight), last))


@rules.command("add")
def rules_add(
    category: Category,
    kind: Kind,
    entry: Entry,
    by: By,
    weight: Weight = 2.0,
    note: Annotated[str, typer.Option(help="why, for the history")] = "",
    last: Last = 500,
) -> None:
    """Show what the rule changes about the newest cases, and add it. Running processes take it up by themselves."""
    from app.rules import Change, put_rule  # noqa: PLC0415

    asyncio.run(put_rule(Change(category, kind, entry, weight), by, note, last))


@rules.command("remove")
def rules_remove(
    rule: Annotated[int, typer.Argument(help="its number, see `linli rules list`")],
    by: By,
    last: Last = 500,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would change, write nothing")] = False,
) -> None:
    """Show what ending a rule changes about the newest cases, and end it."""
    from app.rules import remove_rule  # noqa: PLC0415

    asyncio.run(remove_rule(rule, by, last, dry_run=dry_run))


@rules.command("history")
def rules_history() -> None:
    """Every rule there was: who added it and when, why, and who ended it."""
    from app.rules import show_history  # noqa: PLC0415

    asyncio.run(show_history())
