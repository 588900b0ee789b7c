"""问卷与投票 at the console: composed question by question, agreed to by a second person, counted, taken home."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import uuid4
from zipfile import ZipFile

import aiohttp
import pytest

from app.demo import settle_homes
from models.enums import SurveyState
from models.people import Resident
from models.surveys import Survey, SurveyAnswer, SurveyVoter
from tests.console.conftest import Desk, sit_down
from tests.town import CHEN, Town

Fields = Sequence[tuple[str, str]]
QUESTIONS: Fields = (
    *(("asks", "夜间停车够吗？"), ("types", "choice"), ("options", "够\n不够"), ("required", "yes")),
    *(("asks", ""), ("types", "choice"), ("options", ""), ("required", "yes")),
    *(("asks", "给物业打几星"), ("types", "stars"), ("options", ""), ("required", "no")),
)


class Asker:
    """A browser whose forms have fields that repeat."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def compose(self, path: str, closes: str = "2026-11-27T18:00", *more: tuple[str, str]) -> str:
        """Fill in the form and send it."""
        page = await self.desk.open("/surveys/new")
        mark = page.split('name="mark" value="')[1].split('"')[0]
        area = page.split('<select name="area_id"><option value="')[1].split('"')[0]
        fields = [("mark", mark), ("title", "小区停车"), ("area_id", area), ("closes", closes), *QUESTIONS, *more]
        url = f"{self.desk.url}/console{path}"
        async with self.desk.session.post(url, data=fields, headers={"Origin": self.desk.url}) as answer:
            self.desk.status, self.desk.page, self.desk.path = answer.status, await answer.text(), answer.url.path
        return self.desk.page

    async def draft(self, *more: tuple[str, str]) -> int:
        """A draft; gives its number."""
        assert "草稿存好了" in await self.compose("/surveys/new", "2026-11-27T18:00", *more)
        return int(self.desk.path.rpartition("/")[2])


async def enter(town: Town, desk: Desk, code: str) -> Desk:
    """Sign in as the member of staff with this number."""
    await sit_down(town, desk, code)
    return desk


@pytest.fixture
async def street(town: Town) -> AsyncIterator[Desk]:
    """The browser of the street's officer."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield await enter(town, Desk(session, town.url), "J001")


@pytest.fixture
async def community(town: Town, desk: Desk) -> Asker:
    """The browser of the community's officer."""
    return Asker(await enter(town, desk, "S001"))


async def answered(survey_id: int, *answers: dict[str, object]) -> None:
    """Residents have answered."""
    resident = await Resident.all().first()
    for place, given in enumerate(answers):
        voter = await SurveyVoter.create(
            survey_id=survey_id, resident=None if place else resident, on="2026-11-20", grid_id=None
        )
        await SurveyAnswer.create(id=uuid4(), survey_id=survey_id, voter=voter, answers=given)


async def test_a_survey_goes_from_the_form_over_a_second_person_to_residents(
    town: Town, community: Asker, street: Desk
) -> None:
    await town.say(CHEN, "您好")
    ident = await community.draft(("words", "请每位居民答一次。"))
    survey = await Survey.get(id=ident)
    assert [question["text"] for question in survey.questions] == ["夜间停车够吗？", "给物业打几星"]
    assert survey.questions[0]["choices"] == ["够", "不够"]
    assert "现在会问到" in await community.desk.open(f"/surveys/{ident}/asked")
    await community.desk.send(f"/surveys/{ident}/hand-in")
    await community.desk.send(f"/surveys/{ident}/decision", version="1", agree="1")
    assert (community.desk.status, "自己写的要请另一位" in community.desk.page) == (403, True)

    assert "请您看一遍" in await street.open(f"/surveys/{ident}")
    assert "进行中" in await street.send(f"/surveys/{ident}/decision", version="1", agree="1")
    survey = await Survey.get(id=ident)
    assert survey.state is SurveyState.OPEN
    assert f"/broadcasts/{survey.broadcast_id}" in street.page
    assert "小区停车" in await street.open(f"/broadcasts/{survey.broadcast_id}")


async def test_what_was_refused_is_changed_and_handed_in_again(town: Town, community: Asker, street: Desk) -> None:
    ident = await community.draft()
    await community.desk.send(f"/surveys/{ident}/hand-in")
    await street.open(f"/surveys/{ident}")
    await street.send(f"/surveys/{ident}/decision", version="1", agree="0", why="")
    assert (street.status, "请写一句原因" in street.page) == (400, True)
    await street.open(f"/surveys/{ident}")
    await street.send(f"/surveys/{ident}/decision", version="1", agree="0", why="题目太少")
    assert "题目太少" in await community.desk.open(f"/surveys/{ident}")
    page = await community.desk.open(f"/surveys/{ident}/edit")
    assert (page.count('name="asks"'), "够\n不够</textarea>" in page) == (2, True)
    await community.compose(f"/surveys/{ident}/edit", "2026-11-28T18:00")
    assert "改好了" in community.desk.page
    assert "第 2 版" in community.desk.page


async def test_the_form_grows_by_a_question_and_says_what_is_wrong_in_which(town: Town, community: Asker) -> None:
    page = await community.compose("/surveys/question")
    assert (page.count('name="asks"'), 'value="夜间停车够吗？"' in page) == (4, True)
    bad = (("asks", "颜色"), ("types", "choice"), ("options", "红"), ("required", "yes"))
    await community.compose("/surveys/new", "2026-11-27T18:00", *bad)
    assert (community.desk.status, "第 3 题要有 2 到 9 个" in community.desk.page) == (400, True)
    await community.compose("/surveys/new", "")
    assert (community.desk.status, "请选截止时间" in community.desk.page) == (400, True)
    assert not await Survey.exists()


async def test_results_are_a_chart_a_table_a_picture_and_a_workbook(town: Town, community: Asker, street: Desk) -> None:
    ident = await community.draft()
    await community.desk.send(f"/surveys/{ident}/hand-in")
    await street.open(f"/surveys/{ident}")
    await street.send(f"/surveys/{ident}/decision", version="1", agree="1")
    await answered(ident, {"q1": 1, "q2": 5}, {"q1": 1}, {"q1": 2, "q2": 4})
    page = await community.desk.open(f"/surveys/{ident}")
    assert "<td>够</td><td>2</td><td>66.7%</td>" in page
    drawn = re.search(r'id="question-1-data">(.+?)</script>', page)
    assert drawn
    chart = json.loads(drawn[1])
    assert (chart["labels"], chart["series"][0]["values"], chart["unit"]) == (["够", "不够"], [2, 1], "人")
    assert page.count("data-chart=") == 2
    assert "平均 4.5 星" in page
    async with community.desk.session.get(f"{community.desk.url}/console/surveys/{ident}/chart/1") as answer:
        assert (answer.content_type, (await answer.read())[:4]) == ("image/png", b"\x89PNG")
    async with community.desk.session.get(f"{community.desk.url}/console/surveys/{ident}/export") as answer:
        book = ZipFile(io.BytesIO(await answer.read()))
        assert "夜间停车够吗？" in book.read("xl/sharedStrings.xml").decode()


async def test_an_open_anonymous_one_shows_its_officers_no_answers(town: Town, community: Asker, street: Desk) -> None:
    ident = await community.draft(("anonymous", "1"))
    await community.desk.send(f"/surveys/{ident}/hand-in")
    await street.open(f"/surveys/{ident}")
    await street.send(f"/surveys/{ident}/decision", version="1", agree="1")
    await answered(ident, {"q1": 1})
    page = await community.desk.open(f"/surveys/{ident}")
    assert ("要等截止后才能看结果" in page, "<td>够</td>" in page) == (True, False)


async def test_the_grid_worker_reads_what_is_open_and_which_households_have_not_voted(
    town: Town, community: Asker, street: Desk
) -> None:
    await settle_homes(town.clock())
    hidden = await community.draft(("kind", "vote"), ("results", "staff"))
    ident = await community.draft(("kind", "vote"))
    await community.desk.send(f"/surveys/{ident}/hand-in")
    await street.open(f"/surveys/{ident}")
    await street.send(f"/surveys/{ident}/decision", version="1", agree="1")
    town.clock.advance(timedelta(minutes=1))
    worker = await enter(town, community.desk, "G001")
    page = await worker.open("/surveys")
    assert (f"/surveys/{ident}" in page, f"/surveys/{hidden}" in page) == (True, False)
    assert "还没投票的人家" in await worker.open(f"/surveys/{ident}")
    assert "3栋2单元501" in await worker.open(f"/surveys/{ident}/waited-for")
    await worker.open(f"/surveys/{hidden}")
    assert worker.status == 404
    await worker.open("/surveys/new")
    assert worker.status == 403


async def test_one_given_up_says_why(town: Town, community: Asker) -> None:
    ident = await community.draft()
    await community.desk.send(f"/surveys/{ident}/cancel", why="<i>写错了</i>")
    assert "&lt;i&gt;写错了&lt;/i&gt;" in await community.desk.open(f"/surveys/{ident}")
    assert "照着另写" in community.desk.page
    assert "夜间停车够吗？" in await community.desk.open(f"/surveys/new?like={ident}")
