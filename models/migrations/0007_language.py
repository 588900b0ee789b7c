"""What staff change about how messages are understood."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("linli", "0006_quick_reports")]

    operations = [
        ops.CreateModel(
            name="WordRule",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("category", fields.CharField(description="category code; other.… = the words of its domain", max_length=64)),
                ("kind", fields.CharField(description="word, needs, not or off: see nlp.overlay", max_length=8)),
                ("entry", fields.CharField(description="in the language of nlp.lexicon, folded", max_length=120)),
                ("weight", fields.FloatField(default=2, description="of a word; the others have none")),
                ("note", fields.CharField(default="", description="why", max_length=200)),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("added_by", fields.ForeignKeyField("linli.Staff", source_field="added_by_id", db_constraint=True, to_field="id", related_name="rules_added", on_delete=OnDelete.RESTRICT)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_by", fields.ForeignKeyField("linli.Staff", source_field="ended_by_id", null=True, db_constraint=True, to_field="id", related_name="rules_ended", on_delete=OnDelete.RESTRICT)),
            ],
            options={"table": "word_rule", "app": "linli", "pk_attr": "id", "table_description": "A change to the word lists Linli ships; never altered, only ended, so that what held when can be told."},
            bases=["Model"],
        ),
        # One change holds once at a time.
        ops.RunSQL(
            "CREATE UNIQUE INDEX word_rule_holds ON word_rule (category, kind, entry) WHERE ended_at IS NULL",
            "DROP INDEX word_rule_holds",
        ),
    ]
