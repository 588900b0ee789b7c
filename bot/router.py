"""Which handler answers a message: middlewares in order, then the first route whose filters all agree.

After aiogram's router: routes are tried in the order they were added, routers included later come later, and
a wrong registration fails at start, not at the first message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from bot.messages import Message, Reply


@dataclass(slots=True)
class Turn:
    """One message and what the bot remembers of the conversation. Handlers change `state` and `data` in
    place."""

    message: Message
    inbox_id: int
    now: datetime
    state: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def go(self, state: str, **data: Any) -> None:
        """Move to another state, forgetting what the last one kept except what is given."""
        self.state = state
        self.data = data


C = TypeVar("C")
Answer = Reply | None
H = TypeVar("H", bound=Callable[..., Awaitable[Reply | None]])
Handler = Callable[[C], Awaitable[Answer]]
Filter = Callable[[C], bool]
Middleware = Callable[[C, Handler[C]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route(Generic[C]):
    """One handler with the filters that must all agree."""

    name: str
    filters: tuple[Filter[C], ...]
    handler: Handler[C]


class Router(Generic[C]):
    """An ordered list of routes over a context of type C."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.routes: list[Route[C]] = []
        self._middlewares: list[Middleware[C]] = []

    def on(self, *filters: Filter[C]) -> Callable[[H], H]:
        """Register a handler; without filters it takes everything, so it must be the last of the last
        router."""

        def register(handler: H) -> H:
            name = f"{self.name}.{handler.__name__}"
            if any(route.name == name for route in self.routes):
                raise ValueError(f"route {name} is registered twice")
            if self.routes and not self.routes[-1].filters:
                raise ValueError(
                    f"route {name} can never be reached: {self.routes[-1].name} before it takes everything"
                )
            for one in filters:
                if not callable(one):
                    raise TypeError(f"filter {one!r} of route {name} is not callable")
            self.routes.append(Route(name, filters, handler))
            return handler

        return register

    def include(self, routers: Sequence[Router[C]]) -> None:
        """Append the routes of other routers, in order."""
        for router in routers:
            if self.routes and not self.routes[-1].filters:
                raise ValueError(f"router {router.name} can never be reached: {self.routes[-1].name} takes everything")
            self.routes.extend(router.routes)

    def wrap(self, middleware: Middleware[C]) -> None:
        """Add a middleware; the first added is the outermost."""
        self._middlewares.append(middleware)

    def find(self, context: C) -> Route[C] | None:
        """The first route whose filters all agree."""
        for route in self.routes:
            for one in route.filters:
                if not one(context):
                    break
            else:
                return route
        return None

    async def handle(self, context: C) -> Answer:
        """Run the middlewares and the matching handler; no match means no reply."""

        async def innermost(inner: C) -> Answer:
            route = self.find(inner)
            return await route.handler(inner) if route else None

        call: Handler[C] = innermost
        for middleware in reversed(self._middlewares):
            call = _bound(middleware, call)
        return await call(context)


def _bound(middleware: Middleware[C], following: Handler[C]) -> Handler[C]:
    async def call(context: C) -> Answer:
        return await middleware(context, following)

    return call
