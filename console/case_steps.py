"""Everything staff can do to a case, as forms: under which name, with which fields, which comes first.

What of it somebody may do to a case as it stands, `domain` says; this is how it is put to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from domain.case_sheets import Sheet


@dataclass(frozen=True, slots=True)
class Input:
    """One field. `offers`: which of the page's lists it takes its suggestions or options from."""

    name: str
    label: str
    kind: Literal["words", "line", "day", "photos", "choice", "ready", "kinds"] = "words"
    needed: bool = True
    offers: str = ""
    options: Sequence[tuple[str, str]] = ()
    most: int = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `path` below the case's address; `verbs`: any of them must be allowed; `key` opens the form."""

    path: str
    name: str
    verbs: frozenset[str]
    hint: str = ""
    inputs: Sequence[Input] = field(default_factory=tuple)
    button: str = ""
    key: str = ""
    rare: bool = False  # offered under 更多

    @property
    def files(self) -> bool:
        """Whether it sends files."""
        return any(one.kind == "photos" for one in self.inputs)

    @property
    def waited_for(self) -> bool:
        """Whether the case does not go on without it: its form is open."""
        return self.path in _WAITED_FOR

    @property
    def said(self) -> str:
        """What stands on the button."""
        return self.button or self.name


_WAITED_FOR = frozenset(
    ["answer", "take_over", "accept", "dispatch", "sign", "dispose", "verify", "assisted", "resume"]
)
_PHOTOS = Input("photos", "照片（可多选，最多 9 张）", "photos", needed=False)
_REASON = Input("reason", "原因")
_TO = Input("to", "给谁（名字、单位或网格）", "line", offers="colleagues", most=64)
_WITHIN = Input(
    "within",
    "多久内",
    "choice",
    needed=False,
    options=(
        ("24小时", "24 小时"),
        ("2小时", "2 小时"),
        ("4小时", "4 小时"),
        ("1工作日", "1 个工作日"),
        ("3工作日", "3 个工作日"),
    ),
)
_OUTCOME = Input(
    "outcome",
    "办到什么程度",
    "choice",
    needed=False,
    options=(("", "办好了"), ("explained", "办不了，已解释清楚"), ("cannot", "客观上解决不了")),
)


def _step(
    path: str, name: str, *inputs: Input, verbs: str = "", hint: str = "", button: str = "", key: str = ""
) -> Step:
    return Step(path, name, frozenset((verbs or path).split()), hint, inputs, button, key)


def _rare(step: Step) -> Step:
    return replace(step, rare=True)


#: In the order in which they are offered; the first that is allowed is open where the case waits for it.
STEPS: Sequence[Step] = (
    _step("answer", "答复督办", Input("text", "现在的情况"), hint="上级在等答复；没答复之前不能办结。", key="a"),
    _step("take_over", "接下转办", hint="接了就由您负责，原来的时限不变。", key="j"),
    _step("accept", "受理", hint="按职责清单派给该办的人；派不出去的，再由您指定。", button="受理并派出", key="l"),
    _step(
        "dispatch",
        "派给网格员",
        Input("grid", "网格员或网格", "line", offers="grids", most=64),
        verbs="dispatch accept",
        hint="写网格员的名字最准。",
        button="派出",
        key="p",
    ),
    _step("sign", "接手", hint="居民会收到“已接手”。", key="s"),
    _step(
        "dispose",
        "办好了",
        Input("ready", "常用语", "ready", needed=False, offers="results"),
        Input("text", "做了什么（居民看得到）", needed=False),
        _OUTCOME,
        _PHOTOS,
        button="提交结果",
        key="d",
    ),
    _step("verify", "核查通过", hint="现场看过、确实办好了再点；接着请居民确认。", key="y"),
    _step("rework", "退回返工", Input("reason", "哪里没做好"), key="f"),
    _step("assisted", "协办办好了", Input("text", "您这部分做了什么"), key="x"),
    _step("resume", "继续处理", hint="停着的时间不算，时限接着走。", key="h"),
    _step(
        "note",
        "写进展",
        Input("ready", "常用语", "ready", needed=False, offers="notes"),
        Input("text", "进展（居民看得到）", needed=False),
        _PHOTOS,
        button="告诉居民",
        key="n",
    ),
    _step("memo", "内部备注", Input("text", "备注（居民看不到；写 @名字 会提醒那位同事）"), button="记下", key="m"),
    _step("escalate", "上报上级", _REASON, hint="一级一级往上报，居民会知道。", key="u"),
    _step("transfer", "转办", _TO, _REASON, hint="对方接之前还由您负责。", key="t"),
    _rare(_step("assist", "请人协办", _TO, Input("text", "请对方做什么"), _WITHIN, key="b")),
    _rare(_step("wait", "请居民补充", Input("text", "要补充什么（居民看得到）"), hint="居民回答之前不计时。", key="w")),
    _rare(_step("extend", "申请延期", Input("until", "延到哪一天", "day"), _REASON, verbs="ask_extend", key="e")),
    _rare(_step("suspend", "申请挂账", Input("until", "挂账到哪一天", "day"), _REASON, verbs="ask_suspend", key="g")),
    _rare(
        _step("return", "申请退回", _REASON, verbs="ask_return", hint="不归您办的才退；决定之前还请继续处理。", key="r")
    ),
    _step("supervise", "督办", Input("text", "要督办什么"), _WITHIN, hint="经办人答复之前不能办结。", key="o"),
    _step("nudge", "催办", Input("text", "捎一句话（可不写）", needed=False), hint="一小时内只催一次。", key="c"),
    _rare(
        _step(
            "merge", "并到另一件", Input("into", "另一件的编号，如 0033", "line", most=24), hint="不能撤销。", key="v"
        )
    ),
    _rare(
        _step(
            "split",
            "拆出另一件事",
            Input("text", "拆出来的是什么事"),
            Input("place", "地点", "line", needed=False, most=200),
            button="拆成两件",
        )
    ),
    _rare(_step("recategorise", "改类别", Input("category", "改成", "kinds"), hint="时限不变。")),
    _step("reject", "不予受理", Input("reason", "原因（居民看得到）")),
    _rare(_step("void", "申请作废", _REASON, verbs="ask_void", hint="只用于录错的；由另一个人决定。")),
    _step("reopen", "重新打开", _REASON, hint="重新计时，交回原来的经办人。"),
)


def steps_for(sheet: Sheet) -> list[Step]:
    """Those this person may take now, the next one first."""
    may = set(sheet.reading.may)
    if not sheet.to_answer:
        may.discard("answer")
    if "supervisor" not in sheet.reading.who:
        may.discard("reopen")  # who reported it says so in the chat
    if sheet.reading.request == "return":
        may.add("dispatch")  # giving it to somebody else is agreeing
    if sheet.to_nudge:
        may.add("nudge")
    return [step for step in STEPS if step.verbs & may]
