"""Rules at the console: duty list, categories and keywords, ready sentences, calendar, formulas."""

from __future__ import annotations

from datetime import date

from models.audit import AuditEvent
from models.cases import Case, DutyList, ReplyTemplate, SpecialDay
from models.enums import AdminKind
from models.language import WordRule
from models.statistics import Formula
from tests.console.administration import at_desk
from tests.console.conftest import Desk, sit_down
from tests.town import CHEN, Town


async def test_everybody_looks_up_the_duty_list_and_only_its_keeper_changes_it(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    page = await desk.open("/rules?words=路灯&day=2026-11-20")
    assert "路灯" in page
    assert "/organisation/rows/duties" not in page
    await desk.open("/organisation/rows/duties")
    assert desk.status == 403


async def test_a_changed_line_is_a_new_version_that_says_what_it_changed(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    versions = await DutyList.all().count()
    rows = [row.split("</tr>")[0] for row in (await desk.open("/rules")).split("<tr>") if "rows/duties?key=" in row]
    address = rows[0].split('href="/console')[1].split('"')[0].replace("&amp;", "&")
    page = await desk.open(address)
    fields = _values(page)
    keys = [part.split('"')[0] for part in page.split('name="key" value="')[1:]]
    fields |= {"handle_limit": "9工作日", "effective_on": "2026-12-01"}
    sent = [*fields.items(), *(("key", key) for key in keys)]
    async with desk.session.post(f"{desk.url}/console/organisation/rows/duties", data=sent) as answer:
        assert "从 2026-12-01 起生效" in await answer.text()
    assert await DutyList.all().count() == versions + 1
    page = await desk.open("/rules?day=2026-12-01")
    assert "这一版改了什么" in page
    assert "9工作日" in page.split("这一版改了什么")[1]


def _values(page: str) -> dict[str, str]:
    """What a form of the page would send, but for its keys."""
    form = page.split("<main")[1]
    found = {}
    for part in form.split("<input")[1:]:
        tag = part.split(">")[0]
        name = tag.split('name="')[1].split('"')[0]
        found[name] = tag.split('value="')[1].split('"')[0] if 'value="' in tag else ""
    for part in form.split("<select")[1:]:
        body = part.split("</select>")[0]
        chosen = [option.split("</option>")[0] for option in body.split("<option selected>")[1:]]
        found[part.split('name="')[1].split('"')[0]] = chosen[0] if chosen else ""
    return {name: value for name, value in found.items() if name != "key"}


async def test_a_word_is_tried_on_the_newest_cases_before_it_is_added_and_ended(town: Town, desk: Desk):
    await town.say(CHEN, "3栋2单元楼道灯坏了，说是等咕噜球，晚上看不见")
    await town.say(CHEN, "1")
    code = (await Case.get()).category
    zheng = await sit_down(town, desk, "郑主任")
    assert f"/console/rules/words/{code}" in await desk.open("/rules/words")
    await desk.open(f"/rules/words/{code}")
    rule = {"kind": "not", "entry": "咕噜球", "note": "居民叫的是别的东西"}
    await desk.send(f"/rules/words/{code}", **rule, step="try")
    assert "什么都还没有写" in desk.page
    assert "类别变 1 件" in desk.page
    assert not await WordRule.exists()
    await desk.open(f"/rules/words/{code}")
    assert "已加上“咕噜球”" in await desk.send(f"/rules/words/{code}", **rule, step="write")
    kept = await WordRule.get()
    assert (kept.category, kept.added_by_id) == (code, zheng.id)
    await desk.send(f"/rules/words/{code}/{kept.id}/end", step="write")
    assert "已停用" in desk.page
    await kept.refresh_from_db()
    assert kept.ended_by_id == zheng.id


async def test_a_grid_worker_reads_the_words_and_changes_none(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    await desk.open("/rules/words")
    code = desk.page.split("/console/rules/words/")[1].split('"')[0]
    assert "加一条规则" not in await desk.open(f"/rules/words/{code}")
    for step in ("try", "write"):
        await desk.open("/account")
        await desk.send(f"/rules/words/{code}", kind="word", entry="咕噜球", step=step)
        assert desk.status == 403
    assert not await WordRule.exists()


async def test_a_word_that_cannot_work_is_told_why(town: Town, desk: Desk):
    await sit_down(town, desk, "郑主任")
    await desk.open("/rules/words")
    code = desk.page.split("/console/rules/words/")[1].split('"')[0]
    await desk.open(f"/rules/words/{code}")
    assert "一个字太常见" in await desk.send(f"/rules/words/{code}", kind="word", entry="灯", step="write")


async def test_a_ready_sentence_is_added_and_one_with_an_unknown_variable_is_not(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    await desk.open("/organisation/rows/reply_templates")
    await desk.send("/organisation/rows/reply_templates", name="已修好了", text="{phone}已修好。", verb="办结")
    assert "没有 {phone} 这个变量" in desk.page
    await desk.open("/organisation/rows/reply_templates")
    await desk.send("/organisation/rows/reply_templates", name="已修好了", text="{place}已修好。", verb="办结")
    assert "{place}已修好。" in desk.page
    assert (await ReplyTemplate.get(name="已修好了")).verb == "dispose"


async def test_a_day_off_changes_the_calendar_at_once(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    before = _working(await desk.open("/rules/calendar?year=2026"))
    await desk.open("/organisation/rows/special_days")
    await desk.send("/organisation/rows/special_days", day="2026-11-26", works="放假", name="本地活动日")
    assert "本地活动日" in desk.page
    assert _working(desk.page) == before - 1
    assert await SpecialDay.filter(day=date(2026, 11, 26), works=False).exists()
    assert "还没有公布 2090 年的放假安排" in await desk.open("/rules/calendar?year=2090")


def _working(page: str) -> int:
    return int(page.split("工作日 ")[1].split(" ", maxsplit=1)[0])


async def test_a_new_version_of_the_formulas_says_first_what_it_changes(town: Town, desk: Desk):
    zheng = await sit_down(town, desk, "郑主任")
    given = _values(await desk.open("/rules/formulas")) | {"month": "2026-12", "note": "局里定的"}
    given |= {"denominator": "closed", "on_time_by": "disposed", "wrong_dispatch": "rework", "satisfied_from": "2"}
    given |= {"sign_hours": "12", "weights.overall.close_rate": "5"}
    given.pop("mark")
    page = await desk.send("/rules/formulas", **given, step="try")
    assert "会改 3 处" in page
    assert "签收时限（小时）：24 → 12" in page
    assert not await Formula.exists()
    await desk.open("/rules/formulas")
    page = await desk.send("/rules/formulas", **given, step="write")
    assert "新的一版从 2026-12 起生效" in page
    assert "按期结案率的分母：应结案数 → 结案数" in page
    assert (await AuditEvent.get(tag="formula:add")).actor == f"staff:{zheng.id}"
    given["sign_hours"] = "twelve"
    await desk.send("/rules/formulas", **given, step="write")
    assert "“签收时限（小时）”要写数字" in desk.page
    assert await Formula.all().count() == 1


async def test_formulas_are_changed_by_the_district_alone(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    assert "写成新的一版" not in await desk.open("/rules/formulas")
    await desk.open("/account")
    await desk.send("/rules/formulas", month="2026-12", note="x", sign_hours="12", step="write")
    assert desk.status == 403
    assert not await Formula.exists()
