"""日巡查、周通报、月考核、年总评: the reports of a day, a week, a month and a year as workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from app.bulletin_book import Column, Kind, Table, Value, write_book
from app.bulletin_rules import SCORES, explained
from app.engines import engines
from app.logs import configure_logs
from app.settings import load_settings
from bot.inbox import utc_now
from domain.clock import SHANGHAI
from domain.exclusions import list_exclusions
from domain.figures_settings import InForce, in_force
from domain.figures_standing import Pressing, pressing, standing
from domain.figures_table import INDICATORS
from domain.frozen import compute, find_frozen
from domain.indicators import By, Line, Period, Values, measure
from errors import BadRequest, NotFound
from models.database import database
from models.enums import Level, Status
from models.people import Area


class Report(StrEnum):
    """The four reports."""

    DAILY = "daily"  # 日巡查
    WEEKLY = "weekly"  # 周通报
    MONTHLY = "monthly"  # 月考核
    YEARLY = "yearly"  # 年总评


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about."""

    area: Area
    period: Period
    force: InForce
    now: datetime

    @property
    def note(self) -> str:
        """Area, days, version of the formulas, when it was made."""
        first, last = self.period.first_day, self.period.last_day
        days = f"{first}" if first == last else f"{first} 至 {last}"
        version = f"口径第 {self.force.formula_id} 版" if self.force.formula_id else "系统自带口径"
        made = self.now.astimezone(SHANGHAI)
        return f"{self.area.name}　{days}　{version}　制表 {made:%Y-%m-%d %H:%M}"

    def table(self, name: str, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> Table:
        """A sheet of this report."""
        return Table(name, f"{self.area.name}{title}", self.note, columns, rows)


async def write_report(kind: Report, path: Path, now: datetime, *, code: str = "", on: date | None = None) -> Subject:
    """Write one report of the area with this national code (default: the highest there is).

    `on` is a day in what it is about; without it: today, the last whole week, month, year.
    """
    subject = await _subject(kind, now, code, on)
    make = {Report.DAILY: _daily, Report.WEEKLY: _weekly, Report.MONTHLY: _monthly, Report.YEARLY: _yearly}[kind]
    columns, rows = explained(subject.force.settings)
    write_book(path, [*await make(subject), subject.table("口径", "口径说明", columns, rows)])
    return subject


async def report_file(kind: str, path: Path, *, code: str, on: str) -> None:
    """`linli report`: opens the database of the settings and writes the file."""
    try:
        report, day = Report(kind), date.fromisoformat(on) if on else None
    except ValueError:
        kinds = ", ".join(Report)
        raise BadRequest(f"{kind} {on}", say=f"报表写 {kinds} 之一，日期写成 2026-10-31。") from None
    if path.suffix != ".xlsx":
        raise BadRequest(f"{path}", say="文件名要以 .xlsx 结尾。")
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            subject = await write_report(report, path, utc_now(), code=code, on=day)
    print(f"{path}: {subject.note}")


async def _subject(kind: Report, now: datetime, code: str, on: date | None) -> Subject:
    area = await (Area.get_or_none(code=code) if code else Area.filter(parent_id=None).order_by("id").first())
    if area is None:
        raise NotFound(f"area {code!r}", say=f"没有编码为“{code}”的区域，编码见 linli export 的区域表。")
    period = _period(kind, on, now.astimezone(SHANGHAI).date())
    return Subject(area, period, await in_force(period.first_day), now)


def _period(kind: Report, on: date | None, today: date) -> Period:
    if kind is Report.DAILY:
        return Period.of_days(on or today, on or today)
    if kind is Report.WEEKLY:
        day = on or today - timedelta(days=7)
        monday = day - timedelta(days=day.weekday())
        return Period.of_days(monday, monday + timedelta(days=6))
    if kind is Report.MONTHLY:
        return Period.of_month(on or today.replace(day=1) - timedelta(days=1))
    return Period.of_year(on or date(today.year - 1, 1, 1))


# 日巡查


_PRESSING = (
    Column("编号", width=15),
    Column("事项", width=18),
    Column("地点", width=24),
    Column("网格", width=14),
    Column("责任人", width=10),
    Column("状态", width=9),
    Column("紧急", width=6),
    Column("上报时间", Kind.MOMENT, 17),
    Column("时限", Kind.MOMENT, 17),
    Column("超期小时", Kind.HOURS, 10),
)
_STATUS = {
    Status.REPORTED: "待受理",
    Status.ACCEPTED: "已受理",
    Status.DISPATCHED: "待签收",
    Status.DISPOSING: "处置中",
    Status.SUSPENDED: "挂账",
    Status.DISPOSED: "待核查",
    Status.VERIFIED: "待评价",
}


async def _daily(subject: Subject) -> list[Table]:
    places = await standing(subject.area.id, subject.period, subject.now)
    counts = ("reported", "disposed", "closed", "open", "overdue", "urgent")
    columns = [
        Column("社区", width=16),
        Column("网格", width=16),
        *(Column(title, Kind.WHOLE) for title in ("新上报", "处置", "结案", "在办", "超期", "紧急在办")),
    ]
    rows: list[list[Value]] = [[one.community, one.name, *(getattr(one, name) for name in counts)] for one in places]
    total: list[Value] = ["合计", "", *(sum(getattr(one, name) for one in places) for name in counts)]
    late = await pressing(subject.area.id, subject.now, overdue=True)
    urgent = await pressing(subject.area.id, subject.now, overdue=False)
    return [
        subject.table("日巡查", "日巡查", columns, [total, *rows]),
        subject.table("超期", "超期事项", _PRESSING, [_pressing(one, subject.now) for one in late]),
        subject.table("紧急", "紧急事项（在办）", _PRESSING, [_pressing(one, subject.now) for one in urgent]),
    ]


def _pressing(case: Pressing, now: datetime) -> list[Value]:
    late = (now - case.due_at) / timedelta(hours=1) if case.overdue and case.due_at else None
    said = _STATUS[Status(case.status)]
    urgent = "是" if case.urgent else ""
    about: list[Value] = [case.number, case.subject, case.place, case.area, case.holder, said, urgent]
    return [*about, case.reported_at, case.due_at, round(late, 1) if late is not None else None]


# 周通报, and the rankings of the others


_RANKED = ("close_rate", "close_on_time", "dispose_rate", "dispose_on_time", "sign_on_time", "response_rate")
_RANKED_BY_RESIDENTS = ("rework_rate", "solved_rate", "satisfied_rate", "take_part_rate")


async def _weekly(subject: Subject) -> list[Table]:
    tables = [await _ranking(subject, Level.COMMUNITY, "社区通报")]
    if subject.area.level.rank > Level.STREET.rank:
        tables.insert(0, await _ranking(subject, Level.STREET, "街道通报"))
    return tables


async def _ranking(subject: Subject, level: Level, name: str) -> Table:
    """The areas of a level below, best score first; areas without a score come last and have no place."""
    depth = max(1, subject.area.level.rank - level.rank)
    settings = subject.force.settings
    lines = await measure(subject.area.id, subject.period, By.AREA, depth=depth, settings=settings)
    ranked = sorted(lines, key=_best_first)
    codes = (*_RANKED, *_RANKED_BY_RESIDENTS)
    names = {one.code: one.name for one in INDICATORS}
    columns = [
        Column("名次", Kind.WHOLE, 6),
        Column("名称", width=18),
        *(Column(title, Kind.WHOLE) for title in ("上报数", "应结案数", "结案数", "按期结案数")),
        *(Column(names[code], Kind.SHARE) for code in codes),
        Column("综合得分", Kind.SCORE),
    ]
    rows = [_ranked(place, line, codes) for place, line in enumerate(ranked, 1)]
    return subject.table(name, f"{name}（{subject.period.first_day} 至 {subject.period.last_day}）", columns, rows)


def _best_first(line: Line) -> tuple[bool, float, str]:
    score = line.after.scores.get("overall")
    return score is None, -(score or 0), line.name


def _ranked(place: int, line: Line, codes: Sequence[str]) -> list[Value]:
    values = line.after
    score = values.scores.get("overall")
    due = values.figures["close_rate"].denominator
    counted: list[Value] = [values.counts["reported"], due, values.counts["closed"], values.counts["closed_on_time"]]
    ratios: list[Value] = [values.figures[code].ratio for code in codes]
    return [place if score is not None else None, line.name, *counted, *ratios, score]


# 月考核


_TIMES = {
    "accept": "上报到立案",
    "dispatch": "立案到派遣",
    "sign": "派遣到签收",
    "first_response": "立案到首次响应",
    "handle": "立案到处置（不含挂账）",
    "total": "上报到结案",
}


async def _monthly(subject: Subject) -> list[Table]:
    """A frozen month is shown as it was published."""
    frozen = await find_frozen(subject.period.first_day, subject.area.id)
    if frozen:
        force = InForce(frozen.settings, frozen.formula_id)
        subject = replace(subject, force=force)
        tables = frozen.tables
    else:
        tables = await compute(subject.area.id, subject.period, subject.force.settings)
    month = f"{subject.period.first_day.year} 年 {subject.period.first_day.month} 月"
    state = "（已封存）" if frozen else "（未封存）"
    return [
        _overall(subject, tables[By.TOTAL][0], f"{month}考核{state}"),
        _times(subject, tables[By.TOTAL][0]),
        _assessment(subject, "单位考核", tables[By.UNIT]),
        _assessment(subject, "个人考核", tables[By.PERSON]),
        _assessment(subject, "区域考核", tables[By.AREA]),
        _assessment(subject, "类别", tables[By.CATEGORY]),
        await _exclusions(subject),
    ]


def _overall(subject: Subject, line: Line, title: str) -> Table:
    columns = [
        Column("指标", width=16),
        *(
            Column(f"{name}{when}", kind)
            for when in ("（剔除前）", "（剔除后）")
            for name, kind in (("分子", Kind.WHOLE), ("分母", Kind.WHOLE), ("比率", Kind.SHARE))
        ),
        Column("公式", width=34),
    ]
    rows: list[list[Value]] = []
    for one in INDICATORS:
        before, after = line.before.figures[one.code], line.after.figures[one.code]
        first: list[Value] = [one.name, before.numerator, before.denominator, before.ratio]
        rows.append([*first, after.numerator, after.denominator, after.ratio, one.formula])
    return subject.table("总体", title, columns, rows)


def _times(subject: Subject, line: Line) -> Table:
    columns = [
        Column("时长", width=24),
        *(
            Column(f"{share}{when}（小时）", Kind.HOURS, 14)
            for when in ("剔除前", "剔除后")
            for share in ("中位数", "九成位")
        ),
    ]
    rows = [
        [said, *(_hours(time) for values in (line.before, line.after) for time in _spread(values, name))]
        for name, said in _TIMES.items()
    ]
    return subject.table("时长", "办理时长", columns, rows)


def _spread(values: Values, name: str) -> tuple[timedelta | None, timedelta | None]:
    return values.times[name].median, values.times[name].p90


def _hours(time: timedelta | None) -> float | None:
    return round(time / timedelta(hours=1), 2) if time is not None else None


def _assessment(subject: Subject, name: str, lines: Sequence[Line]) -> Table:
    """Every indicator of every line, and the scores before and after exclusions."""
    weights = subject.force.settings.weights
    columns = [
        Column("名称", width=20),
        *(Column(title, Kind.WHOLE) for title in ("应结案数", "结案数", "处置数")),
        *(Column(one.name, Kind.SHARE) for one in INDICATORS),
        *(
            Column(f"{SCORES.get(score, score)}得分{when}", Kind.SCORE)
            for score in weights
            for when in ("剔除前", "剔除后")
        ),
    ]
    rows: list[list[Value]] = []
    for line in sorted(lines, key=_best_first):
        values = line.after
        counted: list[Value] = [
            values.figures["close_rate"].denominator,
            values.counts["closed"],
            values.counts["disposed"],
        ]
        ratios: list[Value] = [values.figures[one.code].ratio for one in INDICATORS]
        scores = [side.scores.get(score) for score in weights for side in (line.before, line.after)]
        rows.append([line.name, *counted, *ratios, *scores])
    return subject.table(name, name, columns, rows)


async def _exclusions(subject: Subject) -> Table:
    columns = [
        Column("编号", width=15),
        Column("事项", width=18),
        Column("剔除自", width=14),
        Column("理由", width=36),
        Column("申请人"),
        Column("批准人"),
        Column("批准时间", Kind.MOMENT, 17),
    ]
    rows = [
        [one.number, one.subject, one.indicator, one.reason, one.asked_by, one.approved_by or "待批", one.approved_at]
        for one in await list_exclusions(subject.area.id, subject.period)
    ]
    return subject.table("剔除", "剔除清单", columns, rows)


# 年总评


_MONTHLY = (
    "close_rate",
    "close_on_time",
    "dispose_on_time",
    "rework_rate",
    "response_rate",
    "solved_rate",
    "satisfied_rate",
)


async def _yearly(subject: Subject) -> list[Table]:
    settings = subject.force.settings
    (total,) = await measure(subject.area.id, subject.period, settings=settings)
    months = [await _month_of_year(subject, number) for number in range(1, 13)]
    names = {one.code: one.name for one in INDICATORS}
    columns = [
        Column("月份", width=10),
        *(Column(title, Kind.WHOLE) for title in ("上报数", "立案数", "处置数", "结案数")),
        *(Column(names[code], Kind.SHARE) for code in _MONTHLY),
        Column("综合得分", Kind.SCORE),
    ]
    units = await measure(subject.area.id, subject.period, By.UNIT, settings=settings)
    return [
        _overall(subject, total, f"{subject.period.first_day.year} 年总评"),
        subject.table("按月", "各月情况", columns, months),
        _assessment(subject, "单位", units),
        await _ranking(subject, Level.STREET, "街道")
        if subject.area.level.rank > Level.STREET.rank
        else await _ranking(subject, Level.COMMUNITY, "社区"),
        _times(subject, total),
    ]


async def _month_of_year(subject: Subject, number: int) -> list[Value]:
    """A month with the settings that were in force in it; as published where it is frozen."""
    first = date(subject.period.first_day.year, number, 1)
    frozen = await find_frozen(first, subject.area.id)
    line = frozen.tables[By.TOTAL][0] if frozen else (await measure(subject.area.id, Period.of_month(first)))[0]
    values = line.after
    counted: list[Value] = [values.counts[name] for name in ("reported", "accepted", "disposed", "closed")]
    ratios: list[Value] = [values.figures[code].ratio for code in _MONTHLY]
    return [f"{first:%Y-%m}", *counted, *ratios, values.scores.get("overall")]
