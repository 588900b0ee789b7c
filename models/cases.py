"""Cases, their timeline, their photos, and the duty list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import Level, Outcome, Pause, RequestKind, RequestState, Source, Status, Urgency, Verifier
from models.people import Area, Component, Department, Resident, Staff


class DutyList(Model):
    """One version of the duty list (职责清单). In force is the newest whose day has come; a case keeps its own."""

    id = fields.IntField(primary_key=True)
    effective_on = fields.DateField(description="first day in force, Shanghai time")
    note = fields.CharField(max_length=200, default="", description="what changed and on whose word")
    created_at = fields.DatetimeField()

    class Meta:
        table = "duty_list"


class Duty(Model):
    """One line of the duty list: whose a category is at a level, how fast, and what closing needs.

    Limits are written as people write them (`domain.worktime.TimeLimit`): 2小时, 4工作时, 7天, 3工作日;
    "" is the default of the urgency.
    """

    id = fields.IntField(primary_key=True)
    version: fields.ForeignKeyRelation[DutyList] = fields.ForeignKeyField("linli.DutyList", related_name="duties")
    version_id: int
    category = fields.CharField(max_length=64, description='category code of nlp/data; "" = whatever has no line')
    level = fields.CharEnumField(Level, max_length=16, description="whose duty it is at first")
    department: fields.ForeignKeyNullableRelation[Department] = fields.ForeignKeyField(
        "linli.Department",
        null=True,
        related_name="duties",
        on_delete=fields.OnDelete.RESTRICT,
        description="responsible unit (责任单位); null = the unit of kind `unit`, or the area's own staff",
    )
    department_id: int | None
    unit = fields.CharField(
        max_length=16, default="", description="kind of responsible unit: each street's or district's own (城管)"
    )
    assisting: list[str] = fields.JSONField(default=list, description="codes or kinds of assisting departments (协办)")
    accept_limit = fields.CharField(max_length=12, default="")
    dispatch_limit = fields.CharField(
        max_length=12, db_default="", default="", description="for giving it away again once it was sent back"
    )
    sign_limit = fields.CharField(max_length=12, default="")
    handle_limit = fields.CharField(max_length=12, default="")
    verify_limit = fields.CharField(max_length=12, default="")
    auto_accept = fields.BooleanField(default=True, description="accepted and dispatched without a person")
    verifier = fields.CharEnumField(Verifier, max_length=12, default=Verifier.RESIDENT)
    closing_photo = fields.BooleanField(default=False, description="disposing needs a photo")
    closing_text = fields.BooleanField(default=False, description="disposing needs a sentence of ten characters")
    anonymous = fields.BooleanField(default=True, description="residents may ask that staff do not see their name")

    class Meta:
        table = "duty"
        unique_together = (("version", "category", "level"),)


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
    department: fields.ForeignKeyNullableRelation[Department] = fields.ForeignKeyField(
        "linli.Department",
        null=True,
        related_name="cases",
        on_delete=fields.OnDelete.RESTRICT,
        description="unit that has the lead (首接负责)",
    )
    department_id: int | None
    duty: fields.ForeignKeyNullableRelation[Duty] = fields.ForeignKeyField(
        "linli.Duty", null=True, related_name="cases", on_delete=fields.OnDelete.RESTRICT
    )
    duty_id: int | None
    component: fields.ForeignKeyNullableRelation[Component] = fields.ForeignKeyField(
        "linli.Component", null=True, related_name="cases", on_delete=fields.OnDelete.SET_NULL
    )
    component_id: int | None
    merged_into: fields.ForeignKeyNullableRelation[Case] = fields.ForeignKeyField(
        "linli.Case", null=True, related_name="merged", on_delete=fields.OnDelete.RESTRICT
    )
    merged_into_id: int | None
    split_from: fields.ForeignKeyNullableRelation[Case] = fields.ForeignKeyField(
        "linli.Case", null=True, related_name="parts", on_delete=fields.OnDelete.RESTRICT
    )
    split_from_id: int | None
    anonymous = fields.BooleanField(db_default=False, default=False, description="staff do not see who reported it")
    message_id: int | None = fields.BigIntField(
        null=True, unique=True, description="inbox row that made it: one message, one case"
    )
    round = fields.SmallIntField(default=1, description="disposals begun: 2 after the first rework or reopening")
    reopened = fields.SmallIntField(default=0)
    returned = fields.SmallIntField(default=0)
    urged = fields.SmallIntField(default=0)
    supervised = fields.SmallIntField(db_default=0, default=0)
    joined = fields.IntField(db_default=0, default=0, description="others who said 我也遇到")
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
    first_response_at: datetime | None = fields.DatetimeField(
        null=True, description="the holder's first word to anybody"
    )
    accept_due_at: datetime | None = fields.DatetimeField(null=True)
    dispatch_due_at: datetime | None = fields.DatetimeField(
        null=True, description="by when it must be given to somebody again, after it was sent back"
    )
    sign_due_at: datetime | None = fields.DatetimeField(null=True)
    verify_due_at: datetime | None = fields.DatetimeField(null=True)
    handle_limit = fields.CharField(
        max_length=12, db_default="", default="", description="limit the promised time was made with: 7天, 3工作日"
    )
    alerted = fields.SmallIntField(
        db_default=0, default=0, description="percent of the limit at which people were last told, see domain.deadlines"
    )
    reminded = fields.SmallIntField(
        db_default=0, default=0, description="times people were told that this status lasts too long"
    )
    watch_at: datetime | None = fields.DatetimeField(
        null=True, description="when the deadline watch looks at it next; null = nothing will come due"
    )
    pause: Pause | None = cast("Any", fields.CharEnumField(Pause, max_length=12, null=True))
    suspended_at: datetime | None = fields.DatetimeField(null=True, description="since when the clock stands")
    resume_at: datetime | None = fields.DatetimeField(null=True, description="when it goes on by itself")
    paused = fields.TimeDeltaField(
        db_default=timedelta(), default=timedelta(), description="how long the clock has stood in all (挂账时长)"
    )
    audit_count = fields.IntField(db_default=0, default=0, description="rows of this case's audit chain")
    audit_head = fields.CharField(max_length=64, db_default="", default="", description="hash of the chain's last row")

    class Meta:
        table = "cases"
        indexes = (
            Index(fields=("reporter_id", "id")),
            Index(fields=("area_id", "status")),
            Index(fields=("reported_at",)),
            Index(fields=("merged_into_id",)),
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


class CaseRequest(Model):
    """What a holder asked a second person for: return, transfer, extension, suspension, voiding."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="requests")
    case_id: int
    kind = fields.CharEnumField(RequestKind, max_length=12)
    state = fields.CharEnumField(RequestState, max_length=12, default=RequestState.OPEN)
    asked_by: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="asked", on_delete=fields.OnDelete.RESTRICT
    )
    asked_by_id: int
    asked_at = fields.DatetimeField()
    reason = fields.TextField()
    until: datetime | None = fields.DatetimeField(null=True, description="new promised time, or when it goes on")
    to_staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="offered", on_delete=fields.OnDelete.RESTRICT
    )
    to_staff_id: int | None
    decider_level = fields.CharEnumField(Level, max_length=16, description="lowest level that may decide")
    decided_by: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="decided", on_delete=fields.OnDelete.RESTRICT
    )
    decided_by_id: int | None
    decided_at: datetime | None = fields.DatetimeField(null=True)
    answer = fields.TextField(default="", description="the decider's words")

    class Meta:
        table = "case_request"
        indexes = (Index(fields=("case_id", "id")),)


class Assist(Model):
    """A task for an assisting unit or person (协办). The case stays with its holder."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="assists")
    case_id: int
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="assists", on_delete=fields.OnDelete.RESTRICT
    )
    staff_id: int
    text = fields.TextField(description="what is asked of them")
    asked_at = fields.DatetimeField()
    due_at: datetime | None = fields.DatetimeField(null=True, description="null = the promised time of the case")
    done_at: datetime | None = fields.DatetimeField(null=True)
    answer = fields.TextField(default="")
    alerted = fields.SmallIntField(
        db_default=0, default=0, description="percent of the time at which people were last told"
    )
    watch_at: datetime | None = fields.DatetimeField(
        null=True, description="when the deadline watch looks at it next; null = never again"
    )

    class Meta:
        table = "assist"
        indexes = (Index(fields=("case_id", "id")),)


class Supervision(Model):
    """督办: a superior asks the holder for an answer by a time; the case cannot be disposed of without one."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="supervisions")
    case_id: int
    asked_by: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="supervises", on_delete=fields.OnDelete.RESTRICT
    )
    asked_by_id: int | None
    asked_at = fields.DatetimeField()
    text = fields.TextField()
    due_at = fields.DatetimeField()
    answer = fields.TextField(default="")
    answered_by_id: int | None = fields.IntField(null=True)
    answered_at: datetime | None = fields.DatetimeField(null=True)
    reminded_at: datetime | None = fields.DatetimeField(null=True, description="when it was said that no answer came")

    class Meta:
        table = "supervision"
        indexes = (Index(fields=("case_id", "id")),)


class Follower(Model):
    """Somebody besides the reporter who is told of a case: they joined it, or their own was merged into it."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="followers")
    case_id: int
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="follows")
    resident_id: int
    since = fields.DatetimeField()
    from_case_id: int | None = fields.BigIntField(null=True, description="their own case, merged into this one")
    words = fields.TextField(default="", description="what they said of it")

    class Meta:
        table = "follower"
        unique_together = (("case", "resident"),)
        indexes = (Index(fields=("resident_id", "case_id")),)


class ReplyTemplate(Model):
    """A ready sentence for staff, by category and verb. Variables: {number} {subject} {place} {due} {holder}."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=32, unique=True)
    category = fields.CharField(max_length=64, default="", description='"" = every category')
    verb = fields.CharField(max_length=16, default="", description='when it is offered; "" = always')
    text = fields.TextField()
    active = fields.BooleanField(default=True)

    class Meta:
        table = "reply_template"


class SpecialDay(Model):
    """A day that is not what the calendar library says: a local holiday, or a year it does not know yet."""

    day = fields.DateField(primary_key=True)
    works = fields.BooleanField()
    name = fields.CharField(max_length=32, default="")

    class Meta:
        table = "special_day"
