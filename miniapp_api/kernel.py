"""What every endpoint of the API is made of: a function of a `Call` and validated models, mounted by its route.

    routes = Routes("rooms")

    @routes.post("/rooms/{room_id}/messages", rule="room:speak", status=201)
    async def say(call: Call, path: RoomPath, body: NewMessage) -> Message:
        \"\"\"Say something in a room.\"\"\"

Parameters are recognised by name: `path`, `query` and `body` are models, `upload` is a file as it comes in, `request`
is the bare request. The answer's annotation is its model; None means 204. The document is written from the same models.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from domain.people import Person
from domain.tokens import Token
from miniapp_api.addresses import Networks
from miniapp_api.hub import Hub

#: Ids as PostgreSQL has them.
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]

#: Bytes of a JSON body, at most.
MOST_BYTES = 64 * 1024


class Body(BaseModel):
    """Base of every model that comes in or goes out. An unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Page(Body):
    """What a list is asked with. Its answer has `items` and `next`, the cursor of what follows; "" = that was all."""

    cursor: Annotated[str, Field(max_length=500, description="`next` of the page before; empty = from the start")] = ""
    limit: Annotated[int, Field(ge=1, le=100, description="how many at most")] = 20


class Visitor(Protocol):
    """Somebody WeChat has told us of."""

    @property
    def openid(self) -> str: ...
    @property
    def unionid(self) -> str: ...


class Logins(Protocol):
    """What WeChat is asked at sign-in; all raise BadRequest, NotAllowed or Unavailable."""

    async def miniapp_session(self, code: str) -> Visitor: ...
    async def web_visitor(self, code: str) -> Visitor: ...
    async def phone_number(self, code: str) -> str: ...
    def authorize_url(self, page: str, state: str) -> str: ...


class Limiter(Protocol):
    """Counts a request of `who`; raises TooMany, or Unavailable where it may not pass uncounted."""

    def __call__(self, kind: str, who: str) -> Awaitable[None]: ...


FindToken = Callable[[str, datetime], Awaitable[tuple[Person, Token]]]


def sign_with(key: bytes, purpose: str, text: str) -> str:
    """A signature that others cannot make, for this purpose alone: 32 hexadecimal digits."""
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Desk:
    """What `app/` hands in, the same for every request."""

    now: Callable[[], datetime]
    wake: Callable[[], Awaitable[None]]  # called after each write that went well
    find_token: FindToken  # whose token it is; raises NotSignedIn
    limit: Limiter
    away: Callable[[BaseException], bool]  # whether an error means that the same will work soon
    key: bytes  # the installation's own, for signatures
    media: Path
    proxies: Networks
    reopen_within: timedelta
    logins: Logins
    hub: Hub
    public_url: str = ""
    ask_below: float = 0.4  # confidence under which a reporter is asked which kind of matter it is
    pressing_joiners: int = 3  # neighbours who join until a case is pressing

    def sign(self, purpose: str, text: str) -> str:
        """A signature that others cannot make, for this purpose alone: 32 hexadecimal digits."""
        return sign_with(self.key, purpose, text)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who asks, and what it can be answered with."""

    person: Person
    token: Token | None
    now: datetime
    request_id: str
    address: str
    desk: Desk

    @property
    def source(self) -> str:
        """How the audit trail names what carried it."""
        return f"api:{self.request_id}"[:40]

    async def limit(self, kind: str, who: str = "") -> None:
        """Count one more of `kind` (see `limits.LIMITS`), of the caller unless somebody else is named."""
        await self.desk.limit(kind, who or self.person.actor)


@dataclass(frozen=True, slots=True)
class Upload:
    """The one file of a `multipart/form-data` request, to be read in pieces; text fields stand before it."""

    name: str
    content_type: str
    fields: Mapping[str, str]
    pieces: AsyncIterator[bytes]  # raises TooLarge past the route's `most_bytes`


@dataclass(frozen=True, slots=True)
class Proof:
    """How another platform shows who it is: a signature over time and body, as they came."""

    timestamp: str
    signature: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """What a guard found out: whom the audit trail names, who it is, and the body as it came."""

    actor: str
    who: Any
    raw: bytes


Handler = Callable[..., Awaitable[Any]]
#: `await guard(call, path, proof)` gives what the handler gets as `signer`, before the body is looked into.
Guard = Callable[[Any, Any, Proof], Awaitable[Signed]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint, as it is mounted and as the document has it."""

    subject: str
    method: str
    path: str
    rule: str
    status: int
    handler: Handler
    takes: Mapping[str, type[Any]]  # everything that is read of a request, for the handler or its guard
    handed: Sequence[str]  # what of it the handler names
    answers: type[Any] | None
    limits: Sequence[str] = ()
    errors: Sequence[int] = ()
    keyed: bool = True
    network: bool = False
    guard: Guard | None = None
    most_bytes: int = MOST_BYTES
    media_type: str = "application/octet-stream"

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def name(self) -> str:
        """The handler's own, with its subject: rooms_say."""
        return f"{self.subject}_{self.handler.__name__}"


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """The endpoints of one subject; `api.SUBJECTS` lists them all."""

    subject: str
    all: list[Route] = field(default_factory=list)

    def get(self, path: str, *, rule: str, **more: Any) -> Callable[[Handler], Handler]:
        """A route that reads."""
        return self._route("GET", path, rule, **more)

    def post(self, path: str, *, rule: str, **more: Any) -> Callable[[Handler], Handler]:
        """A route that makes or does something. `more`: `status` (200); `limits` counted besides the usual ones;
        `errors`: statuses besides the usual ones; `keyed` = False where an answer must not be kept (it has a secret);
        `network` = True where the handler waits for others, so no transaction may be open around it; `most_bytes`;
        `guard` where another platform signs instead of signing in."""
        return self._route("POST", path, rule, **more)

    def put(self, path: str, *, rule: str, **more: Any) -> Callable[[Handler], Handler]:
        """A route that sets something."""
        return self._route("PUT", path, rule, **more)

    def patch(self, path: str, *, rule: str, **more: Any) -> Callable[[Handler], Handler]:
        """A route that changes parts of something."""
        return self._route("PATCH", path, rule, **more)

    def delete(self, path: str, *, rule: str, **more: Any) -> Callable[[Handler], Handler]:
        """A route that ends something."""
        return self._route("DELETE", path, rule, **more)

    def _route(self, method: str, path: str, rule: str, **more: Any) -> Callable[[Handler], Handler]:
        def mounted(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            answers = hints.pop("return")
            _call, *rest = inspect.signature(handler).parameters
            takes = {name: hints[name] for name in rest}
            if guard := more.get("guard"):
                takes = {"path": get_type_hints(guard)["path"]} | takes
            status = more.pop("status", 204 if answers is type(None) else 200)
            answers = None if answers is type(None) else answers
            self.all.append(Route(self.subject, method, path, rule, status, handler, takes, rest, answers, **more))
            return handler

        return mounted
