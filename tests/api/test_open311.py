"""Open311 GeoReport v2 over real HTTP: what one may ask, file and update, in both forms, and who is shown what."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import aiohttp
import pytest

from domain.api_keys import add_key, revoke_key
from domain.coordinates import to_gcj
from domain.people import find_person
from domain.rating import confirm_solved
from models.audit import AuditEvent
from models.cases import Case, CaseEvent, Duty
from models.enums import Source, Status
from models.interconnection import ApiKey, OpenRequest
from models.people import Area, Resident
from tests.town import CHEN, WANG, Town

LAMP = {
    "service_code": "lighting-street",
    "description": "中山路口的路灯不亮，张三 13800138000",
    "lat": "30.5501",
    "long": "114.3402",
    "address_string": "水果湖街道中山路口",
}
CORRIDOR = {"service_code": "lighting-corridor", "address_string": "东亭社区", "description": "楼道灯坏了"}


class Desk:
    """A client of the running server."""

    def __init__(self, town: Town, session: aiohttp.ClientSession) -> None:
        self.town = town
        self.base = f"{town.url}/open311/v2"
        self._session = session
        self.status = 0
        self.content_type = ""

    async def get(self, path: str, **query: str) -> Any:
        async with self._session.get(f"{self.base}/{path}", params=query) as answer:
            return await self._read(answer)

    async def post(self, path: str, **fields: str) -> Any:
        async with self._session.post(f"{self.base}/{path}", data=fields) as answer:
            return await self._read(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> Any:
        self.status, self.content_type = answer.status, answer.headers["Content-Type"]
        if self.content_type.startswith("application/json"):
            return await answer.json()
        return fromstring(await answer.text())  # noqa: S314 - our own server's answer

    async def file(self, **fields: str) -> str:
        """File a report as JSON; gives its number."""
        made = await self.post("requests.json", **fields)
        assert self.status == 201, made
        return str(made[0]["service_request_id"])


@pytest.fixture
async def desk(town: Town) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as session:
        yield Desk(town, session)


@pytest.fixture
async def key(town: Town) -> str:
    return await add_key("随手拍小程序", town.clock())


@pytest.fixture
async def reading(town: Town) -> str:
    return await add_key("数据大屏", town.clock(), may_write=False)


async def test_discovery_leads_to_the_services_in_both_forms(desk: Desk):
    found = await desk.get("discovery.json")
    endpoint = found["endpoints"][0]
    assert endpoint["url"] == desk.base
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert datetime.fromisoformat(found["changeset"]).tzinfo
    assert "江城市" in found["contact"]

    tree = await desk.get("discovery.xml")
    assert desk.content_type == "text/xml; charset=utf-8"
    assert tree.tag == "discovery"
    assert [entry.text for entry in tree.findall("endpoints/endpoint/formats/format")] == endpoint["formats"]


async def test_services_are_our_categories_without_questions_and_emergencies(desk: Desk):
    services = {entry["service_code"]: entry for entry in await desk.get("services.json")}
    assert desk.content_type == "application/json; charset=utf-8"
    lamp = services["lighting-street"]
    assert (lamp["service_name"], lamp["group"], lamp["type"], lamp["metadata"]) == (
        "路灯不亮",
        "公共照明",
        "realtime",
        True,
    )
    assert not {"welfare-allowance", "fire-alarm", "health-emergency"} & set(services)
    tree = await desk.get("services.xml")
    assert {entry.findtext("service_code") for entry in tree.findall("service")} == set(services)
    assert {entry.findtext("metadata") for entry in tree.findall("service")} == {"true"}


async def test_a_definition_asks_what_a_map_cannot_say(desk: Desk):
    found = await desk.get("services/lighting-corridor.json")
    asked = {entry["code"]: entry for entry in found["attributes"]}
    assert asked["place_detail"]["required"] is True
    assert asked["danger"]["values"] == [{"key": "yes", "name": "有危险"}, {"key": "no", "name": "没有"}]
    tree = await desk.get("services/lighting-corridor.xml")
    assert tree.findtext("service_code") == "lighting-corridor"
    assert [value.text for value in tree.findall("attributes/attribute/values/value/key")] == ["yes", "no"]
    assert {entry.findtext("variable") for entry in tree.findall("attributes/attribute")} == {"true", "false"}


async def test_a_report_becomes_a_case_of_the_open_interface(desk: Desk, key: str):
    number = await desk.file(**LAMP, api_key=key, first_name="三", last_name="张", phone="13800138000")
    case = await Case.get(number=number)
    assert (case.source, case.category, case.subject) == (Source.OPEN311, "lighting.street", "路灯损坏")
    assert (case.latitude, case.longitude) == pytest.approx(to_gcj(30.5501, 114.3402))
    reporter = await Resident.get(id=case.reporter_id)
    assert reporter.openid == f"open311:{(await ApiKey.get(name='随手拍小程序')).id}"
    memo = await CaseEvent.get(case_id=case.id, verb="memo")
    assert memo.text == "联系人：张 三 13800138000"
    assert not memo.public
    assert await AuditEvent.exists(tag="case:report", object_id=case.id, source=reporter.openid)


async def test_the_xml_answer_to_a_report_has_its_number(desk: Desk, key: str):
    tree = await desk.post("requests.xml", **LAMP, api_key=key)
    assert (desk.status, tree.tag) == (201, "service_requests")
    number = tree.findtext("request/service_request_id")
    assert await Case.exists(number=number)


async def test_the_same_report_sent_again_within_minutes_is_the_same_case(desk: Desk, key: str):
    first = await desk.file(**LAMP, api_key=key)
    desk.town.clock.advance(timedelta(minutes=9))
    assert await desk.file(**LAMP, api_key=key) == first
    desk.town.clock.advance(timedelta(minutes=2))
    assert await desk.file(**LAMP, api_key=key) != first


async def test_twenty_equal_reports_at_once_are_one_case(desk: Desk, key: str):
    numbers = await asyncio.gather(*(desk.file(**LAMP, api_key=key) for _ in range(20)))
    assert len(set(numbers)) == 1
    assert await Case.filter(source=Source.OPEN311).count() == 1


async def test_a_known_account_is_the_reporter_and_is_told_in_wechat(desk: Desk, key: str):
    await desk.file(**CORRIDOR, api_key=key, account_id=CHEN, **{"attribute[place_detail]": "3栋2单元"})
    case = await Case.get(source=Source.OPEN311)
    assert case.reporter_id == (await Resident.get(openid=CHEN)).id
    assert case.place == "东亭社区 3栋2单元"
    await desk.town.deliver()
    assert "楼道照明损坏" in desk.town.last(WANG)


async def test_a_position_leads_to_the_grid_it_lies_in_though_maps_differ(desk: Desk, key: str):
    latitude, longitude = to_gcj(30.5501, 114.3402)
    west, east, south, north = longitude - 0.0005, longitude + 0.0005, latitude - 0.0005, latitude + 0.0005
    ring = [[west, south], [east, south], [east, north], [west, north]]
    grid = await Area.get(code="429906001001002")
    await Area.filter(id=grid.id).update(boundary=[ring])
    fields = {"service_code": "rubbish-overflow", "lat": "30.5501", "long": "114.3402", "api_key": key}
    number = await desk.file(**fields)
    assert (await Case.get(number=number)).grid_id == grid.id
    [shown] = await desk.get(f"requests/{number}.json", api_key=key)
    assert (shown["lat"], shown["long"]) == (30.5501, 114.3402)
    assert shown["agency_responsible"] == "东亭社区第二网格"


async def test_an_address_leads_to_the_grid_it_names(desk: Desk, key: str):
    number = await desk.file(service_code="rubbish-overflow", address_string="茶港社区第一网格垃圾点", api_key=key)
    assert (await Case.get(number=number)).grid_id == (await Area.get(code="429906001002001")).id


async def test_danger_makes_it_urgent_whatever_the_service(desk: Desk, key: str):
    await desk.file(**LAMP, api_key=key, **{"attribute[danger]": "yes"})
    assert (await Case.get(source=Source.OPEN311)).urgency == "urgent"


async def test_where_a_person_decides_first_the_client_gets_a_token_until_then(desk: Desk, key: str):
    await Duty.filter(category="lighting.street").update(auto_accept=False)
    services = {entry["service_code"]: entry["type"] for entry in await desk.get("services.json")}
    assert services["lighting-street"] == "batch"
    assert services["lighting-corridor"] == "realtime"
    made = (await desk.post("requests.json", **LAMP, api_key=key))[0]
    assert "service_request_id" not in made
    assert await desk.get(f"tokens/{made['token']}.json") == [{"service_request_id": None, "token": made["token"]}]

    case = await Case.get(source=Source.OPEN311)
    await Case.filter(id=case.id).update(status=Status.ACCEPTED)
    tree = await desk.get(f"tokens/{made['token']}.xml")
    assert tree.findtext("request/service_request_id") == case.number


async def test_without_a_key_nobody_reads_what_was_written_nor_the_room(desk: Desk, key: str):
    fields = LAMP | {"address_string": "3栋2单元501室楼下"}
    number = await desk.file(**fields, api_key=key)
    [shown] = await desk.get(f"requests/{number}.json")
    assert shown["description"] is None
    assert "501" not in shown["address"]
    assert "3栋2单元" in shown["address"]
    assert (shown["lat"], shown["long"]) == (30.55, 114.34)
    assert "张三" not in str(shown)


async def test_a_key_reads_what_was_written_without_numbers(desk: Desk, key: str, reading: str):
    number = await desk.file(**LAMP, api_key=key, media_url="https://example.com/1.jpg", phone="13800138000")
    [shown] = await desk.get(f"request/{number}.json", api_key=reading)
    assert "路灯不亮，张三 ***" in shown["description"]
    assert (shown["lat"], shown["long"]) == (30.5501, 114.3402)
    assert shown["media_url"] == "https://example.com/1.jpg"
    assert "13800138000" not in str(shown)


async def test_what_concerns_people_is_shown_to_keys_alone(desk: Desk, reading: str):
    await desk.town.say(CHEN, "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见")
    await desk.town.say(CHEN, "1")
    await desk.town.say(CHEN, "楼上邻居天天半夜吵闹")
    await desk.town.say(CHEN, "1")
    public = await desk.get("requests.json")
    everything = await desk.get("requests.json", api_key=reading)
    assert [entry["service_code"] for entry in public] == ["lighting-corridor"]
    assert {entry["service_code"] for entry in everything} == {"lighting-corridor", "noise-neighbour"}
    hidden = next(entry for entry in everything if entry["service_code"] == "noise-neighbour")
    await desk.get(f"requests/{hidden['service_request_id']}.json")
    assert desk.status == 404


async def test_a_case_is_followed_from_open_to_closed(desk: Desk, reading: str):
    await desk.town.say(CHEN, "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见")
    await desk.town.say(CHEN, "1")
    await desk.town.deliver()
    assert [entry["status"] for entry in await desk.get("requests.json", status="open")] == ["open"]
    await desk.town.say(WANG, "1")
    await desk.town.say(WANG, "2")
    await desk.town.photo(WANG)
    await desk.town.say(WANG, "换了灯泡和开关")
    await desk.town.deliver()
    case = await Case.all().first()
    assert case
    await confirm_solved(await find_person(CHEN, desk.town.clock()), case.id, desk.town.clock())

    [closed] = await desk.get("requests.json", status="closed")
    assert closed["status_notes"] == "已办结，反映人确认解决"
    assert closed["updated_datetime"] == desk.town.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await desk.get("requests.json", status="open") == []
    steps = await desk.get("servicerequestupdates.json", api_key=reading)
    assert [step["status"] for step in steps][-1] == "fixed"
    assert any("换了灯泡和开关" in step["description"] for step in steps)
    words = " ".join(step["description"] for step in await desk.get("servicerequestupdates.json"))
    assert "换了灯泡和开关" not in words
    assert "老人" not in words


async def test_lists_are_filtered_and_paged(desk: Desk, key: str, reading: str):
    numbers = []
    for place in range(5):
        desk.town.clock.advance(timedelta(minutes=1))
        numbers.append(await desk.file(**LAMP | {"address_string": f"中山路{place}号"}, api_key=key))
    numbers.reverse()

    async def asked(**query: str) -> list[str]:
        return [entry["service_request_id"] for entry in await desk.get("requests.json", **query)]

    assert await asked(page_size="2") == numbers[:2]
    assert await asked(page_size="2", page="3") == numbers[4:]
    assert await asked(service_code="rubbish-overflow") == []
    assert await asked(service_code="rubbish-overflow,lighting-street") == numbers
    assert await asked(service_request_id=f"{numbers[3]},{numbers[1]},x", status="closed") == [numbers[1], numbers[3]]
    since = desk.town.clock() - timedelta(minutes=1)
    assert await asked(start_date=since.strftime("%Y-%m-%dT%H:%M:%SZ")) == numbers[:2]
    assert await asked(start_date=since.astimezone(tz=None).isoformat()) == numbers[:2]
    assert await asked(end_date=(since - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")) == []
    assert await asked(updated_after=since.strftime("%Y-%m-%dT%H:%M:%SZ")) == numbers[:1]
    assert await asked(jurisdiction_id="429906") == numbers
    assert await asked(jurisdiction_id="429906001002") == []


async def test_what_is_older_than_ninety_days_needs_its_own_span(desk: Desk, key: str):
    number = await desk.file(**LAMP, api_key=key)
    filed = desk.town.clock()
    desk.town.clock.advance(timedelta(days=91))
    assert await desk.get("requests.json") == []
    [found] = await desk.get("requests.json", start_date=(filed - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert found["service_request_id"] == number


async def test_a_client_adds_to_what_it_filed_once_an_id(desk: Desk, key: str):
    number = await desk.file(**LAMP, api_key=key)
    update = {
        "service_request_id": number,
        "update_id": "77",
        "updated_datetime": "2026-11-20T02:00:00Z",
        "status": "OPEN",
        "description": "旁边那盏也不亮了",
        "api_key": key,
    }
    tree = await desk.post("servicerequestupdates.xml", **update)
    assert (desk.status, tree.tag) == (201, "service_request_updates")
    event = await CaseEvent.get(verb="supplement")
    assert (event.text, str(event.id)) == ("旁边那盏也不亮了", tree.findtext("request_update/update_id"))
    assert str(event.id) in {entry["update_id"] for entry in await desk.get("servicerequestupdates.json")}

    repeated = await desk.post("servicerequestupdates.json", **update)
    assert (desk.status, repeated) == (400, [{"code": 400, "description": "update_id 77 already exists"}])
    assert await CaseEvent.filter(verb="supplement").count() == 1


async def test_a_client_answers_whether_it_is_solved(desk: Desk, key: str):
    number = await desk.file(**LAMP, api_key=key)
    await Case.filter(number=number).update(status=Status.VERIFIED, verified_at=desk.town.clock())
    update = {
        "service_request_id": number,
        "updated_datetime": "2026-11-20T02:00:00Z",
        "description": "好了",
        "api_key": key,
    }
    await desk.post("servicerequestupdates.json", **update, update_id="1", status="FIXED")
    assert (await Case.get(number=number)).status is Status.CLOSED
    await desk.post("servicerequestupdates.json", **update, update_id="2", status="OPEN")
    assert desk.status == 400
    await desk.post("servicerequestupdates.json", **update, update_id="3", status="REOPEN")
    assert desk.status == 201
    assert (await Case.get(number=number)).reopened == 1


async def test_nobody_updates_what_another_client_filed(desk: Desk, key: str):
    number = await desk.file(**LAMP, api_key=key)
    other = await add_key("另一个", desk.town.clock())
    said = await desk.post(
        "servicerequestupdates.json",
        service_request_id=number,
        update_id="1",
        updated_datetime="2026-11-20T02:00:00Z",
        status="CLOSED",
        description="撤了",
        api_key=other,
    )
    assert (desk.status, said[0]["code"]) == (404, 404)
    assert (await Case.get(number=number)).status is not Status.WITHDRAWN


async def test_a_revoked_key_lets_nobody_in_and_a_key_is_kept_as_a_hash_alone(desk: Desk, key: str):
    assert not await ApiKey.exists(key_hash=key)
    await revoke_key("随手拍小程序", desk.town.clock())
    await desk.post("requests.json", **LAMP, api_key=key)
    assert desk.status == 403
    assert await Case.filter(source=Source.OPEN311).count() == 0


async def test_too_many_reports_a_minute_are_put_off(desk: Desk, key: str):
    owner = await ApiKey.get(name="随手拍小程序")
    number = await desk.file(**LAMP, api_key=key)
    case = await Case.get(number=number)
    for place in range(60):
        await OpenRequest.create(
            token=f"t{place}", key_id=owner.id, case_id=case.id, digest="", created_at=desk.town.clock()
        )
    said = await desk.post("requests.json", **LAMP | {"description": "又一盏"}, api_key=key)
    assert (desk.status, said[0]["code"]) == (429, 429)
    desk.town.clock.advance(timedelta(seconds=61))
    assert await desk.file(**LAMP | {"description": "又一盏"}, api_key=key)


REFUSED = [
    ("no service_code", "requests", LAMP | {"service_code": ""}, 400, "service_code was not provided"),
    ("no api_key", "requests", LAMP | {"api_key": ""}, 403, "api_key was not provided"),
    ("a wrong api_key", "requests", LAMP | {"api_key": "wrong"}, 403, "api_key is not valid"),
    ("an unknown code", "requests", LAMP | {"service_code": "BADGER"}, 404, "service_code was not found"),
    ("an emergency", "requests", LAMP | {"service_code": "fire-alarm"}, 404, "service_code was not found"),
    ("a missing attribute", "requests", CORRIDOR, 400, "attribute[place_detail] was not provided"),
    ("a bad attribute", "requests", LAMP | {"attribute[danger]": "starfish"}, 400, "attribute[danger] must be one of"),
    ("an attribute of nobody", "requests", LAMP | {"attribute[depth]": "1"}, 400, "attribute[depth] is not one of"),
    ("no place", "requests", {"service_code": "lighting-street"}, 400, "a location was not provided"),
    ("half a position", "requests", LAMP | {"long": ""}, 400, "lat and long must be given together"),
    ("no number", "requests", LAMP | {"lat": "north"}, 400, "lat must be a number"),
    ("not a place on earth", "requests", LAMP | {"lat": "nan"}, 400, "lat and long must be degrees"),
    ("too long", "requests", LAMP | {"description": "灯" * 4001}, 400, "description is longer than 4000 characters"),
    ("too large", "requests", LAMP | {"description": "x" * 70_000}, 413, "more than 65536 bytes"),
    ("a bad picture", "requests", LAMP | {"media_url": "javascript:alert(1)"}, 400, "media_url must be"),
    ("another city", "requests", LAMP | {"jurisdiction_id": "city.gov"}, 404, "jurisdiction_id was not found"),
    ("an update of nothing", "servicerequestupdates", {"status": "OPEN"}, 400, "updated_datetime was not provided"),
    (
        "an update without a status",
        "servicerequestupdates",
        {"update_id": "1", "service_request_id": "1", "updated_datetime": "2026-11-20T02:00:00Z"},
        400,
        "status was not provided",
    ),
]


@pytest.mark.parametrize(
    ("fields", "path", "code", "said"),
    [(row[2], row[1], row[3], row[4]) for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
async def test_refused(desk: Desk, key: str, fields: dict[str, str], path: str, code: int, said: str):
    sent = {"api_key": key} | fields
    [error] = await desk.post(f"{path}.json", **sent)
    assert (desk.status, error["code"]) == (code, code)
    assert said in error["description"]
    tree: Element = await desk.post(f"{path}.xml", **sent)
    assert (desk.status, tree.tag, tree.findtext("error/code")) == (code, "errors", str(code))
    assert said in (tree.findtext("error/description") or "")
    assert await Case.filter(source=Source.OPEN311).count() == 0


async def test_a_form_in_parts_is_read_but_files_are_refused(town: Town, key: str):
    async with aiohttp.ClientSession() as session:
        for picture, code in ((None, 201), (b"x", 400)):
            form = aiohttp.FormData(LAMP | {"api_key": key}, default_to_multipart=True)
            if picture:
                form.add_field("media", picture, filename="1.jpg", content_type="image/jpeg")
            async with session.post(f"{town.url}/open311/v2/requests.json", data=form) as answer:
                assert answer.status == code, await answer.text()


async def test_a_key_for_reading_files_nothing(desk: Desk, reading: str):
    [error] = await desk.post("requests.json", **LAMP, api_key=reading)
    assert (desk.status, error["description"]) == (403, "this api_key may only read")
    assert await AuditEvent.exists(tag="key:write", allowed=False)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("services/BADGER", {}, 404),
        ("services", {"jurisdiction_id": "city.gov"}, 404),
        ("requests/20260101-0001", {}, 404),
        ("request/1", {}, 404),
        ("tokens/abc", {}, 404),
        ("nothing", {}, 404),
        ("requests", {"status": "archived"}, 400),
        ("requests", {"start_date": "2026-01-01"}, 400),
        ("requests", {"start_date": "yesterday"}, 400),
        ("requests", {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-11-01T00:00:00Z"}, 400),
        ("requests", {"start_date": "2026-11-02T00:00:00Z", "end_date": "2026-11-01T00:00:00Z"}, 400),
        ("requests", {"page": "0"}, 400),
        ("requests", {"page_size": "many"}, 400),
        ("requests", {"api_key": "wrong"}, 403),
        ("servicerequestupdates", {"end_date": "2026-11-20 02:00"}, 400),
    ],
)
async def test_what_cannot_be_read(desk: Desk, path: str, query: dict[str, str], code: int):
    [error] = await desk.get(f"{path}.json", **query)
    assert (desk.status, error["code"]) == (code, code)
    tree = await desk.get(f"{path}.xml", **query)
    assert (desk.status, tree.findtext("error/code")) == (code, str(code))


async def test_text_that_no_xml_can_hold_does_not_break_the_document(desk: Desk, key: str, reading: str):
    await desk.file(**LAMP | {"description": "灯\x00不\x08亮 <b>&\uffff]]>"}, api_key=key)
    tree = await desk.get("requests.xml", api_key=reading)
    assert (tree.findtext("request/description") or "").startswith("灯不亮 <b>&")


NASTY = [
    "",
    "0",
    "-1",
    "1e999",
    "NaN",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+14:00",
    "' OR 1=1 --",
    "%00",
    "\x00",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    "a" * 5000,
    ",,,,",
    "{}",
    "[]",
    "lighting-street",
    "429906",
    "99999999999999999999",
]
FIELDS = [
    "service_code",
    "jurisdiction_id",
    "lat",
    "long",
    "address_string",
    "address_id",
    "description",
    "account_id",
    "media_url",
    "start_date",
    "end_date",
    "updated_after",
    "page",
    "page_size",
    "status",
    "service_request_id",
    "update_id",
    "updated_datetime",
    "phone",
    "attribute[danger]",
    "attribute[place_detail]",
    "attribute[]",
]


async def test_no_nonsense_makes_the_server_fail(desk: Desk, key: str):
    chance = random.Random(311)
    pages = ("requests", "servicerequestupdates", "services", "services/x", "requests/x", "tokens/x", "discovery")
    for _ in range(250):
        fields = {name: chance.choice(NASTY) for name in chance.sample(FIELDS, 8)}
        owner = {"api_key": chance.choice([key, key, "x"])} if chance.random() < 0.8 else {}
        form = chance.choice(["json", "xml"])
        if chance.random() < 0.5:
            await desk.post(f"{chance.choice(pages[:2])}.{form}", **fields | owner)
        else:
            short = {name: value[:300] for name, value in (fields | owner).items()}
            await desk.get(f"{chance.choice(pages)}.{form}", **short)
        assert desk.status < 500, fields
        desk.town.clock.advance(timedelta(seconds=5))
