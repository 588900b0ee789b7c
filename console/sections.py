"""The parts of the figures' page: each a chart, the table beside it, and where every figure of it leads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.figures import Chart, Links, Row, lasting, percent
from console.heat import Drawing, Spot, draw
from console.values import today
from domain.figures_cases import Standing, flow, standing_now
from domain.figures_counts import EMPTY, TIMES, Question, count, count_with_times, scope_below
from domain.figures_settings import in_force
from domain.hot_matters import all_hotspots
from domain.hotspots import HotSpot
from domain.indicators import By, Values, category_name
from domain.overview import Overview, counts_below, formulas, grid_names, grids_below, ranking, sum_of

_CHARTED = 30


@dataclass(frozen=True, slots=True)
class Value:
    """One cell: as it is read, as a workbook has it, and its cases."""

    shown: str
    raw: str | float | None
    link: str = ""
    quiet: str = ""  # said behind it, in small print


@dataclass(frozen=True, slots=True)
class Section:
    """One part. The first cell of each row is its head; `note` says how it is counted."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Value]]
    note: str = ""
    chart: Chart | None = None
    drawing: Drawing | None = None
    spots: Sequence[tuple[Spot, str]] = ()  # of the drawing, each with where it leads
    empty: str = "这段时间没有数据。换一个月份或区域看看。"


def words(text: str, link: str = "") -> Value:
    """A cell of text."""
    return Value(text, text, link)


def number(value: int, link: str = "") -> Value:
    """A count; nothing leads nowhere."""
    return Value(f"{value:,}", value, link if value else "")


def _ratio(values: Values, code: str, link: str = "") -> Value:
    figure = values.figures[code]
    if figure.ratio is None:
        return Value("—", None)
    parts = f"{figure.numerator}/{figure.denominator}"
    return Value(percent(figure.ratio), round(figure.ratio, 4), link, parts)


def areas(links: Links, standing: Mapping[int, Standing], shown: Overview) -> Section:
    """How each part of the area stands now, and what came and went in the period."""
    view = links.view
    places = [*view.below, view.area] if view.below else [view.area]
    rows, charted = [], []
    for place in places:
        own = place is view.area and bool(view.below)
        now, values = standing.get(place.id, Standing(place.id)), shown.parts.get(place.id)
        if own and not now.open and values is None:
            continue
        line = Row("area", str(place.id))
        counts = values.counts if values else dict.fromkeys(("reported", "closed"), 0)
        rows.append(
            [
                words(f"{place.name}（本级）" if own else place.name, "" if own else links.area(place.id)),
                *(number(getattr(now, kind), links.now(kind, place.id)) for kind in ("open", "soon", "overdue")),
                number(counts["reported"], links.cases("reported", row=line)),
                number(counts["closed"], links.cases("closed", row=line)),
                _ratio(values, "close_on_time", links.terms(("closed_on_time",), row=line))
                if values
                else Value("—", None),
            ]
        )
        charted.append((place.name, now, links.now("open", place.id)))
    charted = charted[:_CHARTED]
    calm = [now.open - now.soon - now.overdue for _, now, _ in charted]
    chart = Chart(
        "stack",
        [name for name, _, _ in charted],
        [
            ("超期", [now.overdue for _, now, _ in charted]),
            ("24 小时内到期", [now.soon for _, now, _ in charted]),
            ("其他未办结", calm),
        ],
        [link for _, _, link in charted],
        ("late", "soon", "calm"),
        "件",
    )
    heads = ("区域", "未办结", "24 小时内到期", "超期", "本期上报", "本期办结", "按期结案率")
    return Section("areas", "各区域现在的办件", heads, rows, "前三项是现在的，后三项是所选时间的。", chart)


def satisfaction(links: Links, shown: Overview) -> Section:
    """What residents said of what was closed."""
    counts = shown.total.counts
    between = counts["rated"] - counts["satisfied"] - counts["dissatisfied"]
    said = [
        ("满意", counts["satisfied"], links.cases("satisfied")),
        ("不满意", counts["dissatisfied"], links.cases("dissatisfied")),
        ("没有评价", counts["closed"] - counts["rated"], links.cases("closed", but=["rated"])),
    ]
    if between:
        said.insert(1, ("一般", between, links.cases("rated", but=["satisfied", "dissatisfied"])))
    rows = [[words(name), number(many, link)] for name, many, link in said]
    parts = [(name, [many]) for name, many, _ in said]
    chart = Chart("stack", ["办结的"], parts, (), ("good", "late", "none") if not between else (), "件")
    heads = ("居民评价", "件数")
    note = "不说话不算满意：满意率只算给了评价的。"
    return Section("satisfaction", "居民满意度", heads, rows if counts["closed"] else [], note, chart)


async def days(links: Links, now: datetime) -> Section:
    """What came in and was done, day by day; no day that has not come yet."""
    found = await flow(links.period, await scope_below(links.view.area.id))
    found = [day for day in found if day.day <= today(now)]
    kinds = (("上报", "reported"), ("处置", "disposed"), ("办结", "closed"))
    series = [(name, [getattr(day, kind) for day in found]) for name, kind in kinds]
    at = [links.cases("reported", day=day.day) for day in found]
    chart = Chart("line", [f"{day.day:%m-%d}" for day in found], series, at, ("soon", "lead", "calm"), "件")
    rows = [
        [
            words(f"{day.day}"),
            *(number(getattr(day, kind), links.cases(kind, day=day.day)) for _, kind in kinds),
        ]
        for day in found
    ]
    return Section("days", "每天的流量", ("日期", "上报", "处置", "办结"), rows, chart=chart)


async def categories(links: Links, _now: datetime) -> Section:
    """What people report."""
    settings = (await in_force(links.period.first_day)).settings
    question = Question(links.period, await scope_below(links.view.area.id), "category")
    found = await count(question, settings)
    lines = sorted(
        ((key, tally.counts) for key, tally in found.items() if tally.counts["reported"]),
        key=lambda line: (-line[1]["reported"], line[0]),
    )
    rows = [
        [
            words(category_name(key)),
            *(
                number(counts[name], links.cases(name, row=Row("category", key)))
                for name in ("reported", "closed", "reworked")
            ),
        ]
        for key, counts in lines
    ]
    top = lines[:12]
    chart = Chart(
        "bar",
        [category_name(key) for key, _ in top],
        [("上报", [counts["reported"] for _, counts in top])],
        [links.cases("reported", row=Row("category", key)) for key, _ in top],
        ("lead",),
        "件",
    )
    return Section("categories", "居民反映什么", ("类别", "上报", "办结", "返工"), rows, chart=chart)


_TIMES = {
    "accept": ("受理（上报到立案）", "accepted"),
    "dispatch": ("派遣（立案到派遣）", "dispatched"),
    "sign": ("签收（派遣到签收）", "dispatched"),
    "first_response": ("首次响应（立案到第一次联系）", "first_responses"),
    "handle": ("处置（立案到处置完，挂账不算）", "disposed"),
    "total": ("全程（上报到办结）", "closed"),
}


async def times(links: Links, _now: datetime) -> Section:
    """How long it took."""
    settings = (await in_force(links.period.first_day)).settings
    found = await count_with_times(Question(links.period, await scope_below(links.view.area.id)), settings)
    values = found.get("", EMPTY)
    rows, charted = [], []
    for name in TIMES:
        title, of = _TIMES[name]
        spread = values.times[name]
        if spread.median is None or spread.p90 is None:
            continue
        both = [round(length.total_seconds() / 3600, 1) for length in (spread.median, spread.p90)]
        charted.append((title.split("（")[0], both, links.cases(of)))
        rows.append(
            [
                words(title),
                *(
                    Value(lasting(length), hours)
                    for length, hours in zip((spread.median, spread.p90), both, strict=True)
                ),
                number(values.counts[of], links.cases(of)),
            ]
        )
    chart = Chart(
        "bar",
        [title for title, _, _ in charted],
        [
            ("一半的事不超过", [both[0] for _, both, _ in charted]),
            ("九成的事不超过", [both[1] for _, both, _ in charted]),
        ],
        [link for _, _, link in charted],
        ("lead", "soon"),
        "小时",
    )
    heads = ("环节", "一半不超过", "九成不超过", "件数")
    return Section("times", "响应和处理用时", heads, rows, "导出的表里以小时计。", chart)


async def _ranked(links: Links, by: By, name: str, title: str, what: str) -> Section:
    area, period = links.view.area, links.period
    depth = max(area.level.rank, 1)
    settings = (await in_force(period.first_day)).settings
    parts = formulas(settings)
    full = {str(grid): name for grid, name in (await grid_names(area.id)).items()} if by is By.AREA else {}
    rows, charted = list[list[Value]](), list[tuple[str, float, str]]()
    for one in await ranking(area, period, by):
        name_of = full.get(one.line.key) or (f"{one.line.name}（未分网格）" if by is By.AREA else one.line.name)
        line = Row("area" if by is By.AREA else "unit", one.line.key, depth)
        values, after = one.line.before, one.line.after.scores.get("overall")
        score = values.scores.get("overall")
        due = values.figures["close_on_time"]
        if len(charted) < 15 and score is not None:
            charted.append((name_of, score, links.cases("reported", row=line)))
        rows.append(
            [
                words(name_of),
                Value(str(one.place or "—"), one.place),
                Value("—" if score is None else f"{score:.1f}", score),
                Value("—" if after is None else f"{after:.1f}", after),
                number(values.counts["reported"], links.cases("reported", row=line)),
                number(due.numerator, links.terms(due.indicator.numerator, row=line)),
                *(
                    _ratio(values, code, links.terms(values.figures[code].indicator.numerator, row=line))
                    for code in ("close_on_time", "solved_rate", "satisfied_rate")
                ),
            ]
        )
    series = [("综合得分", [score for _, score, _ in charted])]
    labels, chain = [at for at, _, _ in charted], [link for _, _, link in charted]
    heads = (what, "名次", "综合得分", "剔除后", "上报", "按期办结", "按期结案率", "解决率", "满意率")
    said = "；".join(f"{part.name}×{part.share:.0f}%（{part.formula}）" for part in parts)
    note = f"综合得分＝{said}。没有数据的指标不参加，其余按权重折算。" if parts else "这个月的口径里没有综合得分。"
    return Section(name, title, heads, rows, note, Chart("bar", labels, series, chain, ("lead",), "分"))


async def grids(links: Links, _now: datetime) -> Section:
    """Grids by their score."""
    return await _ranked(links, By.AREA, "grids", "网格排名", "网格")


async def units(links: Links, _now: datetime) -> Section:
    """Units by theirs."""
    return await _ranked(links, By.UNIT, "units", "责任单位排名", "单位")


async def heat(links: Links, _now: datetime) -> Section:
    """Where cases come from, grid by grid."""
    view = links.view
    depth = max(view.area.level.rank, 1)
    shapes = await grids_below(view.area.id)
    counts = {
        area: tally.counts["reported"]
        for area, tally in (await counts_below(view.area.id, links.period, depth)).items()
    }
    busy = sorted(shapes, key=lambda shape: (-counts.get(shape.id, 0), shape.id))
    rows = [
        [
            words(shape.name, links.area(shape.id)),
            number(counts.get(shape.id, 0), links.cases("reported", row=Row("area", str(shape.id), depth))),
        ]
        for shape in busy
        if counts.get(shape.id)
    ]
    drawing = draw(shapes, counts) if shapes else None
    spots = [(spot, links.area(spot.id)) for spot in drawing.spots] if drawing else []
    note = (
        "颜色越深，上报越多；点网格看这个网格。"
        if drawing and drawing.drawn
        else "还没有画网格边界，先用方格代替，每格一个网格。"
    )
    return Section("heat", "热力：事从哪里来", ("网格", "上报"), rows, note, drawing=drawing, spots=spots)


async def named_hotspots(area_id: int, now: datetime) -> list[tuple[HotSpot, str, str]]:
    """Each with its grid as people of the area call it, and where within the grid (（3栋一带）, or nothing)."""
    names = await grid_names(area_id)
    found = []
    for spot in await all_hotspots(area_id, now):
        place, mark, within = spot.place.partition("（")
        found.append((spot, names.get(spot.grid_id, place), mark + within))
    return found


async def hotspots(links: Links, now: datetime) -> Section:
    """未诉先办: what comes up far more often than it used to."""
    found = await named_hotspots(links.view.area.id, now)
    rows = [
        [
            words(f"{grid}{within} {spot.subject}"),
            number(spot.count),
            Value("不到 1" if spot.usual < 1 else f"{spot.usual:.0f}", round(spot.usual, 1)),
            number(len(spot.case_ids), links.these(spot.case_ids)),
        ]
        for spot, grid, within in found
    ]
    return Section(
        "hotspots",
        "热点：最近突然多起来的事",
        ("什么地方、什么事", "近 7 天反映人数", "平时一周", "事件"),
        rows,
        "与前 8 周相比，偶然出现的可能不到 1% 才列出来。不随上面选的时间变，每 10 分钟统计一次。",
        empty="最近没有突然多起来的事。",
    )


Maker = Callable[[Links, datetime], Awaitable[Section]]

#: What is counted after the page is there, in its order.
LATER: Mapping[str, tuple[str, Maker]] = {
    "days": ("每天的流量", days),
    "categories": ("居民反映什么", categories),
    "times": ("响应和处理用时", times),
    "heat": ("热力：事从哪里来", heat),
    "hotspots": ("热点：最近突然多起来的事", hotspots),
    "grids": ("网格排名", grids),
    "units": ("责任单位排名", units),
}


async def standing_of(links: Links, now: datetime) -> tuple[Standing, dict[int, Standing]]:
    """How the area stands now: all of it, and by part."""
    found = await standing_now(await scope_below(links.view.area.id), now)
    return sum_of(list(found.values())), found
