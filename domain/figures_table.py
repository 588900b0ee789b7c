"""The indicators: each with its formula over the counts of `domain.figures_counts`, and the formula's source."""

from __future__ import annotations

from dataclasses import dataclass

_DUE = ("closed", "unclosed")
_TO_DISPOSE = ("disposed", "undisposed")

UMP = "urban-management-platform（数字城管开源系统，2021）"
BULLETINS = "数字城管通报（连云港 2017-04、天门），按公布数复算相符"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One ratio. Numerator and denominator are sums of counts; a count with "-" before it is taken off."""

    code: str
    name: str
    formula: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    source: str
    low: bool = False  # the lower the better

    @property
    def counts(self) -> tuple[str, ...]:
        """The names of the counts it is made of."""
        return tuple(dict.fromkeys(term.lstrip("-") for term in (*self.numerator, *self.denominator)))


#: 应结案数 by the setting `denominator`.
DENOMINATORS = {"due": _DUE, "due_without_deferred": (*_DUE, "-deferred"), "closed": ("closed",)}

INDICATORS: tuple[Indicator, ...] = (
    Indicator("close_rate", "结案率", "结案数 ÷ 应结案数", ("closed",), _DUE, BULLETINS),
    Indicator("close_on_time", "按期结案率", "按期结案数 ÷ 应结案数", ("closed_on_time",), _DUE, BULLETINS),
    Indicator("accept_on_time", "按时立案率", "按时立案数 ÷ 立案数", ("accepted_on_time",), ("accepted",), UMP),
    Indicator(
        "accept_accurate", "准确立案率", "（立案数 − 作废数）÷ 立案数", ("accepted", "-voided"), ("accepted",), UMP
    ),
    Indicator(
        "dispatch_on_time", "按时派遣率", "按时派遣数 ÷ 应派遣数", ("dispatched_on_time",), ("to_dispatch",), UMP
    ),
    Indicator(
        "dispatch_accurate",
        "准确派遣率",
        "（派遣数 − 返工数）÷ 派遣数",
        ("dispatched", "-wrongly_dispatched"),
        ("dispatched",),
        UMP,
    ),
    Indicator(
        "sign_on_time",
        "及时签收率",
        "时限内签收数 ÷ 派遣数",
        ("signed_on_time",),
        ("dispatched",),
        "名称见连云港通报，未公布公式，此为本系统定义",
    ),
    Indicator(
        "first_response_on_time",
        "首次响应及时率",
        "时限内首次响应数 ÷ 首次响应数",
        ("first_responses_on_time",),
        ("first_responses",),
        "“及时联系诉求人”（12345 服务规范草案，2021-12），本系统定义",
    ),
    Indicator(
        "response_rate",
        "响应率",
        "时限内响应数 ÷ 派遣数",
        ("responded",),
        ("dispatched",),
        "三率（DB11/T 2021 第 7 章），公式未见官方公布，此为假定",
    ),
    Indicator("dispose_rate", "处置率", "处置数 ÷ 应处置数", ("disposed",), _TO_DISPOSE, UMP),
    Indicator("dispose_on_time", "按时处置率", "按时处置数 ÷ 应处置数", ("disposed_on_time",), _TO_DISPOSE, UMP),
    Indicator("rework_rate", "返工率", "返工数 ÷ 处置数", ("reworked",), ("disposed",), UMP, low=True),
    Indicator(
        "verify_on_time", "按时核实率", "按时核实数 ÷ 应核实数", ("verified_on_time",), ("verified", "unverified"), UMP
    ),
    Indicator(
        "first_time_rate",
        "一次办结率",
        "一轮办结数 ÷ 结案数",
        ("closed_first_time",),
        ("closed",),
        "名称见盘锦 2023 通报，未公布公式，此为本系统定义",
    ),
    Indicator(
        "solved_rate",
        "解决率",
        "答“解决了”数 ÷ 有效回访数（答了是否解决的）",
        ("solved",),
        ("answered",),
        "三率，公式未见官方公布，此为假定",
    ),
    Indicator(
        "satisfied_rate", "满意率", "满意数 ÷ 参评数（给了满意度的）", ("satisfied",), ("rated",), "话务中心规则"
    ),
    Indicator(
        "dissatisfied_rate",
        "不满意率",
        "不满意数 ÷ 按期结案数",
        ("dissatisfied",),
        ("closed_on_time",),
        "县级热线通报，按公布数复算相符",
        low=True,
    ),
    Indicator(
        "take_part_rate",
        "参评率",
        "参评数 ÷ 结案数",
        ("took_part",),
        ("closed",),
        "海南 12345（2024-02）要求与实际参评满意率分开公布",
    ),
    Indicator(
        "follow_up_rate",
        "有效回访率",
        "有效回访数 ÷ 结案数",
        ("answered",),
        ("closed",),
        "名称见盘锦 2023 通报，未公布公式，此为本系统定义",
    ),
)

BY_CODE = {indicator.code: indicator for indicator in INDICATORS}
