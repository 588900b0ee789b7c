"""沉淀数据: who lives in a household and what the community knows of them; what they do not want to be told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import FactType
from models.people import Household, Resident


class FactKind(Model):
    """What may be known of a person: 低保, 独居, 驾驶证到期 … Tags are facts of type yes."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=24, unique=True)
    name = fields.CharField(max_length=24)
    type = fields.CharEnumField(FactType, max_length=8)
    choices: list[str] = fields.JSONField(default=list)
    sensitive = fields.BooleanField(default=False, description="not shown in lists, its use is audited")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "fact_kind"


class HouseholdMember(Model):
    """户内成员: a person of a household. `resident` is set once they (or staff) said which follower they are."""

    id = fields.BigIntField(primary_key=True)
    household: fields.ForeignKeyRelation[Household] = fields.ForeignKeyField("linli.Household", related_name="members")
    household_id: int
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="member_of", on_delete=fields.OnDelete.SET_NULL
    )
    resident_id: int | None
    name = fields.CharField(max_length=32)
    relation = fields.CharField(max_length=16, default="", description="to the householder: 户主, 配偶, 子女, 租户")
    birthday: date | None = fields.DateField(null=True)
    facts: dict[str, Any] = fields.JSONField(default=dict, description="by fact code; dates as 2026-11-21")
    confirmed_at: datetime | None = fields.DatetimeField(null=True, description="when staff confirmed who they are")
    source = fields.CharField(max_length=40, default="", description="who said it: staff:3, resident:7, import")
    changed_at = fields.DatetimeField()

    class Meta:
        table = "household_member"
        unique_together = (("household", "name"),)
        indexes = (Index(fields=("resident_id",)), Index(fields=("birthday",)))


class OptOut(Model):
    """A topic somebody does not want to be told of (退订). `*` is all but what concerns their own matters."""

    id = fields.BigIntField(primary_key=True)
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="opt_outs")
    resident_id: int
    topic = fields.CharField(max_length=24)
    at = fields.DatetimeField()

    class Meta:
        table = "opt_out"
        unique_together = (("resident", "topic"),)
