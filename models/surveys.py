"""问卷、投票、回访: what residents are asked, who has answered, and (apart, where promised) what they said."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.cases import Case
from models.enums import FollowUpState, SurveyKind, SurveyState
from models.people import Area, Household, Resident, Staff
from models.people_facts import HouseholdMember


class Survey(Model):
    """问卷 or 议事投票. While it is anonymous nothing leads from an answer to who gave it."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharEnumField(SurveyKind, max_length=16)
    state = fields.CharEnumField(SurveyState, max_length=12, default=SurveyState.DRAFT)
    version = fields.IntField(default=1, description="one more with each change; what is let out is this version")
    title = fields.CharField(max_length=64)
    words = fields.TextField(default="", description="what it is about, for residents")
    questions: list[dict[str, Any]] = fields.JSONField(
        description="key, text, type (choice, choices, stars, yes_no, text), choices, required; see domain"
    )
    anonymous = fields.BooleanField(default=False)
    results = fields.CharField(
        max_length=8, default="closed", description="who sees them: staff, closed (all, then), all"
    )
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="surveys", on_delete=fields.OnDelete.RESTRICT, description="who lives there is asked"
    )
    area_id: int
    audience: dict[str, Any] = fields.JSONField(default=dict, description="who of them; see domain.audiences")
    opens_at = fields.DatetimeField()
    closes_at = fields.DatetimeField()
    broadcast_id: int | None = fields.BigIntField(null=True, description="by which people were told of it")
    expected: int | None = fields.IntField(null=True, description="people (of a vote: households) asked")
    author: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="surveys", on_delete=fields.OnDelete.RESTRICT
    )
    author_id: int
    approver_id: int | None = fields.IntField(null=True)
    why = fields.CharField(max_length=200, default="", description="why it was refused or cancelled")
    created_at = fields.DatetimeField()

    class Meta:
        table = "survey"
        indexes = (Index(fields=("area_id", "state")), Index(fields=("state", "closes_at")))


class SurveyDraft(Model):
    """What somebody has answered so far in the chat; gone once it is handed in, or the survey is over."""

    id = fields.BigIntField(primary_key=True)
    survey: fields.ForeignKeyRelation[Survey] = fields.ForeignKeyField("linli.Survey", related_name="drafts")
    survey_id: int
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="drafts")
    resident_id: int
    answers: dict[str, Any] = fields.JSONField(default=dict, description="by question key; null = passed over")

    class Meta:
        table = "survey_draft"
        unique_together = (("survey", "resident"),)
        indexes = (Index(fields=("resident_id",)),)


class SurveyVoter(Model):
    """Who has answered: one row a person; of a vote one a household."""

    id = fields.BigIntField(primary_key=True)
    survey: fields.ForeignKeyRelation[Survey] = fields.ForeignKeyField("linli.Survey", related_name="voters")
    survey_id: int
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="votes", on_delete=fields.OnDelete.SET_NULL
    )
    resident_id: int | None
    household: fields.ForeignKeyNullableRelation[Household] = fields.ForeignKeyField(
        "linli.Household", null=True, related_name="votes", on_delete=fields.OnDelete.SET_NULL
    )
    household_id: int | None
    member: fields.ForeignKeyNullableRelation[HouseholdMember] = fields.ForeignKeyField(
        "linli.HouseholdMember",
        null=True,
        related_name="votes",
        on_delete=fields.OnDelete.SET_NULL,
        description="as whom of the household, where that is known",
    )
    member_id: int | None
    grid_id: int | None = fields.IntField(null=True, description="where they live: how many take part there")
    by = fields.CharField(max_length=40, default="", description="staff who wrote it down for them; empty = themselves")
    on: date = fields.DateField(description="the day alone: the hour could lead to an anonymous answer")

    class Meta:
        table = "survey_voter"
        unique_together = (("survey", "resident"), ("survey", "household"), ("survey", "member"))
        indexes = (Index(fields=("resident_id",)),)


class SurveyAnswer(Model):
    """What somebody answered; anonymous ones have no voter, and a name that says nothing of their order."""

    id: UUID = cast("UUID", fields.UUIDField(primary_key=True))
    survey: fields.ForeignKeyRelation[Survey] = fields.ForeignKeyField("linli.Survey", related_name="answers")
    survey_id: int
    voter: fields.OneToOneNullableRelation[SurveyVoter] = fields.OneToOneField(
        "linli.SurveyVoter", null=True, related_name="answer"
    )
    voter_id: int | None
    answers: dict[str, Any] = fields.JSONField(description="by question key")
    grid_id: int | None = fields.IntField(null=True, description="null for anonymous ones, where a grid would name few")

    class Meta:
        table = "survey_answer"
        indexes = (Index(fields=("survey_id",)),)


class FollowUp(Model):
    """回访: some weeks after a case was closed, whether it is still well."""

    id = fields.BigIntField(primary_key=True)
    case: fields.OneToOneRelation[Case] = fields.OneToOneField("linli.Case", related_name="follow_up")
    case_id: int
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="follow_ups")
    resident_id: int
    state = fields.CharEnumField(FollowUpState, max_length=8, default=FollowUpState.ASKED)
    asked_at = fields.DatetimeField()
    answered_at: datetime | None = fields.DatetimeField(null=True)
    note = fields.CharField(max_length=200, default="", description="what they said besides")
    led_to: fields.ForeignKeyNullableRelation[Case] = fields.ForeignKeyField(
        "linli.Case",
        null=True,
        related_name="led_by",
        on_delete=fields.OnDelete.SET_NULL,
        description="the case that is open now because it happened again: the same one, or a new one",
    )
    led_to_id: int | None

    class Meta:
        table = "follow_up"
        indexes = (Index(fields=("state", "asked_at")), Index(fields=("resident_id", "asked_at")))
