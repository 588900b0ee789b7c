"""服务导航: what one can get done and where, who offers help at home, what residents ticked, rated and did not find."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.cases import Case
from models.people import Area, Department, Resident


class ServiceClass(Model):
    """A class of services: 政务, 生活, 法律, 文体, 关爱, 党员; each city has its own."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=20, unique=True)
    name = fields.CharField(max_length=16)
    position = fields.SmallIntField(default=0, description="place in the menu, from 1")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "service_class"


class ServiceItem(Model):
    """服务事项: one thing residents get done, with all they must know before they go."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=20, unique=True)
    service_class: fields.ForeignKeyRelation[ServiceClass] = fields.ForeignKeyField(
        "linli.ServiceClass", related_name="items", on_delete=fields.OnDelete.RESTRICT
    )
    service_class_id: int
    title = fields.CharField(max_length=32)
    aliases: list[str] = fields.JSONField(default=list, description="what residents call it")
    keywords = fields.CharField(max_length=300, default="", description="more words it is found by, blanks between")
    summary = fields.CharField(max_length=200, default="")
    audience = fields.CharField(max_length=200, default="", description="who it is for")
    materials: list[dict[str, Any]] = fields.JSONField(
        default=list, description="name, form (original, copy, both, online), count, note, source; see domain"
    )
    steps: list[str] = fields.JSONField(default=list)
    questions: list[dict[str, Any]] = fields.JSONField(
        default=list, description="am I eligible: text, answers with text, verdict (next, yes, no, ask) and say"
    )
    fee = fields.CharField(max_length=100, default="")
    duration = fields.CharField(max_length=100, default="", description="how long it takes, in words")
    place = fields.CharField(max_length=200, default="")
    latitude: float | None = fields.FloatField(null=True)
    longitude: float | None = fields.FloatField(null=True)
    phone = fields.CharField(max_length=20, default="")
    hours = fields.CharField(max_length=100, default="")
    link = fields.CharField(max_length=300, default="")
    area: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area",
        null=True,
        related_name="services",
        on_delete=fields.OnDelete.RESTRICT,
        description="there and below it is shown; null = everywhere",
    )
    area_id: int | None
    department: fields.ForeignKeyNullableRelation[Department] = fields.ForeignKeyField(
        "linli.Department", null=True, related_name="services", on_delete=fields.OnDelete.RESTRICT
    )
    department_id: int | None
    position = fields.SmallIntField(default=100, description="place in its class: what is asked most comes first")
    version = fields.IntField(default=1, description="one more with each change of its content")
    reviewed_on: date | None = fields.DateField(null=True, description="when somebody last made sure that it is right")
    reviewer = fields.CharField(max_length=32, default="")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "service_item"
        indexes = (Index(fields=("service_class_id", "position")), Index(fields=("area_id",)))


class Provider(Model):
    """Somebody who comes to the house or serves nearby: 家政, 餐饮, 维修 …"""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=20, unique=True)
    name = fields.CharField(max_length=32)
    kind = fields.CharField(max_length=16, description="家政, 餐饮, 维修 …")
    words = fields.CharField(max_length=200, default="", description="what they do, blanks between: 修水管 通下水道")
    phone = fields.CharField(max_length=20, default="")
    place = fields.CharField(max_length=200, default="")
    area: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area",
        null=True,
        related_name="providers",
        on_delete=fields.OnDelete.RESTRICT,
        description="there and below they are shown; null = everywhere",
    )
    area_id: int | None
    price = fields.CharField(max_length=100, default="", description="what it costs, in words")
    checked_on: date | None = fields.DateField(null=True, description="when staff last looked at licence and prices")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "provider"
        indexes = (Index(fields=("area_id", "kind")),)


class ProviderRating(Model):
    """What one resident thinks of a provider: the last they said counts."""

    id = fields.BigIntField(primary_key=True)
    provider: fields.ForeignKeyRelation[Provider] = fields.ForeignKeyField("linli.Provider", related_name="ratings")
    provider_id: int
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="ratings")
    resident_id: int
    stars = fields.SmallIntField(description="1 to 5")
    words = fields.CharField(max_length=200, default="", description="for staff")
    at = fields.DatetimeField()

    class Meta:
        table = "provider_rating"
        unique_together = (("provider", "resident"),)
        indexes = (Index(fields=("resident_id",)),)


class ProviderComplaint(Model):
    """A case that is a complaint about a provider."""

    id = fields.BigIntField(primary_key=True)
    provider: fields.ForeignKeyRelation[Provider] = fields.ForeignKeyField("linli.Provider", related_name="complaints")
    provider_id: int
    case: fields.OneToOneRelation[Case] = fields.OneToOneField("linli.Case", related_name="about_provider")
    case_id: int

    class Meta:
        table = "provider_complaint"
        indexes = (Index(fields=("provider_id",)),)


class Checklist(Model):
    """Which materials of an item a resident has at hand already."""

    id = fields.BigIntField(primary_key=True)
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="checklists")
    resident_id: int
    item: fields.ForeignKeyRelation[ServiceItem] = fields.ForeignKeyField(
        "linli.ServiceItem", related_name="checklists"
    )
    item_id: int
    ticked: list[str] = fields.JSONField(default=list, description="names of materials")
    changed_at = fields.DatetimeField()

    class Meta:
        table = "checklist"
        unique_together = (("resident", "item"),)
        indexes = (Index(fields=("item_id",)),)


class MissingItem(Model):
    """A question the directory had no answer to, counted. The words stand in the case the grid worker got."""

    id = fields.BigIntField(primary_key=True)
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField("linli.Area", related_name="missing_items")
    area_id: int
    wanted = fields.CharField(max_length=100, description="what was asked for, without fillers and long numbers")
    count = fields.IntField(default=1)
    first_at = fields.DatetimeField()
    last_at = fields.DatetimeField()
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField(
        "linli.Case", related_name="missing_items", description="the newest that asked"
    )
    case_id: int
    item: fields.ForeignKeyNullableRelation[ServiceItem] = fields.ForeignKeyField(
        "linli.ServiceItem",
        null=True,
        related_name="answers",
        on_delete=fields.OnDelete.SET_NULL,
        description="which answers it now",
    )
    item_id: int | None
    done_at: datetime | None = fields.DatetimeField(null=True, description="when staff said so; asked again = open")

    class Meta:
        table = "missing_item"
        unique_together = (("area", "wanted"),)
        indexes = (Index(fields=("case_id",)),)
