"""The console: credentials, administrators, setup links, scans, kept views, looks at who reported a case, screens."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.enums import AdminKind, LoginKind
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('linli', '0013_benefit_queries')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Administrator',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.OneToOneField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='administrator', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharEnumField(description='SYSTEM: system\nSECURITY: security\nAUDIT: audit', enum_type=AdminKind, max_length=8)),
                ('given_by', fields.CharField(max_length=40)),
                ('given_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'administrator', 'app': 'linli', 'pk_attr': 'id', 'table_description': '三员: nobody is two of them.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ConsoleChoice',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.OneToOneField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='console_choice', on_delete=OnDelete.CASCADE)),
                ('large_type', fields.BooleanField(default=False)),
                ('toured_at', fields.DatetimeField(null=True, description='when they had seen the tour', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'console_choice', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'What one member of staff chose for the console.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Credential',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.OneToOneField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='credential', on_delete=OnDelete.CASCADE)),
                ('password_hash', fields.CharField(description='argon2id, with its own parameters and salt', max_length=200)),
                ('password_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('totp_secret', fields.CharField(default='', description="sealed with the installation's key; empty = none", max_length=200)),
                ('totp_at', fields.DatetimeField(null=True, description='when the first right code was typed', auto_now=False, auto_now_add=False)),
                ('totp_step', fields.BigIntField(default=0, description='the last time step a code was taken of: none works twice')),
                ('failures', fields.SmallIntField(default=0, description='wrong passwords or codes in a row')),
                ('locked_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'credential', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'With what a member of staff signs in to the console besides their WeChat.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Reveal',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='reveals', on_delete=OnDelete.CASCADE)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', db_constraint=True, to_field='id', related_name='reveals', on_delete=OnDelete.CASCADE)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='reveals', on_delete=OnDelete.RESTRICT)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('reason', fields.CharField(max_length=200)),
            ],
            options={'table': 'reveal', 'app': 'linli', 'indexes': [Index(fields=['case_id', 'staff_id', 'at']), Index(fields=['resident_id'])], 'pk_attr': 'id', 'table_description': 'One look at who reported a case: by whom, and for what reason. The resident finds it in their own data.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SavedView',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='views', on_delete=OnDelete.CASCADE)),
                ('page', fields.CharField(description='which list: cases …', max_length=24)),
                ('name', fields.CharField(max_length=24)),
                ('query', fields.JSONField(description='as it stands in the address', encoder=JSON_DUMPS, decoder=loads)),
                ('position', fields.SmallIntField(default=0)),
            ],
            options={'table': 'saved_view', 'app': 'linli', 'unique_together': (('staff', 'page', 'name'),), 'pk_attr': 'id', 'table_description': 'A list with its filters, kept under a name by one member of staff.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ScanTicket',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', null=True, description='who scanned it and agreed', db_constraint=True, to_field='id', related_name='scan_tickets', on_delete=OnDelete.CASCADE)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'scan_ticket', 'app': 'linli', 'indexes': [Index(fields=['expires_at']), Index(fields=['staff_id'])], 'pk_attr': 'id', 'table_description': 'A sign-in that waits for somebody to scan its code with their WeChat. Only its hash is stored.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ScreenLink',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('name', fields.CharField(description='where it hangs: 指挥大厅', max_length=24)),
                ('area', fields.ForeignKeyField('linli.Area', source_field='area_id', db_constraint=True, to_field='id', related_name='screens', on_delete=OnDelete.CASCADE)),
                ('made_by', fields.CharField(max_length=40)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('seen_at', fields.DatetimeField(null=True, description='when it last asked, to the minute', auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'screen_link', 'app': 'linli', 'pk_attr': 'id', 'table_description': "A link that shows an area's figures on a wall (大屏), and nothing else. Only its hash is stored."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SetupLink',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', null=True, description='null = the first administrator', db_constraint=True, to_field='id', related_name='setup_links', on_delete=OnDelete.CASCADE)),
                ('made_by', fields.CharField(max_length=40)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'setup_link', 'app': 'linli', 'indexes': [Index(fields=['staff_id'])], 'pk_attr': 'id', 'table_description': 'A link that works once: to set a password, or to become the first administrator. Only its hash is stored.'},
            bases=['Model'],
        ),
        ops.AlterField(
            model_name='LoginToken',
            name='kind',
            field=fields.CharEnumField(description='MINIAPP: miniapp\nWEB: web\nSTAFF: staff\nCONSOLE: console', enum_type=LoginKind, max_length=12),
        ),
    ]
