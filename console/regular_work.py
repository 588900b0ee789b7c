"""The workers' regular work in Chinese: what each piece is called, how often it is done, when it was and will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.back_office import RegularWork
from domain.clock import say_moment

#: By the names of `jobs.loops` and `jobs.broadcasts`.
NAMES: Mapping[str, str] = {
    "send what waits": "发出排队的消息",
    "advance broadcasts": "推进群发",
    "retry failed messages": "重试没处理成的来信",
    "watch deadlines": "按时限提醒和升级",
    "watch answers to supervisions": "督办答复到期",
    "watch assist tasks": "协办到期",
    "give waiting cases to who is free": "等人的事派给有空的人",
    "count stale months": "重算变动过的月份统计",
    "cut words for search": "给新事项建搜索词",
    "close silent cases": "居民一直没评价的事结案",
    "count hot spots": "热点统计",
    "tell of hot spots": "热点提醒",
    "forget answers kept for repeated requests": "清理接口重复请求的记录",
    "forget numbers of people told by telephone": "清理电话告知留下的号码",
    "forget exact places of what is over": "办结事项的位置变粗略",
    "ask who followers are in the mini-program": "核对小程序用户",
    "forget files nobody used": "清理没用上的文件",
    "anchor the audit trail": "给审计记录打锚点",
    "watch ends of applications": "办件到期",
    "remind who must add something to an application": "提醒补件",
    "forget forms left half filled in": "清理填了一半的表单",
    "credit volunteer time": "计志愿时长",
    "note activities that are over": "活动结束登记",
    "make slots of bookings ahead": "生成以后的预约时段",
    "remind of bookings": "预约提醒",
    "end waiting lists of what has begun": "结束已开始时段的候补",
    "settle who came to what was booked": "结算预约到场",
    "forget names in old bookings": "清理旧预约里的姓名",
    "end mass sends whose job was put aside": "核对停发的群发",
    "end surveys and votes that are over": "到期问卷收口",
    "ask whether solved matters are still well": "办结后回访",
    "forget numbers of lines told in chat": "清理对话里的列表编号",
    "give staff what no check has answered": "没检查结果的转人工审核",
    "tell staff what waits in rooms": "提醒审核和申诉",
    "tell workers what nobody in a room has answered": "提醒群里没人回的",
    "make digests of rooms": "群聊日报",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `fault`: what went wrong last; `failing`: and nothing went well since."""

    name: str
    every: str
    done: str
    next: str
    late: bool
    fault: str
    failing: bool


def lines_of(work: Sequence[RegularWork], now: datetime) -> list[Line]:
    """What needs somebody first, the rest by how often it is done."""
    ordered = sorted(work, key=lambda one: (not (one.late or _failing(one)), one.every, one.name))
    return [_line(one, now) for one in ordered]


def _line(one: RegularWork, now: datetime) -> Line:
    done = f"{say_moment(one.done_at, now)}，用了 {_seconds(one.took)}" if one.done_at else "还没有过"
    fault = f"{say_moment(one.failed_at, now)}出错：{one.fault}" if one.failed_at else ""
    due = say_moment(one.due_at, now)
    if not one.late:
        due = "马上又做" if one.every < timedelta(seconds=15) else f"{due}左右"
    return Line(NAMES.get(one.name, one.name), _often(one.every), done, due, one.late, fault, _failing(one))


def _failing(one: RegularWork) -> bool:
    return one.failed_at is not None and (one.done_at is None or one.failed_at >= one.done_at)


def _often(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    for unit, name in ((3_600, "小时"), (60, "分钟")):
        if seconds >= unit and seconds % unit == 0:
            return f"每 {seconds // unit} {name}"
    return f"每 {seconds} 秒"


def _seconds(took: float) -> str:
    return f"{took:.1f} 秒" if took >= 0.1 else f"{max(1, round(took * 1000))} 毫秒"
