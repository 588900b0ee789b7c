"""群发与推送: what is told to many, to whom, when, and what became of each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import BroadcastState, DeliveryState, RunState
from models.people import Area, Resident, Staff
from models.people_facts import HouseholdMember
from models.services import ServiceItem


class Broadcast(Model):
    """One thing told to many. A life event's reminder (生日, 到期) is one that looks every day whom it concerns now."""

    id = fields.BigIntField(primary_key=True)
    state = fields.CharEnumField(BroadcastState, max_length=12, default=BroadcastState.DRAFT)
    version = fields.IntField(default=1, description="one more with each change; what is approved is this version")
    topic = fields.CharField(max_length=24, description="policy, activity, safety, health …; may be opted out of")
    title = fields.CharField(max_length=32)
    text = fields.TextField()
    link = fields.CharField(max_length=300, default="")
    item: fields.ForeignKeyNullableRelation[ServiceItem] = fields.ForeignKeyField(
        "linli.ServiceItem", null=True, related_name="broadcasts", description="the guide it leads to"
    )
    item_id: int | None
    channels: list[str] = fields.JSONField(description="notice, room, mass; in this order")
    urgent = fields.BooleanField(default=False, description="does not wait for the end of the quiet hours")
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="broadcasts", on_delete=fields.OnDelete.RESTRICT, description="its author's area"
    )
    area_id: int
    audience: dict[str, Any] = fields.JSONField(description="whom it concerns; see domain.audiences")
    event: dict[str, Any] | None = fields.JSONField(
        null=True, description="of a life event: from (birthday or a date fact), years, days_before; see domain"
    )
    calendar: dict[str, Any] = fields.JSONField(
        default=dict, description="when: at (once), or days, time, until; empty = as soon as it is approved"
    )
    next_at: datetime | None = fields.DatetimeField(null=True, description="when the next run starts")
    author: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="broadcasts", on_delete=fields.OnDelete.RESTRICT
    )
    author_id: int
    approver: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="approved_broadcasts", on_delete=fields.OnDelete.RESTRICT
    )
    approver_id: int | None
    decided_at: datetime | None = fields.DatetimeField(null=True)
    why = fields.CharField(max_length=200, default="", description="why it was refused, paused or cancelled")
    expected: int | None = fields.IntField(null=True, description="people counted when it was handed in")
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "broadcast"
        indexes = (Index(fields=("area_id", "created_at")), Index(fields=("state", "next_at")))


class BroadcastRun(Model):
    """One time that a broadcast goes out."""

    id = fields.BigIntField(primary_key=True)
    broadcast: fields.ForeignKeyRelation[Broadcast] = fields.ForeignKeyField("linli.Broadcast", related_name="runs")
    broadcast_id: int
    number = fields.IntField(description="1, 2, 3 … of its broadcast")
    state = fields.CharEnumField(RunState, max_length=12, default=RunState.PLANNED)
    due_at = fields.DatetimeField()
    listed_to = fields.BigIntField(default=0, description="how far down the people writing down has come")
    queued_to = fields.BigIntField(default=0, description="the last delivery that was handed to the outbox")
    total = fields.IntField(default=0, description="deliveries written down")
    started_at: datetime | None = fields.DatetimeField(null=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "broadcast_run"
        unique_together = (("broadcast", "number"),)
        indexes = (Index(fields=("state", "due_at")),)


class MassCall(Model):
    """One call of WeChat's mass send. `client_id` is WeChat's dedupe key: the same call twice is refused there."""

    id = fields.BigIntField(primary_key=True)
    run: fields.ForeignKeyRelation[BroadcastRun] = fields.ForeignKeyField(
        "linli.BroadcastRun", related_name="mass_calls"
    )
    run_id: int
    client_id = fields.CharField(max_length=32, unique=True)
    state = fields.CharField(max_length=12, default="planned", description="planned, taken, sent, failed, parked")
    everybody = fields.BooleanField(default=False, description="goes to all followers, not to a list")
    people = fields.IntField()
    msg_id = fields.CharField(max_length=32, default="", description="WeChat's, by which its report comes back")
    report: dict[str, Any] = fields.JSONField(default=dict, description="of MASSSENDJOBFINISH: total, sent, errors")
    error = fields.CharField(max_length=300, default="")
    called_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "mass_call"
        indexes = (Index(fields=("run_id",)), Index(fields=("msg_id",)), Index(fields=("called_at",)))


class Delivery(Model):
    """What one person (or one room) is told by one run. `key` keeps them from being told the same twice."""

    id = fields.BigIntField(primary_key=True)
    broadcast: fields.ForeignKeyRelation[Broadcast] = fields.ForeignKeyField(
        "linli.Broadcast", related_name="deliveries"
    )
    broadcast_id: int
    run: fields.ForeignKeyRelation[BroadcastRun] = fields.ForeignKeyField(
        "linli.BroadcastRun", related_name="deliveries"
    )
    run_id: int
    key = fields.CharField(max_length=24, description="the run's number; of a life event its date")
    recipient = fields.CharField(max_length=40, description="resident:7, staff:3, member:12, room:5")
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="deliveries"
    )
    resident_id: int | None
    member: fields.ForeignKeyNullableRelation[HouseholdMember] = fields.ForeignKeyField(
        "linli.HouseholdMember",
        null=True,
        related_name="deliveries",
        on_delete=fields.OnDelete.SET_NULL,
        description="whom it is about",
    )
    member_id: int | None
    grid_id: int | None = fields.IntField(null=True, description="whose worker looks after who has not read it")
    state = fields.CharEnumField(DeliveryState, max_length=8, default=DeliveryState.LISTED)
    reason = fields.CharField(max_length=200, default="")
    outbox_id: int | None = fields.BigIntField(null=True)
    mass_call: fields.ForeignKeyNullableRelation[MassCall] = fields.ForeignKeyField(
        "linli.MassCall", null=True, related_name="deliveries"
    )
    mass_call_id: int | None
    read_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "delivery"
        unique_together = (("broadcast", "key", "recipient"),)
        indexes = (
            Index(fields=("run_id", "id")),
            Index(fields=("resident_id",)),
            Index(fields=("outbox_id",)),
            Index(fields=("mass_call_id",)),
            Index(fields=("member_id",)),
        )
