"""A process can tell whether the places it keeps in memory are those of the database."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = [
    """
    CREATE FUNCTION places_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO place_version (id, version) VALUES (1, gen_random_uuid())
        ON CONFLICT (id) DO UPDATE SET version = excluded.version;
        RETURN NULL;
    END
    $$
    """,
    "CREATE TRIGGER area_changed AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF name, parent_id, level ON area "
    "FOR EACH STATEMENT EXECUTE FUNCTION places_changed()",
    "CREATE TRIGGER household_changed AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF grid_id, building ON household "
    "FOR EACH STATEMENT EXECUTE FUNCTION places_changed()",
    "CREATE TRIGGER component_changed AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF code, kind, place, grid_id "
    "ON component FOR EACH STATEMENT EXECUTE FUNCTION places_changed()",
    "INSERT INTO place_version (id, version) VALUES (1, gen_random_uuid())",
]
BACKWARD = [
    "DROP TRIGGER component_changed ON component",
    "DROP TRIGGER household_changed ON household",
    "DROP TRIGGER area_changed ON area",
    "DROP FUNCTION places_changed()",
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0007_language")]

    operations = [
        ops.CreateModel(
            name="PlaceVersion",
            fields=[
                ("id", fields.SmallIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("version", fields.UUIDField()),
            ],
            options={"table": "place_version", "app": "linli", "pk_attr": "id", "table_description": "One row: another value after every change of areas, buildings or components, by which a copy knows its age."},
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD, BACKWARD),
    ]
