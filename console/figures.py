"""What the figures' pages share: period and area in their address, links to the cases behind a figure, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote_plus, urlencode

from pydantic import Field

from console.frame import ROOT, Form
from console.values import Ident, MaybeDay, MaybeIdent, today
from domain.figures_counts import COUNTS, Period
from domain.indicators import Figure, Settings, denominator_of
from domain.overview import View, check_period
from errors import BadRequest

#: What the counts are called, in their order.
COUNT_NAMES = dict(
    zip(
        COUNTS,
        (
            *("上报", "立案", "按时立案", "作废", "应派遣", "按时派遣", "派遣", "错派", "按时签收", "按时响应"),
            *("首次响应", "按时首次响应", "处置", "到期未处置", "按时处置", "返工", "核查", "到期未核查", "按时核查"),
            *("办结", "到期未办结", "缓办", "按期办结", "一次办结", "答了是否解决", "解决", "参评", "满意", "不满意"),
            *("参加评价", "不予受理", "紧急上报", "处置用时"),
        ),
        strict=True,
    )
)
#: An area by its id, which the database keeps in four bytes.
MaybeArea = Annotated[MaybeIdent, Field(le=2**31 - 1, title="区域")]
_YEARS = range(2000, 2101)
_Month = Annotated[str, Field(pattern=r"^(20\d{2}-(0[1-9]|1[0-2]))?$", title="月份")]


class Query(Form):
    """Which area, which period: a month, or (both) days. Without anything this month of one's own area."""

    area: MaybeArea = None
    month: _Month = ""
    since: Annotated[MaybeDay, Field(title="开始日期")] = None
    until: Annotated[MaybeDay, Field(title="结束日期")] = None

    def period(self, now: datetime) -> Period:
        """The period meant. Raises BadRequest."""
        first = self.since or self.until or (date.fromisoformat(f"{self.month}-01") if self.month else today(now))
        last = self.until or today(now)
        if first.year not in _YEARS or last.year not in _YEARS:
            raise BadRequest(f"{first} to {last}", say="这个日期看不了，请换一个。")
        return check_period(first, last) if self.since or self.until else Period.of_month(first)


class BehindQuery(Query):
    """The cases behind a figure: any of the counts `of`, none of `but`, of one line (`key`) of a table (`by`)."""

    of: Annotated[tuple[str, ...], Field(max_length=4, title="指标")] = ("reported",)
    but: Annotated[tuple[str, ...], Field(max_length=4, title="指标")] = ()
    by: Annotated[Literal["", "area", "unit", "category"], Field(title="分组")] = ""
    key: Annotated[str, Field(max_length=64, title="分组")] = ""
    depth: Annotated[int, Field(ge=1, le=4, title="层级")] = 1
    after: Annotated[MaybeIdent, Field(title="页")] = None


class NowQuery(Form):
    """The cases that stand in one way now; `branch` = of this part alone, as it is (本级)."""

    area: MaybeArea = None
    kind: Annotated[Literal["open", "overdue", "soon", "urgent"], Field(title="情况")] = "soon"
    branch: MaybeArea = None
    after: Annotated[MaybeIdent, Field(title="页")] = None


class TheseQuery(Form):
    """Cases by their ids: those of a hot spot."""

    area: MaybeArea = None
    ids: Annotated[tuple[Ident, ...], Field(max_length=500, title="事件")] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what its lines are, which one, and how many steps down the areas lie."""

    by: Literal["area", "unit", "category"]
    key: str
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Links:
    """Where the figures of an area and a period lead; "" for who may not read the cases."""

    view: View
    period: Period

    @property
    def base(self) -> dict[str, Any]:
        """Area and period, as every address has them."""
        return {"area": self.view.area.id, "since": self.period.first_day, "until": self.period.last_day}

    def part(self, name: str) -> str:
        """One part of the page, or the workbook."""
        return f"{ROOT}/dashboards/{name}?{urlencode(self.base)}"

    def area(self, area_id: int) -> str:
        """The same period of another area."""
        return f"{ROOT}/dashboards?area={area_id}&since={self.period.first_day}&until={self.period.last_day}"

    def cases(self, *of: str, but: Sequence[str] = (), row: Row | None = None, day: date | None = None) -> str:
        """The cases behind a count."""
        if not self.view.leads:
            return ""
        # Put together by hand: a ranking of a thousand grids has five thousand of them.
        days = f"since={day or self.period.first_day}&until={day or self.period.last_day}"
        line = f"&by={row.by}&key={quote_plus(row.key)}&depth={row.depth}" if row else ""
        counts = "".join([f"&of={name}" for name in of] + [f"&but={name}" for name in but])
        return f"{ROOT}/dashboards/cases?area={self.view.area.id}&{days}{line}{counts}"

    def terms(self, terms: Sequence[str], row: Row | None = None) -> str:
        """The cases behind a sum of counts; one with "-" before it is taken off."""
        of = [term for term in terms if not term.startswith("-")]
        but = [term[1:] for term in terms if term.startswith("-")]
        return self.cases(*of, but=but, row=row)

    def numerator(self, figure: Figure) -> str:
        """The cases above the line of a ratio."""
        return self.terms(figure.indicator.numerator)

    def denominator(self, figure: Figure, settings: Settings) -> str:
        """Those below it."""
        return self.terms(denominator_of(figure.indicator, settings))

    def these(self, ids: Sequence[int]) -> str:
        """These cases."""
        if not self.view.leads:
            return ""
        return f"{ROOT}/dashboards/these?{urlencode({'area': self.view.area.id, 'ids': ids}, doseq=True)}"

    def now(self, kind: str, area_id: int) -> str:
        """The cases that stand so now: those at risk in a list of their own, the others on the desk's."""
        if not self.view.leads:
            return ""
        if area_id == self.view.area.id and self.view.below:
            return f"{ROOT}/dashboards/now?{urlencode({'area': area_id, 'kind': kind, 'branch': area_id})}"
        return self.now_below(kind, area_id)

    def now_below(self, kind: str, area_id: int) -> str:
        """The same for an area with everything below it."""
        if not self.view.leads:
            return ""
        if kind == "soon":
            return f"{ROOT}/dashboards/now?{urlencode({'area': area_id, 'kind': kind})}"
        flags = {"overdue": {"late": 1}, "urgent": {"urgent": 1}}.get(kind, {})
        return f"{ROOT}/cases?{urlencode({'area': area_id} | flags)}"


@dataclass(frozen=True, slots=True)
class Chart:
    """What `charts.js` draws: bars, bars in parts, or lines; `links` lead from each label to its cases."""

    kind: Literal["bar", "stack", "line"]
    labels: Sequence[str]
    series: Sequence[tuple[str, Sequence[float | None]]]
    links: Sequence[str] = ()
    tones: Sequence[str] = ()  # names of colours, a series each
    unit: str = ""

    def first(self, many: int) -> Chart:
        """No more than so many labels of it."""
        series = [(name, values[:many]) for name, values in self.series]
        return replace(self, labels=self.labels[:many], series=series, links=self.links[:many])

    @property
    def data(self) -> dict[str, Any]:
        """As it stands in the page."""
        series = [{"name": name, "values": list(values)} for name, values in self.series]
        return {
            "kind": self.kind,
            "labels": list(self.labels),
            "series": series,
            "links": list(self.links),
            "tones": list(self.tones),
            "unit": self.unit,
        }


def months_back(now: datetime, many: int = 24) -> list[tuple[str, str]]:
    """(2026-11, 2026 年 11 月) of the last months, this one first."""
    found, month = [], today(now).replace(day=1)
    for _ in range(many):
        found.append((f"{month:%Y-%m}", f"{month.year} 年 {month.month} 月"))
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def say_period(period: Period) -> str:
    """2026 年 11 月; 2026-11-01 到 2026-11-20."""
    first, last = period.first_day, period.last_day
    if Period.of_month(first) == period:
        return f"{first.year} 年 {first.month} 月"
    return f"{first}" if first == last else f"{first} 到 {last}"


def percent(ratio: float | None) -> str:
    """96.3%; a dash where nothing was to be done."""
    return "—" if ratio is None else f"{100 * ratio:.1f}%"


def lasting(length: timedelta | None) -> str:
    """3.5 小时; 2.1 天; a dash for nothing measured."""
    if length is None:
        return "—"
    hours = length.total_seconds() / 3600
    if hours >= 48:
        return f"{hours / 24:.1f} 天"
    return f"{hours:.1f} 小时" if hours >= 1 else f"{hours * 60:.0f} 分钟"
