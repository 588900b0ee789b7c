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

    class Meta:
        table = "audit_event"
        indexes = (Index(fields=("tag", "object_id")),)
