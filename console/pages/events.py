"""The line over which a page hears that something is new (server-sent events). docs/console.md says what it carries."""

from __future__ import annotations

import random
from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from errors import BadRequest

pages = Pages()

#: What a browser accepts that listens.
EVENTS = "text/event-stream"
_BACK = (2000, 6000)  # milliseconds until a page comes back after a cut: not all in the same moment


class Wanted(Form):
    """What the page shows."""

    of: Annotated[
        list[Annotated[str, Field(pattern=r"^(cases|rooms|bookings|(case|room)-[1-9][0-9]{0,17})$")]],
        Field(min_length=1, max_length=8, title="内容"),
    ]


@pages.get("/events", quiet=True)
async def listen(visit: Visit) -> web.StreamResponse:
    """“Something is new”, as often as it is, for as long as the page is open and the session holds. 204 tells a browser
    to ask no more: the page then goes by its own clock."""
    asks = visit.request.method == "GET" and visit.request.headers.get("Accept") == EVENTS
    if not asks or visit.token is None:
        raise BadRequest("no event stream asked for", say="这个地址是页面自己用的。请从左边的菜单进。")
    wanted, request = visit.query(Wanted), visit.request
    stream = await visit.office.live.enter(visit.staff, visit.token.id, wanted.of, lambda: request.transport is None)
    if stream is None:
        return web.Response(status=204)
    try:
        answer = web.StreamResponse(headers={"Content-Type": EVENTS, "X-Accel-Buffering": "no"})
        await answer.prepare(request)
        await answer.write(f"retry: {random.randint(*_BACK)}\n\n".encode())  # noqa: S311 - spreads a load
        goes_on = True
        while goes_on:
            text, goes_on = await stream.hear()
            await answer.write(text)
    except ConnectionResetError:
        pass  # the page was closed
    finally:
        visit.office.live.leave(stream)
    return answer
