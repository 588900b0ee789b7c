"""What assessment keeps: exclusions with both names, versions of the formulas, frozen months; and weeks of hints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.cases import Case
from models.people import Area, Staff


class Exclusion(Model):
    """剔除: a case that does not count for an indicator, for a reason, asked by one and approved by another person."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="exclusions")
    case_id: int
    indicator = fields.CharField(max_length=32, default="", description='"" = from all')
    reason = fields.TextField()
    asked_by: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="exclusions_asked", on_delete=fields.OnDelete.RESTRICT
    )
    asked_by_id: int
    asked_at = fields.DatetimeField()
    approved_by: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="exclusions_approved", on_delete=fields.OnDelete.RESTRICT
    )
    approved_by_id: int | None
    approved_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "exclusion"
        unique_together = (("case", "indicator"),)


class Formula(Model):
    """One version of the formulas' settings and weights; the one in force is the newest whose month has come."""

    id = fields.IntField(primary_key=True)
    effective_from = fields.DateField(description="first day of the first month it holds for")
    settings: dict[str, Any] = fields.JSONField(description="see domain.indicators.Settings")
    note = fields.CharField(max_length=200, default="")
    created_at = fields.DatetimeField()

    class Meta:
        table = "formula"


class FrozenMonth(Model):
    """A month's figures as they were published: never computed anew, only compared."""

    id = fields.IntField(primary_key=True)
    month = fields.DateField(description="its first day")
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="frozen_months", on_delete=fields.OnDelete.RESTRICT
    )
    area_id: int
    formula: fields.ForeignKeyNullableRelation[Formula] = fields.ForeignKeyField(
        "linli.Formula", null=True, related_name="months", on_delete=fields.OnDelete.RESTRICT
    )
    formula_id: int | None
    figures: dict[str, Any] = fields.JSONField()
    frozen_by_id: int | None = fields.IntField(null=True)
    frozen_at = fields.DatetimeField()

    class Meta:
        table = "frozen_month"
        unique_together = (("month", "area"),)


class HintWeek(Model):
    """The hot spots of a community were looked for in a week, and its staff told of them: done once."""

    id = fields.BigIntField(primary_key=True)
    week = fields.DateField(description="its Monday, Shanghai time")
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField("linli.Area", related_name="hint_weeks")
    area_id: int
    found = fields.IntField(description="hot spots there were")
    told_at = fields.DatetimeField()

    class Meta:
        table = "hint_week"
        unique_together = (("week", "area"),)
