"""Reports as people open them: sheets, heads that stay, numbers that are numbers, and what they mean on a sheet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.bulletins import Report, report_file, write_report
from domain import exclusions, frozen
from domain.figures_table import INDICATORS
from domain.indicators import Period, measure
from errors import BadRequest, NotFound
from models.cases import Case
from models.people import Area
from tests.domain.made_cases import random_cases
from tests.domain.test_indicators import MIDNIGHT, a_case, area, closed, someone

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


async def book(tmp_path: Path, kind: Report, code: str = "429906", on: date | None = None) -> Any:
    path = tmp_path / f"{kind}.xlsx"
    await write_report(kind, path, NOW, code=code, on=on)
    return openpyxl.load_workbook(path)


def rows(sheet: Any) -> list[dict[str, Any]]:
    """The lines of a sheet by their heads, which stand in the third row."""
    heads = [cell.value for cell in sheet[3]]
    return [dict(zip(heads, line, strict=True)) for line in sheet.iter_rows(min_row=4, values_only=True)]


def ready_to_print(sheet: Any) -> None:
    assert sheet.freeze_panes == "B4", sheet.title
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9), sheet.title
    assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
    assert sheet.print_title_rows == "$3:$3", sheet.title
    assert all(sheet.column_dimensions[cell.column_letter].width >= 6 for cell in sheet[3]), sheet.title


async def test_the_month_has_every_indicator_with_both_figures_as_numbers(orm: None, tmp_path: Path):
    made = await random_cases(61, 60)
    zhou, zheng = await someone("周科长"), await someone("郑主任")
    october = Period.of_month(OCTOBER)
    for case in [one for one in made if one.grid_id and one.closed_at and october.start <= one.closed_at < october.end][
        :3
    ]:
        asked = await exclusions.ask(zheng, case.id, "=1+1 暴雨停工", NOW)
        if (await Area.get(id=case.grid_id)).code.startswith("429906001"):
            await exclusions.approve(zhou, asked, NOW)
    opened = await book(tmp_path, Report.MONTHLY)
    assert opened.sheetnames == ["总体", "时长", "单位考核", "个人考核", "区域考核", "类别", "剔除", "口径"]
    for sheet in opened:
        ready_to_print(sheet)
    (line,) = await measure(await area("429906"), Period.of_month(OCTOBER))
    shown = {row["指标"]: row for row in rows(opened["总体"])}
    for one in INDICATORS:
        row = shown[one.name]
        for when, values in (("（剔除前）", line.before), ("（剔除后）", line.after)):
            figure = values.figures[one.code]
            assert (row[f"分子{when}"], row[f"分母{when}"]) == (figure.numerator, figure.denominator), one.name
            ratio = figure.ratio
            assert row[f"比率{when}"] == ("—" if ratio is None else pytest.approx(ratio)), one.name
    assert opened["总体"]["D4"].number_format == "0.00%"
    excluded = rows(opened["剔除"])
    assert [row["理由"] for row in excluded] == ["=1+1 暴雨停工"] * 3
    assert {cell.data_type for cell in opened["剔除"]["D"][3:]} == {"s"}, "what people write is never a formula"


async def test_a_sheet_explains_each_formula_in_force(orm: None, tmp_path: Path):
    explained = rows((await book(tmp_path, Report.MONTHLY))["口径"])
    said = {row["名称"]: row for row in explained}
    for one in INDICATORS:
        assert said[one.name]["怎么算"].startswith(one.formula)
        assert said[one.name]["出处"] == one.source
    assert said["按期结案率的分母"]["怎么算"] == "应结案数"
    assert "满意" in said["没有回答的"]["怎么算"]


async def test_a_frozen_month_is_shown_as_it_was_published(orm: None, tmp_path: Path):
    case = await a_case(**closed(solved=True, satisfaction=1))
    await frozen.freeze(OCTOBER, await area("429906"), await someone("郑主任"), NOW)
    case.satisfaction = 3
    await case.save()
    opened = await book(tmp_path, Report.MONTHLY)
    satisfied = next(row for row in rows(opened["总体"]) if row["指标"] == "满意率")
    assert satisfied["比率（剔除后）"] == 0
    assert opened["总体"]["A1"].value.endswith("2026 年 10 月考核（已封存）")


async def test_the_week_ranks_streets_and_communities_best_first(orm: None, tmp_path: Path):
    monday = MIDNIGHT + timedelta(days=4)  # 5 October 2026
    other = await area("429906001002001")
    done = {"reported_at": monday, "accepted_at": monday, "dispatched_at": monday, "closed_at": monday}
    due = monday + timedelta(days=1)
    await a_case(**closed(**done, disposed_at=monday, due_at=due, solved=True, satisfaction=3))
    await a_case(**closed(**done, disposed_at=monday, due_at=due, solved=False, satisfaction=1, grid_id=other))
    opened = await book(tmp_path, Report.WEEKLY, on=date(2026, 10, 8))
    assert opened.sheetnames == ["街道通报", "社区通报", "口径"]
    ranked = rows(opened["社区通报"])
    names = [(await Area.get(code=code)).name for code in ("429906001001", "429906001002")]
    assert [(row["名次"], row["名称"]) for row in ranked] == list(enumerate(names, 1))
    assert [(row["结案数"], row["满意率"]) for row in ranked] == [(1, 1), (1, 0)]
    assert "2026-10-05 至 2026-10-11" in opened["社区通报"]["A1"].value


async def test_the_day_lists_grids_what_is_overdue_and_what_is_urgent(orm: None, tmp_path: Path):
    await a_case(reported_at=NOW, accepted_at=NOW, due_at=NOW + timedelta(hours=2), urgency="urgent")
    late = await a_case(due_at=NOW - timedelta(hours=30), place="3栋")
    opened = await book(tmp_path, Report.DAILY)
    assert opened.sheetnames == ["日巡查", "超期", "紧急", "口径"]
    total, grid = rows(opened["日巡查"])
    for row in (total, grid):
        assert [row[name] for name in ("新上报", "处置", "结案", "在办", "超期", "紧急在办")] == [1, 0, 0, 2, 1, 1]
    (overdue,) = rows(opened["超期"])
    assert (overdue["编号"], overdue["超期小时"], overdue["地点"]) == (late.number, 30, "3栋")
    assert overdue["时限"] == datetime(2026, 11, 1, 3, 0)  # noqa: DTZ001 - a workbook has Shanghai time without a zone
    (urgent,) = rows(opened["紧急"])
    assert (urgent["超期小时"], urgent["紧急"]) == ("—", "是")


async def test_the_year_goes_through_its_months(orm: None, tmp_path: Path):
    await random_cases(62, 40)
    opened = await book(tmp_path, Report.YEARLY, on=date(2026, 5, 5))
    months = rows(opened["按月"])
    assert [row["月份"] for row in months] == [f"2026-{number:02}" for number in range(1, 13)]
    assert sum(row["上报数"] for row in months) == await Case.all().count()
    assert opened["总体"]["A1"].value.endswith("2026 年总评")


@pytest.mark.parametrize("kind", list(Report))
async def test_a_report_about_nothing_has_dashes_and_no_zeros_for_ratios(orm: None, tmp_path: Path, kind: Report):
    opened = await book(tmp_path, kind)
    shares = [
        cell.value
        for sheet in opened
        for line in sheet.iter_rows(min_row=4)
        for cell in line
        if isinstance(cell.value, float)
    ]
    assert shares == []


async def test_what_cannot_be_reported_is_said(orm: None, tmp_path: Path):
    with pytest.raises(NotFound):
        await write_report(Report.DAILY, tmp_path / "x.xlsx", NOW, code="999")
    for kind, name, on in (("hourly", "x.xlsx", ""), ("daily", "x.xlsx", "yesterday"), ("daily", "x.doc", "")):
        with pytest.raises(BadRequest):
            await report_file(kind, tmp_path / name, code="", on=on)
