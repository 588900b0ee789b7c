"""Who may use the API: mini-program users, login tokens, what people agreed to, uploads, answers kept."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.cases import Case
from models.enums import LoginKind, Purpose, UploadKind, UploadState
from models.people import Resident, Staff


class MiniappUser(Model):
    """Somebody as the mini-program knows them. The same resident as in the official account once `unionid` says so."""

    id = fields.BigIntField(primary_key=True)
    openid = fields.CharField(max_length=64, unique=True, description="of the mini-program, not of the account")
    unionid = cast("fields.Field[str | None]", fields.CharField(max_length=64, null=True))
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="miniapps")
    resident_id: int
    created_at = fields.DatetimeField()
    seen_at = fields.DatetimeField()

    class Meta:
        table = "miniapp_user"
        indexes = (Index(fields=("unionid",)), Index(fields=("resident_id",)))


class LoginToken(Model):
    """An opaque token of one signed-in device. Only its hash is stored."""

    id = fields.BigIntField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True, description="SHA-256 of the token")
    kind = fields.CharEnumField(LoginKind, max_length=12)
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="tokens"
    )
    resident_id: int | None
    staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="tokens"
    )
    staff_id: int | None
    device = fields.CharField(max_length=64, default="", description="as their list of devices shows it")
    created_at = fields.DatetimeField()
    seen_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "login_token"
        indexes = (Index(fields=("resident_id",)), Index(fields=("staff_id",)))


class LoginCode(Model):
    """A one-time code a member of staff types on another device. Only its hash is stored."""

    id = fields.BigIntField(primary_key=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("linli.Staff", related_name="login_codes")
    staff_id: int
    code_hash = fields.CharField(max_length=64)
    expires_at = fields.DatetimeField()
    tries = fields.SmallIntField(default=0, description="wrong codes typed for this member of staff since")
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "login_code"
        indexes = (Index(fields=("staff_id",)),)


class PurposeConsent(Model):
    """What a resident agreed to, purpose by purpose. Only ever ended, so that what held when can be told."""

    id = fields.BigIntField(primary_key=True)
    resident: fields.ForeignKeyRelation[Resident] = fields.ForeignKeyField("linli.Resident", related_name="consents")
    resident_id: int
    purpose = fields.CharEnumField(Purpose, max_length=16)
    version = fields.SmallIntField(description="of the text they were shown")
    given_at = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True, description="when they withdrew it")
    source = fields.CharField(max_length=40, default="", description="what carried it: api, inbox:123")

    class Meta:
        table = "purpose_consent"
        indexes = (Index(fields=("resident_id", "purpose")),)


class IdempotentRequest(Model):
    """A write with an Idempotency-Key: what it asked, and what was answered, kept for a day."""

    id = fields.BigIntField(primary_key=True)
    actor = fields.CharField(max_length=40)
    key = fields.CharField(max_length=255)
    digest = fields.CharField(max_length=64, description="SHA-256 over method, path and body")
    status: int | None = fields.SmallIntField(null=True, description="null = under way")
    body = fields.TextField(default="")
    created_at = fields.DatetimeField()

    class Meta:
        table = "idempotent_request"
        unique_together = (("actor", "key"),)
        indexes = (Index(fields=("created_at",)),)


class Upload(Model):
    """A file somebody sent, private until it stands in something others may read."""

    id: UUID = cast("UUID", fields.UUIDField(primary_key=True))
    owner = fields.CharField(max_length=40, description="who sent it: resident:7, staff:12")
    kind = fields.CharEnumField(UploadKind, max_length=8)
    state = fields.CharEnumField(UploadState, max_length=8, default=UploadState.UNCHECKED)
    path = fields.CharField(max_length=200, description="below the media folder")
    content_type = fields.CharField(max_length=64)
    size = fields.IntField(description="bytes as stored")
    width: int | None = fields.IntField(null=True, description="pixels")
    height: int | None = fields.IntField(null=True)
    seconds: int | None = fields.SmallIntField(null=True, description="length of a voice message")
    digest = fields.CharField(max_length=64, description="SHA-256 of the stored bytes")
    trace_id = fields.CharField(max_length=64, default="", description="WeChat's, of its check under way")
    created_at = fields.DatetimeField()

    class Meta:
        table = "upload"
        indexes = (Index(fields=("owner", "created_at")), Index(fields=("trace_id",)))


class Shortlisted(Model):
    """A case a member of staff put on their list for today's round (巡查清单)."""

    id = fields.BigIntField(primary_key=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("linli.Staff", related_name="shortlist")
    staff_id: int
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField("linli.Case", related_name="shortlists")
    case_id: int
    at = fields.DatetimeField()

    class Meta:
        table = "shortlisted"
        unique_together = (("staff", "case"),)
