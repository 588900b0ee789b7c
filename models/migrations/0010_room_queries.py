"""Indexes of rooms and accounts that the ORM cannot say."""

from tortoise import migrations
from tortoise.migrations import operations as ops

#: Each with the statement that takes it away again.
INDEXES = [
    # what was pushed to one person, newest first
    ("CREATE INDEX outbox_notices ON outbox (recipient, id) WHERE kind = 'notice'", "DROP INDEX outbox_notices"),
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0009_rooms")]

    initial = False

    operations = [ops.RunSQL(forward, backward) for forward, backward in INDEXES]
