"""服务导航 over the API: found, read, judged, ticked, rated, complained about; and what staff see is missing."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from domain.people import find_person
from models.cases import Case
from models.people import Staff
from models.services import Provider, ProviderRating, ServiceItem
from tests.api.conftest import SignIn
from tests.town import CHEN, Town


async def test_every_item_is_listed_once_page_by_page(town: Town, sign_in: SignIn):
    chen = await sign_in(CHEN)
    classes = (await chen.get("/service-classes")).json["items"]
    assert [one["name"] for one in classes] == ["政务", "生活", "法律", "文体", "关爱", "党员"]
    codes, cursor = [], ""
    while True:
        page = (await chen.get("/services", params={"limit": 50, "cursor": cursor})).json
        codes += [item["code"] for item in page["items"]]
        if not (cursor := page["next"]):
            break
    assert len(codes) == len(set(codes)) == await ServiceItem.all().count()
    law = (await chen.get("/services", params={"class_code": "law", "limit": 100})).json["items"]
    assert {item["class_name"] for item in law} == {"法律"}


async def test_a_search_says_what_is_meant_and_whether_it_guessed(town: Town, sign_in: SignIn):
    chen = await sign_in(CHEN)
    sure = (await chen.get("/service-search", params={"q": "法律援助"})).json
    assert (sure["items"][0]["service"]["code"], sure["clear"], sure["did_you_mean"]) == ("flyz", True, [])
    guessed = (await chen.get("/service-search", params={"q": "低宝"})).json
    assert "最低生活保障申请" in guessed["did_you_mean"]
    plumber = (await chen.get("/service-search", params={"q": "附近修水管"})).json["items"][0]
    assert plumber == {"service": None, "provider_kind": "维修"}
    assert (await chen.get("/service-search", params={"q": ""})).status == 400


async def test_an_item_is_read_judged_and_its_list_ticked(town: Town, sign_in: SignIn):
    chen = await sign_in(CHEN)
    item = (await chen.get("/services/jhdj")).json
    assert (item["title"], item["asks"], item["version"]) == ("结婚登记", True, 1)
    first = (await chen.post("/services/jhdj/eligibility", {})).json
    assert (first["verdict"], first["answers"]) == ("next", ["都满了", "还没有"])
    assert (await chen.post("/services/jhdj/eligibility", {"answers": [2]})).json["verdict"] == "no"
    assert (await chen.post("/services/jhdj/eligibility", {"answers": [1, 1]})).json["verdict"] == "yes"
    assert (await chen.post("/services/jhdj/eligibility", {"answers": [5]})).status == 400
    listed = (await chen.ask("PUT", "/services/jhdj/checklist", json={"ticked": ["两寸合影"]})).json
    assert (listed["ticked"], listed["lacking"]) == (["两寸合影"], ["双方身份证"])
    assert "☑ 两寸合影" in listed["text"]
    assert [one["ticked"] for one in (await chen.get("/services/jhdj")).json["materials"]] == [False, True]
    assert (await chen.ask("PUT", "/services/jhdj/checklist", json={"ticked": ["金条"]})).status == 400


async def test_a_question_becomes_a_case_and_staff_see_that_an_item_is_missing(town: Town, sign_in: SignIn):
    chen, community = await sign_in(CHEN), await sign_in(staff=await Staff.get(code="S001"))
    key = {"Idempotency-Key": uuid4().hex}
    for _ in range(2):
        asked = await chen.post("/service-questions", {"text": "怎么开飞艇"}, headers=key)
        assert (asked.status, "已交给网格员王芳" in asked.json["say"]) == (201, True)
    assert await Case.all().count() == 1
    [missing] = (await community.get("/missing-services")).json["items"]
    assert (missing["count"], missing["words"]) == (1, "怎么开飞艇")
    assert (await chen.get("/missing-services")).status == 403


async def test_items_nobody_looked_at_are_on_staffs_list(town: Town, sign_in: SignIn):
    community = await sign_in(staff=await Staff.get(code="S001"))
    assert (await community.get("/overdue-services")).json["items"] == []
    await ServiceItem.filter(code="flyz").update(reviewed_on=date(2026, 1, 1))
    assert [one["code"] for one in (await community.get("/overdue-services")).json["items"]] == ["flyz"]


async def test_a_provider_is_rated_once_and_complained_about(town: Town, sign_in: SignIn):
    chen, shop = await sign_in(CHEN), await Provider.get(code="wx01")
    kinds = {one["kind"] for one in (await chen.get("/providers", params={"limit": 100})).json["items"]}
    assert {"家政", "餐饮", "维修"} <= kinds
    for stars in (2, 5):
        rated = (await chen.ask("PUT", f"/providers/{shop.id}/rating", json={"stars": stars})).json
    assert (rated["ratings"], rated["stars"]) == (1, None), "one opinion is no average"
    assert (await ProviderRating.get()).stars == 5
    assert (await chen.ask("PUT", f"/providers/{shop.id}/rating", json={"stars": 6})).status == 400
    complaint = await chen.post(f"/providers/{shop.id}/complaints", {"text": "修一次收了三百"})
    assert (complaint.status, (await Case.get()).subject) == (201, "投诉邻家水电维修")
    assert (await chen.get(f"/providers/{shop.id}")).json["complaints"] == 1


async def test_who_has_no_grid_reads_what_holds_everywhere(town: Town, sign_in: SignIn):
    await find_person("o_nobodys_neighbour", town.clock())
    newcomer = await sign_in("o_nobodys_neighbour")
    assert (await newcomer.get("/services/flyz")).status == 200
    assert (await newcomer.get("/providers")).json["items"] == []
    shop = await Provider.get(code="wx01")
    assert (await newcomer.get(f"/providers/{shop.id}")).status == 404
