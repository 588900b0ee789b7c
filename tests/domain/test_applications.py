"""线上办理: handed in, worked on, supplemented, decided; who reads what; what is late is told; what is forgotten is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain import application_work as work
from domain import applications, timing
from domain.application_watch import remind_applicants, watch_applications
from domain.application_work import Result
from domain.applications import Filled, Supply, Tie
from domain.booking_rules import Other
from domain.clock import SHANGHAI
from domain.erasure import erase
from domain.linking import merge
from domain.personal_data import gather
from domain.uploads import drop_unused
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.accounts import Upload
from models.audit import AuditEvent
from models.bookings import Application, ApplicationEvent, ApplicationFile
from models.database import fetch, transaction
from models.enums import ApplicationState
from models.messaging import Outbox
from models.people import Resident, Staff
from models.services import ServiceItem
from tests.domain.applied import ELDER, ID_NUMBER, NAME, PHONE, answers, applied, photo
from tests.domain.neighbours import FAR, SECOND, neighbour, officer
from tests.domain.tables import NOW


async def told(openid: str) -> list[str]:
    jobs = await Outbox.filter(recipient=openid, kind="notice").order_by("id")
    return [job.payload["text"] for job in jobs]


async def test_a_form_handed_in_has_a_number_a_promise_and_reaches_who_decides(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    made = await applied(chen, NOW)
    assert (made.number, made.state, made.by) == ("B20261120-0001", "submitted", f"resident:{chen.resident_id}")
    assert made.due_at
    assert made.due_at.astimezone(SHANGHAI).isoformat() == "2026-12-04T10:00:00+08:00", "ten working days"
    [text] = await told((li.post and li.post.openid) or "")
    assert text.startswith("新的申请 B1120-0001 高龄津贴，最晚 12 月 4 日前办完")
    job = await Outbox.get(kind="notice")
    assert job.payload["kind"] == "application"
    assert job.payload["fields"]["status"] == "待审核"
    assert not any(word in str(job.payload) for word in (NAME, PHONE, ID_NUMBER))


async def test_what_does_not_fit_is_refused_and_nothing_is_kept(orm: None):
    chen, zhao = await neighbour("chen", NOW), await neighbour("zhao", NOW)
    mine, theirs = await photo(chen, NOW), await photo(zhao, NOW)
    for wrong in (answers(mine, f2="110105194912310021"), answers(mine, f1=""), answers(mine, f9="x")):
        with pytest.raises(BadRequest):
            await applications.submit(chen, "gljt", Filled(wrong), NOW)
    with pytest.raises(NotFound) as refusal:
        await applications.submit(chen, "gljt", Filled(answers(theirs)), NOW)
    assert "没有传好" in refusal.value.say
    assert await Application.all().count() == 0
    with pytest.raises(NotFound) as absent:
        await applications.submit(chen, "flyz", Filled({}), NOW)
    assert "不能在网上申请" in absent.value.say
    assert (await applied(chen, NOW)).number == "B20261120-0001", "what was refused left no gap"


async def test_numbers_have_no_gap_however_many_apply_at_once(orm: None):
    people = [await neighbour(f"n{place}", NOW) for place in range(6)]
    pictures = [await photo(person, NOW) for person in people]

    async def hand_in(place: int) -> Application:
        return await applications.submit(people[place], "gljt", Filled(answers(pictures[place])), NOW)

    made = await asyncio.gather(*(hand_in(place) for place in range(6)))
    assert sorted(one.number[-4:] for one in made) == [f"{place:04}" for place in range(1, 7)]


async def test_the_same_twice_at_once_is_one_application(orm: None):
    chen = await neighbour("chen", NOW)
    picture = await photo(chen, NOW)
    tries = [applications.submit(chen, "gljt", Filled(answers(picture)), NOW) for _ in range(3)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["Application", "Conflict", "Conflict"]
    assert await Application.all().count() == 1


async def test_nobody_handles_what_they_or_their_family_applied_for(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    made = await applied(chen, NOW)
    await Staff.filter(code="S001").update(openid=(await Resident.get(id=chen.resident_id)).openid)
    with pytest.raises(NotAllowed) as refusal:
        await work.take(await officer("S001"), made.id, NOW)
    assert "请同事来办" in refusal.value.say
    await Staff.filter(code="S001").update(openid=None)
    await work.take(li, made.id, NOW)


async def test_from_taking_it_to_the_result_the_applicant_hears_each_step(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    made = await applied(chen, NOW)
    with pytest.raises(NotAllowed) as refusal:
        await work.accept(li, made.id, NOW)
    assert "我来办" in refusal.value.say
    await work.take(li, made.id, NOW)
    await work.accept(li, made.id, NOW)
    await work.finish(li, made.id, Result("津贴从下月起发", (), "社区一楼"), NOW)
    found = await Application.get(id=made.id)
    assert (found.state, found.result) == ("done", "津贴从下月起发。请带身份证到社区一楼取。")
    heard = await told(chen.openid)
    assert [line.split("\n")[0] for line in heard] == [
        "B1120-0001 高龄津贴：东亭社区李主任在办了。",
        "B1120-0001 高龄津贴：材料齐了，已受理，最晚 12 月 4 日前办好。",
        "B1120-0001 高龄津贴 办好了：津贴从下月起发。请带身份证到社区一楼取。",
    ]
    await applications.rate(chen, made.id, 5, "快", NOW)
    assert (await Application.get(id=made.id)).stars == 5
    with pytest.raises(Conflict):
        await work.refuse(li, made.id, "不行", NOW)
    verbs = [one.verb for one in await ApplicationEvent.filter(application_id=made.id).order_by("id")]
    assert verbs == ["submit", "take", "accept", "finish"]
    tags = {event.tag for event in await AuditEvent.filter(object_id=made.id)}
    assert tags >= {f"application:{verb}" for verb in ("submit", "take", "accept", "finish", "rate")}


#: What may be done in which state, and by whom; everything else is refused and changes nothing.
ALLOWED = {
    "take": {"submitted", "supplement", "accepted"},
    "ask": {"submitted", "accepted"},
    "accept": {"submitted"},
    "finish": {"submitted", "accepted"},
    "refuse": {"submitted", "supplement", "accepted"},
    "supplement": {"supplement"},
    "withdraw": {"submitted", "supplement", "accepted"},
    "rate": {"done", "refused"},
}


async def test_each_step_is_possible_in_its_states_and_in_no_other(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    steps = {
        "take": lambda ident: work.take(li, ident, NOW),
        "ask": lambda ident: work.ask(li, ident, "再补一张", NOW),
        "accept": lambda ident: work.accept(li, ident, NOW),
        "finish": lambda ident: work.finish(li, ident, Result("办好了"), NOW),
        "refuse": lambda ident: work.refuse(li, ident, "不符合", NOW),
        "supplement": lambda ident: applications.supplement(chen, ident, Supply(words="好"), NOW),
        "withdraw": lambda ident: applications.withdraw(chen, ident, NOW),
        "rate": lambda ident: applications.rate(chen, ident, 3, "", NOW),
    }
    made = await applied(chen, NOW)
    fresh = {"state": "submitted", "holder_id": li.post and li.post.id, "ended_at": None, "asked": "", "result": ""}
    for state in ApplicationState:
        for verb, step in steps.items():
            await Application.filter(id=made.id).update(**fresh | {"state": state})
            if state in ALLOWED[verb]:
                await step(made.id)
                continue
            before = await fetch("SELECT * FROM application")
            with pytest.raises(Conflict) as refusal:
                await step(made.id)
            assert f"{verb} from {state}" == refusal.value.detail
            assert await fetch("SELECT * FROM application") == before


async def test_while_the_applicant_must_add_something_the_clock_stands(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    made = await applied(chen, NOW)
    promised = made.due_at
    await work.take(li, made.id, NOW)
    await work.ask(li, made.id, "身份证照片太糊", NOW)
    assert "还差一点：身份证照片太糊" in (await told(chen.openid))[-1]
    with pytest.raises(BadRequest):
        await applications.supplement(chen, made.id, Supply(), NOW)
    later, better = NOW + timedelta(days=4), await photo(chen, NOW)  # Friday to Tuesday: two working days
    back = await applications.supplement(chen, made.id, Supply({"f6": [str(better)]}, "重新拍了"), later)
    assert promised
    assert back.due_at
    assert (back.state, back.due_at - promised) == (ApplicationState.SUBMITTED, timedelta(days=4))
    assert [file.upload_id for file in await ApplicationFile.filter(application_id=made.id)] == [better]
    with pytest.raises(Conflict):
        await applications.supplement(chen, made.id, Supply(words="还有"), later)
    await work.accept(li, made.id, later)
    await work.ask(li, made.id, "再补一样", later)
    again = await applications.supplement(chen, made.id, Supply(words="好", photos=[await photo(chen, NOW)]), later)
    assert again.state == "accepted", "it goes on where it was asked"
    assert await ApplicationFile.filter(application_id=made.id, field="more").count() == 1


async def test_who_reads_what(orm: None):
    chen, made = await neighbour("chen", NOW), await applied(await neighbour("chen", NOW), NOW)
    li, wang, zhou = await officer("S001"), await officer("G001"), await officer("J001")
    await work.take(li, made.id, NOW)
    for person in (chen, li):
        assert (await work.read(person, made.id, NOW)).application.answers["f2"] == ID_NUMBER
    for person in (wang, zhou):
        seen = await work.read(person, made.id, NOW)
        assert (seen.whole, seen.fields, seen.files, seen.events, seen.name) == (False, (), (), (), "")
    strangers = await neighbour("zhao", NOW), await officer("G002"), await officer("S002"), await officer("B021")
    for person in strangers:
        for ident in (made.id, 2**40):
            with pytest.raises(NotFound) as refusal:
                await work.read(person, ident, NOW)
            assert refusal.value.say == NotFound.default_say
    assert await AuditEvent.filter(tag="application:read", object_id=made.id).count() == 1, "the holder's look"
    assert [line.number for line in await work.list_work(wang)] == [made.number]
    assert [line.number for line in await work.list_work(zhou)] == [made.number]
    assert await work.list_work(await officer("G002")) == await work.list_work(await officer("S002")) == []
    listed = str(await work.list_work(li))
    assert not any(word in listed for word in (NAME, PHONE, ID_NUMBER))


async def test_a_colleague_takes_it_over_and_only_they_read_it_then(orm: None):
    chen, li, zhou = await neighbour("chen", NOW), await officer("S001"), await officer("J001")
    made = await applied(chen, NOW)
    await work.take(li, made.id, NOW)
    await work.take(zhou, made.id, NOW)
    assert (await applications.ties(li, await Application.get(id=made.id))) == {Tie.OFFICER}
    with pytest.raises(NotAllowed):
        await work.finish(li, made.id, Result("好了"), NOW)
    assert any("接过去了" in line for line in await told((li.post and li.post.openid) or ""))


async def test_an_elder_is_applied_for_by_family_or_by_the_grids_worker(orm: None):
    chen, wang, li = await neighbour("chen", NOW), await officer("G001"), await officer("S001")
    by_family = await applied(chen, NOW, ELDER)
    assert (by_family.resident_id, by_family.name, by_family.relation) == (None, NAME, "女儿")
    by_worker = await applied(wang, NOW, Other(NAME, PHONE))
    assert (by_worker.by, by_worker.relation, by_worker.grid_id) == (wang.actor, "网格员", by_family.grid_id)
    with pytest.raises(Conflict) as again:
        await applied(chen, NOW, ELDER)
    assert "您已经替" in again.value.say
    assert await AuditEvent.filter(tag="application:on_behalf").count() == 2
    assert [one.id for one in await applications.own_applications(wang)] == [by_worker.id]
    await work.take(li, by_worker.id, NOW)
    assert "在办了" in (await told((wang.post and wang.post.openid) or ""))[-1], "who did it for them hears of it"
    with pytest.raises(BadRequest):
        await applied(wang, NOW)
    with pytest.raises(BadRequest):
        await applied(chen, NOW, Other(NAME, "123"))
    for name in ("甲老", "乙老", "丙老", "丁老"):
        await applied(chen, NOW, replace(ELDER, name=name))
    with pytest.raises(Conflict, match="5 others"):
        await applied(chen, NOW, replace(ELDER, name="戊老"))
    with pytest.raises(NotAllowed):
        await applied(await officer("J001"), NOW, ELDER)
    far = Filled(answers(await photo(wang, NOW)), ELDER, (await neighbour("far", NOW, SECOND)).home.grid_id)  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        await applications.submit(wang, "gljt", far, NOW)


async def test_an_end_that_comes_is_told_once_and_one_that_has_passed_to_the_community(orm: None):
    chen, zhou = await neighbour("chen", NOW), await officer("J001")
    made = await applied(chen, NOW)
    await work.take(zhou, made.id, NOW)
    assert made.due_at
    assert await watch_applications(NOW + timedelta(days=4)) == 0
    before = made.due_at - timedelta(hours=3)
    assert [await watch_applications(before) for _ in range(2)] == [1, 0]
    assert "快到时间的申请 B1120-0001" in (await told((zhou.post and zhou.post.openid) or ""))[-1]
    after = made.due_at + timedelta(hours=15)  # one in the morning: it waits
    ran = await asyncio.gather(*(watch_applications(after) for _ in range(3)))
    assert sum(ran) == 1, "however many look at once"
    late = await Outbox.filter(payload__contains={"kind": "application"}).order_by("id").offset(3)
    said = "超过承诺时间的申请 B1120-0001 高龄津贴。\n回复“申请待办”看全部。"
    texts = {job.recipient: (job.payload["text"], job.quiet) for job in late}
    assert texts == dict.fromkeys(["o_sim_community_li", "o_sim_street_zhou"], (said, True))
    assert await watch_applications(after + timedelta(days=9)) == 0


async def test_who_does_not_add_what_was_asked_for_is_reminded_once_after_three_working_days(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    made = await applied(chen, NOW)
    await work.take(li, made.id, NOW)
    await work.ask(li, made.id, "身份证背面", NOW)  # a Friday
    assert [one.says(NOW) for one in await work.list_work(li)] == ["等居民补件"]
    before, after = NOW + timedelta(days=4, hours=23), NOW + timedelta(days=5, hours=12)
    assert await remind_applicants(before) == 0
    assert sum(await asyncio.gather(*(remind_applicants(after) for _ in range(3)))) == 1, "however many look at once"
    job = await Outbox.filter(recipient=chen.openid, kind="notice").order_by("-id").first()
    assert job
    assert job.quiet, "ten in the evening: it waits"
    assert "还在等您补：身份证背面" in job.payload["text"]
    assert "可能按不予办理结束" in job.payload["text"]
    [line] = await work.list_work(li)
    assert line.says(after) == "等居民补件 5 天"
    assert not line.is_late(after + timedelta(days=90)), "the clock stands"
    assert await remind_applicants(after + timedelta(days=9)) == 0
    await applications.supplement(chen, made.id, Supply(words="补了"), after)
    await work.ask(li, made.id, "正面也要", after)
    assert await remind_applicants(after + timedelta(days=9)) == 1, "asked for something else, reminded of that"
    with timing.use(replace(timing.current(), supplement_days=0)):
        await applications.supplement(chen, made.id, Supply(words="补了"), after)
        await work.ask(li, made.id, "再补一张", after)
        assert await remind_applicants(after + timedelta(days=9)) == 0, "switched off"


async def test_a_department_sees_and_decides_what_is_applied_for_of_its_items_and_nothing_else(orm: None):
    chen, han, ma, li = (
        await neighbour("chen", NOW),
        await officer("B021"),
        await officer("B001"),
        await officer("S001"),
    )
    await Staff.filter(code="B021").update(openid="o_han")
    await ServiceItem.filter(code="gljt").update(department_id=han.post and han.post.department_id)
    made = await applied(chen, NOW)
    assert (len(await told("o_han")), await told((li.post and li.post.openid) or "")) == (1, [])
    assert [line.number for line in await work.list_work(han)] == [made.number]
    assert await work.list_work(ma) == []
    with pytest.raises(NotFound):
        await work.take(ma, made.id, NOW)
    await work.take(han, made.id, NOW)
    await work.finish(han, made.id, Result("办好了"), NOW)
    assert (await Application.get(id=made.id)).state == "done"
    away = await applied(await neighbour("zhao", NOW), NOW)
    await ServiceItem.filter(code="gljt").update(department_id=ma.post and ma.post.department_id)
    assert await work.list_work(han) == []
    with pytest.raises(NotFound):
        await work.read(han, away.id, NOW)
    assert await work.take(li, away.id, NOW), "the community answers for all of its people"


async def test_photos_of_an_application_stay_and_unused_ones_go(orm: None, tmp_path):
    chen = await neighbour("chen", NOW)
    unused = await photo(chen, NOW)
    made = await applied(chen, NOW)
    assert await drop_unused(tmp_path, NOW + timedelta(days=3)) == 1
    kept = [file.upload_id for file in await ApplicationFile.filter(application_id=made.id)]
    assert [one.id for one in await Upload.all()] == kept
    assert unused not in kept


async def test_the_package_has_it_and_who_is_forgotten_leaves_figures_alone(orm: None):
    chen, li = await neighbour("chen", NOW), await officer("S001")
    mine, other = await applied(chen, NOW), await applied(chen, NOW, ELDER)
    await work.take(li, mine.id, NOW)
    await work.ask(li, mine.id, f"请{NAME}补照片", NOW)
    first = (await gather(chen, NOW)).applications[0]
    assert (first["answers"]["老人身份证号"], len(first["photos"])) == (ID_NUMBER, 1)
    assert [line["what"] for line in first["timeline"]] == ["submit", "take", "ask"]
    with pytest.raises(Conflict) as refusal:
        await erase(chen, NOW)
    assert "还有 2 件事在办" in refusal.value.say
    await erase(chen, NOW, even_open=True)
    rows = str(await fetch("SELECT * FROM application")) + str(await fetch("SELECT * FROM application_event"))
    assert not any(word in rows for word in (NAME, PHONE, ID_NUMBER, "女儿"))
    assert {one.state for one in await Application.all()} == {ApplicationState.WITHDRAWN}
    assert {one.number for one in await Application.all()} == {mine.number, other.number}
    assert await ApplicationFile.all().count() == await Upload.all().count() == 0
    assert await Outbox.filter(kind="erase").count() == 1
    assert await work.list_work(li) == []


async def test_who_turns_out_to_be_one_person_keeps_what_both_applied_for(orm: None):
    follower, visitor = await neighbour("chen", NOW), await neighbour("mini", NOW)
    first, second, third = await applied(follower, NOW), await applied(visitor, NOW), await applied(visitor, NOW, ELDER)
    async with transaction():
        await merge(visitor.resident_id, follower.resident_id, NOW)
    states = {one.id: one.state for one in await applications.own_applications(follower)}
    assert states == {first.id: "submitted", second.id: "withdrawn", third.id: "submitted"}, "one open of an item"


async def test_who_has_no_grid_is_told_how_to_choose_one(orm: None):
    away = await neighbour("far", NOW, FAR)
    made = await applied(away, NOW)
    assert await work.list_work(await officer("S001")) == []
    assert [line.number for line in await work.list_work(await officer("S002"))] == [made.number]
    nobody = type(away)(away.openid, away.resident_id, None, None)
    with pytest.raises(BadRequest) as refusal:
        await applications.submit(nobody, "lnyd", Filled({}), NOW)
    assert refusal.value.data["fields"]
