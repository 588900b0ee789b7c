"""What a platform is sent, what it may be, and what its mapping may say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import casework, connectors
from domain.connectors import ConnectorPlan, add_connector, check_mapping, is_private, signature, url_fault
from domain.people import Person, find_person
from domain.reports import Draft, report
from errors import BadRequest, Conflict, NotFound
from models.audit import AuditEvent
from models.cases import Case
from models.database import fetch, from_json
from models.enums import OutboxKind
from models.interconnection import Connector
from models.messaging import Outbox
from models.people import Area, Resident, Staff

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DRAFT = Draft("三栋楼道灯坏了", "lighting.corridor", "楼道照明损坏", place="3栋2单元")
URL = "https://platform.example.gov.cn/updates"


async def resident() -> Person:
    grid = await Area.get(code="429906001001001")
    await Resident.update_or_create(openid="o_reporter", defaults={"grid_id": grid.id, "created_at": NOW})
    return await find_person("o_reporter", NOW)


async def a_case() -> Case:
    return (await report(await resident(), DRAFT, NOW)).case


async def holder(case: Case) -> Person:
    staff = await Staff.get(id=case.holder_id)
    staff.openid = staff.openid or f"o_staff_{staff.id}"
    await staff.save()
    return await find_person(staff.openid, NOW)


async def webhooks() -> list[dict[str, Any]]:
    rows = await Outbox.filter(kind=OutboxKind.WEBHOOK).order_by("id").values("recipient", "case_id", "payload")
    return [row | {"payload": from_json(row["payload"])} for row in rows]


async def test_a_new_case_and_each_step_leave_a_job_for_the_platform_above(orm: None):
    await add_connector(ConnectorPlan("区平台", URL, area="429906"), NOW)
    case = await a_case()
    await casework.sign(await holder(case), case.id, NOW)
    connector = await Connector.get(name="区平台")
    made, signed = await webhooks()
    assert made["recipient"] == signed["recipient"] == f"connector:{connector.id}:case:{case.id}"
    assert [line["verb"] for line in made["payload"]["events"]] == ["report", "accept", "dispatch"]
    assert [(line["verb"], line["status"]) for line in signed["payload"]["events"]] == [("sign", "disposing")]
    assert datetime.fromisoformat(signed["payload"]["at"]) == NOW


@pytest.mark.parametrize(
    ("plan", "jobs"),
    [
        (ConnectorPlan("市平台", URL), 1),
        (ConnectorPlan("街道", URL, area="429906001"), 1),
        (ConnectorPlan("网格", URL, area="429906001001001"), 1),
        (ConnectorPlan("邻社区", URL, area="429906001002"), 0),
        (ConnectorPlan("只收", "", area="429906"), 0),
    ],
    ids=lambda value: value.name if isinstance(value, ConnectorPlan) else None,
)
async def test_only_platforms_above_the_case_with_an_address_are_told(orm: None, plan: ConnectorPlan, jobs: int):
    await add_connector(plan, NOW)
    await a_case()
    assert len(await webhooks()) == jobs


async def test_a_stopped_platform_is_told_nothing_more(orm: None):
    await add_connector(ConnectorPlan("区平台", URL), NOW)
    await connectors.stop_connector("区平台", NOW)
    await a_case()
    assert await webhooks() == []


async def test_a_refused_step_tells_nobody(orm: None):
    await add_connector(ConnectorPlan("区平台", URL), NOW)
    case = await a_case()
    with pytest.raises(NotFound):
        await casework.sign(await find_person("o_stranger", NOW), case.id, NOW)
    assert len(await webhooks()) == 1


async def test_what_is_sent_is_mapped_and_says_nothing_of_the_reporter(orm: None):
    mapping = {
        "categories": {"lighting.corridor": "SZ-0101"},
        "statuses": {"dispatched": "待处置", "accepted": "已立案"},
    }
    await add_connector(ConnectorPlan("区平台", URL, mapping=mapping), NOW)
    case = await a_case()
    [job] = await webhooks()
    await connectors.link_case(job["payload"]["connector"], case.id, "QP-77")
    sending = await connectors.compose(job["payload"], case.id)
    assert sending
    shown = sending.body["case"]
    assert (shown["number"], shown["external_id"]) == (case.number, "QP-77")
    assert (shown["category"], shown["status"], shown["place"]) == ("SZ-0101", "待处置", "3栋2单元")
    assert [line["status"] for line in sending.body["events"]] == ["reported", "已立案", "待处置"]
    assert "o_reporter" not in str(sending.body)


async def test_a_replay_sends_what_ended_again_in_its_order_under_its_old_ids(orm: None):
    await add_connector(ConnectorPlan("区平台", URL), NOW)
    case = await a_case()
    await casework.sign(await holder(case), case.id, NOW + timedelta(minutes=1))
    first, second = await Outbox.filter(kind=OutboxKind.WEBHOOK).order_by("id")
    await fetch("UPDATE outbox SET state = 'sent', finished_at = $2 WHERE id = $1", first.id, NOW)
    await fetch("UPDATE outbox SET state = 'parked', finished_at = $2 WHERE id = $1", second.id, NOW)
    hour = timedelta(hours=1)

    assert await connectors.replay("区平台", NOW + hour, NOW + 2 * hour, NOW) == 0
    assert await connectors.replay("区平台", NOW - hour, NOW + hour, NOW + hour) == 2
    again = await Outbox.filter(kind=OutboxKind.WEBHOOK, finished_at=None).order_by("id")
    assert [from_json(job.payload)["again"] for job in again] == [first.id, second.id]
    assert {job.recipient for job in again} == {first.recipient}
    assert await AuditEvent.exists(tag="connector:replay")


async def test_a_replay_of_what_failed_leaves_out_what_arrived(orm: None):
    await add_connector(ConnectorPlan("区平台", URL), NOW)
    case = await a_case()
    await casework.sign(await holder(case), case.id, NOW)
    await fetch("UPDATE outbox SET state = 'sent', finished_at = $1 WHERE kind = 'webhook'", NOW)
    await fetch("UPDATE outbox SET state = 'parked' WHERE id = (SELECT max(id) FROM outbox WHERE kind = 'webhook')")
    assert await connectors.replay("区平台", NOW, NOW, NOW, also_sent=False) == 1


async def test_a_name_is_given_once_and_must_fit_an_address(orm: None):
    await add_connector(ConnectorPlan("区平台", URL), NOW)
    with pytest.raises(Conflict):
        await add_connector(ConnectorPlan("区平台", URL), NOW)
    for name in ("", "a/b", "x" * 33):
        with pytest.raises(BadRequest):
            await add_connector(ConnectorPlan(name, URL), NOW)
    with pytest.raises(NotFound):
        await add_connector(ConnectorPlan("别处", URL, area="000000"), NOW)
    with pytest.raises(NotFound):
        await add_connector(ConnectorPlan("别人", URL, staff="no such"), NOW)


@pytest.mark.parametrize(
    ("url", "plain_http", "good"),
    [
        ("https://platform.example.gov.cn/updates", False, True),
        ("http://127.0.0.1:8000/x", False, True),
        ("http://10.1.2.3/x", False, False),
        ("http://10.1.2.3/x", True, True),
        ("ftp://example.gov.cn/x", True, False),
        ("https://user:secret@example.gov.cn/", True, False),
        ("https:///x", True, False),
        ("https://example.gov.cn:port/", True, False),
    ],
)
def test_where_updates_may_go(url: str, plain_http: bool, good: bool):
    assert (url_fault(url, plain_http=plain_http) == "") is good


def test_closed_networks_are_known_by_their_address():
    assert [is_private(f"https://{host}/") for host in ("10.0.0.8", "[::1]", "platform", "localhost")] == [True] * 4
    assert not is_private("https://platform.example.gov.cn/")


@pytest.mark.parametrize(
    "mapping",
    [
        {"category": {}},
        {"categories": {"no.such": "1"}},
        {"statuses": {"archived": "1"}},
        {"orders": {"1": "no.such"}},
        {"actions": {"DONE": "void"}},
        {"actions": {"DONE": "merge"}},
        {"actions": {"DONE": "dispose:void"}},
        {"actions": {"DONE": "sign:explained"}},
        {"outcomes": {"forgotten": "1"}},
        {"actions": ["dispose"]},
        {"statuses": {"closed": 9}},
    ],
    ids=str,
)
def test_a_mapping_that_means_nothing_is_refused(mapping: Mapping[str, Any]):
    with pytest.raises(BadRequest):
        check_mapping(mapping)


def test_a_signature_is_over_time_and_body():
    # printf '1763604000.{"a":1}' | openssl dgst -sha256 -hmac key
    assert signature("key", "1763604000", b'{"a":1}') == (
        "sha256=" + "4f44508392f9dccf5309d4169a9200e9cfa2fc97dde78456437342602ee57ab9"
    )
    assert signature("key", "1763604001", b'{"a":1}') != signature("key", "1763604000", b'{"a":1}')
