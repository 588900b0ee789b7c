"""What a desk shows beside a survey: what this person may do with it now, whom it asks, and how many that are.

What somebody may do is only offered here; whether it may be done is decided again when they do it.
"""

from __future__ import annotations

from datetime import datetime

from domain.audiences import check_audience
from domain.people import Person
from domain.survey_people import count_asked
from domain.surveys import Survey, find_survey, runs
from errors import NotAllowed
from models.enums import Role, SurveyKind, SurveyState
from models.people import Area

STATE_NAMES = {
    SurveyState.DRAFT: "草稿",
    SurveyState.WAITING: "待审批",
    SurveyState.OPEN: "进行中",
    SurveyState.CLOSED: "已结束",
    SurveyState.REFUSED: "未同意",
    SurveyState.CANCELLED: "已取消",
}
KIND_NAMES = {SurveyKind.QUESTIONNAIRE: "问卷", SurveyKind.VOTE: "议事投票"}
TYPE_NAMES = {"choice": "单选", "choices": "多选", "stars": "打星", "yes_no": "是或不是", "text": "填写"}
SEEN_BY = {"staff": "只有工作人员", "closed": "结束后所有人", "all": "随时所有人"}

_WRITTEN = (SurveyState.DRAFT, SurveyState.REFUSED)
_ENDED = (SurveyState.CLOSED, SurveyState.CANCELLED)
_COUNTED = (SurveyState.OPEN, SurveyState.CLOSED)


async def steps(person: Person, survey: Survey) -> frozenset[str]:
    """What this person may do with it now: change, hand_in, decide, cancel, results, export, watch."""
    found = set[str]()
    officer = await runs(person, survey)
    if survey.state in _COUNTED:
        seen = officer or survey.state is SurveyState.CLOSED or survey.results == "all"
        found |= {"results"} if seen else set()
        found |= {"export"} if officer else set()
    if person.post and person.post.role is not Role.DEPARTMENT_STAFF and survey.state is SurveyState.OPEN:
        found |= {"watch"} if survey.kind is SurveyKind.VOTE and not survey.audience else set()
    if person.post is None or not officer:
        return frozenset(found)
    if survey.state in _WRITTEN:
        found.add("change")
    if survey.state is SurveyState.DRAFT:
        found.add("hand_in")
    if survey.state is SurveyState.WAITING and survey.author_id != person.post.id:
        found.add("decide")
    if survey.state not in _ENDED:
        found.add("cancel")
    return frozenset(found)


async def say_asked(survey: Survey) -> str:
    """Whom it asks, in Chinese: 东亭社区的每一户, 东亭社区住3栋的人."""
    area = await Area.get(id=survey.area_id)
    if survey.audience:
        checked = await check_audience(survey.audience, survey.area_id, in_use=False)
        return f"{area.name}里{checked.words}"
    return f"{area.name}的{'每一户' if survey.kind is SurveyKind.VOTE else '居民'}"


async def asked(person: Person, survey_id: int, now: datetime) -> int:
    """How many it would ask now: people, of a vote households. Raises NotFound, NotAllowed for who does not run it."""
    survey = await find_survey(person, survey_id, now)
    if not await runs(person, survey):
        raise NotAllowed("asked", tag="survey:read", object_id=survey_id)
    return await count_asked(survey, now)
