"""线上办理 and 线上预约: application forms and what was applied for; plans, slots and bookings; activities and hours.

An activity, a course, a counter: whatever has seats is a plan with slots, and whoever wants one has a booking. So
capacity, waiting list, check-in and what follows when somebody stays away are one mechanism.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.accounts import Upload
from models.enums import ActivityState, ApplicationState, BookingState, PlanKind
from models.people import Area, Resident, Staff
from models.services import ServiceItem


class ServiceForm(Model):
    """What an item asks of who applies for it online. A new version is a new row; the newest active one is offered."""

    id = fields.IntField(primary_key=True)
    item: fields.ForeignKeyRelation[ServiceItem] = fields.ForeignKeyField("linli.ServiceItem", related_name="forms")
    item_id: int
    version = fields.SmallIntField(description="1, 2, 3 … of this item")
    fields_: list[dict[str, Any]] = fields.JSONField(
        source_field="fields", description="key, label, type, required, choices, least, most, hint; see domain"
    )
    time_limit = fields.CharField(max_length=16, default="", description="3工作日; empty = none is promised")
    active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "service_form"
        unique_together = (("item", "version"),)


class Application(Model):
    """线上办理: one resident applied for one item, themselves or through somebody else."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(max_length=16, unique=True, description="B20261121-0007")
    item: fields.ForeignKeyRelation[ServiceItem] = fields.ForeignKeyField(
        "linli.ServiceItem", related_name="applications", on_delete=fields.OnDelete.RESTRICT
    )
    item_id: int
    form: fields.ForeignKeyRelation[ServiceForm] = fields.ForeignKeyField(
        "linli.ServiceForm", related_name="applications", on_delete=fields.OnDelete.RESTRICT
    )
    form_id: int
    state = fields.CharEnumField(ApplicationState, max_length=12, default=ApplicationState.SUBMITTED)
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="applications", description="for whom; null = has no WeChat"
    )
    resident_id: int | None
    name = fields.CharField(max_length=32, default="", description="of an applicant without WeChat")
    phone = fields.CharField(max_length=20, default="")
    by = fields.CharField(max_length=40, description="who filled it in: resident:7, staff:3")
    relation = fields.CharField(max_length=16, default="", description="what they are to the applicant: 子女, 网格员")
    answers: dict[str, Any] = fields.JSONField(default=dict, description="by field key; files by their upload's id")
    grid: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area", null=True, related_name="grid_applications", on_delete=fields.OnDelete.RESTRICT
    )
    grid_id: int | None
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area",
        related_name="applications",
        on_delete=fields.OnDelete.RESTRICT,
        description="whose staff decide: the community",
    )
    area_id: int
    holder: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="applications", on_delete=fields.OnDelete.SET_NULL
    )
    holder_id: int | None
    asked = fields.CharField(max_length=300, default="", description="what is still wanted of the applicant")
    result = fields.CharField(max_length=500, default="", description="what came of it, or why it is refused")
    submitted_at = fields.DatetimeField()
    due_at: datetime | None = fields.DatetimeField(null=True)
    told = fields.SmallIntField(default=0, description="of its end: 1 = who has it was reminded, 2 = it is overdue")
    ended_at: datetime | None = fields.DatetimeField(null=True)
    stars: int | None = fields.SmallIntField(null=True, description="1 to 5")
    comment = fields.CharField(max_length=200, default="")

    class Meta:
        table = "application"
        indexes = (
            Index(fields=("resident_id", "submitted_at")),
            Index(fields=("area_id", "state", "due_at")),
            Index(fields=("by", "submitted_at")),
        )


class ApplicationEvent(Model):
    """A line of an application's history."""

    id = fields.BigIntField(primary_key=True)
    application: fields.ForeignKeyRelation[Application] = fields.ForeignKeyField(
        "linli.Application", related_name="events"
    )
    application_id: int
    at = fields.DatetimeField()
    verb = fields.CharField(max_length=16)
    state = fields.CharEnumField(ApplicationState, max_length=12)
    actor = fields.CharField(max_length=40)
    text = fields.CharField(max_length=500, default="")

    class Meta:
        table = "application_event"
        indexes = (Index(fields=("application_id", "id")),)


class ApplicationFile(Model):
    """A file in an application: the applicant's, or part of the result (`field` empty)."""

    id = fields.BigIntField(primary_key=True)
    application: fields.ForeignKeyRelation[Application] = fields.ForeignKeyField(
        "linli.Application", related_name="files"
    )
    application_id: int
    upload: fields.ForeignKeyRelation[Upload] = fields.ForeignKeyField("linli.Upload", related_name="applications")
    upload_id: Any
    field = fields.CharField(max_length=32, default="")

    class Meta:
        table = "application_file"
        unique_together = (("application", "upload"),)
        indexes = (Index(fields=("upload_id",)),)


class BookingPlan(Model):
    """What has seats: a counter on its weekly days, a lawyer's afternoon, an activity, a course."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=20, unique=True)
    kind = fields.CharEnumField(PlanKind, max_length=12, default=PlanKind.COUNTER)
    item: fields.ForeignKeyNullableRelation[ServiceItem] = fields.ForeignKeyField(
        "linli.ServiceItem", null=True, related_name="plans", description="the guide it belongs to"
    )
    item_id: int | None
    title = fields.CharField(max_length=32)
    place = fields.CharField(max_length=200, default="")
    phone = fields.CharField(max_length=20, default="")
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area",
        related_name="plans",
        on_delete=fields.OnDelete.RESTRICT,
        description="who lives there or below may book; its staff and those above work it",
    )
    area_id: int
    week: list[dict[str, Any]] = fields.JSONField(
        default=list,
        description="opening hours: days (工作日, 周一 …), from, to, minutes of a slot, capacity; see domain",
    )
    opens_days = fields.SmallIntField(default=7, description="days ahead that may be booked")
    closes_minutes = fields.SmallIntField(default=60, description="minutes before its begin a slot is closed")
    cancel_minutes = fields.SmallIntField(default=120, description="until then one may cancel without a mark")
    per_person = fields.SmallIntField(default=1, description="live bookings of one person at a time in this plan")
    waiting_most = fields.SmallIntField(default=10, description="people who may wait for a seat of one slot; 0 = none")
    remind_minutes: list[int] = fields.JSONField(default=list, description="before the begin: 1440, 120")
    strikes = fields.SmallIntField(default=3, description="times missed in `strike_days` after which one must pause")
    strike_days = fields.SmallIntField(default=90)
    pause_days = fields.SmallIntField(default=30)
    active = fields.BooleanField(default=True)
    made_until: date | None = fields.DateField(null=True, description="slots are made up to this day; null = look anew")

    class Meta:
        table = "booking_plan"
        indexes = (Index(fields=("area_id", "kind")), Index(fields=("item_id",)))


class Slot(Model):
    """号源: a time with seats. `taken` never exceeds `capacity`: a check of the table."""

    id = fields.BigIntField(primary_key=True)
    plan: fields.ForeignKeyRelation[BookingPlan] = fields.ForeignKeyField("linli.BookingPlan", related_name="slots")
    plan_id: int
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    capacity = fields.IntField()
    taken = fields.IntField(default=0, description="booked or arrived")
    waiting = fields.IntField(default=0, description="on the waiting list")
    closed = fields.CharField(max_length=100, default="", description="why nobody may book it; empty = open")
    settled_at: datetime | None = fields.DatetimeField(null=True, description="when who stayed away was noted")

    class Meta:
        table = "slot"
        unique_together = (("plan", "starts_at"),)
        indexes = (Index(fields=("starts_at",)),)


class Booking(Model):
    """预约: one person's seat, or their place on the waiting list (in the order of `id`)."""

    id = fields.BigIntField(primary_key=True)
    slot: fields.ForeignKeyRelation[Slot] = fields.ForeignKeyField("linli.Slot", related_name="bookings")
    slot_id: int
    plan: fields.ForeignKeyRelation[BookingPlan] = fields.ForeignKeyField("linli.BookingPlan", related_name="bookings")
    plan_id: int
    state = fields.CharEnumField(BookingState, max_length=12)
    code = fields.CharField(max_length=8, description="shown at the counter: six digits, one of a kind within its plan")
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="bookings", description="for whom; null = has no WeChat"
    )
    resident_id: int | None
    name = fields.CharField(max_length=32, default="", description="of somebody without WeChat")
    phone = fields.CharField(max_length=20, default="")
    by = fields.CharField(max_length=40, description="who booked: resident:7, staff:3")
    relation = fields.CharField(max_length=16, default="", description="what they are to whom it is for: 子女, 网格员")
    note = fields.CharField(max_length=200, default="", description="what it is about")
    booked_at = fields.DatetimeField()
    moved_up_at: datetime | None = fields.DatetimeField(null=True, description="when a seat came free for them")
    reminded: list[int] = fields.JSONField(default=list, description="minutes of the reminders that went out")
    ended_at: datetime | None = fields.DatetimeField(null=True, description="arrived, cancelled, missed, expired")
    ended_by = fields.CharField(max_length=40, default="")
    reason = fields.CharField(max_length=100, default="", description="why it was cancelled")
    excused = fields.BooleanField(default=False, description="staff took the mark for staying away back")
    stars: int | None = fields.SmallIntField(null=True, description="1 to 5")
    comment = fields.CharField(max_length=200, default="")

    class Meta:
        table = "booking"
        indexes = (
            Index(fields=("slot_id", "state", "id")),
            Index(fields=("resident_id", "booked_at")),
            Index(fields=("by", "booked_at")),
            Index(fields=("plan_id", "code")),
        )


class Activity(Model):
    """活动: what is announced; seats and who takes them are those of its plan (one slot, a course has several)."""

    id = fields.IntField(primary_key=True)
    plan: fields.OneToOneRelation[BookingPlan] = fields.OneToOneField("linli.BookingPlan", related_name="activity")
    plan_id: int
    state = fields.CharEnumField(ActivityState, max_length=12, default=ActivityState.DRAFT)
    words = fields.TextField(default="", description="what it is, for residents")
    organiser: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="activities", on_delete=fields.OnDelete.SET_NULL
    )
    organiser_id: int | None
    until = fields.DatetimeField(description="last moment to sign up")
    check_in_code = fields.CharField(max_length=8, default="", description="shown on the spot: who types it has come")
    minutes = fields.IntField(default=0, description="volunteer time credited for one slot; 0 = none")
    why = fields.CharField(max_length=200, default="", description="why it was cancelled")
    created_at = fields.DatetimeField()

    class Meta:
        table = "activity"
        indexes = (Index(fields=("state", "until")),)


class VolunteerTime(Model):
    """志愿时长: minutes credited to one resident. Taken back only by a row of its own with negative minutes."""

    id = fields.BigIntField(primary_key=True)
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="hours")
    resident_id: int
    booking: fields.ForeignKeyNullableRelation[Booking] = fields.ForeignKeyField(
        "linli.Booking", null=True, related_name="hours", on_delete=fields.OnDelete.SET_NULL
    )
    booking_id: int | None
    what = fields.CharField(max_length=64)
    on: date = fields.DateField()
    minutes = fields.IntField()
    by = fields.CharField(max_length=40)
    at = fields.DatetimeField()

    class Meta:
        table = "volunteer_time"
        indexes = (Index(fields=("resident_id", "on")),)


class Certificate(Model):
    """A certificate of volunteer time, to be checked by its number."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(max_length=20, unique=True, description="cannot be guessed")
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", related_name="certificates"
    )
    resident_id: int
    name = fields.CharField(max_length=32, description="as printed on it")
    community = fields.CharField(max_length=64, default="", description="who issues it")
    starts_on: date = fields.DateField()
    ends_on: date = fields.DateField()
    minutes = fields.IntField()
    times = fields.IntField(description="how often they helped")
    made_at = fields.DatetimeField()

    class Meta:
        table = "certificate"
        indexes = (Index(fields=("resident_id",)),)
