"""What the ORM cannot say: the hot spots of each area as they were last counted (domain.hot_kept)."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("linli", "0015_console_queries")]

    operations = [
        ops.RunSQL(
            """
            CREATE TABLE hot_kept (area_id int PRIMARY KEY REFERENCES area (id) ON DELETE CASCADE,
                taken_at timestamptz NOT NULL DEFAULT '-infinity', counted_at timestamptz, spots jsonb)
            """,
            "DROP TABLE hot_kept",
        )
    ]
