"""The addresses of Open311 GeoReport v2 and mySociety's updates extension, each with `.xml` and `.json`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiohttp import web

from domain import open311
from domain.api_keys import Key, find_key, writing_key
from domain.journal import audit
from domain.open311_filing import file_request, find_token, say_update
from domain.open311_services import Attribute, code_of, define, find_offered, list_services
from domain.second_try import once_more
from errors import Conflict, LinliError
from miniapp_api.addresses import Networks, client_of
from miniapp_api.open311.formats import JSON, XML, answer, refusal
from miniapp_api.open311.reading import (
    Fields,
    no_such_page,
    query_of,
    read_filing,
    read_form,
    read_query,
    read_update,
)

log = structlog.get_logger(__name__)

_FORM = r".{form:xml|json}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was let in: its fields, and the client whose key it came with (None = without one)."""

    request: web.Request
    fields: Fields
    key: Key | None


Page = Callable[[Asked], Awaitable[web.Response]]
Answered = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Open311:
    """What the server needs to know.

    `throttle` counts one request of ("address" or "key", which one) and raises TooMany beyond its limit.
    `public_url` is how the server is reached from outside; "" = as the client asked. `proxies` stand in front of it.
    """

    now: Callable[[], datetime]
    wake: Callable[[], Awaitable[None]]
    reopen_within: timedelta
    throttle: Callable[[str, str], Awaitable[None]]
    public_url: str = ""
    proxies: Networks = ()


class _Pages:
    """One method a resource."""

    def __init__(self, options: Open311) -> None:
        self._options = options

    @property
    def _now(self) -> datetime:
        return self._options.now()

    async def discovery(self, asked: Asked) -> web.Response:
        contact, changeset = await open311.contact()
        base = self._options.public_url.rstrip("/") or f"{asked.request.scheme}://{asked.request.host}"
        endpoint = {
            "specification": "http://wiki.open311.org/GeoReport_v2",
            "url": f"{base}/open311/v2",
            "changeset": changeset or self._now,
            "type": "production",
            "formats": ["text/xml", "application/json"],
        }
        found = {
            "changeset": endpoint["changeset"],
            "contact": contact,
            "key_service": f"{contact}：电话申请，由管理员用 linli apikey add 发放",
            "endpoints": [endpoint],
        }
        return answer(_form(asked.request), "discovery", found)

    async def services(self, asked: Asked) -> web.Response:
        await _jurisdiction(asked.fields)
        return answer(_form(asked.request), "services", [asdict(entry) for entry in await list_services(self._now)])

    async def service(self, asked: Asked) -> web.Response:
        await _jurisdiction(asked.fields)
        code = code_of(find_offered(asked.request.match_info["code"]).code)
        found = {"service_code": code, "attributes": [_attribute(entry) for entry in define(code)]}
        return answer(_form(asked.request), "service_definition", found)

    async def requests(self, asked: Asked) -> web.Response:
        query = read_query(asked.fields)
        await open311.check_jurisdiction(query.jurisdiction)
        found = await open311.list_requests(query, asked.key, self._now)
        return answer(_form(asked.request), "service_requests", [asdict(entry) for entry in found])

    async def request(self, asked: Asked) -> web.Response:
        await _jurisdiction(asked.fields)
        number, jurisdiction = asked.request.match_info["number"], asked.fields.get("jurisdiction_id", "")
        found = await open311.find_request(number, jurisdiction, asked.key)
        return answer(_form(asked.request), "service_requests", [asdict(found)])

    async def file(self, asked: Asked) -> web.Response:
        key = writing_key(asked.key)
        await _jurisdiction(asked.fields)
        filed = asdict(await file_request(key, read_filing(asked.fields), self._now))
        await self._options.wake()
        made = {name: value for name, value in filed.items() if value is not None or name == "account_id"}
        return answer(_form(asked.request), "service_requests", [made], 201)

    async def token(self, asked: Asked) -> web.Response:
        await _jurisdiction(asked.fields)
        token = asked.request.match_info["token"]
        found = {"service_request_id": await find_token(token), "token": token}
        return answer(_form(asked.request), "service_requests", [found])

    async def updates(self, asked: Asked) -> web.Response:
        query = read_query(asked.fields)
        await open311.check_jurisdiction(query.jurisdiction)
        found = await open311.list_updates(query, asked.key, self._now)
        return answer(_form(asked.request), "service_request_updates", [asdict(entry) for entry in found])

    async def update(self, asked: Asked) -> web.Response:
        key = writing_key(asked.key)
        await _jurisdiction(asked.fields)
        made = await say_update(key, read_update(asked.fields), self._now, reopen_within=self._options.reopen_within)
        await self._options.wake()
        return answer(_form(asked.request), "service_request_updates", [{"update_id": made}], 201)

    async def nothing(self, asked: Asked) -> web.Response:
        raise no_such_page()


async def _jurisdiction(fields: Fields) -> None:
    await open311.check_jurisdiction(fields.get("jurisdiction_id", ""))


def _attribute(entry: Attribute) -> dict[str, Any]:
    shown = asdict(entry)
    shown["values"] = [{"key": key, "name": name} for key, name in entry.values]
    if not entry.values:
        del shown["values"]
    return shown


def _form(request: web.Request) -> str:
    return request.match_info.get("form") or (JSON if request.path.endswith(".json") else XML)


async def _admit(request: web.Request, options: Open311) -> Asked:
    """Who asks, and what: counted for the key, or for the address where there is none. What cannot be read and keys
    that do not work count for the address too, so that nobody guesses on. Raises TooMany."""
    address = client_of(request, options.proxies)
    try:
        fields = await read_form(request) if request.method == "POST" else query_of(request)
        key = await find_key(fields.get("api_key", ""), options.now())
    except LinliError:
        await options.throttle("address", address)
        raise
    await options.throttle(*(("key", str(key.id)) if key else ("address", address)))
    return Asked(request, fields, key)


def _told(page: Page, options: Open311) -> Answered:
    """Turns errors into the specification's error bodies, in the form the client asked for; a refused attempt at a
    case, or with a key that may not, is audited."""

    async def answered(request: web.Request) -> web.Response:
        try:
            asked = await _admit(request, options)
            return await once_more(lambda: page(asked))
        except LinliError as error:
            if tag := error.data.get("tag"):
                await audit("open311", str(tag), error.data.get("object_id"), options.now(), allowed=False)
            # The specification knows 400 for what cannot be done; 409 is none of its codes.
            status = 400 if isinstance(error, Conflict) else error.http_status
            if status >= 500:
                log.warning("open311 refused", path=request.path, detail=error.detail)
            refused = refusal(_form(request), status, error.say)
            if "retry_after" in error.data:
                refused.headers["Retry-After"] = str(error.data["retry_after"])
            return refused
        except Exception:
            log.exception("open311 page failed", path=request.path)
            return refusal(_form(request), 500, "the server could not do this now")

    return answered


def add_routes(app: web.Application, options: Open311) -> None:
    """Mount everything below `/open311/v2/`."""
    pages = _Pages(options)
    base = "/open311/v2"
    getters: dict[str, Page] = {
        f"{base}/discovery{_FORM}": pages.discovery,
        f"{base}/services{_FORM}": pages.services,
        rf"{base}/services/{{code:[\w-]+}}{_FORM}": pages.service,
        f"{base}/requests{_FORM}": pages.requests,
        rf"{base}/requests/{{number:[\w-]+}}{_FORM}": pages.request,
        rf"{base}/request/{{number:[\w-]+}}{_FORM}": pages.request,
        rf"{base}/tokens/{{token:\w+}}{_FORM}": pages.token,
        f"{base}/servicerequestupdates{_FORM}": pages.updates,
    }
    for path, page in getters.items():
        app.router.add_get(path, _told(page, options))
    app.router.add_post(f"{base}/requests{_FORM}", _told(pages.file, options))
    app.router.add_post(f"{base}/servicerequestupdates{_FORM}", _told(pages.update, options))
    app.router.add_route("*", rf"{base}/{{rest:.*}}", _told(pages.nothing, options))
