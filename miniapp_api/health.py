"""`/healthz` (this process lives), `/readyz` (its engines answer), `/metrics` (Prometheus)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[object]]
CHECKS: web.AppKey[Mapping[str, Check]] = web.AppKey("readiness checks", Mapping)

_PATIENCE = 2.0  # seconds an engine may take to answer


async def healthz(_request: web.Request) -> web.Response:
    """The event loop turns."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """503 with the name of what does not answer."""
    results: dict[str, str] = {}
    for name, check in request.app[CHECKS].items():
        try:
            async with asyncio.timeout(_PATIENCE):
                await check()
            results[name] = "ok"
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine is not ready
            results[name] = type(error).__name__
    ready = all(result == "ok" for result in results.values())
    return web.json_response({"status": "ready" if ready else "not ready", **results}, status=200 if ready else 503)


async def metrics(_request: web.Request) -> web.Response:
    """Counters and histograms of this process."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def add_routes(app: web.Application, checks: Mapping[str, Check]) -> None:
    """Mount the three pages."""
    app[CHECKS] = checks
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
