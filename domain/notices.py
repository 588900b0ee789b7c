"""What Linli tells people of a case, and the tap ids that come back. Chinese texts of pushes live here, together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import IntEnum

from domain.clock import say_deadline, template_time
from domain.journal import Notice
from domain.people import Post
from models.cases import Assist, Case
from models.enums import Outcome, Status, Urgency
from nlp.mood import find_moods

STATUS_NAMES = {
    Status.REPORTED: "待受理",
    Status.ACCEPTED: "已受理",
    Status.DISPATCHED: "待接手",
    Status.DISPOSING: "处理中",
    Status.SUSPENDED: "暂缓",
    Status.DISPOSED: "待核查",
    Status.VERIFIED: "待您确认",
    Status.CLOSED: "已办结",
    Status.REJECTED: "未受理",
    Status.WITHDRAWN: "已撤回",
    Status.MERGED: "已并案",
}


class Tap(IntEnum):
    """What a tap on a notice means. Sent as `case_id * 100 + tap`: WeChat carries integers only."""

    SOLVED = 1
    NOT_SOLVED = 2
    SATISFIED = 3
    BASICALLY = 4
    NOT_SATISFIED = 5
    URGE = 6
    SUPPLEMENT = 7
    SIGN = 11
    DISPOSE = 12
    ESCALATE = 13
    RETURN = 14
    SHOW = 15
    NOTE = 16
    AGREE = 17
    REFUSE = 18
    KNOWN = 21
    GUIDE = 22
    NO_MORE = 23
    STARS_1 = 31  # of a booking, to STARS_5 = 35
    STARS_2 = 32
    STARS_3 = 33
    STARS_4 = 34
    STARS_5 = 35
    NOT_COMING = 36
    SHOW_APPLICATION = 41
    SUPPLY = 42
    GOOD_SERVICE = 43
    FAIR_SERVICE = 44
    BAD_SERVICE = 45
    SURVEY_SHOW = 51
    SURVEY_AGREE = 52
    SURVEY_REFUSE = 53
    SURVEY_RESULTS = 54
    STILL_FINE = 61
    HAPPENED_AGAIN = 62
    ASK_NO_MORE = 63
    LOOK = 81
    APPROVE = 82
    DECLINE = 83
    LIVES_HERE = 91  # of a household member
    NOT_HERE = 92


TAP_LABELS = {
    Tap.SOLVED: "解决了",
    Tap.NOT_SOLVED: "没解决",
    Tap.SATISFIED: "满意",
    Tap.BASICALLY: "基本满意",
    Tap.NOT_SATISFIED: "不满意",
    Tap.URGE: "催一下",
    Tap.SUPPLEMENT: "补充情况",
    Tap.SIGN: "接",
    Tap.DISPOSE: "办好了",
    Tap.ESCALATE: "上报",
    Tap.RETURN: "退回",
    Tap.SHOW: "看详情",
    Tap.NOTE: "写进展",
    Tap.AGREE: "同意",
    Tap.REFUSE: "不同意",
    Tap.KNOWN: "知道了",
    Tap.GUIDE: "看办法",
    Tap.NO_MORE: "不再收这类",
    Tap.SHOW_APPLICATION: "看申请",
    Tap.SUPPLY: "去补充",
    Tap.GOOD_SERVICE: "满意",
    Tap.FAIR_SERVICE: "一般",
    Tap.BAD_SERVICE: "不满意",
    Tap.LOOK: "看",
    Tap.APPROVE: "同意",
    Tap.DECLINE: "不同意",
    Tap.SURVEY_SHOW: "看题目",
    Tap.SURVEY_AGREE: "同意",
    Tap.SURVEY_REFUSE: "不同意",
    Tap.SURVEY_RESULTS: "看结果",
    Tap.STILL_FINE: "还好",
    Tap.HAPPENED_AGAIN: "又出现了",
    Tap.ASK_NO_MORE: "不用再问我",
    Tap.STARS_1: "1 分",
    Tap.STARS_2: "2 分",
    Tap.STARS_3: "3 分",
    Tap.STARS_4: "4 分",
    Tap.STARS_5: "5 分",
    Tap.NOT_COMING: "来不了，取消",
    Tap.LIVES_HERE: "是这户的",
    Tap.NOT_HERE: "不是",
}


def tap_id(case_id: int, tap: Tap) -> int:
    """The integer WeChat carries for `tap` on a case."""
    return case_id * 100 + tap


def read_tap(number: int) -> tuple[int, Tap] | None:
    """(case id, tap) of a tapped item; None for ids below 100 (the question just asked) and unknown ones."""
    case_id, tap = divmod(number, 100)
    return (case_id, Tap(tap)) if case_id > 0 and tap in Tap._value2member_map_ else None


def short(number: str) -> str:
    """`1120-0037` of 20261120-0037, as residents are told."""
    return number[4:]


def serial(number: str) -> str:
    """`0037` of 20261120-0037, as everybody says."""
    return number.split("-")[1]


def _choices(case: Case, *taps: Tap) -> list[tuple[str, int]]:
    return [(TAP_LABELS[tap], tap_id(case.id, tap)) for tap in taps]


def _fields(case: Case, note: str) -> dict[str, str]:
    return {
        "number": case.number,
        "subject": case.subject,
        "status": STATUS_NAMES[case.status],
        "time": template_time(case.due_at or case.reported_at),
        "note": note,
    }


def task_choices(case: Case) -> list[tuple[str, int]]:
    """What a holder may do next, in the order of the numbers they type."""
    return _choices(case, Tap.SIGN, Tap.DISPOSE, Tap.ESCALATE, Tap.RETURN)


def resident_choices(case: Case) -> list[tuple[str, int]]:
    """What the reporter may do with a case in this status."""
    if case.status is Status.VERIFIED:
        return _choices(case, Tap.SOLVED, Tap.NOT_SOLVED)
    if case.status.is_open:
        return _choices(case, Tap.URGE, Tap.SUPPLEMENT)
    return []


def solved_choices(case: Case) -> list[tuple[str, int]]:
    return _choices(case, Tap.SOLVED, Tap.NOT_SOLVED)


def satisfaction_choices(case: Case) -> list[tuple[str, int]]:
    return _choices(case, Tap.SATISFIED, Tap.BASICALLY, Tap.NOT_SATISFIED)


def excerpt(text: str, limit: int = 60) -> str:
    """The beginning of what somebody wrote, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def mood_hint(case: Case) -> str:
    """How whoever reported it feels, for the one who goes there: a line of its own, or nothing. Never for residents."""
    moods = find_moods(case.description)
    return f"\n居民{'，'.join(mood.name for mood in moods)}，先打个电话说一声。" if moods else ""


def new_task(case: Case, holder: Post, now: datetime, images: list[str], why: str = "新任务") -> Notice:
    """To the holder: what, where, until when, and the four things one can do."""
    urgent = "紧急 " if case.urgency is Urgency.URGENT else ""
    late = case.due_at is not None and case.due_at < now
    due = "已超时" if late else say_deadline(case.due_at, now) if case.due_at else "尽快"
    head = f"{urgent}{why} {serial(case.number)} {case.subject}｜{case.place or '地点未说明'}｜{due}"
    return Notice(
        holder.openid or "",
        f"{head}\n“{excerpt(case.description)}”{mood_hint(case)}",
        task_choices(case),
        _fields(case, why),
        images[:1],
    )


def urgent_alarm(case: Case, post: Post, worker: str) -> Notice:
    """To the community on duty: an emergency is on its way to the grid worker too."""
    text = f"紧急 {serial(case.number)} {case.subject}｜{case.place or '地点未说明'}\n“{excerpt(case.description)}”\n"
    return Notice(post.openid or "", f"{text}已通知{worker}。", _choices(case, Tap.SHOW), _fields(case, "紧急情况"))


def awaiting_acceptance(case: Case, post: Post) -> Notice:
    """To the community: a case no grid is known for."""
    text = f"待受理 {serial(case.number)} {case.subject}｜{case.place or '地点未说明'}\n“{excerpt(case.description)}”"
    return Notice(
        post.openid or "",
        f"{text}\n不知道属于哪个网格，请回复“派 {serial(case.number)} 网格名”。",
        _choices(case, Tap.SHOW),
        _fields(case, "待受理"),
    )


def nobody_free(case: Case, post: Post) -> Notice:
    """To the community: accepted, but everybody whose duty it is has enough or is away."""
    number = serial(case.number)
    text = f"等人接 {number} {case.subject}｜{case.place or '地点未说明'}\n该办的人都满了或不在岗，有人空出来就自动派。"
    return Notice(
        post.openid or "",
        f"{text}\n等不了就回复“派 {number} 网格名”。",
        _choices(case, Tap.SHOW),
        _fields(case, "等人接手"),
    )


def progress(case: Case, openid: str, sentence: str) -> Notice:
    """To the resident: one sentence of what happened."""
    return Notice(openid, f"{serial(case.number)} {case.subject}：{sentence}", (), _fields(case, sentence))


def ask_solved(case: Case, openid: str, holder: str, images: list[str]) -> Notice:
    """To the resident: what was done, and whether it is solved."""
    did = {Outcome.EXPLAINED: "答复您", Outcome.CANNOT: "说明办不了的原因"}.get(
        case.outcome or Outcome.SOLVED, "已处理"
    )
    text = f"{serial(case.number)} {case.subject}，{holder}{did}：“{excerpt(case.result, 200)}”\n解决了吗？"
    return Notice(openid, text, solved_choices(case), _fields(case, "请确认是否解决"), images[:1])


def to_call(case: Case, post: Post) -> Notice:
    """To who should call a resident without WeChat: what to tell them, and what to ask."""
    text = f"请打电话 {serial(case.number)} {case.subject}：告诉居民“{excerpt(case.result, 200)}”，问一声解决了没有。"
    how = "号码在小程序的“待打电话”里，居民怎么说也记在那里。"
    return Notice(post.openid or "", f"{text}\n{how}", _choices(case, Tap.SHOW), _fields(case, "请打电话告诉居民"))


def asks_resident(case: Case, openid: str, holder: str, question: str) -> Notice:
    """To the resident: something is missing before it can go on."""
    text = f"{serial(case.number)} {case.subject}：{holder}想请您补充：“{excerpt(question, 200)}”\n直接回复就行。"
    return Notice(openid, text, _choices(case, Tap.SUPPLEMENT), _fields(case, "请补充情况"))


def to_decide(case: Case, post: Post, asker: str, what: str, why: str) -> Notice:
    """To a decider: what is asked and how to answer."""
    number = serial(case.number)
    how = f"同意就回复“同意 {number}”，不同意回复“不同意 {number} 原因”。"
    text = f"{number} {case.subject}：{asker}申请{what}（{why}）。\n{how}"
    return Notice(
        post.openid or "", text, _choices(case, Tap.AGREE, Tap.REFUSE, Tap.SHOW), _fields(case, f"申请{what}")
    )


def to_check(case: Case, post: Post, holder: str, images: list[str]) -> Notice:
    """To a checker: what was done, and how to say whether it is good."""
    number = serial(case.number)
    head = f"待核查 {number} {case.subject}｜{case.place or '地点未说明'}\n{holder}：“{excerpt(case.result, 200)}”"
    how = f"办好了回复“通过 {number}”，没办好回复“返工 {number} 原因”。"
    return Notice(post.openid or "", f"{head}\n{how}", _choices(case, Tap.SHOW), _fields(case, "待核查"), images[:1])


def offered(case: Case, post: Post, by: str, why: str) -> Notice:
    """To whom a case is offered."""
    number = serial(case.number)
    head = f"转办 {number} {case.subject}｜{case.place or '地点未说明'}"
    how = f"回复“接 {number}”就归您办，不合适回复“不同意 {number} 原因”。"
    text = f"{head}\n“{excerpt(case.description)}”\n{by}：{excerpt(why)}\n{how}"
    return Notice(post.openid or "", text, _choices(case, Tap.SIGN, Tap.REFUSE, Tap.SHOW), _fields(case, "转办给您"))


def asked_to_assist(case: Case, post: Post, by: str, task: Assist, now: datetime) -> Notice:
    """To an assistant: what part is asked of them, and until when."""
    number, until = serial(case.number), task.due_at or case.due_at
    due = f"｜{say_deadline(until, now)}" if until and until > now else ""
    head = f"协办 {number} {case.subject}｜{case.place or '地点未说明'}{due}"
    text = f"{head}\n{by}请您：{excerpt(task.text, 200)}\n做好了回复“协办好了 {number} 结果”。"
    return Notice(post.openid or "", text, _choices(case, Tap.SHOW), _fields(case, "请协办"))


def with_unit(notice: Notice, case: Case, unit: str) -> Notice:
    """The same, with whose duty it is at this level and how to hand it on."""
    number = serial(case.number)
    hint = f"职责清单上归{unit}，要交给他们请回复“转 {number} {unit} 原因”。"
    return replace(notice, text=f"{notice.text}\n{hint}")


def to_staff(case: Case, post: Post, sentence: str) -> Notice:
    """To a member of staff: something happened to their case."""
    return Notice(
        post.openid or "",
        f"{serial(case.number)} {case.subject}：{sentence}",
        _choices(case, Tap.SHOW),
        _fields(case, sentence),
    )
