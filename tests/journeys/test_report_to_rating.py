"""The whole loop as people live it: said, understood, handed in, handled, confirmed, rated."""

from __future__ import annotations

from datetime import timedelta

from domain.rating import close_silent
from models.cases import Case
from tests.town import CHEN, LI, WANG, Town

LAMP = "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见"


async def test_a_plain_sentence_is_offered_as_a_report_and_becomes_a_case_with_owner_and_time(town: Town):
    offered = await town.say(CHEN, LAMP)
    assert "楼道照明损坏" in offered
    assert "3栋2单元" in offered
    assert "网格员王芳" in offered
    assert await Case.all().count() == 0, "nothing is handed in before the resident says so"

    assert "共 1 张照片" in await town.photo(CHEN)
    receipt = await town.say(CHEN, "1")
    assert "已交给网格员王芳，编号 1120-0001" in receipt
    assert "最晚明天" in receipt
    assert "查 0001" in receipt

    case = await Case.get().prefetch_related("attachments")
    assert (case.status, case.description, case.place) == ("dispatched", LAMP, "3栋2单元楼道")
    assert [photo.kind for photo in case.attachments] == ["image"]


async def test_the_grid_worker_handles_it_with_numbers_and_the_resident_hears_every_step(town: Town):
    await report_lamp(town)
    task = town.last(WANG)
    assert "新任务 0001 楼道照明损坏" in task
    assert LAMP in task

    assert "已接 0001" in await town.say(WANG, "1")
    await town.deliver()
    assert town.last(CHEN) == "0001 楼道照明损坏：网格员王芳已接手。"

    assert "照片" in await town.say(WANG, "2")
    await town.photo(WANG)
    assert "正在请居民确认" in await town.say(WANG, "换了灯泡和开关")
    await town.deliver()
    assert "网格员王芳已处理：“换了灯泡和开关”\n解决了吗？" in town.last(CHEN)
    assert town.platform.pushes(CHEN)[-2].kind == "image", "the resident sees the photo of the result"


async def test_the_resident_confirms_by_a_tap_and_rates_in_words(town: Town):
    await disposed_lamp(town)
    assert "这次满意吗" in await town.tap(CHEN, "解决了")
    assert "谢谢" in await town.tap(CHEN, "满意")
    assert "记下了" in await town.say(CHEN, "师傅来得快")

    case = await Case.get()
    assert (case.status, case.outcome, case.solved, case.satisfaction) == ("closed", "solved", True, 3)
    assert case.comment == "师傅来得快"


async def test_numbers_and_words_mean_the_same_as_taps(town: Town):
    await disposed_lamp(town)
    assert "这次满意吗" in await town.say(CHEN, "１")
    await town.say(CHEN, "基本满意吧，就是慢了点")
    case = await Case.get()
    assert (case.solved, case.satisfaction, case.comment) == (True, 2, "基本满意吧，就是慢了点")


async def test_satisfied_said_alone_confirms_and_rates_at_once(town: Town):
    await disposed_lamp(town)
    await town.say(CHEN, "很满意 谢谢王网格员")
    case = await Case.get()
    assert (case.status, case.solved, case.satisfaction) == ("closed", True, 3)


async def test_not_solved_reopens_once_and_tells_the_community(town: Town):
    await disposed_lamp(town)
    answer = await town.say(CHEN, "2 没修好 今天又不亮了")
    assert "抱歉。0001 已重新交给网格员王芳，并告诉了东亭社区李主任" in answer
    await town.deliver()
    assert "没解决（没修好 今天又不亮了）" in town.last(WANG)
    assert "居民说没解决" in town.last(LI)
    case = await Case.get()
    assert (case.status, case.round, case.reopened, case.solved) == ("dispatched", 2, 1, None)


async def test_not_solved_a_second_time_goes_to_the_community_and_not_round_again(town: Town):
    await disposed_lamp(town)
    await town.say(CHEN, "没解决")
    await town.deliver()
    await handle(town)
    answer = await town.say(CHEN, "2")
    assert "两次都没解决，已交东亭社区李主任直接联系您" in answer
    await town.deliver()
    assert "居民第二次说没解决" in town.last(LI)
    case = await Case.get()
    assert (case.status, case.outcome, case.solved) == ("closed", "cannot", False)

    assert "已重新打开" in await town.say(LI, "重启 0001 换整条线路")
    assert (await Case.get()).status == "dispatched"


async def test_silence_closes_the_case_and_is_never_counted_as_satisfied(town: Town):
    await disposed_lamp(town)
    town.clock.advance(timedelta(days=6))
    assert await close_silent(town.clock() - timedelta(days=7), town.clock()) == 0
    town.clock.advance(timedelta(days=2))
    assert await close_silent(town.clock() - timedelta(days=7), town.clock()) == 1
    case = await Case.get()
    assert (case.status, case.outcome, case.solved, case.satisfaction) == ("closed", "unanswered", None, None)


async def test_a_closed_case_can_still_be_called_not_solved_for_some_days_only(town: Town):
    await disposed_lamp(town)
    await town.tap(CHEN, "解决了")
    await town.say(CHEN, "满意")
    town.clock.advance(timedelta(days=3))
    assert "已重新交给网格员王芳" in await town.tap(CHEN, "没解决")


async def test_after_the_window_a_closed_case_stays_closed_and_says_what_to_do(town: Town):
    await disposed_lamp(town)
    await town.tap(CHEN, "解决了")
    town.clock.advance(timedelta(days=30))
    assert "请再反映一次" in await town.tap(CHEN, "没解决")
    assert (await Case.get()).status == "closed"


async def report_lamp(town: Town) -> None:
    """A lamp case, handed in, its task delivered."""
    await town.say(CHEN, LAMP)
    await town.say(CHEN, "1")
    await town.deliver()


async def handle(town: Town) -> None:
    """The grid worker takes the one task there is and disposes of it."""
    await town.say(WANG, "1")
    await town.say(WANG, "办好了")
    await town.photo(WANG)
    await town.say(WANG, "换了灯泡和开关")
    await town.deliver()


async def disposed_lamp(town: Town) -> None:
    """A lamp case that waits for the resident's answer."""
    await report_lamp(town)
    await handle(town)
