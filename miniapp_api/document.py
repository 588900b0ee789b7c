"""The API's own description."""

from __future__ import annotations

from aiohttp import web

from miniapp_api.kernel import Call, Routes

routes = Routes("document")

#: The document as text, written once when the application is made.
DOCUMENT: web.AppKey[str] = web.AppKey("the OpenAPI document", str)


@routes.get("/openapi.json", rule="document:read", media_type="application/json")
async def openapi(_call: Call, request: web.Request) -> web.StreamResponse:
    """This document."""
    return web.json_response(text=request.app[DOCUMENT])
