"""Limits of what was sent back and of assisting, and the weeks in which hints were given."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("linli", "0004_desk")]

    operations = [
        ops.CreateModel(
            name="HintWeek",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("week", fields.DateField(description="its Monday, Shanghai time")),
                ("area", fields.ForeignKeyField("linli.Area", source_field="area_id", db_constraint=True, to_field="id", related_name="hint_weeks", on_delete=OnDelete.CASCADE)),
                ("found", fields.IntField(description="hot spots there were")),
                ("told_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "hint_week", "app": "linli", "unique_together": (("week", "area"),), "pk_attr": "id", "table_description": "The hot spots of a community were looked for in a week, and its staff told of them: done once."},
            bases=["Model"],
        ),
        ops.AlterField(
            model_name="Assist",
            name="due_at",
            field=fields.DatetimeField(null=True, description="null = the promised time of the case", auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Assist",
            name="alerted",
            field=fields.SmallIntField(default=0, description="percent of the time at which people were last told", db_default=0),
        ),
        ops.AddField(
            model_name="Assist",
            name="watch_at",
            field=fields.DatetimeField(null=True, description="when the deadline watch looks at it next; null = never again", auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Case",
            name="dispatch_due_at",
            field=fields.DatetimeField(null=True, description="by when it must be given to somebody again, after it was sent back", auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Duty",
            name="dispatch_limit",
            field=fields.CharField(default="", description="for giving it away again once it was sent back", db_default="", max_length=12),
        ),
        # Tasks from before are looked at once and get their time then.
        ops.RunSQL(
            [
                "UPDATE assist SET watch_at = now() WHERE done_at IS NULL",
                "CREATE INDEX assist_watched ON assist (watch_at) WHERE watch_at IS NOT NULL",
                # What a department was asked to assist with.
                "CREATE INDEX assist_of_staff ON assist (staff_id, case_id)",
            ],
            "DROP INDEX assist_watched, assist_of_staff",
        ),
    ]
