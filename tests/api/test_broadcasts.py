"""群发 over the API: one officer writes, another approves, residents read, the worker sees who has not."""

from __future__ import annotations

from typing import Any

from domain import broadcast_runs
from models.database import fetch
from models.people import Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.domain.neighbours import neighbour
from tests.town import CHEN, Town

WATER: dict[str, Any] = {
    "title": "明天停水",
    "text": "明天上午 9 点到下午 3 点停水，请先接好水。",
    "audience": {"area": ["429906001001001"]},
}


async def approved(town: Town, community: Caller, street: Caller, **more: Any) -> int:
    """A broadcast that one wrote and another let out; gives its id."""
    written = (await community.post("/broadcasts", WATER | more)).json
    handed = (await community.post(f"/broadcasts/{written['id']}/hand-in", {})).json
    assert (handed["state"], handed["expected"] > 0) == ("waiting", True)
    own = await community.post(f"/broadcasts/{written['id']}/approval", {"version": 1})
    assert (own.status, own.json["error"]["say"]) == (403, "自己写的要请别人批。")
    told = await street.post(f"/broadcasts/{written['id']}/approval", {"version": 1})
    assert told.json["state"] == "approved"
    return int(written["id"])


async def send(town: Town) -> None:
    """Let the workers send what has been approved."""
    while await broadcast_runs.advance(town.clock()) + await town.deliver():
        pass


async def test_an_officer_writes_another_approves_and_residents_read(town: Town, sign_in: SignIn):
    chen = await sign_in(CHEN)
    community, street, worker = [await sign_in(staff=await Staff.get(code=code)) for code in ("S001", "J001", "G001")]
    await neighbour("zhao", town.clock())
    ident = await approved(town, community, street)
    seen = (await community.get(f"/broadcasts/{ident}/preview")).json
    assert seen["people"] == sum(share["people"] for share in seen["shares"])
    assert seen["words"].startswith("住在")
    await send(town)
    report = (await community.get(f"/broadcasts/{ident}/report")).json
    assert report["total"] == sum(line["count"] for line in report["outcomes"]) == seen["people"] + seen["skipped"]
    each = (await street.get(f"/broadcasts/{ident}/deliveries", params={"limit": 100})).json["items"]
    assert len(each) == report["total"]
    sent = (await street.get(f"/broadcasts/{ident}/deliveries", params={"outcome": "sent", "limit": 1})).json
    assert (sent["items"][0]["outcome"], sent["next"] != "") == ("sent", True)
    [told] = (await chen.get("/deliveries")).json["items"]
    assert (told["title"], told["read_at"]) == ("明天停水", None)
    unread = (await worker.get(f"/broadcasts/{ident}/unread", params={"limit": 100})).json["items"]
    assert told["id"] in [one["id"] for one in unread]
    assert (await chen.post(f"/deliveries/{told['id']}/read", {})).json["read_at"]
    assert (await community.get(f"/broadcasts/{ident}/report")).json["read"] == 1
    unread = (await worker.get(f"/broadcasts/{ident}/unread", params={"limit": 100})).json["items"]
    assert told["id"] not in [one["id"] for one in unread]
    assert (await worker.post(f"/deliveries/{unread[0]['id']}/told", {})).status == 204
    outcomes = (await community.get(f"/broadcasts/{ident}/report")).json["outcomes"]
    assert {"outcome": "told", "channel": "", "reason": "", "count": 1} in outcomes
    listed = (await street.get("/broadcasts", params={"state": "done"})).json["items"]
    assert [one["id"] for one in listed] == [ident]


async def test_a_broadcast_is_changed_paused_and_given_up(town: Town, sign_in: SignIn):
    community, street = [await sign_in(staff=await Staff.get(code=code)) for code in ("S001", "J001")]
    ident = await approved(town, community, street, calendar={"days": ["周一"], "time": "09:00"}, item_code="jzz")
    shown = (await community.get(f"/broadcasts/{ident}")).json
    assert (shown["calendar"], shown["next_at"]) == (
        {"days": ["周一"], "time": "09:00"},
        "2026-11-23T01:00:00Z",
    )
    assert (await street.post(f"/broadcasts/{ident}/pause", {"why": "等等"})).json["state"] == "paused"
    assert (await street.post(f"/broadcasts/{ident}/pause", {})).status == 409
    assert (await community.post(f"/broadcasts/{ident}/resumption", {})).json["state"] == "approved"
    changed = (await community.ask("PUT", f"/broadcasts/{ident}", json=WATER | {"title": "改了"})).json
    assert (changed["state"], changed["version"], changed["next_at"]) == ("draft", 2, None)
    handed = await community.post(f"/broadcasts/{ident}/hand-in", {})
    assert handed.json["state"] == "waiting"
    assert (await street.post(f"/broadcasts/{ident}/approval", {"version": 1})).status == 409
    refused = await street.post(f"/broadcasts/{ident}/refusal", {"version": 2, "why": "不用发"})
    assert (refused.json["state"], refused.json["why"]) == ("refused", "不用发")
    await community.ask("PUT", f"/broadcasts/{ident}", json=WATER)
    assert (await community.post(f"/broadcasts/{ident}/cancellation", {})).json["state"] == "cancelled"
    await send(town)
    assert await fetch("SELECT 1 FROM delivery WHERE broadcast_id = $1", ident) == []


async def test_what_is_wrong_with_a_draft_is_said_in_words(town: Town, sign_in: SignIn):
    community, worker = [await sign_in(staff=await Staff.get(code=code)) for code in ("S001", "G001")]
    wrong = await community.post("/broadcasts", WATER | {"audience": {"age": {"from": "八十"}}})
    assert (wrong.status, "年龄看不懂" in wrong.json["error"]["say"]) == (400, True)
    public = await community.post("/broadcasts", WATER | {"audience": {"age": {"from": 80}}, "channels": ["room"]})
    assert (public.status, "网格群" in public.json["error"]["say"]) == (400, True)
    sensitive = await worker.post("/broadcasts", WATER | {"audience": {"fact": "dibao", "is": True}})
    assert (sensitive.status, "由社区来做" in sensitive.json["error"]["say"]) == (403, True)
