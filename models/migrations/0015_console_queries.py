"""Indexes of the console's lists that the ORM cannot say."""

from tortoise import migrations
from tortoise.migrations import operations as ops

#: Each with the statement that takes it away again.
INDEXES = [
    # results somebody must look at, the most pressing first
    (
        "CREATE INDEX cases_to_check ON cases (verify_due_at, id) WHERE status = 'disposed' AND closed_at IS NULL",
        "DROP INDEX cases_to_check",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0014_console")]

    initial = False

    operations = [ops.RunSQL(forward, backward) for forward, backward in INDEXES]
