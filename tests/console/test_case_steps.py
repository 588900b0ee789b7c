"""What is done to a case from its page, step by step to its end, and every form that a page offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from console.case_steps import STEPS
from models.cases import Case, Duty
from models.enums import Outcome, Status, Verifier
from tests.console.conftest import Desk
from tests.console.desks import Desks, offered, sentence
from tests.console.forms import form_to
from tests.town import CHEN, Town

#: These lead through a case, tried in this order; those leave it where it is, which stand in none of the three.
MOVING = (
    "accept",
    "dispatch",
    "take_over",
    "sign",
    "wait",
    "resume",
    "dispose",
    "rework",
    "verify",
    "reopen",
    "escalate",
)
#: Taken again where nothing else is left, to come to what is.
PASSAGES = ("accept", "sign", "dispose")
ENDING = ("reject", "merge")
RESULT = "到现场看过，已经处理好了"


@pytest.fixture
async def desks(town: Town) -> AsyncIterator[Desks]:
    """Nobody is signed in yet. Results are checked by the community."""
    await Duty.all().update(verifier=Verifier.COMMUNITY, closing_photo=False)
    async with AsyncExitStack() as stack:
        yield Desks(town, stack)


async def reported(town: Town, said: str) -> Case:
    """陈阿姨's report, that nobody has taken on."""
    await Duty.all().update(auto_accept=False)
    await town.say(CHEN, said)
    await town.say(CHEN, "1")
    await town.deliver()
    await Duty.all().update(auto_accept=True)
    return (await Case.all().order_by("-id"))[0]


async def take(desk: Desk, case: Case, step: str, **given: str) -> str:
    """Fill in the form of a step and send it; gives what the page says."""
    page = f"/cases/{case.id}"
    form = form_to(await desk.open(page), f"{page}/{step}")
    return sentence(await desk.send(form.action, **form.typed() | given))


async def test_a_case_is_taken_on_stands_still_goes_on_is_checked_and_opened_again_by_a_superior(
    town: Town, desks: Desks
):
    case = await reported(town, "3栋2单元楼道灯坏了好几天了，晚上看不见")
    li, wang, zhou = [await desks.of(name) for name in ("李主任", "王芳", "周科长")]
    assert "已受理，交给网格员王芳" in await take(li, case, "accept")
    assert "已接" in await take(wang, case, "sign")

    yesterday, later = (f"{town.clock() + timedelta(days=days):%Y-%m-%d}" for days in (-1, 5))
    assert "请选挂账到哪一天" in await take(wang, case, "suspend", until=yesterday, reason="等配件")
    assert "决定挂账" in await take(wang, case, "suspend", until=later, reason="等配件")
    assert "已同意挂账" in await take(li, case, "decide", agree="yes")
    assert (await Case.get(id=case.id)).status is Status.SUSPENDED
    assert "继续处理" in await take(wang, case, "resume")

    assert "已记为办好" in await take(wang, case, "dispose", text=RESULT)
    assert "核查通过" in await take(li, case, "verify")
    assert (await Case.get(id=case.id)).status is Status.VERIFIED
    await town.deliver()
    assert "解决了吗" in town.last(CHEN)
    assert "请说一句为什么" in await take(zhou, case, "reopen", reason="")
    assert "已重新打开" in await take(zhou, case, "reopen", reason="巡查时灯又不亮")
    again = await Case.get(id=case.id)
    assert (again.status, again.round) == (Status.DISPATCHED, 2)

    await take(wang, case, "escalate", reason="要物业一起来")
    assert "已记为办好" in await take(li, case, "dispose", text=RESULT)
    assert "verify" not in offered(li.page), "nobody checks their own work"
    assert "verify" in offered(await zhou.open(f"/cases/{case.id}"))


async def test_what_is_not_ours_is_rejected_and_what_was_entered_by_mistake_is_void_by_two(town: Town, desks: Desks):
    li, wang = await desks.of("李主任"), await desks.of("王芳")
    road = await reported(town, "国道上的路灯不亮")
    assert "请说一句不受理的原因" in await take(li, road, "reject", reason="")
    assert "没有受理" in await take(li, road, "reject", reason="国道归公路部门，请拨 12328")
    assert offered(li.page) == ["memo"]
    await town.deliver()
    assert "没有受理，原因：国道归公路部门" in town.last(CHEN)

    twice = await reported(town, "3栋2单元楼道灯坏了好几天了，晚上看不见")
    await take(li, twice, "accept")
    assert "决定作废" in await take(wang, twice, "void", reason="录重了")
    assert (await Case.get(id=twice.id)).status is Status.DISPATCHED
    assert "已同意作废" in await take(li, twice, "decide", agree="yes")
    void = await Case.get(id=twice.id)
    assert (void.status, void.outcome) == (Status.REJECTED, Outcome.VOID)


async def test_every_step_that_a_page_offers_has_a_form_that_does_it(town: Town, desks: Desks):
    people = [await desks.of(name) for name in ("李主任", "王芳", "周科长", "马队长")]
    other = await reported(town, "5栋门口垃圾桶满了没人收")
    untried = {step.path for step in STEPS}
    while untried:
        case = await reported(town, "3栋2单元楼道灯坏了好几天了，晚上看不见")
        before = set(untried)
        while done := await _go_on(people, case, other, untried):
            untried.difference_update(done)
        assert untried < before


async def _go_on(people: Sequence[Desk], case: Case, other: Case, untried: set[str]) -> set[str]:
    """Everybody does what leaves the case where it is; where there is no such thing, somebody moves it on. Gives what
    was done."""
    done: set[str] = set()
    pages = [await desk.open(f"/cases/{case.id}") for desk in people]
    for desk in people:
        while wanted := [step for step in offered(desk.page) if step in untried - done - {*MOVING, *ENDING}]:
            await _do(desk, case, other, wanted[0])
            done.add(wanted[0])
    if done:
        return done
    rest = [step for step in MOVING if step in untried] or [step for step in ENDING if untried <= {*ENDING}]
    for step in [*rest, *PASSAGES]:
        for desk, page in zip(people, pages, strict=True):
            if step in offered(page):
                await _do(desk, case, other, step)
                return {step}
    return set()


async def _do(desk: Desk, case: Case, other: Case, step: str) -> None:
    """Fill in what the form has, and send it: the page that comes says that it is done."""
    form = form_to(desk.page, f"/cases/{case.id}/{step}")
    day = f"{(await Case.get(id=case.id)).reported_at + timedelta(days=9):%Y-%m-%d}"
    samples = {
        "text": RESULT,
        "reason": "要别的单位配合",
        "to": "马队长",
        "grid": "刘洋",
        "into": other.number,
        "until": day,
    }
    typed = form.typed()
    given = {name: samples[name] for name, text in typed.items() if name in samples and not text}
    given |= {name: form.offered[name][1] for name in form.blank & form.offered.keys()}
    page = await desk.send(form.action, **typed | given)
    assert 'class="said"' in page, f"{step}: {desk.status} {sentence(page)}"
