"""Clients not written here read and file reports, and the answers have the shapes published for GeoReport v2."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from civicbot.http import HttpTransport, RateLimiter
from civicbot.open311 import Open311Client
from civicbot.registry import Endpoint
from georeport import GeoReport
from jsonschema import Draft4Validator, FormatChecker

from domain.api_keys import add_key
from models.cases import Case
from models.enums import Source
from tests.town import Town

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_TIME = {"type": ["string", "null"], "format": "date-time"}
_NUMBER = {"type": ["number", "null"]}


def _array_of(required: str, properties: dict[str, Any]) -> dict[str, Any]:
    shape = {"type": "object", "required": required.split(), "properties": properties}
    return {"type": "array", "minItems": 1, "items": shape}


#: The rules of open311/schema-validation (draft 4), in our own words.
SERVICES = _array_of(
    "service_code service_name metadata type",
    {
        "service_code": _TEXT,
        "service_name": _TEXT,
        "description": _MAYBE_TEXT,
        "metadata": {"type": "boolean"},
        "type": {"enum": ["realtime", "batch", "blackbox"]},
        "keywords": _MAYBE_TEXT,
        "group": _MAYBE_TEXT,
    },
)
ATTRIBUTES = _array_of(
    "variable code datatype required",
    {
        "variable": {"type": "boolean"},
        "code": _TEXT,
        "datatype": {"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
        "required": {"type": "boolean"},
        "datatype_description": _MAYBE_TEXT,
        "order": {"type": ["integer", "null"]},
        "description": _MAYBE_TEXT,
        "values": _array_of("key name", {"key": _TEXT, "name": _TEXT}),
    },
)
DEFINITION = {
    "type": "object",
    "required": ["service_code", "attributes"],
    "properties": {"service_code": _TEXT, "attributes": ATTRIBUTES},
}
REQUESTS = _array_of(
    "service_request_id status service_code requested_datetime",
    {
        "service_request_id": _TEXT,
        "status": {"enum": ["open", "closed"]},
        "status_notes": _MAYBE_TEXT,
        "service_name": _MAYBE_TEXT,
        "service_code": _TEXT,
        "description": {"type": ["string", "null"], "maxLength": 4000},
        "agency_responsible": _MAYBE_TEXT,
        "service_notice": _MAYBE_TEXT,
        "requested_datetime": {"type": "string", "format": "date-time"},
        "updated_datetime": _TIME,
        "expected_datetime": _TIME,
        "address": _MAYBE_TEXT,
        "address_id": _MAYBE_TEXT,
        "zipcode": _MAYBE_TEXT,
        "lat": _NUMBER,
        "long": _NUMBER,
        "media_url": {"type": ["string", "null"], "format": "uri"},
    },
)


def fits(shape: dict[str, Any], answer: Any) -> None:
    Draft4Validator(shape, format_checker=FormatChecker()).validate(answer)


def client(town: Town) -> Open311Client:
    endpoint = Endpoint("linli", "邻里", f"{town.url}/open311/v2", write=True)
    return Open311Client(endpoint, HttpTransport(rate_limiter=RateLimiter(0)), jurisdiction_id="429906")


async def test_civicbot_checks_the_form_files_a_report_and_reads_it_back(town: Town):
    key, bot = await add_key("civicbot", town.clock()), client(town)

    def work() -> tuple[str, dict[str, Any] | None, list[dict[str, Any]]]:
        filed = bot.create_request(
            "lighting-corridor",
            dry_run=False,
            confirm="SEND",
            api_key=key,
            validate_remote=True,
            lat=30.5501,
            lng=114.3402,
            address_string="东亭社区第一网格",
            description="楼道灯坏了好几天",
            attributes={"place_detail": "3栋2单元", "danger": "no"},
        )
        number = filed.response[0]["service_request_id"]
        return number, bot.get_request(number), bot.list_requests(service_request_ids=[number])

    number, read, listed = await asyncio.to_thread(work)
    case = await Case.get(number=number)
    assert (case.source, case.category, case.place) == (
        Source.OPEN311,
        "lighting.corridor",
        "东亭社区第一网格 3栋2单元",
    )
    assert read is not None
    assert (read["service_request_id"], read["status"]) == (number, "open")
    assert listed == [read]


async def test_civicbot_will_not_send_what_our_definition_forbids(town: Town):
    bot = client(town)
    with pytest.raises(Exception, match="place_detail"):
        await asyncio.to_thread(
            bot.create_request, "lighting-corridor", validate_remote=True, lat=30.55, lng=114.34, api_key="x"
        )


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_georeport_reads_services_definitions_and_requests(town: Town, form: str):
    key = await add_key("curl", town.clock())
    numbers = []
    async with aiohttp.ClientSession() as session:
        for description in ("路灯不亮", "路灯一闪一闪"):
            fields = {"api_key": key, "service_code": "lighting-street", "address_string": "中山路"}
            async with session.post(
                f"{town.url}/open311/v2/requests.json", data=fields | {"description": description}
            ) as answer:
                numbers.append((await answer.json())[0]["service_request_id"])
    reader = GeoReport(f"{town.url}/open311/v2", jurisdiction="429906", output_format=form)
    services = await asyncio.to_thread(reader.get_service_list)
    assert "lighting-street" in {entry["service_code"] for entry in services}
    definition = await asyncio.to_thread(reader.get_service_definition, "lighting-street")
    assert definition["service_code"] == "lighting-street"
    requests = await asyncio.to_thread(lambda: reader.get_service_requests(status="open"))
    assert {entry["service_request_id"] for entry in requests} == set(numbers)
    assert (await asyncio.to_thread(reader.get_service_request, numbers[0]))["status"] == "open"


async def test_the_answers_have_the_published_shapes(town: Town):
    key = await add_key("形状", town.clock())
    base = f"{town.url}/open311/v2"
    fields = {"api_key": key, "service_code": "lighting-street", "lat": "30.55", "long": "114.34"}
    async with aiohttp.ClientSession() as session:
        for words in ("", "灯" * 4000):
            extra = {"description": words, "media_url": "https://example.com/灯.jpg"}
            async with session.post(f"{base}/requests.json", data=fields | extra) as answer:
                assert answer.status == 201
        async with session.get(f"{base}/services.json") as answer:
            services = await answer.json()
        fits(SERVICES, services)
        for service in services:
            async with session.get(f"{base}/services/{service['service_code']}.json") as answer:
                fits(DEFINITION, await answer.json())
        for query in ({}, {"api_key": key}):
            async with session.get(f"{base}/requests.json", params=query) as answer:
                fits(REQUESTS, await answer.json())


def test_the_shapes_refuse_what_they_should():
    wrong = [{"service_code": "a", "service_name": "b", "metadata": "true", "type": "realtime"}]
    assert not Draft4Validator(SERVICES).is_valid(wrong)
