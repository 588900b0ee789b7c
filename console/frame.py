"""What every page of the console is made of: who asks, a template, a form with a mark only we can make, one answer for
every error.

    pages = Pages()

    @pages.get("/cases", who=STAFF)
    async def show(visit: Visit) -> web.StreamResponse:
        return visit.render("cases.html", title="事件", cases=await ...)

Forms are sent by htmx where it runs and by the browser where it does not; both get the same answers. A form that fails
keeps what was typed: only the sentence beside its button changes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment
from pydantic import BaseModel, ConfigDict, ValidationError

from console.back_office import BackOffice
from console.live import Live
from domain.administrators import kind_of
from domain.console_login import has_code
from domain.journal import audit
from domain.people import Person, Post
from domain.tokens import Token
from errors import BadRequest, LinliError, NotAllowed, NotSignedIn
from models.enums import AdminKind

Handler = Callable[["Visit"], Awaitable[web.StreamResponse]]
T = TypeVar("T", bound=BaseModel)

#: Where all pages lie below.
ROOT = "/console"
SESSION = "linli_console"
_VISITOR = "linli_visitor"  # before sign-in: what a form's mark is bound to
_SAID = "linli_said"  # a sentence for the next page
_MARK = "mark"
#: Form fields of text, in all.
MOST_TEXT = 64 * 1024


class Limiter(Protocol):
    """Counts a request of `who`; raises TooMany, or Unavailable where it may not pass uncounted."""

    def __call__(self, kind: str, who: str) -> Awaitable[None]: ...


class FindSession(Protocol):
    """Whose session a secret is; raises NotSignedIn. Without `touch` it is no use of it."""

    def __call__(self, secret: str, now: datetime, *, touch: bool) -> Awaitable[tuple[Person, Token]]: ...


class Visitor(Protocol):
    """Somebody WeChat has told us of."""

    @property
    def openid(self) -> str: ...


class Logins(Protocol):
    """WeChat's consent page; both raise BadRequest or Unavailable."""

    async def web_visitor(self, code: str) -> Visitor: ...
    def authorize_url(self, page: str, state: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Office:
    """What `app/` hands in, the same for every request."""

    now: Callable[[], datetime]
    wake: Callable[[], Awaitable[None]]  # called after each write that went well
    find_session: FindSession
    limit: Limiter
    away: Callable[[BaseException], bool]  # whether an error means that the same will work soon
    key: bytes  # the installation's own, for signatures and seals
    logins: Logins
    address_of: Callable[[web.Request], str]  # through the proxies in front
    media: Path  # where photos and recordings lie
    back: BackOffice
    live: Live
    public_url: str = ""
    map_tiles: str = ""  # address of map pictures with {z}, {x}, {y}; "" = drawn from the grids' borders alone
    map_datum: str = "gcj02"  # what these pictures are drawn in
    reopen_within: timedelta = timedelta(days=15)
    pressing_joiners: int = 3  # so many others with the same trouble make a case pressing

    def sign(self, purpose: str, text: str) -> str:
        """A signature that others cannot make, for this purpose alone: 32 hexadecimal digits."""
        return hmac.new(self.key, f"console {purpose}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https."""
        return self.public_url.startswith("https://")


class Form(BaseModel):
    """Base of what a form brings: text without blanks at its ends; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


@dataclass(slots=True)
class Visit:
    """One request of one person."""

    request: web.Request
    office: Office
    now: datetime
    ident: str
    templates: Environment
    person: Person | None = None
    token: Token | None = None
    admin: AdminKind | None = None
    _cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    _visitor: str = ""

    @property
    def post(self) -> Post:
        """Who is signed in. Raises NotSignedIn."""
        if self.person is None or self.person.post is None:
            raise NotSignedIn("console")
        return self.person.post

    @property
    def staff(self) -> Person:
        """The same, as domain functions take them."""
        if self.person is None or self.person.post is None:
            raise NotSignedIn("console")
        return self.person

    @property
    def source(self) -> str:
        """How the audit trail names what carried it."""
        return f"console:{self.ident}"[:40]

    @property
    def by_htmx(self) -> bool:
        """Whether htmx asks, and not the browser for a page."""
        return self.request.headers.get("HX-Request") == "true"

    @property
    def mark(self) -> str:
        """What every form of this session carries, and no other site can know."""
        bound = self.request.cookies.get(SESSION) if self.token else ""
        if not bound:
            bound = self._visitor or self.request.cookies.get(_VISITOR, "") or secrets.token_urlsafe(16)
            self._visitor = bound
            self.set_cookie(_VISITOR, bound)
        return self.office.sign("form", bound)

    def set_cookie(self, name: str, value: str, seconds: int | None = None) -> None:
        """With the answer, for the console alone and out of reach of scripts; `seconds` 0 takes it away."""
        self._cookies[name] = (value, seconds)

    def say_next(self, sentence: str) -> None:
        """A sentence on top of the next page."""
        self.set_cookie(_SAID, f"{self.office.sign('said', sentence)}{sentence.encode().hex()}", 60)

    def said(self) -> str:
        """The sentence that was left for this page, once."""
        given = self.request.cookies.get(_SAID, "")
        if not given:
            return ""
        self.set_cookie(_SAID, "", 0)
        try:
            sentence = bytes.fromhex(given[32:]).decode()
        except ValueError:
            return ""
        return sentence if hmac.compare_digest(given[:32], self.office.sign("said", sentence)) else ""

    def render(self, template: str, status: int = 200, **values: Any) -> web.Response:
        """A page, or a part of one."""
        text = self.templates.get_template(template).render(visit=self, root=ROOT, **values)
        return self.finish(web.Response(text=text, status=status, content_type="text/html", charset="utf-8"))

    def go(self, path: str, sentence: str = "") -> web.Response:
        """On to another page of ours, with a sentence on top of it."""
        if sentence:
            self.say_next(sentence)
        if self.by_htmx:
            return self.finish(web.Response(status=204, headers={"HX-Redirect": f"{ROOT}{path}"}))
        return self.finish(web.Response(status=303, headers={"Location": f"{ROOT}{path}"}))

    def finish(self, answer: web.Response) -> web.Response:
        """Put the cookies on it."""
        for name, (value, seconds) in self._cookies.items():
            answer.set_cookie(
                name,
                value,
                max_age=seconds,
                path=ROOT,
                httponly=True,
                secure=self.office.secure,
                samesite="Lax" if name == SESSION else "Strict",
            )
        return answer

    async def form(self, model: type[T]) -> T:
        """What the form brought. Raises BadRequest with the sentence of the first field that does not fit."""
        given = await self.request.post()
        read: dict[str, Any] = {}
        for name in given:
            values = given.getall(name)
            if name != _MARK and all(isinstance(value, str) for value in values):
                read[name] = values if _many(model, name) else values[-1]
        return _checked(model, read)

    def query(self, model: type[T]) -> T:
        """What stands in the address. Raises BadRequest."""
        given = self.request.query
        return _checked(model, {name: given.getall(name) if _many(model, name) else given[name] for name in given})

    async def check_mark(self) -> None:
        """Raises NotAllowed for a form that did not come from a page of ours, StaleForm for one of another session."""
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = urlsplit(self.request.headers.get("Origin", "")).netloc
        given = await self.request.post()
        if site not in ("same-origin", "none") or (origin and origin != self.request.host):
            raise NotAllowed("form from elsewhere", say=StaleForm.default_say)
        if not hmac.compare_digest(str(given.get(_MARK, "")), self.mark):
            raise StaleForm("form without our mark")


class StaleForm(NotAllowed):
    """A form of a page of ours does not carry the mark of this session."""

    code = "stale_form"
    default_say = "页面放得太久了，请刷新页面再提交一次。"


def _many(model: type[BaseModel], name: str) -> bool:
    """Whether the field takes several values."""
    known = model.model_fields.get(name)
    return known is not None and str(known.annotation).startswith(("list", "typing.List", "tuple"))


def _checked(model: type[T], given: Mapping[str, Any]) -> T:
    if any("\0" in text for value in given.values() for text in ([value] if isinstance(value, str) else value)):
        raise BadRequest("NUL in a form", say="里面有看不见的字符，请删掉重新写。")  # no column of text can hold it
    try:
        return model.model_validate(given)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(fault["loc"][0]) if fault["loc"] else ""
        known = model.model_fields.get(name)
        title = (known.title if known else None) or "有一项"
        raise BadRequest(f"form field {name}: {fault['type']}", say=f"{title}填得不对，请改好再提交。") from None


Who = Callable[[Visit], bool]


def anyone(_visit: Visit) -> bool:
    """No sign-in needed."""
    return True


def staff(visit: Visit) -> bool:
    """Everybody who works with cases: administrators of security and audit have no business with them."""
    return visit.person is not None and visit.admin in (None, AdminKind.SYSTEM)


def signed_in(visit: Visit) -> bool:
    """Everybody who is signed in."""
    return visit.person is not None


def enrolling(visit: Visit) -> bool:
    """Everybody who is signed in, administrators who have no second factor yet among them."""
    return visit.person is not None


class CodeFirst(NotAllowed):
    """An administrator must set up the second factor before anything else."""

    code = "code_first"
    default_say = "管理员要先设置动态码，才能用其他页面。"


def administrator(*kinds: AdminKind) -> Who:
    """These administrators."""
    return lambda visit: visit.admin in kinds


@dataclass(frozen=True, slots=True)
class Page:
    """One address."""

    method: str
    path: str
    who: Who
    handler: Handler
    quiet: bool  # asked for by the page itself, again and again: no sign of life of the person
    files: bool = False  # its form sends files: more than a form of words may


@dataclass(frozen=True, slots=True)
class Pages:
    """The addresses of one subject; `console.app.SUBJECTS` lists them all."""

    all: list[Page] = field(default_factory=list)

    def get(self, path: str, *, who: Who = staff, quiet: bool = False) -> Callable[[Handler], Handler]:
        """A page, or a part of one that is asked for by itself (`quiet`)."""
        return self._at("GET", path, who, quiet)

    def post(self, path: str, *, who: Who = staff, files: bool = False) -> Callable[[Handler], Handler]:
        """What a form does; `files`: it sends some (`console.sent_files`)."""
        return self._at("POST", path, who, quiet=False, files=files)

    def _at(
        self, method: str, path: str, who: Who, quiet: bool, *, files: bool = False
    ) -> Callable[[Handler], Handler]:
        def mounted(handler: Handler) -> Handler:
            self.all.append(Page(method, path, who, handler, quiet, files))
            return handler

        return mounted


async def opened(page: Page, request: web.Request, office: Office, templates: Environment, ident: str) -> Visit:
    """Who asks for this page. Raises NotSignedIn, NotAllowed, TooMany."""
    visit = Visit(request, office, office.now(), ident, templates)
    secret = request.cookies.get(SESSION, "")
    if secret:
        try:
            visit.person, visit.token = await office.find_session(secret, visit.now, touch=not page.quiet)
        except NotSignedIn:
            visit.set_cookie(SESSION, "", 0)
    if visit.person is None:
        await office.limit("address", office.address_of(request))
        if page.who is not anyone:
            raise NotSignedIn("console")
        return visit
    await office.limit("console", visit.post.actor)
    visit.admin = await kind_of(visit.post.id)
    if visit.admin and page.who is not enrolling and not await has_code(visit.post.id):
        raise CodeFirst("administrator without a second factor")
    if not page.who(visit):
        await audit(visit.post.actor, "console:page", None, visit.now, allowed=False, source=visit.source)
        raise NotAllowed("console page", say="这一页不归您的岗位看。要用请找安全管理员。")
    return visit


async def note_refusal(visit: Visit, error: LinliError) -> None:
    """A refused attempt at something leaves a row in the audit trail, as with the API."""
    if visit.person and (tag := error.data.get("tag")):
        about = error.data.get("object_id")
        await audit(visit.person.actor, str(tag)[:40], about, visit.now, allowed=False, source=visit.source)


__all__ = [
    "ROOT",
    "SESSION",
    "AdminKind",
    "CodeFirst",
    "Form",
    "Office",
    "Page",
    "Pages",
    "StaleForm",
    "Visit",
    "administrator",
    "anyone",
    "enrolling",
    "note_refusal",
    "opened",
    "signed_in",
    "staff",
]
