"""`linli groups`: groups on other platforms that talk with a grid's room."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

groups = typer.Typer(help="Groups on other platforms (WeCom) that talk with a grid's room.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="its name")]


@groups.command("add")
def add(
    name: Name,
    grid: Annotated[str, typer.Argument(help="code of the grid whose room it talks with")],
    url: Annotated[str, typer.Option(help="the group robot's webhook address; without it, inbound only")] = "",
    platform: Annotated[str, typer.Option(help="wecom, or signed: any that takes our signed JSON")] = "wecom",
) -> None:
    """Connect a group and print the shared key with which its messages are signed."""
    from app.commands_groups import connect_group  # noqa: PLC0415 - each command loads only what it needs
    from domain.groups import GroupPlan  # noqa: PLC0415

    asyncio.run(connect_group(GroupPlan(name, grid, platform, url)))


@groups.command("list")
def list_() -> None:
    """The groups, what waits for each, what was put aside and why."""
    from app.commands_groups import show_groups  # noqa: PLC0415

    asyncio.run(show_groups())


@groups.command("test")
def test(name: Name) -> None:
    """Send a test message into a group and say what its platform answered."""
    from app.commands_groups import try_group  # noqa: PLC0415

    asyncio.run(try_group(name))


@groups.command("stop")
def stop(name: Name) -> None:
    """Send nothing more to a group and let nothing more in."""
    from app.commands_groups import end_group  # noqa: PLC0415

    asyncio.run(end_group(name))
