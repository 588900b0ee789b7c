"""活动 over the API: staff publish, residents sign up and come, the list, the certificate and its public page."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import aiohttp
import openpyxl
from PIL import Image

from domain.volunteers import credit
from models.people import Staff
from tests.api.conftest import SignIn
from tests.town import CHEN, Town

HOUR = timedelta(hours=1)


def written(town: Town, **more: Any) -> dict[str, Any]:
    """A shift of tomorrow, with two seats."""
    begins = town.clock() + 24 * HOUR
    session = {"starts_at": begins.isoformat(), "ends_at": (begins + 2 * HOUR).isoformat(), "capacity": 2}
    new = {"kind": "volunteer", "title": "楼道清扫", "sessions": [session], "place": "3栋", "minutes": 90}
    return new | more


async def test_a_shift_from_the_console_to_the_public_check(town: Town, sign_in: SignIn):
    staff = await sign_in(staff=await Staff.get(code="S001"))
    chen = await sign_in(CHEN)
    draft = (await staff.post("/activities", written(town))).json
    path = f"/activities/{draft['id']}"
    assert (draft["state"], draft["open"], draft["code"]) == ("draft", False, "")
    assert (await chen.get(path)).status == 404
    code = (await staff.post(f"{path}/open")).json["code"]
    shown = (await chen.get("/activities", params={"kind": "volunteer"})).json["items"][0]
    assert (shown["title"], shown["code"], shown["sessions"][0]["left"]) == ("楼道清扫", "", 2)

    refused = await chen.post(f"{path}/sign-ups", {})
    assert (refused.status, refused.code, refused.fields) == (403, "consent_needed", ["consent.service"])
    await chen.ask("PUT", "/me/age", json={"over_fourteen": True})
    await chen.ask("PUT", "/me/consents/service", json={"version": 1})
    joined = await chen.post(f"{path}/sign-ups", {})
    assert (joined.status, joined.json["items"][0]["state"]) == (201, "booked")
    assert (await chen.post(f"{path}/sign-ups", {})).status == 409
    elder = {"name": "=李桂英", "phone": "13800001234", "relation": "母亲"}
    assert (await chen.post(f"{path}/sign-ups", {"behalf": elder})).status == 400
    await chen.post(f"{path}/sign-ups", {"behalf": elder | {"name": "李桂英"}, "note": "=1+1"})
    assert [one["for_name"] for one in (await chen.get("/sign-ups")).json["items"]] == ["", "李**"]

    people = (await staff.get(f"{path}/sign-ups")).json["items"]
    assert [(one["name"], one["phone"]) for one in people][1] == ("李**", "138****1234")
    book = await staff.get(f"{path}/sign-ups.xlsx")
    assert book.headers["Content-Disposition"] == f'attachment; filename="activity-{draft["id"]}.xlsx"'
    assert openpyxl.load_workbook(io.BytesIO(book.raw)).active["C3"].value == "李桂英"

    town.clock.advance(24 * HOUR)
    assert (await chen.post("/arrivals", {"code": "0000"})).status == 404
    assert (await chen.post("/arrivals", {"code": code})).json["state"] == "arrived"
    town.clock.advance(3 * HOUR)
    await credit(town.clock())
    booking = joined.json["items"][0]["booking_id"]
    staff = await sign_in(staff=await Staff.get(code="S001"))  # the day before has ended
    added = await staff.post(f"/bookings/{booking}/volunteer-time", {"minutes": 30, "why": "收尾"})
    assert added.json["minutes"] == 120
    assert [one["minutes"] for one in (await chen.get("/volunteer-time")).json["items"]] == [30, 90]

    made = (await chen.post("/certificates", {"name": "陈秀兰"})).json
    picture = await chen.get(f"/certificates/{made['number']}/picture")
    with Image.open(io.BytesIO(picture.raw)) as image:
        assert image.format == "PNG"
    nobody = await sign_in()
    assert (await nobody.get(f"/certificates/{made['number']}")).json["name"] == "陈**"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{town.url}/certificates/{made['number']}") as page:
            text = await page.text()
            assert page.status == 200
            assert "陈**" in text
            assert "2 小时" in text
            assert "陈秀兰" not in text
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        async with session.get(f"{town.url}/certificates/%3Cscript%3E") as page:
            text = await page.text()
            assert (page.status, "没有这张证书" in text, "<script" in text) == (404, True, False)


async def test_what_is_changed_over_the_api_and_what_is_not(town: Town, sign_in: SignIn):
    staff, chen = await sign_in(staff=await Staff.get(code="S001")), await sign_in(CHEN)
    made = (await staff.post("/activities", written(town))).json
    path, session = f"/activities/{made['id']}", made["sessions"][0]
    later = {"starts_at": "2026-11-23T09:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00", "capacity": 3}
    assert (await staff.ask("PUT", f"{path}/sessions/{session['id']}", json=later)).json["sessions"][0]["left"] == 3
    second = later | {"starts_at": "2026-11-24T09:00:00+08:00", "ends_at": "2026-11-24T10:00:00+08:00"}
    assert len((await staff.post(f"{path}/sessions", second)).json["sessions"]) == 2
    assert (await staff.post(f"{path}/sessions", second)).status == 409
    changed = await staff.ask("PATCH", path, json={"title": "大扫除", "until": "2026-11-23T08:00:00+08:00"})
    assert (changed.json["title"], changed.json["until"]) == ("大扫除", "2026-11-23T00:00:00Z")
    assert (await staff.ask("PATCH", path, json={"state": "held"})).status == 400
    assert (await chen.ask("PATCH", path, json={"title": "我的活动"})).status == 404  # a draft
    await staff.post(f"{path}/open")
    assert (await chen.ask("PATCH", path, json={"title": "我的活动"})).status == 403
    dropped = await staff.post(f"{path}/sessions/{session['id']}/cancellation", {"why": "下雨"})
    assert [one["closed"] for one in dropped.json["sessions"]] == ["下雨", ""]
    assert (await staff.post(f"{path}/cancellation", {"why": "没人"})).json["state"] == "cancelled"
    assert (await chen.get(path)).json["why"] == "没人"
    assert (await chen.get("/activities")).json["items"] == []
    desk = (await staff.get("/activity-desk", params={"limit": 1})).json
    following = (await staff.get("/activity-desk", params={"cursor": desk["next"]})).json
    assert ([one["id"] for one in desk["items"]], following["items"]) == ([made["id"]], [])
    assert (await chen.get("/activity-desk")).status == 403
