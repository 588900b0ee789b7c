"""The staff console: credentials, administrators, sign-in by scan, views people keep, looks at who reported a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.cases import Case
from models.enums import AdminKind
from models.people import Area, Resident, Staff


class Credential(Model):
    """With what a member of staff signs in to the console besides their WeChat."""

    id = fields.IntField(primary_key=True)
    staff: fields.OneToOneRelation[Staff] = fields.OneToOneField("linli.Staff", related_name="credential")
    staff_id: int
    password_hash = fields.CharField(max_length=200, description="argon2id, with its own parameters and salt")
    password_at = fields.DatetimeField()
    totp_secret = fields.CharField(
        max_length=200, default="", description="sealed with the installation's key; empty = none"
    )
    totp_at: datetime | None = fields.DatetimeField(null=True, description="when the first right code was typed")
    totp_step = fields.BigIntField(default=0, description="the last time step a code was taken of: none works twice")
    failures = fields.SmallIntField(default=0, description="wrong passwords or codes in a row")
    locked_until: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "credential"


class Administrator(Model):
    """三员: nobody is two of them."""

    id = fields.IntField(primary_key=True)
    staff: fields.OneToOneRelation[Staff] = fields.OneToOneField("linli.Staff", related_name="administrator")
    staff_id: int
    kind = fields.CharEnumField(AdminKind, max_length=8)
    given_by = fields.CharField(max_length=40)
    given_at = fields.DatetimeField()

    class Meta:
        table = "administrator"


class SetupLink(Model):
    """A link that works once: to set a password, or to become the first administrator. Only its hash is stored."""

    id = fields.IntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="setup_links", description="null = the first administrator"
    )
    staff_id: int | None
    made_by = fields.CharField(max_length=40)
    expires_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "setup_link"
        indexes = (Index(fields=("staff_id",)),)


class ScanTicket(Model):
    """A sign-in that waits for somebody to scan its code with their WeChat. Only its hash is stored."""

    id = fields.BigIntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="scan_tickets", description="who scanned it and agreed"
    )
    staff_id: int | None
    expires_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "scan_ticket"
        indexes = (Index(fields=("expires_at",)), Index(fields=("staff_id",)))


class SavedView(Model):
    """A list with its filters, kept under a name by one member of staff."""

    id = fields.BigIntField(primary_key=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("linli.Staff", related_name="views")
    staff_id: int
    page = fields.CharField(max_length=24, description="which list: cases …")
    name = fields.CharField(max_length=24)
    query: dict[str, Any] = fields.JSONField(description="as it stands in the address")
    position = fields.SmallIntField(default=0)

    class Meta:
        table = "saved_view"
        unique_together = (("staff", "page", "name"),)


class Reveal(Model):
    """One look at who reported a case: by whom, and for what reason. The resident finds it in their own data."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="reveals")
    case_id: int
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="reveals")
    resident_id: int
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="reveals", on_delete=fields.OnDelete.RESTRICT
    )
    staff_id: int
    at = fields.DatetimeField()
    reason = fields.CharField(max_length=200)

    class Meta:
        table = "reveal"
        indexes = (Index(fields=("case_id", "staff_id", "at")), Index(fields=("resident_id",)))


class ConsoleChoice(Model):
    """What one member of staff chose for the console."""

    id = fields.IntField(primary_key=True)
    staff: fields.OneToOneRelation[Staff] = fields.OneToOneField("linli.Staff", related_name="console_choice")
    staff_id: int
    large_type = fields.BooleanField(default=False)
    toured_at: datetime | None = fields.DatetimeField(null=True, description="when they had seen the tour")

    class Meta:
        table = "console_choice"


class ScreenLink(Model):
    """A link that shows an area's figures on a wall (大屏), and nothing else. Only its hash is stored."""

    id = fields.IntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=24, description="where it hangs: 指挥大厅")
    area: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField("linli.Area", related_name="screens")
    area_id: int
    made_by = fields.CharField(max_length=40)
    made_at = fields.DatetimeField()
    seen_at: datetime | None = fields.DatetimeField(null=True, description="when it last asked, to the minute")
    revoked_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "screen_link"
