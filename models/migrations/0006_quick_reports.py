"""What a report costs in the database: the holder's load by the holder's index always, one row for one month."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = [
    # In the order of the holder's index, which no other index gives: a session that planned this while there were no
    # cases yet would else go on to read some other index from end to end, with every case that was added since.
    """
    CREATE OR REPLACE FUNCTION lock_load(staff_id int, OUT load int, OUT given_at timestamptz)
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        SELECT s.given_at INTO given_at FROM staff s WHERE s.id = staff_id FOR NO KEY UPDATE;
        SELECT count(*) INTO load FROM (
            SELECT FROM cases c
            WHERE c.holder_id = staff_id AND c.closed_at IS NULL AND c.status IN ('dispatched', 'disposing')
            ORDER BY c.due_at OFFSET 0
        ) held;
    END
    $$
    """,
    # Most cases are reported and due in one month: that is seen from the first and the last moment.
    """
    CREATE OR REPLACE FUNCTION mark_case_months() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        first date := date_trunc('month', least(NEW.reported_at, NEW.accepted_at, NEW.dispatched_at, NEW.disposed_at,
            NEW.verified_at, NEW.closed_at, NEW.due_at, NEW.verify_due_at, NEW.first_response_at)
            AT TIME ZONE 'Asia/Shanghai')::date;
        last date := date_trunc('month', greatest(NEW.reported_at, NEW.accepted_at, NEW.dispatched_at, NEW.disposed_at,
            NEW.verified_at, NEW.closed_at, NEW.due_at, NEW.verify_due_at, NEW.first_response_at)
            AT TIME ZONE 'Asia/Shanghai')::date;
    BEGIN
        IF TG_OP = 'INSERT' AND first = last THEN
            INSERT INTO figure_stale (month, place_id) VALUES (first, coalesce(NEW.grid_id, NEW.area_id));
            RETURN NULL;
        END IF;
        INSERT INTO figure_stale (month, place_id)
        SELECT DISTINCT date_trunc('month', t AT TIME ZONE 'Asia/Shanghai')::date, place FROM (
            SELECT unnest(ARRAY[OLD.reported_at, OLD.accepted_at, OLD.dispatched_at, OLD.disposed_at, OLD.verified_at,
                OLD.closed_at, OLD.due_at, OLD.verify_due_at, OLD.first_response_at]) AS t,
                coalesce(OLD.grid_id, OLD.area_id) AS place
            UNION ALL
            SELECT unnest(ARRAY[NEW.reported_at, NEW.accepted_at, NEW.dispatched_at, NEW.disposed_at, NEW.verified_at,
                NEW.closed_at, NEW.due_at, NEW.verify_due_at, NEW.first_response_at]),
                coalesce(NEW.grid_id, NEW.area_id)
        ) moments WHERE t IS NOT NULL;
        RETURN NULL;
    END
    $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0005_limits")]

    operations = [ops.RunSQL(FORWARD, ops.RunSQL.noop)]
