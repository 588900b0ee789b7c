"""Messages in and out, and what the bot remembers of each conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import InboxState, OutboxKind, OutboxState


class Inbox(Model):
    """One message WeChat pushed. `dedupe_key` is unique: a retry finds the stored reply."""

    id = fields.BigIntField(primary_key=True)
    dedupe_key = fields.CharField(max_length=200, unique=True)
    openid = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=16)
    body = fields.BinaryField(description="the XML as opened, so that a failed message can be handled again")
    reply: str | None = fields.TextField(null=True, description="passive reply text; null = `success`")
    state = fields.CharEnumField(InboxState, max_length=8, default=InboxState.DONE)
    tries = fields.SmallIntField(default=1)
    error = fields.TextField(default="")
    due_at: datetime | None = fields.DatetimeField(null=True, description="when the worker tries a failed one again")
    received_at = fields.DatetimeField()

    class Meta:
        table = "inbox"


class Conversation(Model):
    """Where one person and the bot are. The row lock serialises one person's messages."""

    openid = fields.CharField(max_length=64, primary_key=True)
    state = fields.CharField(max_length=32, default="")
    data: dict[str, Any] = fields.JSONField(default=dict)
    last_message_at: datetime | None = fields.DatetimeField(null=True, description="opens 5 service messages for 48 h")
    last_click_at: datetime | None = fields.DatetimeField(null=True, description="opens 3 service messages for 1 min")
    updated_at = fields.DatetimeField()

    class Meta:
        table = "conversation"


class Consent(Model):
    """How many one-time subscription notices somebody has agreed to and not yet received."""

    id = fields.BigIntField(primary_key=True)
    openid = fields.CharField(max_length=64)
    template_id = fields.CharField(max_length=64)
    remaining = fields.IntField(default=0)

    class Meta:
        table = "consent"
        unique_together = (("openid", "template_id"),)


class Outbox(Model):
    """One job for the worker, written in the transaction that caused it."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharEnumField(OutboxKind, max_length=12)
    state = fields.CharEnumField(OutboxState, max_length=12, default=OutboxState.PENDING)
    recipient = fields.CharField(max_length=64, description="openid; jobs of one recipient keep their order")
    case_id: int | None = fields.BigIntField(null=True)
    payload: dict[str, Any] = fields.JSONField()
    attempt = fields.SmallIntField(default=0, description="fencing number: only the latest claim may finish")
    tries = fields.SmallIntField(default=0, description="failed sends")
    due_at = fields.DatetimeField()
    quiet = fields.BooleanField(
        db_default=False, default=False, description="waits for the end of the quiet hours and holds nothing else back"
    )
    leased_until: datetime | None = fields.DatetimeField(null=True)
    called_at: datetime | None = fields.DatetimeField(
        null=True,
        description="of a job that goes out once: when the call over `channel` was about to be made; see bot.outbox",
    )
    channel = fields.CharField(
        max_length=16, default="", description="the rung that delivered: service, subscription, template"
    )
    reference = fields.CharField(max_length=32, default="", description="WeChat's msgid, for its later report")
    used = fields.SmallIntField(default=0, description="customer-service messages it took from the quota")
    error = fields.TextField(default="", description="why it was not delivered, for staff")
    created_at = fields.DatetimeField()
    finished_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "outbox"
        indexes = (Index(fields=("case_id",)),)
