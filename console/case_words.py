"""What the parts of a case are called on its page: urgency, where it came from, how it ended, what was done."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.casebook import Case
from models.enums import Outcome, Source, Urgency

URGENCIES: Mapping[Urgency, str] = MappingProxyType(
    {
        Urgency.URGENT: "紧急",
        Urgency.PRESSING: "较急",
        Urgency.NORMAL: "一般",
        Urgency.COMPLEX: "疑难",
    }
)
SOURCES: Mapping[Source, str] = MappingProxyType(
    {
        Source.WECHAT: "公众号",
        Source.STAFF: "工作人员代报",
        Source.PATROL: "巡查发现",
        Source.OPEN311: "开放接口",
        Source.CONNECTOR: "其他平台转来",
        Source.MINIAPP: "小程序",
        Source.ROOM: "网格群",
    }
)
OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.SOLVED: "已解决",
        Outcome.EXPLAINED: "已解释",
        Outcome.CANNOT: "客观上解决不了",
        Outcome.WITHDRAWN: "居民撤回",
        Outcome.UNANSWERED: "居民没有评价",
        Outcome.VOID: "作废",
    }
)
#: What stands before a line of the timeline. A verb without a name is told by its words alone.
VERBS: Mapping[str, str] = MappingProxyType(
    {
        "report": "上报",
        "accept": "受理",
        "reject": "不予受理",
        "withdraw": "撤回",
        "dispatch": "派遣",
        "sign": "接手",
        "ask_return": "申请退回",
        "return": "退回",
        "transfer": "转办",
        "take_over": "接转办",
        "dispose": "办好",
        "ask_suspend": "申请挂账",
        "suspend": "挂账",
        "wait": "请居民补充",
        "resume": "继续",
        "ask_extend": "申请延期",
        "extend": "延期",
        "ask_void": "申请作废",
        "void": "作废",
        "refuse": "不同意",
        "verify": "核查",
        "rework": "返工",
        "close": "办结",
        "rate": "评价",
        "reopen": "重新打开",
        "escalate": "上报上级",
        "merge": "并案",
        "absorb": "并入",
        "split": "拆分",
        "recategorise": "改类别",
        "assist": "协办",
        "assisted": "协办办好",
        "urge": "居民催办",
        "supervise": "督办",
        "answer": "答复督办",
        "note": "进展",
        "memo": "内部备注",
        "supplement": "居民补充",
        "join": "我也遇到",
        "leave": "不再关注",
    }
)
_SATISFIED = {3: "满意", 2: "基本满意", 1: "不满意"}


def verdict(case: Case) -> str:
    """What the resident said of it: `解决了，满意`; "" while they said nothing."""
    solved = {True: "解决了", False: "没解决"}.get(case.solved) if case.solved is not None else ""
    return "，".join(part for part in (solved, _SATISFIED.get(case.satisfaction or 0, "")) if part)
