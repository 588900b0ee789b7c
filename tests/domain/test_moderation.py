"""Keeping rooms decent: complaints, reviews, mutes and appeals; who decides, who is told, and that all is audited."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain import moderation, reviews
from domain.people import Person
from domain.review_rounds import tell_staff
from domain.room_messages import access_message, entries, post, recall, remove
from domain.rooms import handle, private_room, seats
from errors import BadRequest, Conflict, NotAllowed, NotFound, TooMany
from models.audit import AuditEvent
from models.enums import MessageKind, MessageState, OutboxKind, ReviewOutcome
from models.messaging import Outbox
from models.people import Staff
from models.rooms import Review, RoomMessage
from tests.domain.neighbours import FAR, SECOND, first_room, neighbour, officer, words
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")

INSULT, PHONE = "你这个傻逼", "找我就打13812345678"


class Scene:
    """A grid's room with two neighbours, its worker and the community's staff."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    async def set(self) -> Scene:
        now = self.clock()
        self.chen, self.zhao = await neighbour("chen", now), await neighbour("zhao", now)
        self.wang, self.li = await officer("G001"), await officer("S001")
        self.room = await first_room()
        return self

    async def says(self, person: Person, text: str) -> int:
        self.clock.advance(timedelta(seconds=1))
        return (await post(person, self.room.id, words(text), self.clock())).id

    async def reads(self, person: Person) -> list[str]:
        return [entry.text for entry in await entries(person, self.room.id) if entry.kind is MessageKind.TEXT]

    async def complains(self, person: Person, message_id: int) -> moderation.Opened:
        return await moderation.complain(person, message_id, "骂人", self.clock())

    async def decides(self, person: Person, review_id: int, *, keep: bool, answer: str = "骂人的话不能发") -> None:
        await reviews.decide(person, review_id, keep, answer, self.clock())

    async def handle_of(self, person: Person) -> str:
        return handle((await seats(self.room.id, [person.actor]))[person.actor])

    async def mutes(self, staff: Person, whom: Person) -> moderation.Mute:
        span = timedelta(hours=2)
        return await moderation.mute(staff, self.room.id, await self.handle_of(whom), span, "连续刷屏", self.clock())


@pytest.fixture
async def scene(clock: Clock) -> Scene:
    return await Scene(clock).set()


async def told(openid: str) -> list[str]:
    """What somebody was sent, oldest first."""
    jobs = await Outbox.filter(kind=OutboxKind.NOTICE, recipient=openid).order_by("id")
    return [job.payload["text"] for job in jobs]


async def openid_of(person: Person) -> str:
    staff = await Staff.get(id=person.post.id) if person.post else None
    return (staff.openid or "") if staff else person.openid


async def audited(tag: str) -> list[tuple[str, int | None]]:
    return [(row.actor, row.object_id) for row in await AuditEvent.filter(tag=tag, allowed=True).order_by("id")]


async def open_review(message_id: int) -> Review:
    return await Review.get(message_id=message_id, outcome=ReviewOutcome.OPEN)


@pytest.mark.parametrize("number", range(10))
async def test_a_complaint_hides_a_neighbours_message_at_once(scene: Scene, number: int):
    message = await scene.says(scene.chen, f"第{number}句难听的")
    opened = await scene.complains(scene.zhao, message)
    assert opened.hidden
    assert await scene.reads(scene.zhao) == [""]
    assert [entry.kind for entry in await entries(scene.zhao, scene.room.id)][-1] is MessageKind.REMOVAL
    assert await scene.reads(scene.wang) == [f"第{number}句难听的"]  # staff see what they decide about
    assert await audited("room_message:complain") == [(scene.zhao.actor, message)]
    assert "有邻居觉得不合适" in (await told(scene.chen.openid))[-1]


async def test_staff_may_give_a_complained_of_message_back_and_then_it_stays(scene: Scene):
    message = await scene.says(scene.chen, "物业费怎么又涨了")
    opened = await scene.complains(scene.zhao, message)
    await scene.decides(scene.wang, opened.review_id, keep=True)
    assert await scene.reads(scene.zhao) == ["物业费怎么又涨了"]
    assert [entry.kind for entry in await entries(scene.zhao, scene.room.id)][-1] is MessageKind.RETURN
    assert "已经显示" in (await told(scene.chen.openid))[-1]
    with pytest.raises(Conflict):
        await scene.complains(scene.zhao, message)
    assert await scene.reads(scene.zhao) == ["物业费怎么又涨了"]


async def test_staff_may_leave_it_hidden_and_its_sender_reads_why(scene: Scene):
    message = await scene.says(scene.chen, "楼上的都不是好人")
    opened = await scene.complains(scene.zhao, message)
    await scene.decides(scene.wang, opened.review_id, keep=False, answer="不要说邻居坏话")
    assert await scene.reads(scene.zhao) == [""]
    assert (await access_message(scene.chen, message)).why == "不要说邻居坏话"
    assert "原因：不要说邻居坏话" in (await told(scene.chen.openid))[-1]
    assert "申诉" in (await told(scene.chen.openid))[-1]
    assert await audited("review:hidden") == [(scene.wang.actor, opened.review_id)]


async def test_a_complaint_about_staff_opens_a_review_and_hides_nothing(scene: Scene):
    message = await scene.says(scene.wang, "明天停水，请提前储水")
    opened = await scene.complains(scene.zhao, message)
    assert not opened.hidden
    assert await scene.reads(scene.zhao) == ["明天停水，请提前储水"]
    with pytest.raises(NotAllowed):
        await scene.decides(scene.wang, opened.review_id, keep=True)  # nobody judges their own words
    await scene.decides(scene.li, opened.review_id, keep=False)
    assert await scene.reads(scene.zhao) == [""]


async def test_nobody_complains_of_themselves_or_from_outside_or_of_what_is_gone(scene: Scene):
    message = await scene.says(scene.chen, "有人在家吗")
    with pytest.raises(NotAllowed):
        await scene.complains(scene.chen, message)
    with pytest.raises(NotFound):
        await scene.complains(await neighbour("far", scene.clock(), FAR), message)
    with pytest.raises(BadRequest):
        await moderation.complain(scene.zhao, message, "  ", scene.clock())
    await scene.complains(scene.zhao, message)
    with pytest.raises(Conflict):
        await scene.complains(await neighbour("sun", scene.clock()), message)
    assert await Review.all().count() == 1


async def test_twenty_complaints_a_day_are_enough(scene: Scene):
    for number in range(20):
        await scene.complains(scene.zhao, await scene.says(scene.chen, f"第{number}句"))
    last = await scene.says(scene.chen, "最后一句")
    with pytest.raises(TooMany):
        await scene.complains(scene.zhao, last)
    scene.clock.advance(timedelta(days=1, seconds=1))
    assert (await scene.complains(scene.zhao, last)).hidden


async def test_words_in_doubt_are_shown_once_staff_have_looked(scene: Scene):
    message = await scene.says(scene.chen, PHONE)
    assert await scene.reads(scene.zhao) == []
    [line] = await reviews.list_reviews(scene.wang)
    assert (line.entry and line.entry.text, line.by, line.mine) == (PHONE, "系统", False)
    await scene.decides(scene.wang, line.id, keep=True)
    assert await scene.reads(scene.zhao) == [PHONE]
    assert (await RoomMessage.get(id=message)).seq == 1
    assert await reviews.list_reviews(scene.wang) == []
    assert [one.decider for one in await reviews.list_reviews(scene.li, waiting=False)] == ["王芳"]


async def test_a_decision_is_made_once(scene: Scene):
    review = await open_review(await scene.says(scene.chen, PHONE))
    await scene.decides(scene.wang, review.id, keep=False)
    with pytest.raises(Conflict):
        await scene.decides(scene.li, review.id, keep=True)
    assert await scene.reads(scene.zhao) == []


async def test_who_hides_something_says_why(scene: Scene):
    review = await open_review(await scene.says(scene.chen, PHONE))
    with pytest.raises(BadRequest):
        await scene.decides(scene.wang, review.id, keep=False, answer=" ")
    assert (await open_review(review.message_id or 0)).id == review.id


@pytest.mark.parametrize("code", ["G002", "B001", "Q001", "C001"])
async def test_reviews_are_for_the_grids_worker_the_community_and_the_street(scene: Scene, code: str):
    review = await open_review(await scene.says(scene.chen, PHONE))
    with pytest.raises(NotFound):
        await scene.decides(await officer(code), review.id, keep=True)
    with pytest.raises(NotFound):
        await scene.decides(scene.zhao, review.id, keep=True)
    await scene.decides(await officer("J001"), review.id, keep=True)
    assert await scene.reads(scene.zhao) == [PHONE]


async def test_each_sees_the_reviews_of_their_own_area_alone(scene: Scene):
    await scene.says(scene.chen, PHONE)
    other = await neighbour("other", scene.clock(), SECOND)
    await post(other, (await first_room(SECOND)).id, words(PHONE), scene.clock())
    assert [len(await reviews.list_reviews(await officer(code))) for code in ("G001", "G002", "S001", "J001")] == [
        1,
        1,
        2,
        2,
    ]
    with pytest.raises(NotAllowed):
        await reviews.list_reviews(scene.chen)


async def test_what_was_taken_back_need_not_be_looked_at(scene: Scene):
    message = await scene.says(scene.chen, PHONE)
    await recall(scene.chen, message, scene.clock())
    assert await reviews.list_reviews(scene.wang) == []


async def test_an_appeal_is_decided_by_somebody_else_than_who_removed(scene: Scene):
    message = await scene.says(scene.chen, "说句公道话")
    await remove(scene.wang, message, "跑题了", scene.clock())
    opened = await moderation.appeal(scene.chen, message, "我没有跑题", scene.clock())
    with pytest.raises(NotAllowed):
        await scene.decides(scene.wang, opened.review_id, keep=False)
    await scene.decides(scene.li, opened.review_id, keep=True)
    assert await scene.reads(scene.zhao) == ["说句公道话"]
    assert await audited("room_message:appeal") == [(scene.chen.actor, message)]
    assert await audited("review:shown") == [(scene.li.actor, opened.review_id)]


async def test_an_appeal_against_a_decision_is_not_for_who_made_it(scene: Scene):
    review = await open_review(await scene.says(scene.chen, PHONE))
    await scene.decides(scene.wang, review.id, keep=False)
    opened = await moderation.appeal(scene.chen, review.message_id or 0, "是我自己的电话", scene.clock())
    with pytest.raises(NotAllowed):
        await scene.decides(scene.wang, opened.review_id, keep=True)
    await scene.decides(scene.li, opened.review_id, keep=False, answer="电话请私聊")
    assert "您的申诉有结果了" in (await told(scene.chen.openid))[-1]
    with pytest.raises(Conflict):  # one appeal a message
        await moderation.appeal(scene.chen, review.message_id or 0, "再看看", scene.clock())


async def test_what_our_lists_refuse_may_be_appealed_against_too(scene: Scene):
    message = await scene.says(scene.chen, INSULT)
    assert (await RoomMessage.get(id=message)).state is MessageState.REFUSED
    opened = await moderation.appeal(scene.chen, message, "转述别人的话", scene.clock())
    await scene.decides(scene.wang, opened.review_id, keep=True)
    assert await scene.reads(scene.zhao) == [INSULT]


async def test_only_its_sender_appeals_and_only_against_what_is_hidden(scene: Scene):
    message = await scene.says(scene.chen, "今天天气不错")
    with pytest.raises(Conflict):
        await moderation.appeal(scene.chen, message, "为什么", scene.clock())
    await remove(scene.wang, message, "跑题了", scene.clock())
    with pytest.raises(NotAllowed):
        await moderation.appeal(scene.zhao, message, "为什么", scene.clock())
    scene.clock.advance(timedelta(days=31))
    with pytest.raises(Conflict):
        await moderation.appeal(scene.chen, message, "为什么", scene.clock())


async def test_the_muted_do_not_speak_until_the_time_is_over(scene: Scene):
    await scene.says(scene.chen, "买一送一")
    mute = await scene.mutes(scene.wang, scene.chen)
    assert mute.until == scene.clock() + timedelta(hours=2)
    with pytest.raises(NotAllowed) as refused:
        await scene.says(scene.chen, "买一送一")
    assert "连续刷屏" in refused.value.say
    assert "反映问题不受影响" in (await told(scene.chen.openid))[-1]
    assert [one.name for one in await moderation.list_mutes(scene.li, scene.room.id, scene.clock())] == [mute.name]
    scene.clock.advance(timedelta(hours=2, seconds=1))
    await scene.says(scene.chen, "不好意思")
    assert await moderation.list_mutes(scene.li, scene.room.id, scene.clock()) == []


async def test_the_muted_still_reach_their_grids_staff_in_private(scene: Scene):
    await scene.mutes(scene.wang, scene.chen)
    private = await private_room(scene.chen, scene.clock())
    entry = await post(scene.chen, private.id, words("家里水管爆了"), scene.clock())
    assert entry.state is MessageState.SHOWN
    with pytest.raises(BadRequest):
        await moderation.mute(
            scene.wang, private.id, await scene.handle_of(scene.chen), timedelta(hours=1), "吵", scene.clock()
        )


async def test_staff_end_a_mute_before_the_time(scene: Scene):
    await scene.mutes(scene.wang, scene.chen)
    await moderation.unmute(scene.li, scene.room.id, await scene.handle_of(scene.chen), scene.clock())
    await scene.says(scene.chen, "谢谢")
    assert await scene.reads(scene.zhao) == ["谢谢"]
    seat = int((await scene.handle_of(scene.chen))[1:])
    assert await audited("room_seat:mute") == [(scene.wang.actor, seat)]
    assert await audited("room_seat:unmute") == [(scene.li.actor, seat)]


async def test_neither_residents_nor_departments_mute_and_nobody_mutes_staff(scene: Scene):
    await scene.says(scene.wang, "大家好")
    for person in (scene.zhao, await officer("B001")):
        with pytest.raises(NotAllowed):
            await scene.mutes(person, scene.chen)
    with pytest.raises(BadRequest):
        await scene.mutes(scene.li, scene.wang)
    with pytest.raises(BadRequest):
        await moderation.mute(
            scene.li, scene.room.id, await scene.handle_of(scene.chen), timedelta(days=31), "吵", scene.clock()
        )


async def test_an_appeal_against_a_mute_is_decided_by_somebody_else(scene: Scene):
    await scene.mutes(scene.wang, scene.chen)
    opened = await moderation.appeal_mute(scene.chen, scene.room.id, "不是我刷屏", scene.clock())
    again = await moderation.appeal_mute(scene.chen, scene.room.id, "真的不是", scene.clock())
    assert again.review_id == opened.review_id
    with pytest.raises(NotAllowed):
        await scene.decides(scene.wang, opened.review_id, keep=False)
    await scene.decides(scene.li, opened.review_id, keep=True)
    await scene.says(scene.chen, "谢谢主任")
    [mine] = await reviews.own_reviews(scene.chen)
    assert (mine.outcome, mine.decider) == (ReviewOutcome.LIFTED, "李主任")


async def test_a_mute_that_is_upheld_stays(scene: Scene):
    await scene.mutes(scene.wang, scene.chen)
    opened = await moderation.appeal_mute(scene.chen, scene.room.id, "不是我刷屏", scene.clock())
    await scene.decides(scene.li, opened.review_id, keep=False, answer="聊天记录里有")
    with pytest.raises(NotAllowed):
        await scene.says(scene.chen, "喂")
    assert "原因：聊天记录里有" in (await told(scene.chen.openid))[-1]
    with pytest.raises(Conflict):
        await moderation.appeal_mute(scene.zhao, scene.room.id, "我呢", scene.clock())


async def test_who_complained_reads_what_was_decided_and_not_what_was_said(scene: Scene):
    message = await scene.says(scene.chen, "难听的话")
    await scene.complains(scene.zhao, message)
    [mine] = await reviews.own_reviews(scene.zhao)
    assert (mine.outcome, mine.entry and mine.entry.text) == (ReviewOutcome.OPEN, "")
    assert await reviews.own_reviews(scene.chen) == []


async def test_the_grids_worker_is_told_once_and_of_several_together(scene: Scene):
    await scene.says(scene.chen, PHONE)
    await scene.complains(scene.zhao, await scene.says(scene.chen, "难听的话"))
    assert await tell_staff(scene.clock()) == 1
    [text] = await told(await openid_of(scene.wang))
    assert "有 2 条内容等您看" in text
    assert "含有手机号码" in text
    assert "有人投诉" in text
    assert await tell_staff(scene.clock()) == 0
    await scene.says(scene.chen, "再打13912345678")
    assert await tell_staff(scene.clock()) == 0  # not another message within ten minutes
    scene.clock.advance(timedelta(minutes=10))
    assert await tell_staff(scene.clock()) == 1


async def test_of_an_appeal_somebody_else_is_told(scene: Scene):
    message = await scene.says(scene.chen, "说句公道话")
    await remove(scene.wang, message, "跑题了", scene.clock())
    await moderation.appeal(scene.chen, message, "我没有跑题", scene.clock())
    await tell_staff(scene.clock())
    assert await told(await openid_of(scene.wang)) == []
    assert "有人申诉" in (await told(await openid_of(scene.li)))[-1]


async def test_what_may_be_urgent_waits_neither_for_the_morning_nor_for_others(scene: Scene):
    scene.clock.advance(timedelta(hours=14))  # midnight in Wuhan
    await scene.says(scene.chen, PHONE)
    await tell_staff(scene.clock())
    await scene.says(scene.zhao, "3栋着火了快来人 打我电话13812345678")
    await tell_staff(scene.clock())
    quiet, urgent = await Outbox.filter(kind=OutboxKind.NOTICE, recipient=await openid_of(scene.wang)).order_by("id")
    assert (quiet.quiet, urgent.quiet) == (True, False)
    assert urgent.due_at == scene.clock()


async def test_of_many_who_complain_at_once_one_hides_it_and_one_review_opens(scene: Scene):
    message = await scene.says(scene.chen, "难听的话")
    crowd = [await neighbour(f"crowd{number}", scene.clock()) for number in range(10)]
    results = await asyncio.gather(*(scene.complains(one, message) for one in crowd), return_exceptions=True)
    assert [type(one) for one in results if not isinstance(one, moderation.Opened)] == [Conflict] * 9
    assert await Review.all().count() == 1
    kinds = [entry.kind for entry in await entries(scene.zhao, scene.room.id)]
    assert kinds.count(MessageKind.REMOVAL) == 1


async def test_of_two_who_decide_at_once_one_decides(scene: Scene):
    for number in range(10):
        review = await open_review(await scene.says(scene.chen, f"{PHONE} {number}"))
        results = await asyncio.gather(
            scene.decides(scene.wang, review.id, keep=True),
            scene.decides(scene.li, review.id, keep=False),
            return_exceptions=True,
        )
        assert sorted(type(one) for one in results if one is not None) == [Conflict]
        shown = (await RoomMessage.get(id=review.message_id)).state is MessageState.SHOWN
        await review.refresh_from_db()
        assert shown is (review.outcome is ReviewOutcome.SHOWN)
