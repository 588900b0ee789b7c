"""All of `/api/v1`: every subject's routes, mounted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from aiohttp import web

from miniapp_api import (
    activities,
    applications,
    badges,
    bookings,
    broadcasts,
    cases,
    casework,
    connectors,
    consents,
    document,
    files,
    follow_ups,
    groups,
    households,
    me,
    moderation,
    openapi,
    personal_data,
    quotas,
    reach,
    room_cases,
    rooms,
    services,
    sign_in,
    socket,
    surveys,
    tasks,
    volunteers,
)
from miniapp_api.answers import framed
from miniapp_api.endpoint import endpoint
from miniapp_api.kernel import Desk, Route, Routes

#: Every subject of the API, in the order of the document. A new module of routes is listed here.
SUBJECTS: tuple[Routes, ...] = (
    document.routes,
    sign_in.routes,
    me.routes,
    consents.routes,
    personal_data.routes,
    files.routes,
    cases.routes,
    tasks.routes,
    casework.routes,
    services.routes,
    applications.routes,
    bookings.routes,
    surveys.routes,
    follow_ups.routes,
    activities.routes,
    volunteers.routes,
    rooms.routes,
    room_cases.routes,
    reach.routes,
    quotas.routes,
    households.routes,
    broadcasts.routes,
    badges.routes,
    moderation.routes,
    socket.routes,
    connectors.routes,
    groups.routes,
)


def create_api(desk: Desk, subjects: Sequence[Routes] = SUBJECTS) -> web.Application:
    """The application to be mounted at `/api/v1`."""
    app = web.Application(middlewares=[framed(desk.away)])
    app[document.DOCUMENT] = _document(tuple(subjects), desk.public_url)
    for route in all_routes(subjects):
        app.router.add_route(route.method, route.path, endpoint(route, desk))
    return app


def _document(subjects: tuple[Routes, ...], url: str) -> str:
    return orjson.dumps(_described(subjects) | {"servers": openapi.servers(url)}).decode()


@lru_cache(maxsize=32)
def _described(subjects: tuple[Routes, ...]) -> dict[str, Any]:
    return openapi.document(all_routes(subjects))


def all_routes(subjects: Sequence[Routes] = SUBJECTS) -> list[Route]:
    """Every route of every subject."""
    return [route for subject in subjects for route in subject.all]
