"""Cases, their timeline, their photos, and the duty list."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import Level, Outcome, Source, Status, Urgency
from models.people import Area, Resident, Staff


class Duty(Model):
    """The duty list (职责清单): who answers for a category, how fast, and what closing needs."""

    id = fields.IntField(primary_key=True)
    category = fields.CharField(max_length=64, unique=True, description="category code of nlp/data")
    level = fields.CharEnumField(Level, max_length=16, description="whose duty it is first")
    time_limit = fields.TimeDeltaField(description="from acceptance to disposal")
    auto_accept = fields.BooleanField(default=True, description="accepted and dispatched without a person")
    auto_verify = fields.BooleanField(default=True, description="the resident verifies, nobody before them")
    closing_photo = fields.BooleanField(default=False, description="disposing needs a photo")

    class Meta:
        table = "duty"


class Case(Model):
    """One thing a resident wants solved. `number` is 20261120-0037; people say 0037."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(max_length=24, unique=True)
    status = fields.CharEnumField(Status, max_length=12)
    category = fields.CharField(max_length=64)
    subject = fields.CharField(max_length=64, description="what residents and staff call it")
    domain = fields.CharField(max_length=24, default="")
    urgency = fields.CharEnumField(Urgency, max_length=8)
    source = fields.CharEnumField(Source, max_length=12)
    description = fields.TextField()
    place = fields.CharField(max_length=200, default="")
    latitude: float | None = fields.FloatField(null=True)
    longitude: float | None = fields.FloatField(null=True)
    reporter: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="cases", on_delete=fields.OnDelete.SET_NULL
    )
    reporter_id: int | None
    grid: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area", null=True, related_name="grid_cases", on_delete=fields.OnDelete.RESTRICT
    )
    grid_id: int | None
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area",
        related_name="cases",
        on_delete=fields.OnDelete.RESTRICT,
        description="whose duty it is now; its level is the case's level",
    )
    area_id: int
    holder: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="held", on_delete=fields.OnDelete.RESTRICT
    )
    holder_id: int | None
    message_id: int | None = fields.BigIntField(
        null=True, unique=True, description="inbox row that made it: one message, one case"
    )
    round = fields.SmallIntField(default=1, description="disposals begun: 2 after the first rework or reopening")
    reopened = fields.SmallIntField(default=0)
    returned = fields.SmallIntField(default=0)
    urged = fields.SmallIntField(default=0)
    result = fields.TextField(default="", description="what the holder did, in their words")
    outcome = cast("fields.Field[Outcome | None]", fields.CharEnumField(Outcome, max_length=12, null=True))
    solved = fields.BooleanField(null=True, description="the resident's answer; null = no answer")
    satisfaction: int | None = fields.SmallIntField(
        null=True, description="3 satisfied, 2 basically, 1 not; null = no answer"
    )
    comment = fields.TextField(default="", description="the resident's sentence with the rating")
    reported_at = fields.DatetimeField()
    accepted_at: datetime | None = fields.DatetimeField(null=True)
    dispatched_at: datetime | None = fields.DatetimeField(null=True)
    signed_at: datetime | None = fields.DatetimeField(null=True)
    disposed_at: datetime | None = fields.DatetimeField(null=True)
    verified_at: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    due_at: datetime | None = fields.DatetimeField(null=True, description="promised time; clock starts at acceptance")

    class Meta:
        table = "cases"
        indexes = (
            Index(fields=("reporter_id", "id")),
            Index(fields=("area_id", "status")),
        )


class CaseEvent(Model):
    """One line of a case's timeline."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="events")
    case_id: int
    at = fields.DatetimeField()
    verb = fields.CharField(max_length=16)
    status = fields.CharEnumField(Status, max_length=12, description="status after the verb")
    actor = fields.CharField(max_length=64, description="who, as the resident may read it: 网格员王芳, 居民, 系统")
    text = fields.TextField(default="", description="what was said or done")
    public = fields.BooleanField(default=True, description="the resident may read it")

    class Meta:
        table = "case_event"
        indexes = (Index(fields=("case_id", "id")),)


class Attachment(Model):
    """A photo, voice or video of a case. `path` is set once the worker has fetched it from WeChat."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="attachments")
    case_id: int
    kind = fields.CharField(max_length=12, description="image, voice, video, shortvideo")
    after = fields.BooleanField(default=False, description="shows the result, not the problem")
    media_id = fields.CharField(max_length=256)
    path = fields.CharField(max_length=200, default="", description="below the media folder; empty = not fetched yet")
    content_type = fields.CharField(max_length=64, default="")
    size: int | None = fields.IntField(null=True, description="bytes")
    created_at = fields.DatetimeField()
    facts: dict[str, Any] = fields.JSONField(default=dict, description="what WeChat said of it: format, thumbnail")

    class Meta:
        table = "attachment"
        indexes = (Index(fields=("case_id", "id")),)
