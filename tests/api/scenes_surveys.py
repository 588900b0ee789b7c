"""Surveys, votes and follow-ups for the policy matrix."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from miniapp_api.policy import Caller, Relation
from models.cases import Case
from models.enums import Outcome, Source, Status, SurveyKind, SurveyState, Urgency
from models.people import Area, Household, Staff
from models.people_facts import HouseholdMember
from models.surveys import FollowUp, Survey
from tests.api.matrix import BODIES, OTHERWISE, Actor, Target, World, scene

_QUESTION = {"key": "q1", "text": "同意吗？", "type": "yes_no", "choices": [], "required": True}


def _area(world: World, actor: Actor, relation: Relation) -> Area | None:
    """Where it is asked; None where there can be no such thing. OWN = in the first grid."""
    return None if relation is Relation.OWN and actor.role is Caller.NOBODY else world.grid(relation)


async def _survey(world: World, area: Area, kind: SurveyKind) -> Survey:
    """One that is open, of a grid, written by somebody else."""
    now = world.town.clock()
    return await Survey.create(
        kind=kind,
        state=SurveyState.OPEN,
        title="试试",
        questions=[_QUESTION],
        results="all",
        area=area,
        opens_at=now - timedelta(hours=1),
        closes_at=now + timedelta(days=7),
        author=await Staff.get(code="J001"),
        created_at=now,
    )


@scene("survey")
async def survey(world: World, actor: Actor, relation: Relation) -> Target:
    """A questionnaire."""
    if relation is Relation.DELETED:
        return {"survey_id": 2**40, "place": 1}
    area = _area(world, actor, relation)
    found = await _survey(world, area, SurveyKind.QUESTIONNAIRE) if area else None
    return {"survey_id": found.id, "place": 1} if found else None


@scene("vote")
async def vote(world: World, actor: Actor, relation: Relation) -> Target:
    """A vote of households."""
    if relation is Relation.DELETED:
        return {"survey_id": 2**40}
    area = _area(world, actor, relation)
    found = await _survey(world, area, SurveyKind.VOTE) if area else None
    return {"survey_id": found.id} if found else None


@scene("elder")
async def elder(world: World, actor: Actor, relation: Relation) -> Target:
    """Somebody without WeChat who lives where a questionnaire is open."""
    if relation is Relation.DELETED:
        return {"survey_id": 2**40, "member_id": 2**40}
    area = _area(world, actor, relation)
    if area is None:
        return None
    found = await _survey(world, area, SurveyKind.QUESTIONNAIRE)
    home, _ = await Household.get_or_create(grid=area, building="1栋", unit="", room="101")
    granny, _ = await HouseholdMember.get_or_create(
        household=home, name="赵奶奶", defaults={"changed_at": world.town.clock()}
    )
    return {"survey_id": found.id, "member_id": granny.id}


@scene("follow_up")
async def follow_up(world: World, actor: Actor, relation: Relation) -> Target:
    """Somebody was asked whether it is still well: the caller, or another."""
    if relation is Relation.DELETED:
        return {"follow_up_id": 2**40}
    grid, now = world.grid(relation), world.town.clock()
    whose = actor.resident if relation is Relation.OWN else await world.resident(grid)
    if whose is None:
        return None
    case = await Case.create(
        number=f"20261001-{await Case.all().count() + 5000}",
        status=Status.CLOSED,
        outcome=Outcome.SOLVED,
        category="lamp",
        subject="路灯",
        urgency=Urgency.NORMAL,
        source=Source.WECHAT,
        description="路灯不亮",
        reporter=whose,
        grid=grid,
        area=grid,
        reported_at=now - timedelta(days=40),
        closed_at=now - timedelta(days=28),
    )
    return {"follow_up_id": (await FollowUp.create(case=case, resident=whose, asked_at=now)).id}


def _draft() -> dict[str, Any]:
    return {
        "kind": "vote",
        "title": "试试",
        "questions": [{"text": "同意吗？", "type": "yes_no"}],
        "area_id": 2**30,
        "closes_at": "2026-12-31T10:00:00+08:00",
    }


BODIES |= {
    "POST /surveys": _draft,
    "PUT /surveys/{survey_id}": _draft,
    "POST /surveys/{survey_id}/decision": lambda: {"version": 1, "agree": True},
    "POST /surveys/{survey_id}/cancel": lambda: {"why": "写错了"},
    "PUT /surveys/{survey_id}/answers": lambda: {"answers": {"q1": True}},
    "PUT /surveys/{survey_id}/members/{member_id}/answers": lambda: {"answers": {"q1": False}},
    "POST /follow-ups/{follow_up_id}/answer": lambda: {"answer": "fine"},
}
# An area that is not the caller's; what has been let out is neither changed nor decided again.
OTHERWISE["POST /surveys"] = {404}
OTHERWISE["PUT /surveys/{survey_id}"] = {409}
OTHERWISE["POST /surveys/{survey_id}/hand-in"] = {409}
OTHERWISE["POST /surveys/{survey_id}/decision"] = {403, 409}
