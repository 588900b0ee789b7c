"""网格群: rooms, what is said in them, who wears which badge, what staff must look at, groups on other platforms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.enums import BadgeKind, GroupPlatform, MessageKind, MessageState, ReviewKind, ReviewOutcome, RoomKind
from models.people import Area, Resident, Staff


class Room(Model):
    """The group of a grid, or a resident's private talk with the staff of their grid."""

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(max_length=40, unique=True, description="grid:12; private:12:7 = of resident 7 in grid 12")
    kind = fields.CharEnumField(RoomKind, max_length=8)
    grid: fields.ForeignKeyRelation[Area] = fields.ForeignKeyField(
        "linli.Area", related_name="rooms", on_delete=fields.OnDelete.RESTRICT
    )
    grid_id: int
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="rooms"
    )
    resident_id: int | None
    last_seq = fields.BigIntField(default=0, description="of the newest entry; its row lock gives the next one out")
    auto_case = fields.BooleanField(default=False, description="clear reports open a case by themselves")
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField(description="when its newest entry came")

    class Meta:
        table = "room"
        indexes = (Index(fields=("grid_id",)), Index(fields=("resident_id",)))


class RoomMessage(Model):
    """One entry of a room. `seq` counts the room's public entries without a gap; what is not shown yet has none.

    Taking back and removing are entries of their own (`target` names the message, whose text is emptied), so that who
    was away learns of them by asking for what came after the last number they have.
    """

    id = fields.BigIntField(primary_key=True)
    room: fields.ForeignKeyRelation[Room] = fields.ForeignKeyField("linli.Room", related_name="messages")
    room_id: int
    seq: int | None = fields.BigIntField(null=True)
    kind = fields.CharEnumField(MessageKind, max_length=12)
    state = fields.CharEnumField(MessageState, max_length=8, default=MessageState.SHOWN)
    sender = fields.CharField(max_length=40, description="resident:7, staff:12, group:3, system")
    author = fields.CharField(max_length=64, description="as the room reads it: 网格员王芳, 邻居0007")
    client_id = fields.CharField(max_length=64, description="the sender's own name for it: sent twice, stored once")
    text = fields.TextField(default="")
    data: dict[str, Any] = fields.JSONField(default=dict, description="upload, position, mentions, the case")
    reply_to: int | None = fields.BigIntField(null=True, description="message it answers")
    target: int | None = fields.BigIntField(null=True, description="message a recall or removal is about")
    at = fields.DatetimeField()
    why = fields.CharField(
        max_length=200,
        default="",
        description="why it is not shown, or what our lists flag; for sender and staff",
    )
    intent = fields.CharField(max_length=12, default="", description="what it seems to want; see nlp.values.Intent")
    hint: dict[str, Any] | None = fields.JSONField(
        null=True, description="a likely report: category, subject, place, urgent, confidence"
    )
    case_id: int | None = fields.BigIntField(null=True, description="the case it became, or joined")
    answered_at: datetime | None = fields.DatetimeField(null=True, description="when somebody on duty replied to it")
    collected_at: datetime | None = fields.DatetimeField(
        null=True, description="when the grid worker was told that nobody has"
    )

    class Meta:
        table = "room_message"
        unique_together = (("room", "seq"), ("room", "sender", "client_id"))
        indexes = (
            Index(fields=("case_id",)),
            Index(fields=("room_id", "at")),
            Index(fields=("sender", "id")),
        )


class RoomSeat(Model):
    """What a room remembers of one person: how far they read, whether they are muted or relayed."""

    id = fields.BigIntField(primary_key=True)
    room: fields.ForeignKeyRelation[Room] = fields.ForeignKeyField("linli.Room", related_name="seats")
    room_id: int
    who = fields.CharField(max_length=40, description="resident:7, staff:12")
    read_seq = fields.BigIntField(default=0)
    muted_until: datetime | None = fields.DatetimeField(null=True)
    muted_why = fields.CharField(max_length=200, default="")
    muted_by = fields.CharField(max_length=40, default="", db_default="", description="who muted them: staff:12")
    relay_since: datetime | None = fields.DatetimeField(
        null=True, description="since when what they write to the account goes into the room; null = it does not"
    )

    class Meta:
        table = "room_seat"
        unique_together = (("room", "who"),)
        indexes = (Index(fields=("who",)),)


class Badge(Model):
    """亮身份: what a person is shown as in rooms, set by staff and shown once the person agreed."""

    id = fields.IntField(primary_key=True)
    kind = fields.CharEnumField(BadgeKind, max_length=20)
    resident: fields.ForeignKeyNullableRelation[Resident] = fields.ForeignKeyField(
        "linli.Resident", null=True, related_name="badges"
    )
    resident_id: int | None
    staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="badges"
    )
    staff_id: int | None
    label = fields.CharField(max_length=32, default="", description="the unit: 幸福物业; empty = the kind says enough")
    granted_by: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="badges_granted", on_delete=fields.OnDelete.RESTRICT
    )
    granted_by_id: int
    granted_at = fields.DatetimeField()
    agreed_at: datetime | None = fields.DatetimeField(null=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "badge"
        indexes = (Index(fields=("resident_id",)), Index(fields=("staff_id",)))


class Review(Model):
    """Something in a room that staff must look at: unsure words, a complaint, an appeal."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharEnumField(ReviewKind, max_length=12)
    room: fields.ForeignKeyRelation[Room] = fields.ForeignKeyField("linli.Room", related_name="reviews")
    room_id: int
    message: fields.ForeignKeyNullableRelation[RoomMessage] = fields.ForeignKeyField(
        "linli.RoomMessage", null=True, related_name="reviews", description="null = an appeal against being muted"
    )
    message_id: int | None
    by = fields.CharField(max_length=40, description="who asks: resident:7, system")
    reason = fields.CharField(max_length=500, default="")
    opened_at = fields.DatetimeField()
    told_at: datetime | None = fields.DatetimeField(null=True, description="when staff were told that it waits")
    outcome = fields.CharEnumField(ReviewOutcome, max_length=8, default=ReviewOutcome.OPEN)
    decided_by: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="reviews", on_delete=fields.OnDelete.RESTRICT
    )
    decided_by_id: int | None
    decided_at: datetime | None = fields.DatetimeField(null=True)
    answer = fields.CharField(max_length=200, default="")

    class Meta:
        table = "review"
        indexes = (Index(fields=("room_id", "outcome")), Index(fields=("message_id",)))


class RoomDigest(Model):
    """A room's day, for community staff."""

    id = fields.BigIntField(primary_key=True)
    room: fields.ForeignKeyRelation[Room] = fields.ForeignKeyField("linli.Room", related_name="digests")
    room_id: int
    day = fields.DateField()
    figures: dict[str, Any] = fields.JSONField()
    text = fields.TextField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "room_digest"
        unique_together = (("room", "day"),)


class RelayLine(Model):
    """A line of a room somebody was told in their chat with the account, under a number of their own: 回复 11 …"""

    id = fields.BigIntField(primary_key=True)
    openid = fields.CharField(max_length=64)
    message: fields.ForeignKeyRelation[RoomMessage] = fields.ForeignKeyField(
        "linli.RoomMessage", related_name="relayed", on_delete=fields.OnDelete.CASCADE
    )
    message_id: int
    number = fields.SmallIntField(description="11 to 99, then from 11 again: 1 to 10 are choices of a question")
    at = fields.DatetimeField()

    class Meta:
        table = "relay_line"
        unique_together = (("openid", "message"),)
        indexes = (Index(fields=("openid", "id")), Index(fields=("message_id",)), Index(fields=("at",)))


class GroupLink(Model):
    """A group on another platform that talks with a room: signed messages come in, replies and notices go out."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=32, unique=True, description="stands in the address it sends to")
    platform = fields.CharEnumField(GroupPlatform, max_length=8)
    room: fields.ForeignKeyRelation[Room] = fields.ForeignKeyField("linli.Room", related_name="links")
    room_id: int
    secret = fields.CharField(max_length=128, description="what both sides sign with")
    url = fields.CharField(max_length=500, default="", description='the group robot\'s address; "" = nothing goes out')
    active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "group_link"
        indexes = (Index(fields=("room_id",)),)
