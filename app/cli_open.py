"""`linli apikey …` and `linli connector …`: groups of commands about others' programs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

apikey = typer.Typer(help="Keys of the open interface (Open311).", no_args_is_help=True)
connector = typer.Typer(help="Connectors to street, district and 12345 platforms.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="its name")]


@apikey.command("add")
def apikey_add(
    name: Name, read_only: Annotated[bool, typer.Option("--read-only", help="may read, not file")] = False
) -> None:
    """Make a key for a client and print it once."""
    from app.commands_open import make_key  # noqa: PLC0415 - each command loads only what it needs

    asyncio.run(make_key(name, read_only=read_only))


@apikey.command("list")
def apikey_list() -> None:
    """The keys that work, and when each was last used."""
    from app.commands_open import show_keys  # noqa: PLC0415

    asyncio.run(show_keys())


@apikey.command("revoke")
def apikey_revoke(name: Name) -> None:
    """Let a client in no more."""
    from app.commands_open import drop_key  # noqa: PLC0415

    asyncio.run(drop_key(name))


@connector.command("add")
def connector_add(
    name: Name,
    url: Annotated[str, typer.Option(help="where signed updates are posted; without it, inbound only")] = "",
    area: Annotated[str, typer.Option(help="code of the area whose cases it concerns; without it, all")] = "",
    staff: Annotated[str, typer.Option(help="staff number of the post the platform fills")] = "",
    mapping: Annotated[Path | None, typer.Option(help="JSON file: categories, statuses, orders, actions")] = None,
) -> None:
    """Connect a platform and print the shared key."""
    from app.commands_open import connect_platform, read_mapping  # noqa: PLC0415
    from domain.connectors import ConnectorPlan  # noqa: PLC0415

    asyncio.run(connect_platform(ConnectorPlan(name, url, area, staff, read_mapping(mapping))))


@connector.command("list")
def connector_list() -> None:
    """The platforms, what waits for each, what was put aside and why."""
    from app.commands_open import show_platforms  # noqa: PLC0415

    asyncio.run(show_platforms())


@connector.command("map")
def connector_map(name: Name, file: Annotated[Path, typer.Argument(help="JSON file")]) -> None:
    """Replace a platform's mapping of categories, statuses and actions."""
    from app.commands_open import map_platform  # noqa: PLC0415

    asyncio.run(map_platform(name, file))


@connector.command("test")
def connector_test(name: Name) -> None:
    """Post a signed test message and say what the platform answered."""
    from app.commands_open import try_platform  # noqa: PLC0415

    asyncio.run(try_platform(name))


@connector.command("replay")
def connector_replay(
    name: Name,
    start: Annotated[str, typer.Option("--from", help="2026-11-20 or 2026-11-20T08:00, Shanghai time")],
    end: Annotated[str, typer.Option("--to", help="the same; without it, now")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="only what never arrived")] = False,
) -> None:
    """Send again what left between two times, in its order and under its old ids."""
    from app.commands_open import replay_platform  # noqa: PLC0415

    asyncio.run(replay_platform(name, start, end, failed_only=failed))


@connector.command("stop")
def connector_stop(name: Name) -> None:
    """Send nothing more to a platform and let nothing more in."""
    from app.commands_open import stop_platform  # noqa: PLC0415

    asyncio.run(stop_platform(name))
