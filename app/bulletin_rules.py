"""口径: what the figures of a report mean, in words, for the sheet that goes with every report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.bulletin_book import Column, Value
from domain.figures_settings import Settings
from domain.figures_table import DENOMINATORS, INDICATORS, Indicator
from domain.indicators import denominator_of

SCORES = {"three_rates": "三率", "shift_leader": "值班长", "dispatcher": "派遣员", "overall": "综合"}

_DENOMINATOR = {
    "due": "应结案数",
    "due_without_deferred": "应结案数 − 缓办数（结案率、按期结案率都用）",
    "closed": "结案数（只用于按期结案率）",
}
_RULES: tuple[tuple[str, Callable[[Settings], str]], ...] = (
    ("统计时段", lambda _: "按北京时间，从第一天 0:00 起，到最后一天 24:00 之前"),
    (
        "应结案数",
        lambda _: "本期结案的，加上本期到时限、到期末还没有结案的（待结案）；以前各期已算过一次的旧账不重复算",
    ),
    ("应处置数", lambda _: "本期处置的，加上本期到时限、到期末还没有处置的"),
    ("不参加统计", lambda _: "不予受理、撤回、并案、作废的事项；作废的只计入准确立案率"),
    ("按期结案率的分母", lambda one: _DENOMINATOR[one.denominator]),
    (
        "按期看哪一步",
        lambda one: "处置完成时间（等居民答复的几天不算）" if one.on_time_by == "disposed" else "结案时间",
    ),
    (
        "准确派遣率里的差错",
        lambda one: {"rework": "返工", "return": "退回", "either": "返工或退回"}[one.wrong_dispatch],
    ),
    ("满意的起点", lambda one: "基本满意" if one.satisfied_from == 2 else "满意"),
    ("没有回答的", lambda _: "不算解决，也不算满意；解决率、满意率只按回答了的人算，参评率单列"),
    (
        "没有规定时限时",
        lambda one: f"立案 {one.accept_hours:g}、派遣 {one.dispatch_hours:g}、签收 {one.sign_hours:g} 小时",
    ),
    (
        "首次响应时限",
        lambda one: (
            "立案起："
            + "、".join(
                f"{said} {one.response_hours[code]:g} 小时"
                for code, said in (("urgent", "紧急"), ("pressing", "较急"), ("normal", "一般"), ("complex", "疑难"))
            )
        ),
    ),
    ("分母为 0", lambda _: "写“—”，不写 0，也不写 100%"),
)


def explained(settings: Settings) -> tuple[Sequence[Column], Sequence[Sequence[Value]]]:
    """The formulas and settings in force, in words: columns and rows."""
    names = {one.code: one.name for one in INDICATORS}
    rows: list[list[Value]] = [["口径", name, say(settings), ""] for name, say in _RULES]
    rows += [["指标", one.name, _formula(one, settings), one.source] for one in INDICATORS]
    for score, weights in settings.weights.items():
        parts = "、".join(f"{names[code]} {weight:g}" for code, weight in weights.items())
        said = f"按权重平均（没有分母的不计）：{parts}"
        rows.append(["得分", SCORES.get(score, score), said, "权重可改，见口径版本"])
    columns = [Column("类", width=8), Column("名称", width=20), Column("怎么算", width=70), Column("出处", width=44)]
    return columns, rows


def _formula(indicator: Indicator, settings: Settings) -> str:
    terms = denominator_of(indicator, settings)
    if terms == indicator.denominator:
        return indicator.formula
    said = next(_DENOMINATOR[key] for key, known in DENOMINATORS.items() if known == terms)
    return f"{indicator.formula}；现行分母：{said}"
