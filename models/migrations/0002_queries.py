"""What the ORM cannot say: indexes over a part of a table, and the case number."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = [
    # The worker looks only at unfinished jobs; the table keeps the finished ones.
    "CREATE INDEX outbox_unfinished ON outbox (id) WHERE finished_at IS NULL",
    "CREATE INDEX outbox_unfinished_of_recipient ON outbox (recipient, id) WHERE finished_at IS NULL",
    # The quota ledger counts what somebody was sent since their last message.
    "CREATE INDEX outbox_sent_to ON outbox (recipient, finished_at) WHERE channel = 'service'",
    # WeChat reports the fate of a template message by its msgid.
    "CREATE INDEX outbox_reference ON outbox (reference) WHERE reference <> ''",
    "CREATE INDEX inbox_failed ON inbox (due_at) WHERE state = 'failed'",
    "CREATE INDEX cases_of_holder ON cases (holder_id, due_at) WHERE closed_at IS NULL",
    "CREATE INDEX cases_awaiting_rating ON cases (verified_at) WHERE status = 'verified'",
    # A number a person can say: the day and a serial that begins at 1 each day. A sequence, not a counter row: a
    # counter row would make every report of the city wait for the one before it to commit.
    "CREATE SEQUENCE case_serial",
    "CREATE TABLE case_day (day date PRIMARY KEY, base bigint NOT NULL)",
    """
    CREATE FUNCTION next_case_number(today date) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        start bigint;
        serial text;
    BEGIN
        SELECT base INTO start FROM case_day WHERE day = today;
        IF NOT FOUND THEN
            INSERT INTO case_day SELECT today, CASE WHEN is_called THEN last_value ELSE 0 END FROM case_serial
            ON CONFLICT (day) DO NOTHING;
            SELECT base INTO start FROM case_day WHERE day = today;
        END IF;
        serial := (nextval('case_serial') - start)::text;
        RETURN to_char(today, 'YYYYMMDD') || '-' || lpad(serial, greatest(4, length(serial)), '0');
    END
    $$
    """,
]

BACKWARD = [
    "DROP FUNCTION next_case_number(date)",
    "DROP TABLE case_day",
    "DROP SEQUENCE case_serial",
    "DROP INDEX cases_awaiting_rating, cases_of_holder, inbox_failed, outbox_reference, outbox_sent_to",
    "DROP INDEX outbox_unfinished_of_recipient, outbox_unfinished",
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0001_initial")]

    operations = [ops.RunSQL(FORWARD, BACKWARD)]
