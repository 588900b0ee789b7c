"""The demo community: loaded into an empty database, and its people's phones in the simulator."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from bot.qrcodes import grid_scene
from domain.community import Loaded, load_community
from domain.service_plans import add_shipped_services
from models.database import transaction
from simulator import Platform


def demo_data() -> dict[str, Any]:
    """The file as written."""
    return tomllib.loads(files("simulator").joinpath("demo_community.toml").read_text(encoding="utf-8"))


def demo_phones() -> dict[str, Any]:
    """The phones the simulator's page shows first, and what the codes on the walls are called."""
    data = demo_data()
    names = {area["code"]: area["name"] for area in data["area"]}
    grids = [area for area in data["area"] if area["level"] == "grid"]
    scenes = {grid_scene(grid["code"]): f"{names[grid['parent']]}{grid['name']}" for grid in grids}
    return {"phones": data["phones"], "scenes": scenes}


async def load_demo(*, simulator: bool) -> Loaded:
    """Add what is missing of the demo community."""
    async with transaction():
        loaded = await load_community(demo_data(), bind_openids=simulator)
        await add_shipped_services()
    return loaded


async def settle_phones(platform: Platform) -> None:
    """Let the demo's people follow the account, once: residents through their grid's code; staff say 待办, as they do
    each morning, which opens their 48 hours for messages."""
    for phone in demo_data()["phones"]:
        if platform.history(phone["openid"]):
            continue
        grid = phone.get("grid")
        await platform.follow(phone["openid"], grid_scene(grid) if grid else None)
        if not grid:
            await platform.send(phone["openid"], "text", text="待办")
