"""Checks and indexes of bookings, broadcasts and surveys that the ORM cannot say."""

from tortoise import migrations
from tortoise.migrations import operations as ops

#: Each with the statement that takes it away again.
STATEMENTS = [
    # whatever the code does, no slot holds more people than it has seats
    (
        "ALTER TABLE slot ADD CONSTRAINT slot_seats CHECK (taken BETWEEN 0 AND capacity AND waiting >= 0)",
        "ALTER TABLE slot DROP CONSTRAINT slot_seats",
    ),
    # one seat, or one place in the queue, a person and slot
    (
        "CREATE UNIQUE INDEX booking_live ON booking (slot_id, resident_id) WHERE state IN ('waiting', 'booked')",
        "DROP INDEX booking_live",
    ),
    # one living code a plan
    (
        "CREATE UNIQUE INDEX booking_code ON booking (plan_id, code) WHERE state IN ('waiting', 'booked')",
        "DROP INDEX booking_code",
    ),
    # what is over and not settled yet; who waits
    (
        "CREATE INDEX slot_unsettled ON slot (ends_at) WHERE settled_at IS NULL",
        "DROP INDEX slot_unsettled",
    ),
    # one follower is one member of one household
    (
        "CREATE UNIQUE INDEX household_member_resident ON household_member (resident_id) "
        "WHERE resident_id IS NOT NULL AND confirmed_at IS NOT NULL",
        "DROP INDEX household_member_resident",
    ),
    # what is still to be handed to the outbox, and who has not read what they were told
    (
        "CREATE INDEX delivery_listed ON delivery (run_id, id) WHERE state = 'listed'",
        "DROP INDEX delivery_listed",
    ),
    (
        "CREATE INDEX delivery_unread ON delivery (grid_id, id) WHERE read_at IS NULL",
        "DROP INDEX delivery_unread",
    ),
    # who came to a volunteer shift is credited its time once
    (
        "CREATE UNIQUE INDEX volunteer_time_credit ON volunteer_time (booking_id) WHERE by = 'system'",
        "DROP INDEX volunteer_time_credit",
    ),
    # the job of a mass call
    (
        "CREATE INDEX outbox_mass ON outbox (((payload->>'call')::bigint)) WHERE kind = 'mass'",
        "DROP INDEX outbox_mass",
    ),
    # what was made lately, for counting a day's sends: rows come in the order of time, so this costs next to nothing
    (
        "CREATE INDEX outbox_created ON outbox USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on)",
        "DROP INDEX outbox_created",
    ),
    # numbers of applications begin at 1 each day and have no gaps: a counter row, drawn as the last of a submission
    ("CREATE TABLE application_day (day date PRIMARY KEY, last int NOT NULL)", "DROP TABLE application_day"),
    # who must be told of an end that comes or has passed
    (
        "CREATE INDEX application_due ON application (due_at) WHERE ended_at IS NULL AND told < 2",
        "DROP INDEX application_due",
    ),
    # one open application of a person for an item
    (
        "CREATE UNIQUE INDEX application_open ON application (item_id, resident_id) WHERE ended_at IS NULL",
        "DROP INDEX application_open",
    ),
    # whose solved cases were closed some weeks ago
    (
        "CREATE INDEX cases_solved ON cases (closed_at) WHERE outcome = 'solved' AND closed_at IS NOT NULL",
        "DROP INDEX cases_solved",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0012_benefits")]

    initial = False

    operations = [ops.RunSQL(forward, backward) for forward, backward in STATEMENTS]
