"""What Open311 leaves out, and the pure rules behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import nlp
from domain.api_keys import Key
from domain.coordinates import to_gcj, to_wgs
from domain.open311 import Query, extended, find_request, list_requests, span
from domain.open311_services import code_of, define, offered
from domain.privacy import mask
from errors import BadRequest, NotFound
from models.cases import Case
from models.enums import Source, Status, Urgency
from models.people import Area

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
KEY = Key(1, "client", may_write=False)


async def a_case(**changed: Any) -> Case:
    area = await Area.get(code="429906001001001")
    fields = {
        "number": "20261120-0001",
        "status": Status.DISPOSING,
        "category": "lighting.street",
        "subject": "路灯损坏",
        "urgency": Urgency.NORMAL,
        "source": Source.WECHAT,
        "description": "路灯不亮",
        "area_id": area.id,
        "grid_id": area.id,
        "reported_at": NOW,
    }
    return await Case.create(**fields | changed)


def test_every_category_comes_back_from_its_service_code():
    assert all(code_of(entry.code).replace("-", ".") == entry.code for entry in nlp.categories())
    assert all(define(code_of(entry.code)) for entry in offered())


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("打 13800138000 找我", "打 *** 找我"),
        ("13800138000", "***"),
        ("座机027-55501234", "座机***"),
        ("身份证42010619800101123X。", "身份证***。"),
        ("编号 20261120-0037", "编号 20261120-0037"),
        ("路灯杆 110234", "路灯杆 110234"),
    ],
)
def test_numbers_of_people_are_blotted_out_and_numbers_of_things_are_not(written: str, shown: str):
    assert mask(written) == shown


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("3栋2单元501", "东亭社区第一网格 3栋2单元"),
        ("12栋1203室门口", "东亭社区第一网格 12栋门口"),
        ("5号楼 402", "东亭社区第一网格 5号楼"),
        ("3-2-501", "东亭社区第一网格 3-2"),
        ("中山路 305 号门口", "东亭社区第一网格 中山路305号门口"),
        ("", "东亭社区第一网格"),
    ],
)
async def test_the_public_address_ends_before_the_room(orm: None, place: str, shown: str):
    await a_case(place=place)
    [request] = await list_requests(Query(), None, NOW)
    assert request.address == shown
    [request] = await list_requests(Query(), KEY, NOW)
    assert request.address == f"东亭社区第一网格 {place}".strip()


@pytest.mark.parametrize("place", ["张建国13900001111", "傻逼小区"])
async def test_the_public_address_names_nobody_and_insults_nobody(orm: None, place: str):
    await a_case(place=place)
    [request] = await list_requests(Query(), None, NOW)
    assert request.address == "东亭社区第一网格"


@pytest.mark.parametrize(
    "hidden",
    [{"urgency": Urgency.URGENT}, {"anonymous": True}, {"category": "noise.neighbour"}, {"category": "police.theft"}],
    ids=str,
)
async def test_what_is_not_for_everybody_exists_for_keys_alone(orm: None, hidden: dict[str, Any]):
    case = await a_case(**hidden)
    assert await list_requests(Query(), None, NOW) == []
    with pytest.raises(NotFound):
        await find_request(case.number, "", None)
    assert (await find_request(case.number, "", KEY)).service_request_id == case.number


@pytest.mark.parametrize("status", list(Status))
async def test_open_is_what_somebody_still_has_to_work_on(orm: None, status: Status):
    await a_case(status=status, closed_at=None if status.is_open else NOW)
    ended = {Status.CLOSED, Status.REJECTED, Status.WITHDRAWN, Status.MERGED}
    [request] = await list_requests(Query(), None, NOW)
    assert request.status == ("closed" if status in ended else "open")
    assert [len(await list_requests(Query(statuses=[name]), None, NOW)) for name in ("open", "closed")] == (
        [0, 1] if status in ended else [1, 0]
    )
    assert extended(status, None)


async def test_a_page_is_as_long_as_asked_and_never_longer_than_five_hundred(orm: None):
    first = await a_case()
    shared = {name: getattr(first, name) for name in first._meta.db_fields if name not in ("id", "number")}
    await Case.bulk_create([Case(number=f"20261120-{number:04}", **shared) for number in range(2, 503)])
    assert [len(await list_requests(Query(page_size=size), KEY, NOW)) for size in (1, 2, 100_000)] == [1, 2, 500]
    assert len(await list_requests(Query(page=2, page_size=500), KEY, NOW)) == 2


def test_a_span_is_ninety_days_at_most():
    day = timedelta(days=1)
    assert span(None, None, NOW) == (NOW - 90 * day, NOW)
    assert span(NOW - 200 * day, None, NOW) == (NOW - 200 * day, NOW - 110 * day)
    assert span(NOW - day, None, NOW) == (NOW - day, NOW)
    assert span(None, NOW - day, NOW) == (NOW - 91 * day, NOW - day)
    with pytest.raises(BadRequest):
        span(NOW - 90 * day - timedelta(seconds=1), NOW, NOW)


@pytest.mark.parametrize(("latitude", "longitude"), [(30.55, 114.34), (39.9, 116.4), (22.54, 113.95)])
def test_a_point_in_china_moves_and_comes_back(latitude: float, longitude: float):
    moved = to_gcj(latitude, longitude)
    assert 0.001 < abs(moved[0] - latitude) + abs(moved[1] - longitude) < 0.02
    assert to_wgs(*moved) == pytest.approx((latitude, longitude), abs=1e-7)


def test_a_point_elsewhere_stays_where_it_is():
    assert to_gcj(48.85, 2.35) == to_wgs(48.85, 2.35) == (48.85, 2.35)
