"""Absences from a table: nobody is away twice at a time, and who stands in is there; each fault names its row."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.absences import take_leave
from domain.organisation import import_tables
from domain.people import find_person
from domain.tables import Cell, Sheet
from models.people import Absence, Staff
from tests.domain.tables import NOW, imported, refused, sheet
from tests.town import WANG

pytestmark = pytest.mark.usefixtures("orm")


def away(*rows: list[Cell]) -> Sheet:
    return sheet("请假", "工号 开始 结束 代办人工号", *rows)


async def mend(*sheets: Sheet) -> str:
    """What the first fault says to do."""
    return (await import_tables(sheets, NOW)).faults[0].mend


async def test_two_rows_of_one_person_that_overlap_name_each_other():
    both = away(["G001", "2026-12-01", "2026-12-05", None], ["G001", "2026-12-05", "2026-12-08", None])
    assert await refused(both) == [
        ("请假", 3, "开始", "王芳这几天已经请假了（第 2 行，2026-12-01 到 2026-12-05）"),
    ]
    assert "改日期，或者合成一行" in await mend(both)
    assert await Absence.filter(staff__code="G001").count() == 0, "nothing half-imported"


async def test_rows_that_follow_one_another_do_not_overlap():
    await imported(away(["G001", "2026-12-01", "2026-12-04", None], ["G001", "2026-12-05", "2026-12-08", None]))
    assert await Absence.filter(staff__code="G001").count() == 2


async def test_what_is_known_already_counts_too():
    await imported(away(["G001", "2026-12-01", "2026-12-05", None]))
    assert await refused(away(["G001", "2026-12-03", "2026-12-04", None])) == [
        ("请假", 2, "开始", "王芳这几天已经请假了（已经登记，2026-12-01 到 2026-12-05）"),
    ]
    assert await refused(away(["G001", "2026-11-28", "2026-12-01 09:00", None])) == [
        ("请假", 2, "开始", "王芳这几天已经请假了（已经登记，2026-12-01 到 2026-12-05）"),
    ]


async def test_a_longer_end_may_run_into_the_next_absence():
    await imported(away(["G001", "2026-12-01", "2026-12-02", None], ["G001", "2026-12-05", "2026-12-08", None]))
    assert await refused(away(["G001", "2026-12-01", "2026-12-06", None])) == [
        ("请假", 2, "开始", "王芳这几天已经请假了（已经登记，2026-12-05 到 2026-12-08）"),
    ]


async def test_a_deputy_who_is_away_cannot_stand_in():
    rows = away(["G001", "2026-12-01", "2026-12-03", "G002"], ["G002", "2026-12-03", "2026-12-09", None])
    assert await refused(rows) == [
        ("请假", 2, "代办人工号", "刘洋那几天也请假了（第 3 行，2026-12-03 到 2026-12-09）"),
    ]
    assert "换一个那几天在岗的人" in await mend(rows)
    await imported(away(["G001", "2026-12-01", "2026-12-03", "G002"], ["G002", "2026-12-04", "2026-12-09", "G001"]))


async def test_a_deputy_whose_absence_is_known_cannot_stand_in_either():
    await imported(away(["G002", "2026-12-01", "2026-12-09", None]))
    assert await refused(away(["G001", "2026-12-02", "2026-12-03", "G002"])) == [
        ("请假", 2, "代办人工号", "刘洋那几天也请假了（已经登记，2026-12-01 到 2026-12-09）"),
    ]


async def test_whoever_stands_in_for_somebody_cannot_go_away_before_another_does():
    await imported(away(["G001", "2026-12-01", "2026-12-03", "G002"]))
    leaves = away(["G002", "2026-12-02", "2026-12-04", None])
    assert await refused(leaves) == [
        ("请假", 2, "开始", "那几天由刘洋代王芳办（已经登记，2026-12-01 到 2026-12-03）"),
    ]
    assert "给王芳换一个代办人" in await mend(leaves)
    await imported(away(["G002", "2026-12-02", "2026-12-04", None], ["G001", "2026-12-01", None, "G003"]))
    assert (await Absence.get(staff__code="G001").select_related("deputy")).deputy.code == "G003"


@pytest.mark.parametrize("ring", [["G001", "G002"], ["G001", "G002", "G003"]])
async def test_people_who_stand_in_for_one_another_in_a_ring_are_all_named(ring: list[str]):
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    found = await refused(away(*([who, "2026-12-01", "2026-12-03", deputy] for who, deputy in pairs)))
    assert [(row, column) for _, row, column, _ in found] == [(2 + n, "代办人工号") for n in range(len(ring))]
    names = {staff.code: staff.name for staff in await Staff.filter(code__in=ring)}
    for who, (_, _, _, wrong) in zip(ring, found, strict=True):
        assert wrong.startswith(f"代来代去，{names[who]}的事最后没有人办")


async def test_faults_that_are_alike_stand_at_their_own_rows():
    found = await refused(
        away(
            ["G001", "2026-12-01", "2026-12-03", "G002"],
            ["G002", "2026-12-10", "2026-12-09", None],
            ["G003", "2026-12-01", "2026-12-03", "G003"],
            ["G002", "2026-12-02", "2026-12-02", None],
            ["G002", "2026-12-02 12:00", "2026-12-04", None],
        )
    )
    assert [(row, column) for _, row, column, _ in found] == [
        (2, "代办人工号"),
        (3, "结束"),
        (4, "代办人工号"),
        (6, "开始"),
    ]


async def test_what_came_about_in_chat_is_exported_and_imported_without_a_word():
    """Whoever falls ill goes home, deputy or not; the deputy's deputy does the work then."""
    await imported(away(["G002", "2026-12-01", "2026-12-03", "G001"]))
    days = (date(2026, 12, 2), date(2026, 12, 2) + timedelta(days=1))
    await take_leave(await find_person(WANG, NOW), days, "", NOW)
    report = await imported(
        away(["G002", "2026-12-01", "2026-12-03", "G001"], ["G001", "2026-12-02", "2026-12-03", None])
    )
    assert report.changes == 0
