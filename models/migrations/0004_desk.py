"""What the ORM cannot say about staff pages and figures: search words, indexes of the pages, counts of a month."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = [
    # Search. The words are cut in Python (domain.desk_search); the database only knows that they are missing. A row
    # whose text changes loses its words, and gets new ones before the next search.
    "ALTER TABLE cases ADD COLUMN search tsvector",
    "CREATE INDEX cases_words ON cases USING gin (search)",
    "CREATE INDEX cases_without_words ON cases (id) WHERE search IS NULL",
    """
    CREATE FUNCTION forget_case_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.search := NULL;
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE TRIGGER case_words_forgotten BEFORE UPDATE OF description, place, subject ON cases FOR EACH ROW
    WHEN (OLD.search IS NOT NULL AND (OLD.description, OLD.place, OLD.subject)
        IS DISTINCT FROM (NEW.description, NEW.place, NEW.subject))
    EXECUTE FUNCTION forget_case_words()
    """,
    # Where a case is: its grid, or while that is unknown the area that has it. Newest first and by due time (what has
    # none comes last), for a place and for everywhere.
    # The columns lists are filtered by lie beside: the cases of a place are scattered over the whole table.
    "CREATE INDEX cases_of_place ON cases ((coalesce(grid_id, area_id)), reported_at, id) "
    "INCLUDE (grid_id, area_id, status, category, urgency, holder_id, department_id, closed_at)",
    "CREATE INDEX cases_open_of_place ON cases ((coalesce(grid_id, area_id)), "
    "(coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz)), id) "
    "INCLUDE (grid_id, area_id, status, category, urgency, holder_id, department_id, closed_at, due_at, suspended_at, "
    "reported_at) WHERE closed_at IS NULL",
    "CREATE INDEX cases_open_due ON cases ((coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz)), id) "
    "INCLUDE (grid_id, area_id, status, category, urgency, holder_id, department_id, closed_at, due_at, suspended_at, "
    "reported_at) WHERE closed_at IS NULL",
    "CREATE INDEX cases_of_category ON cases (category, reported_at)",
    "CREATE INDEX cases_of_department ON cases (department_id, reported_at) WHERE department_id IS NOT NULL",
    "CREATE INDEX cases_once_held ON cases (holder_id, reported_at) WHERE holder_id IS NOT NULL",
    # People say the serial alone.
    "CREATE INDEX cases_serial ON cases ((split_part(number, '-', 2)), id)",
    # Any milestone within a period: rows lie in the order of time, a few pages of summaries lead to them.
    """
    CREATE INDEX cases_milestones ON cases USING brin (reported_at, accepted_at, dispatched_at, disposed_at,
        verified_at, closed_at, due_at, verify_due_at, first_response_at) WITH (pages_per_range = 16, autosummarize = on)
    """,
    # A month's counts of a place (domain.figures_months), and which of them a case has changed since they were taken.
    # Only ever appended to by whoever changes a case: no two of them wait for each other.
    """
    CREATE TABLE figure_month (month date NOT NULL, place_id int NOT NULL, counts bigint[] NOT NULL,
        PRIMARY KEY (month, place_id))
    """,
    "CREATE TABLE figure_stale (id bigserial PRIMARY KEY, month date NOT NULL, place_id int NOT NULL)",
    "CREATE INDEX figure_stale_month ON figure_stale (month, place_id)",
    """
    CREATE FUNCTION case_months(c cases) RETURNS SETOF date LANGUAGE sql STABLE AS $$
        SELECT DISTINCT date_trunc('month', t AT TIME ZONE 'Asia/Shanghai')::date FROM unnest(ARRAY[c.reported_at,
            c.accepted_at, c.dispatched_at, c.disposed_at, c.verified_at, c.closed_at, c.due_at, c.verify_due_at,
            c.first_response_at]) AS t WHERE t IS NOT NULL
    $$
    """,
    """
    CREATE FUNCTION mark_case_months() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
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
    "CREATE TRIGGER case_months_marked AFTER INSERT OR UPDATE OR DELETE ON cases "
    "FOR EACH ROW EXECUTE FUNCTION mark_case_months()",
    "INSERT INTO figure_stale (month, place_id) SELECT DISTINCT m, coalesce(grid_id, area_id) FROM cases c, case_months(c) m",
]

BACKWARD = [
    "DROP TRIGGER case_months_marked ON cases",
    "DROP TRIGGER case_words_forgotten ON cases",
    "DROP FUNCTION mark_case_months()",
    "DROP FUNCTION case_months(cases)",
    "DROP FUNCTION forget_case_words()",
    "DROP TABLE figure_stale, figure_month",
    "DROP INDEX cases_milestones, cases_serial, cases_once_held, cases_of_department, cases_of_category, cases_open_due",
    "DROP INDEX cases_open_of_place, cases_of_place, cases_without_words, cases_words",
    "ALTER TABLE cases DROP COLUMN search",
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0003_life_cycle")]

    operations = [ops.RunSQL(FORWARD, BACKWARD)]
