"""Other platforms: where updates go, which cases they know by which number, who may use the open interface."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.cases import Case
from models.people import Area, Staff


class Connector(Model):
    """One other platform (街道, 区, 12345). Its mapping of categories and statuses is data."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=32, unique=True)
    url = fields.CharField(max_length=300, description="where signed updates are posted; empty = inbound only")
    secret = fields.CharField(max_length=128, description="shared HMAC-SHA256 key")
    area: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area",
        null=True,
        related_name="connectors",
        on_delete=fields.OnDelete.RESTRICT,
        description="cases below this area are sent; null = all",
    )
    area_id: int | None
    staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff",
        null=True,
        related_name="connectors",
        on_delete=fields.OnDelete.RESTRICT,
        description="the post the platform fills: what it holds, the platform signs and disposes of; null = none",
    )
    staff_id: int | None
    mapping: dict[str, Any] = fields.JSONField(
        default=dict, description="{categories: {ours: theirs}, statuses: {ours: theirs}, actions: {theirs: verb}}"
    )
    active = fields.BooleanField(default=True)

    class Meta:
        table = "connector"


class ConnectorCase(Model):
    """One case as another platform knows it."""

    id = fields.BigIntField(primary_key=True)
    connector: fields.ForeignKeyRelation[Connector] = fields.ForeignKeyField("linli.Connector", related_name="links")
    connector_id: int
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="links")
    case_id: int
    external_id = fields.CharField(max_length=64, description="their number of it")

    class Meta:
        table = "connector_case"
        unique_together = (("connector", "external_id"), ("connector", "case"))


class InboundUpdate(Model):
    """An update or order another platform sent; the same id never works twice."""

    id = fields.BigIntField(primary_key=True)
    connector: fields.ForeignKeyRelation[Connector] = fields.ForeignKeyField("linli.Connector", related_name="inbound")
    connector_id: int
    update_id = fields.CharField(max_length=64)
    body: dict[str, Any] = fields.JSONField()
    received_at = fields.DatetimeField()
    case_id: int | None = fields.BigIntField(null=True)
    answer: dict[str, Any] = fields.JSONField(default=dict, description="what we answered, given again on a repeat")

    class Meta:
        table = "inbound_update"
        unique_together = (("connector", "update_id"),)


class ApiKey(Model):
    """A key of the open interface (Open311). Only its hash is kept."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=64, description="who uses it")
    key_hash = fields.CharField(max_length=64, unique=True)
    may_write = fields.BooleanField(default=True)
    active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()
    last_used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "api_key"


class OpenRequest(Model):
    """What came in over Open311: the token the client holds, and the key it came with."""

    token = fields.CharField(max_length=40, primary_key=True)
    key: fields.ForeignKeyRelation[ApiKey] = fields.ForeignKeyField(
        "linli.ApiKey", related_name="requests", on_delete=fields.OnDelete.RESTRICT
    )
    key_id: int
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="open_requests")
    case_id: int
    created_at = fields.DatetimeField()
    digest = fields.CharField(max_length=64, description="SHA-256 of what was sent: a repeat makes no second case")
    contact: dict[str, Any] = fields.JSONField(default=dict, description="account, photo address as given")

    class Meta:
        table = "open_request"
        indexes = (Index(fields=("case_id",)), Index(fields=("key_id", "created_at")))


class OpenUpdate(Model):
    """An update that came in over Open311; the same id of the same client never works twice."""

    id = fields.BigIntField(primary_key=True)
    key: fields.ForeignKeyRelation[ApiKey] = fields.ForeignKeyField(
        "linli.ApiKey", related_name="updates", on_delete=fields.OnDelete.RESTRICT
    )
    key_id: int
    update_id = fields.CharField(max_length=64)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="open_updates")
    case_id: int
    created_at = fields.DatetimeField()

    class Meta:
        table = "open_update"
        unique_together = (("key", "update_id"),)
