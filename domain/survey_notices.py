"""What people are told of surveys and votes: staff that one waits, residents that one is open, over or cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.clock import say_date, say_deadline, template_number, template_time
from domain.journal import Notice
from domain.notices import TAP_LABELS, Tap, excerpt, tap_id
from domain.people import Post
from domain.timing import quiet_until
from models.database import fetch, to_json
from models.enums import SurveyKind, SurveyState
from models.people import Staff
from models.surveys import Survey

#: May be opted out of like the topics of broadcasts.
TOPIC = "survey"
_NAMES = {SurveyKind.QUESTIONNAIRE: "问卷", SurveyKind.VOTE: "投票"}
_STATES = {
    SurveyState.WAITING: "待审核",
    SurveyState.OPEN: "已通过",
    SurveyState.REFUSED: "未通过",
    SurveyState.CLOSED: "已结束",
    SurveyState.CANCELLED: "已取消",
}

_ONE = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, $3, '', '', 0, '', $3, false)
"""
# Twenty a second, so that a vote of thousands does not hold up what somebody waits for.
_VOTERS = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
SELECT 'notice', 'pending', r.openid, $2::jsonb, 0, 0,
    coalesce($4::timestamptz, $3) + (row_number() OVER (ORDER BY v.id) - 1) * interval '50 milliseconds',
    '', '', 0, '', $3, $4 IS NOT NULL
FROM survey_voter v JOIN resident r ON r.id = v.resident_id
WHERE v.survey_id = $1 AND r.deleted_at IS NULL AND (position(':' IN r.openid) = 0 OR starts_with(r.openid, 'mini:'))
    AND NOT EXISTS (SELECT FROM opt_out o WHERE o.resident_id = r.id AND o.topic IN ($5, '*'))
"""


def name(survey: Survey) -> str:
    """问卷 or 投票."""
    return _NAMES[survey.kind]


def announcement(survey: Survey, now: datetime) -> str:
    """What those who are asked are told when it opens."""
    who = "一户投一票。" if survey.kind is SurveyKind.VOTE else ""
    hidden = "不记名，没人知道是谁答的。" if survey.anonymous else ""
    count = len(survey.questions)
    words = f"{excerpt(survey.words, 200)}\n" if survey.words else ""
    until = say_date(survey.closes_at, now)
    return (
        f"{words}一共 {count} 题，{until}截止。{who}{hidden}\n回复“{name(survey)} {survey.id}”就可以"
        f"{'投' if survey.kind is SurveyKind.VOTE else '答'}。"
    )


def cancelled(survey: Survey) -> str:
    """To who has answered already."""
    return f"{name(survey)}“{survey.title}”取消了：{excerpt(survey.why, 100)}\n您答的不再使用。"


async def tell_decider(survey: Survey, post: Post, author: str, now: datetime) -> None:
    """To who may let it out: what it is, and how to answer."""
    hidden = "不记名" if survey.anonymous else "记名"
    until = say_deadline(survey.closes_at, now)
    head = (
        f"待审{name(survey)} {survey.id}“{survey.title}”\n{author}写的，{len(survey.questions)} 题，{hidden}，{until}。"
    )
    how = f"先看题目（也可以回复“看{name(survey)} {survey.id}”），再选同意不同意。"
    await _tell(post.openid, survey, f"{head}\n{how}", [Tap.SURVEY_SHOW], now)


async def tell_author(survey: Survey, author: Staff, decider: str, now: datetime) -> None:
    """To who wrote it: whether it is let out."""
    head = f"{name(survey)} {survey.id}“{survey.title}”"
    if survey.state is SurveyState.REFUSED:
        text = f"{head}，{decider}没有同意：{excerpt(survey.why, 100)}\n改好再交一次就行。"
    else:
        text = f"{head}，{decider}同意了，{say_date(survey.opens_at, now)}开始，问 {survey.expected} 个。"
    await _tell(author.openid, survey, text, [], now)


async def _tell(openid: str | None, survey: Survey, text: str, taps: list[Tap], now: datetime) -> None:
    if openid:
        await fetch(_ONE, openid, to_json(_notice(openid, survey, text, taps, now).payload()), now)


async def tell_chart(survey: Survey, openid: str, now: datetime) -> None:
    """The picture of its result, to somebody who asked for it."""
    notice = _notice(openid, survey, f"“{survey.title}”的结果图，长按可以保存。", [], now)
    await fetch(_ONE, openid, to_json(replace(notice, images=(f"drawn:survey:{survey.id}",)).payload()), now)


async def tell_voters(survey: Survey, text: str, now: datetime, *taps: Tap, waits: bool = False) -> None:
    """To all who have answered and follow. `waits`: nobody did anything just now, so not in the quiet hours."""
    later = quiet_until(now) if waits else None
    notice = _notice("", survey, text, list(taps), later or now)
    await fetch(_VOTERS, survey.id, to_json(notice.payload()), now, later, TOPIC)


def _notice(openid: str, survey: Survey, text: str, taps: list[Tap], at: datetime) -> Notice:
    fields = {
        "number": template_number(at),
        "subject": excerpt(survey.title, 20),
        "status": _STATES[survey.state],
        "time": template_time(survey.closes_at),
        "note": f"回复“{name(survey)} {survey.id}”查看",
    }
    choices = [(TAP_LABELS[tap], tap_id(survey.id, tap)) for tap in taps]
    return Notice(openid, text, choices, fields, kind="survey")
