"""Areas, departments, staff and residents."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import Level, Role


class Area(Model):
    """A node of the tree city – district – street – community – grid."""

    id = fields.IntField(primary_key=True)
    parent: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area", null=True, related_name="children", on_delete=fields.OnDelete.RESTRICT
    )
    parent_id: int | None
    level = fields.CharEnumField(Level, max_length=16)
    name = fields.CharField(max_length=64)
    code = fields.CharField(
        max_length=20, unique=True, description="national code: 9, 12 or 15 digits from street down"
    )
    duty_phone = fields.CharField(max_length=20, default="", description="whom residents call: the office on duty")
    gas_phone = fields.CharField(max_length=20, default="", description="gas emergency number, district and above")

    class Meta:
        table = "area"
        indexes = (Index(fields=("parent_id",)),)


class Department(Model):
    """A functional department at street or district level (城管, 派出所 …)."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=64)
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="departments", on_delete=fields.OnDelete.RESTRICT
    )
    area_id: int

    class Meta:
        table = "department"
        unique_together = (("area", "name"),)


class Staff(Model):
    """A person on duty. `openid` is set when they bind their WeChat by a one-time code."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=32)
    role = fields.CharEnumField(Role, max_length=20)
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="staff", on_delete=fields.OnDelete.RESTRICT
    )
    area_id: int
    department: fields.ForeignKeyNullableRelation[Department] = fields.ForeignKeyField(
        "linli.Department", null=True, related_name="staff", on_delete=fields.OnDelete.RESTRICT
    )
    department_id: int | None
    phone = fields.CharField(max_length=20, default="")
    openid = fields.CharField(max_length=64, null=True, unique=True)
    active = fields.BooleanField(default=True)
    bound_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "staff"
        indexes = (Index(fields=("area_id", "role")),)


class BindCode(Model):
    """A one-time code with which one member of staff binds one WeChat. Only its hash is stored."""

    id = fields.IntField(primary_key=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("linli.Staff", related_name="bind_codes")
    staff_id: int
    code_hash = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "bind_code"


class Resident(Model):
    """Somebody who writes to the account. `grid` is set by scanning the grid's QR or choosing it."""

    id = fields.BigIntField(primary_key=True)
    openid = fields.CharField(max_length=64, unique=True)
    grid: fields.ForeignKeyNullableRelation[Area] = fields.ForeignKeyField(
        "linli.Area", null=True, related_name="residents", on_delete=fields.OnDelete.SET_NULL
    )
    grid_id: int | None
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "resident"
        indexes = (Index(fields=("grid_id",)),)
