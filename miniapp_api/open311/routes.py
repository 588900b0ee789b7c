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
from errors import Conflict, LinliError
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

Page = Callable[[web.Request], Awaitable[web.Response]]
_FORM = r".{form:xml|json}"


@dataclass(frozen=True, slots=True)
class Open311:
    """What the server needs to know. `public_url` is how it is reached from outside; "" = as the client asked."""

    now: Callable[[], datetime]
    wake: Callable[[], Awaitable[None]]
    reopen_within: timedelta
    public_url: str = ""


class _Pages:
    """One method a resource."""

    def __init__(self, options: Open311) -> None:
        self._options = options

    @property
    def _now(self) -> datetime:
        return self._options.now()

    async def discovery(self, request: web.Request) -> web.Response:
        contact, changeset = await open311.contact()
        base = self._options.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
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
        return answer(_form(request), "discovery", found)

    async def services(self, request: web.Request) -> web.Response:
        await _jurisdiction(query_of(request))
        return answer(_form(request), "services", [asdict(entry) for entry in await list_services(self._now)])

    async def service(self, request: web.Request) -> web.Response:
        await _jurisdiction(query_of(request))
        code = code_of(find_offered(request.match_info["code"]).code)
        found = {"service_code": code, "attributes": [_attribute(entry) for entry in define(code)]}
        return answer(_form(request), "service_definition", found)

    async def requests(self, request: web.Request) -> web.Response:
        fields = query_of(request)
        key = await self._reader(fields)
        query = read_query(fields)
        await open311.check_jurisdiction(query.jurisdiction)
        found = await open311.list_requests(query, key, self._now)
        return answer(_form(request), "service_requests", [asdict(entry) for entry in found])

    async def request(self, request: web.Request) -> web.Response:
        fields = query_of(request)
        key = await self._reader(fields)
        await _jurisdiction(fields)
        found = await open311.find_request(request.match_info["number"], fields.get("jurisdiction_id", ""), key)
        return answer(_form(request), "service_requests", [asdict(found)])

    async def file(self, request: web.Request) -> web.Response:
        fields = await read_form(request)
        key = await writing_key(fields.get("api_key", ""), self._now)
        await _jurisdiction(fields)
        filed = asdict(await file_request(key, read_filing(fields), self._now))
        await self._options.wake()
        made = {name: value for name, value in filed.items() if value is not None or name == "account_id"}
        return answer(_form(request), "service_requests", [made], 201)

    async def token(self, request: web.Request) -> web.Response:
        await _jurisdiction(query_of(request))
        token = request.match_info["token"]
        found = {"service_request_id": await find_token(token), "token": token}
        return answer(_form(request), "service_requests", [found])

    async def updates(self, request: web.Request) -> web.Response:
        fields = query_of(request)
        key = await self._reader(fields)
        query = read_query(fields)
        await open311.check_jurisdiction(query.jurisdiction)
        found = await open311.list_updates(query, key, self._now)
        return answer(_form(request), "service_request_updates", [asdict(entry) for entry in found])

    async def update(self, request: web.Request) -> web.Response:
        fields = await read_form(request)
        key = await writing_key(fields.get("api_key", ""), self._now)
        await _jurisdiction(fields)
        made = await say_update(key, read_update(fields), self._now, reopen_within=self._options.reopen_within)
        await self._options.wake()
        return answer(_form(request), "service_request_updates", [{"update_id": made}], 201)

    async def nothing(self, request: web.Request) -> web.Response:
        raise no_such_page()

    async def _reader(self, fields: Fields) -> Key | None:
        return await find_key(fields.get("api_key", ""), self._now)


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


def _told(page: Page, options: Open311) -> Page:
    """Turns errors into the specification's error bodies, in the form the client asked for; a refused attempt at a
    case, or with a key that may not, is audited."""

    async def answered(request: web.Request) -> web.Response:
        try:
            return await page(request)
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
