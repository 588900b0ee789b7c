"""Areas, departments, staff and residents."""

from __future__ import annotations

from datetime import datetime
from typing import cast

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
    boundary: list[list[list[float]]] | None = fields.JSONField(
        null=True, description="rings of [longitude, latitude] as in a GeoJSON polygon, outer ring first; GCJ-02"
    )

    class Meta:
        table = "area"
        indexes = (Index(fields=("parent_id",)), Index(fields=("name",)))


class Department(Model):
    """A functional department at street or district level (城管, 派出所 …)."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=20, unique=True, description="short code used in tables: CG-SGH")
    name = fields.CharField(max_length=64)
    kind = fields.CharField(
        max_length=16, db_default="", default="", description="what duty lines call such a unit: 城管, 房管 …"
    )
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
    code = fields.CharField(max_length=20, null=True, unique=True, description="staff number (工号) used in tables")
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
    capacity = fields.SmallIntField(
        db_default=30, default=30, description="open cases beyond which routing gives them no more"
    )
    given_at: datetime | None = fields.DatetimeField(
        null=True, description="when routing last chose them among several: of two as busy, who waited longer is next"
    )
    bound_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "staff"
        indexes = (Index(fields=("area_id", "role")), Index(fields=("department_id",)))


class Absence(Model):
    """Somebody is away from `starts_at` to `ends_at`; their work goes to the deputy, or is routed past them."""

    id = fields.IntField(primary_key=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("linli.Staff", related_name="absences")
    staff_id: int
    deputy: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="covers", on_delete=fields.OnDelete.SET_NULL
    )
    deputy_id: int | None
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    reason = fields.CharField(max_length=64, default="")

    class Meta:
        table = "absence"
        indexes = (Index(fields=("staff_id", "ends_at")),)


class Household(Model):
    """A household (户) of a grid, for the grid worker's list and for finding a place by building and room."""

    id = fields.BigIntField(primary_key=True)
    grid: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="households", on_delete=fields.OnDelete.RESTRICT
    )
    grid_id: int
    building = fields.CharField(max_length=32, description="3栋")
    unit = fields.CharField(max_length=16, default="", description="2单元")
    room = fields.CharField(max_length=16, description="501")
    contact = fields.CharField(max_length=32, default="", description="name of the householder")
    phone = fields.CharField(max_length=20, default="")
    note = fields.CharField(max_length=200, default="")

    class Meta:
        table = "household"
        unique_together = (("grid", "building", "unit", "room"),)


class Component(Model):
    """A thing with a location code of its own (部件, 一号定位): a lamp-post, a manhole cover, a hydrant."""

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=32, unique=True, description="as printed on it")
    kind = fields.CharField(max_length=32, description="路灯, 井盖 …")
    place = fields.CharField(max_length=200, default="")
    grid: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="components", on_delete=fields.OnDelete.RESTRICT
    )
    grid_id: int
    latitude: float | None = fields.FloatField(null=True)
    longitude: float | None = fields.FloatField(null=True)

    class Meta:
        table = "component"


class PlaceVersion(Model):
    """One row: another value after every change of areas, buildings or components, by which a copy knows its age."""

    id = fields.SmallIntField(primary_key=True)
    version = fields.UUIDField()

    class Meta:
        table = "place_version"


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
    unionid = cast(
        "fields.Field[str | None]",
        fields.CharField(
            max_length=64, null=True, unique=True, description="the same person in the account and the mini-program"
        ),
    )
    nickname = fields.CharField(max_length=32, db_default="", default="", description="as rooms show them")
    name = fields.CharField(max_length=32, db_default="", default="", description="for staff who handle their cases")
    phone = fields.CharField(max_length=20, db_default="", default="")
    minor = fields.BooleanField(null=True, description="under fourteen; null = they were not asked")
    created_at = fields.DatetimeField(auto_now_add=True)
    deleted_at: datetime | None = fields.DatetimeField(null=True, description="they had themselves forgotten")

    class Meta:
        table = "resident"
        indexes = (Index(fields=("grid_id",)),)
