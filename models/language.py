"""What a city's staff change about how messages are understood."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.people import Staff


class WordRule(Model):
    """A change to the word lists Linli ships; never altered, only ended, so that what held when can be told."""

    id = fields.IntField(primary_key=True)
    category = fields.CharField(max_length=64, description="category code; other.… = the words of its domain")
    kind = fields.CharField(max_length=8, description="word, needs, not or off: see nlp.overlay")
    entry = fields.CharField(max_length=120, description="in the language of nlp.lexicon, folded")
    weight = fields.FloatField(default=2, description="of a word; the others have none")
    note = fields.CharField(max_length=200, default="", description="why")
    added_at = fields.DatetimeField()
    added_by: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", related_name="rules_added", on_delete=fields.OnDelete.RESTRICT
    )
    added_by_id: int
    ended_at: datetime | None = fields.DatetimeField(null=True)
    ended_by: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "linli.Staff", null=True, related_name="rules_ended", on_delete=fields.OnDelete.RESTRICT
    )
    ended_by_id: int | None

    class Meta:
        table = "word_rule"
