"""Who did what, when, to what, and whether it was allowed. No free text and no personal data."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class AuditEvent(Model):
    """One action, done or refused. `tag` is `object:verb`, e.g. `case:dispatch`."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    actor = fields.CharField(max_length=40, description="staff:12, resident:7, system")
    tag = fields.CharField(max_length=40)
    object_id: int | None = fields.BigIntField(null=True)
    before = fields.CharField(max_length=16, default="", description="status before")
    after = fields.CharField(max_length=16, default="", description="status after")
    allowed = fields.BooleanField(default=True)
    source = fields.CharField(max_length=40, default="", description="what carried it: inbox:123, api, job")
    place: int | None = fields.IntField(null=True, description="position in the case's chain, from 1; null = no chain")
    hash = fields.CharField(
        max_length=64,
        db_default="",
        default="",
        description="SHA-256 over the row before and this row, see domain.audit",
    )

    class Meta:
        table = "audit_event"
        indexes = (Index(fields=("tag", "object_id")),)


class AuditAnchor(Model):
    """A day's digest over everything audited until then, itself chained: what was there cannot be taken away unseen."""

    day = fields.DateField(primary_key=True)
    last_id = fields.BigIntField(description="last audit row it covers")
    rows = fields.BigIntField(description="rows it covers, since the beginning")
    digest = fields.CharField(max_length=64)
    made_at = fields.DatetimeField()

    class Meta:
        table = "audit_anchor"
