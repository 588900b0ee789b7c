from tortoise import migrations
from tortoise.migrations import operations as ops
import datetime
from models.enums import Level, OutboxKind, Outcome, Pause, RequestKind, RequestState, Source, Urgency, Verifier
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

# What routing asks of the database, see domain.routing.
ROUTING_FORWARD = [
    # How many cases wait for a member of staff, and when routing last chose them. The row is locked first and the
    # count is taken after that: a function sees what was committed while it waited, a plain statement does not.
    """
    CREATE FUNCTION lock_load(staff_id int, OUT load int, OUT given_at timestamptz) LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        SELECT s.given_at INTO given_at FROM staff s WHERE s.id = staff_id FOR NO KEY UPDATE;
        SELECT count(*) INTO load FROM cases c
        WHERE c.holder_id = staff_id AND c.closed_at IS NULL AND c.status IN ('dispatched', 'disposing');
    END
    $$
    """,
    # The box around a polygon's outer ring, so that an index finds the few areas a point may be in.
    """
    CREATE FUNCTION boundary_box(rings jsonb) RETURNS box LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT box(point(max((p->>0)::float8), max((p->>1)::float8)), point(min((p->>0)::float8), min((p->>1)::float8)))
        FROM jsonb_array_elements(rings->0) AS p
    $$
    """,
    "CREATE INDEX area_box ON area USING gist (boundary_box(boundary)) WHERE boundary IS NOT NULL",
    # A location code however it is typed: LD-0231, ld0231, LD 0231.
    "CREATE INDEX component_plain ON component (upper(translate(code, ' -_.', '')))",
    # What waits for somebody to be free, and what is open of a kind in a grid.
    "CREATE INDEX cases_without_holder ON cases (accepted_at) WHERE status = 'accepted' AND holder_id IS NULL",
    "CREATE INDEX cases_open_of_kind ON cases (grid_id, category) WHERE closed_at IS NULL",
    "CREATE INDEX cases_open_at ON cases (category, latitude) WHERE closed_at IS NULL AND latitude IS NOT NULL",
    "CREATE INDEX cases_open_of_component ON cases (component_id) WHERE closed_at IS NULL AND component_id IS NOT NULL",
]
ROUTING_BACKWARD = [
    "DROP INDEX cases_open_of_component, cases_open_at, cases_open_of_kind",
    "DROP INDEX cases_without_holder, component_plain, area_box",
    "DROP FUNCTION boundary_box(jsonb)",
    "DROP FUNCTION lock_load(int)",
]


class Migration(migrations.Migration):
    dependencies = [('linli', '0002_queries')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Absence',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='absences', on_delete=OnDelete.CASCADE)),
                ('deputy', fields.ForeignKeyField('linli.Staff', source_field='deputy_id', null=True, db_constraint=True, to_field='id', related_name='covers', on_delete=OnDelete.SET_NULL)),
                ('starts_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('reason', fields.CharField(default='', max_length=64)),
            ],
            options={'table': 'absence', 'app': 'linli', 'indexes': [Index(fields=['staff_id', 'ends_at'])], 'pk_attr': 'id', 'table_description': 'Somebody is away from `starts_at` to `ends_at`; their work goes to the deputy, or is routed past them.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ApiKey',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(description='who uses it', max_length=64)),
                ('key_hash', fields.CharField(unique=True, max_length=64)),
                ('may_write', fields.BooleanField(default=True)),
                ('active', fields.BooleanField(default=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_key', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'A key of the open interface (Open311). Only its hash is kept.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Assist',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='assists', on_delete=OnDelete.CASCADE)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='assists', on_delete=OnDelete.RESTRICT)),
                ('text', fields.TextField(description='what is asked of them', unique=False)),
                ('asked_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('done_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('answer', fields.TextField(default='', unique=False)),
            ],
            options={'table': 'assist', 'app': 'linli', 'indexes': [Index(fields=['case_id', 'id'])], 'pk_attr': 'id', 'table_description': 'A task for an assisting unit or person (协办). The case stays with its holder.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditAnchor',
            fields=[
                ('day', fields.DateField(primary_key=True, unique=True, db_index=True)),
                ('last_id', fields.BigIntField(description='last audit row it covers')),
                ('rows', fields.BigIntField(description='rows it covers, since the beginning')),
                ('digest', fields.CharField(max_length=64)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'audit_anchor', 'app': 'linli', 'pk_attr': 'day', 'table_description': "A day's digest over everything audited until then, itself chained: what was there cannot be taken away unseen."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CaseRequest',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='requests', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharEnumField(description='RETURN: return\nTRANSFER: transfer\nEXTEND: extend\nSUSPEND: suspend\nVOID: void', enum_type=RequestKind, max_length=12)),
                ('state', fields.CharEnumField(default=RequestState.OPEN, description='OPEN: open\nAPPROVED: approved\nREFUSED: refused\nDROPPED: dropped', enum_type=RequestState, max_length=12)),
                ('asked_by', fields.ForeignKeyField('linli.Staff', source_field='asked_by_id', db_constraint=True, to_field='id', related_name='asked', on_delete=OnDelete.RESTRICT)),
                ('asked_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('reason', fields.TextField(unique=False)),
                ('until', fields.DatetimeField(null=True, description='new promised time, or when it goes on', auto_now=False, auto_now_add=False)),
                ('to_staff', fields.ForeignKeyField('linli.Staff', source_field='to_staff_id', null=True, db_constraint=True, to_field='id', related_name='offered', on_delete=OnDelete.RESTRICT)),
                ('decider_level', fields.CharEnumField(description='lowest level that may decide', enum_type=Level, max_length=16)),
                ('decided_by', fields.ForeignKeyField('linli.Staff', source_field='decided_by_id', null=True, db_constraint=True, to_field='id', related_name='decided', on_delete=OnDelete.RESTRICT)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('answer', fields.TextField(default='', description="the decider's words", unique=False)),
            ],
            options={'table': 'case_request', 'app': 'linli', 'indexes': [Index(fields=['case_id', 'id'])], 'pk_attr': 'id', 'table_description': 'What a holder asked a second person for: return, transfer, extension, suspension, voiding.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Component',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, description='as printed on it', max_length=32)),
                ('kind', fields.CharField(description='路灯, 井盖 …', max_length=32)),
                ('place', fields.CharField(default='', max_length=200)),
                ('grid', fields.ForeignKeyField('linli.Area', source_field='grid_id', db_constraint=True, to_field='id', related_name='components', on_delete=OnDelete.RESTRICT)),
                ('latitude', fields.FloatField(null=True)),
                ('longitude', fields.FloatField(null=True)),
            ],
            options={'table': 'component', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'A thing with a location code of its own (部件, 一号定位): a lamp-post, a manhole cover, a hydrant.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Connector',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(unique=True, max_length=32)),
                ('url', fields.CharField(description='where signed updates are posted; empty = inbound only', max_length=300)),
                ('secret', fields.CharField(description='shared HMAC-SHA256 key', max_length=128)),
                ('area', fields.ForeignKeyField('linli.Area', source_field='area_id', null=True, description='cases below this area are sent; null = all', db_constraint=True, to_field='id', related_name='connectors', on_delete=OnDelete.RESTRICT)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', null=True, description='the post the platform fills: what it holds, the platform signs and disposes of; null = none', db_constraint=True, to_field='id', related_name='connectors', on_delete=OnDelete.RESTRICT)),
                ('mapping', fields.JSONField(default=dict, description='{categories: {ours: theirs}, statuses: {ours: theirs}, actions: {theirs: verb}}', encoder=JSON_DUMPS, decoder=loads)),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'connector', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'One other platform (街道, 区, 12345). Its mapping of categories and statuses is data.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ConnectorCase',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('connector', fields.ForeignKeyField('linli.Connector', source_field='connector_id', db_constraint=True, to_field='id', related_name='links', on_delete=OnDelete.CASCADE)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='links', on_delete=OnDelete.CASCADE)),
                ('external_id', fields.CharField(description='their number of it', max_length=64)),
            ],
            options={'table': 'connector_case', 'app': 'linli', 'unique_together': (('connector', 'external_id'), ('connector', 'case')), 'pk_attr': 'id', 'table_description': 'One case as another platform knows it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DutyList',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('effective_on', fields.DateField(description='first day in force, Shanghai time')),
                ('note', fields.CharField(default='', description='what changed and on whose word', max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'duty_list', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'One version of the duty list (职责清单). In force is the newest whose day has come; a case keeps its own.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Exclusion',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='exclusions', on_delete=OnDelete.CASCADE)),
                ('indicator', fields.CharField(default='', description='"" = from all', max_length=32)),
                ('reason', fields.TextField(unique=False)),
                ('asked_by', fields.ForeignKeyField('linli.Staff', source_field='asked_by_id', db_constraint=True, to_field='id', related_name='exclusions_asked', on_delete=OnDelete.RESTRICT)),
                ('asked_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('approved_by', fields.ForeignKeyField('linli.Staff', source_field='approved_by_id', null=True, db_constraint=True, to_field='id', related_name='exclusions_approved', on_delete=OnDelete.RESTRICT)),
                ('approved_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'exclusion', 'app': 'linli', 'unique_together': (('case', 'indicator'),), 'pk_attr': 'id', 'table_description': '剔除: a case that does not count for an indicator, for a reason, asked by one and approved by another person.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Follower',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='followers', on_delete=OnDelete.CASCADE)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', db_constraint=True, to_field='id', related_name='follows', on_delete=OnDelete.CASCADE)),
                ('since', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('from_case_id', fields.BigIntField(null=True, description='their own case, merged into this one')),
                ('words', fields.TextField(default='', description='what they said of it', unique=False)),
            ],
            options={'table': 'follower', 'app': 'linli', 'unique_together': (('case', 'resident'),), 'indexes': [Index(fields=['resident_id', 'case_id'])], 'pk_attr': 'id', 'table_description': 'Somebody besides the reporter who is told of a case: they joined it, or their own was merged into it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Formula',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('effective_from', fields.DateField(description='first day of the first month it holds for')),
                ('settings', fields.JSONField(description='see domain.indicators.Settings', encoder=JSON_DUMPS, decoder=loads)),
                ('note', fields.CharField(default='', max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'formula', 'app': 'linli', 'pk_attr': 'id', 'table_description': "One version of the formulas' settings and weights; the one in force is the newest whose month has come."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FrozenMonth',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('month', fields.DateField(description='its first day')),
                ('area', fields.ForeignKeyField('linli.Area', source_field='area_id', db_constraint=True, to_field='id', related_name='frozen_months', on_delete=OnDelete.RESTRICT)),
                ('formula', fields.ForeignKeyField('linli.Formula', source_field='formula_id', null=True, db_constraint=True, to_field='id', related_name='months', on_delete=OnDelete.RESTRICT)),
                ('figures', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('frozen_by_id', fields.IntField(null=True)),
                ('frozen_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'frozen_month', 'app': 'linli', 'unique_together': (('month', 'area'),), 'pk_attr': 'id', 'table_description': "A month's figures as they were published: never computed anew, only compared."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Household',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('grid', fields.ForeignKeyField('linli.Area', source_field='grid_id', db_constraint=True, to_field='id', related_name='households', on_delete=OnDelete.RESTRICT)),
                ('building', fields.CharField(description='3栋', max_length=32)),
                ('unit', fields.CharField(default='', description='2单元', max_length=16)),
                ('room', fields.CharField(description='501', max_length=16)),
                ('contact', fields.CharField(default='', description='name of the householder', max_length=32)),
                ('phone', fields.CharField(default='', max_length=20)),
                ('note', fields.CharField(default='', max_length=200)),
            ],
            options={'table': 'household', 'app': 'linli', 'unique_together': (('grid', 'building', 'unit', 'room'),), 'pk_attr': 'id', 'table_description': "A household (户) of a grid, for the grid worker's list and for finding a place by building and room."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='InboundUpdate',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('connector', fields.ForeignKeyField('linli.Connector', source_field='connector_id', db_constraint=True, to_field='id', related_name='inbound', on_delete=OnDelete.CASCADE)),
                ('update_id', fields.CharField(max_length=64)),
                ('body', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('received_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('case_id', fields.BigIntField(null=True)),
                ('answer', fields.JSONField(default=dict, description='what we answered, given again on a repeat', encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'inbound_update', 'app': 'linli', 'unique_together': (('connector', 'update_id'),), 'pk_attr': 'id', 'table_description': 'An update or order another platform sent; the same id never works twice.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='OpenRequest',
            fields=[
                ('token', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('key', fields.ForeignKeyField('linli.ApiKey', source_field='key_id', db_constraint=True, to_field='id', related_name='requests', on_delete=OnDelete.RESTRICT)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='open_requests', on_delete=OnDelete.CASCADE)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('digest', fields.CharField(description='SHA-256 of what was sent: a repeat makes no second case', max_length=64)),
                ('contact', fields.JSONField(default=dict, description='account, photo address as given', encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'open_request', 'app': 'linli', 'indexes': [Index(fields=['case_id']), Index(fields=['key_id', 'created_at'])], 'pk_attr': 'token', 'table_description': 'What came in over Open311: the token the client holds, and the key it came with.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='OpenUpdate',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.ForeignKeyField('linli.ApiKey', source_field='key_id', db_constraint=True, to_field='id', related_name='updates', on_delete=OnDelete.RESTRICT)),
                ('update_id', fields.CharField(max_length=64)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='open_updates', on_delete=OnDelete.CASCADE)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'open_update', 'app': 'linli', 'unique_together': (('key', 'update_id'),), 'pk_attr': 'id', 'table_description': 'An update that came in over Open311; the same id of the same client never works twice.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ReplyTemplate',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(unique=True, max_length=32)),
                ('category', fields.CharField(default='', description='"" = every category', max_length=64)),
                ('verb', fields.CharField(default='', description='when it is offered; "" = always', max_length=16)),
                ('text', fields.TextField(unique=False)),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'reply_template', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'A ready sentence for staff, by category and verb. Variables: {number} {subject} {place} {due} {holder}.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SpecialDay',
            fields=[
                ('day', fields.DateField(primary_key=True, unique=True, db_index=True)),
                ('works', fields.BooleanField()),
                ('name', fields.CharField(default='', max_length=32)),
            ],
            options={'table': 'special_day', 'app': 'linli', 'pk_attr': 'day', 'table_description': 'A day that is not what the calendar library says: a local holiday, or a year it does not know yet.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Supervision',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='supervisions', on_delete=OnDelete.CASCADE)),
                ('asked_by', fields.ForeignKeyField('linli.Staff', source_field='asked_by_id', null=True, db_constraint=True, to_field='id', related_name='supervises', on_delete=OnDelete.RESTRICT)),
                ('asked_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('text', fields.TextField(unique=False)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('answer', fields.TextField(default='', unique=False)),
                ('answered_by_id', fields.IntField(null=True)),
                ('answered_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('reminded_at', fields.DatetimeField(null=True, description='when it was said that no answer came', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'supervision', 'app': 'linli', 'indexes': [Index(fields=['case_id', 'id'])], 'pk_attr': 'id', 'table_description': '督办: a superior asks the holder for an answer by a time; the case cannot be disposed of without one.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Department',
            name='code',
            field=fields.CharField(null=True, unique=True, description='short code used in tables: CG-SGH', max_length=20),
        ),
        ops.RunSQL("UPDATE department SET code = 'D' || id", ops.RunSQL.noop),
        ops.AlterField(
            model_name='Department',
            name='code',
            field=fields.CharField(unique=True, description='short code used in tables: CG-SGH', max_length=20),
        ),
        ops.AddField(
            model_name='Department',
            name='kind',
            field=fields.CharField(default='', description='what duty lines call such a unit: 城管, 房管 …', db_default='', max_length=16),
        ),
        # The duty list of before has no version, department or limits in words: it becomes version 1.
        ops.RunSQL("CREATE TABLE duty_before AS SELECT * FROM duty", "DROP TABLE duty_before"),
        ops.DeleteModel(name='Duty'),
        ops.CreateModel(
            name='Duty',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('version', fields.ForeignKeyField('linli.DutyList', source_field='version_id', db_constraint=True, to_field='id', related_name='duties', on_delete=OnDelete.CASCADE)),
                ('category', fields.CharField(description='category code of nlp/data; "" = whatever has no line', max_length=64)),
                ('level', fields.CharEnumField(description='whose duty it is at first', enum_type=Level, max_length=16)),
                ('department', fields.ForeignKeyField('linli.Department', source_field='department_id', null=True, description="responsible unit (责任单位); null = the unit of kind `unit`, or the area's own staff", db_constraint=True, to_field='id', related_name='duties', on_delete=OnDelete.RESTRICT)),
                ('unit', fields.CharField(default='', description="kind of responsible unit: each street's or district's own (城管)", max_length=16)),
                ('assisting', fields.JSONField(default=list, description='codes or kinds of assisting departments (协办)', encoder=JSON_DUMPS, decoder=loads)),
                ('accept_limit', fields.CharField(default='', max_length=12)),
                ('sign_limit', fields.CharField(default='', max_length=12)),
                ('handle_limit', fields.CharField(default='', max_length=12)),
                ('verify_limit', fields.CharField(default='', max_length=12)),
                ('auto_accept', fields.BooleanField(default=True, description='accepted and dispatched without a person')),
                ('verifier', fields.CharEnumField(default=Verifier.RESIDENT, description='RESIDENT: resident\nGRID_WORKER: grid_worker\nCOMMUNITY: community', enum_type=Verifier, max_length=12)),
                ('closing_photo', fields.BooleanField(default=False, description='disposing needs a photo')),
                ('closing_text', fields.BooleanField(default=False, description='disposing needs a sentence of ten characters')),
                ('anonymous', fields.BooleanField(default=True, description='residents may ask that staff do not see their name')),
            ],
            options={'table': 'duty', 'app': 'linli', 'unique_together': (('version', 'category', 'level'),), 'pk_attr': 'id', 'table_description': 'One line of the duty list: whose a category is at a level, how fast, and what closing needs.'},
            bases=['Model'],
        ),
        ops.RunSQL(
            [
                "INSERT INTO duty_list (effective_on, note, created_at) SELECT '2026-01-01', '', now() "
                "WHERE EXISTS (SELECT 1 FROM duty_before)",
                "INSERT INTO duty (version_id, category, level, unit, assisting, accept_limit, sign_limit, handle_limit, "
                "verify_limit, auto_accept, verifier, closing_photo, closing_text, anonymous) "
                "SELECT (SELECT id FROM duty_list), category, level, '', '[]', '', '', "
                "CASE WHEN time_limit < 86400000000 * 2 THEN time_limit / 3600000000 || '小时' "
                "ELSE time_limit / 86400000000 || '天' END, '', auto_accept, "
                "CASE WHEN auto_verify THEN 'resident' ELSE 'community' END, closing_photo, false, true FROM duty_before",
                "DROP TABLE duty_before",
            ],
            ops.RunSQL.noop,
        ),
        ops.AddField(
            model_name='Area',
            name='boundary',
            field=fields.JSONField(null=True, description='rings of [longitude, latitude] as in a GeoJSON polygon, outer ring first; GCJ-02', encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name='AuditEvent',
            name='hash',
            field=fields.CharField(default='', description='SHA-256 over the row before and this row, see domain.audit', db_default='', max_length=64),
        ),
        ops.AddField(
            model_name='AuditEvent',
            name='place',
            field=fields.IntField(null=True, description="position in the case's chain, from 1; null = no chain"),
        ),
        ops.AlterField(
            model_name='Case',
            name='outcome',
            field=fields.CharEnumField(null=True, description='SOLVED: solved\nEXPLAINED: explained\nCANNOT: cannot\nWITHDRAWN: withdrawn\nUNANSWERED: unanswered\nVOID: void', enum_type=Outcome, max_length=12),
        ),
        ops.AlterField(
            model_name='Case',
            name='source',
            field=fields.CharEnumField(description='WECHAT: wechat\nSTAFF: staff\nPATROL: patrol\nOPEN311: open311\nCONNECTOR: connector', enum_type=Source, max_length=12),
        ),
        ops.AlterField(
            model_name='Case',
            name='urgency',
            field=fields.CharEnumField(description='URGENT: urgent\nPRESSING: pressing\nNORMAL: normal\nCOMPLEX: complex', enum_type=Urgency, max_length=8),
        ),
        ops.AddField(
            model_name='Case',
            name='accept_due_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Case',
            name='alerted',
            field=fields.SmallIntField(default=0, description='percent of the limit at which people were last told, see domain.deadlines', db_default=0),
        ),
        ops.AddField(
            model_name='Case',
            name='handle_limit',
            field=fields.CharField(default='', description='limit the promised time was made with: 7天, 3工作日', db_default='', max_length=12),
        ),
        ops.AddField(
            model_name='Case',
            name='reminded',
            field=fields.SmallIntField(default=0, description='times people were told that this status lasts too long', db_default=0),
        ),
        ops.AddField(
            model_name='Case',
            name='watch_at',
            field=fields.DatetimeField(null=True, description='when the deadline watch looks at it next; null = nothing will come due', auto_now=False, auto_now_add=False),
        ),
        # Only open cases are watched; those from before are looked at once and get their time then.
        ops.RunSQL(
            [
                "UPDATE cases SET watch_at = now() WHERE closed_at IS NULL",
                "CREATE INDEX cases_watched ON cases (watch_at) WHERE watch_at IS NOT NULL",
                "CREATE INDEX supervision_unanswered ON supervision (due_at) WHERE answered_at IS NULL AND reminded_at IS NULL",
            ],
            "DROP INDEX cases_watched, supervision_unanswered",
        ),
        ops.AddField(
            model_name='Outbox',
            name='quiet',
            field=fields.BooleanField(default=False, description='waits for the end of the quiet hours and holds nothing else back', db_default=False),
        ),
        ops.AddField(
            model_name='Case',
            name='anonymous',
            field=fields.BooleanField(default=False, description='staff do not see who reported it', db_default=False),
        ),
        ops.AddField(
            model_name='Case',
            name='audit_count',
            field=fields.IntField(default=0, description="rows of this case's audit chain", db_default=0),
        ),
        ops.AddField(
            model_name='Case',
            name='audit_head',
            field=fields.CharField(default='', description="hash of the chain's last row", db_default='', max_length=64),
        ),
        ops.AddField(
            model_name='Case',
            name='component',
            field=fields.ForeignKeyField('linli.Component', source_field='component_id', null=True, db_constraint=True, to_field='id', related_name='cases', on_delete=OnDelete.SET_NULL),
        ),
        ops.AddField(
            model_name='Case',
            name='department',
            field=fields.ForeignKeyField('linli.Department', source_field='department_id', null=True, description='unit that has the lead (首接负责)', db_constraint=True, to_field='id', related_name='cases', on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Case',
            name='duty',
            field=fields.ForeignKeyField('linli.Duty', source_field='duty_id', null=True, db_constraint=True, to_field='id', related_name='cases', on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Case',
            name='first_response_at',
            field=fields.DatetimeField(null=True, description="the holder's first word to anybody", auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Case',
            name='joined',
            field=fields.IntField(default=0, description='others who said 我也遇到', db_default=0),
        ),
        ops.AddField(
            model_name='Case',
            name='merged_into',
            field=fields.ForeignKeyField('linli.Case', source_field='merged_into_id', null=True, db_constraint=True, to_field='id', related_name='merged', on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Case',
            name='pause',
            field=fields.CharEnumField(null=True, description='PLANNED: planned\nRESIDENT: resident', enum_type=Pause, max_length=12),
        ),
        ops.AddField(
            model_name='Case',
            name='paused',
            field=fields.TimeDeltaField(default=datetime.timedelta(seconds=0.0), description='how long the clock has stood in all (挂账时长)', db_default=datetime.timedelta(seconds=0.0)),
        ),
        ops.AddField(
            model_name='Case',
            name='resume_at',
            field=fields.DatetimeField(null=True, description='when it goes on by itself', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Case',
            name='sign_due_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Case',
            name='split_from',
            field=fields.ForeignKeyField('linli.Case', source_field='split_from_id', null=True, db_constraint=True, to_field='id', related_name='parts', on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Case',
            name='supervised',
            field=fields.SmallIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name='Case',
            name='suspended_at',
            field=fields.DatetimeField(null=True, description='since when the clock stands', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Case',
            name='verify_due_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='Case',
            index=Index(fields=['reported_at']),
        ),
        ops.AddIndex(
            model_name='Case',
            index=Index(fields=['merged_into_id']),
        ),
        ops.AlterField(
            model_name='Outbox',
            name='kind',
            field=fields.CharEnumField(description='NOTICE: notice\nMEDIA: media\nRESULT: result\nWEBHOOK: webhook', enum_type=OutboxKind, max_length=12),
        ),
        ops.AddField(
            model_name='Staff',
            name='capacity',
            field=fields.SmallIntField(default=30, description='open cases beyond which routing gives them no more', db_default=30),
        ),
        ops.AddField(
            model_name='Staff',
            name='code',
            field=fields.CharField(null=True, unique=True, description='staff number (工号) used in tables', max_length=20),
        ),
        ops.AddField(
            model_name='Staff',
            name='given_at',
            field=fields.DatetimeField(null=True, description='when routing last chose them among several: of two as busy, who waited longer is next', auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='Area',
            index=Index(fields=['name']),
        ),
        ops.AddIndex(
            model_name='Staff',
            index=Index(fields=['department_id']),
        ),
        ops.RunSQL(ROUTING_FORWARD, ROUTING_BACKWARD),
        # Other programs ask what happened since a time, a page at a time.
        ops.RunSQL("CREATE INDEX case_event_at ON case_event (at, id)", "DROP INDEX case_event_at"),
    ]
