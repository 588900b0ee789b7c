"""The directory of services: classes, items, providers, ratings, checklists, what is missing."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('linli', '0010_room_queries')]

    initial = False

    operations = [
        ops.CreateModel(
            name='MissingItem',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('area', fields.ForeignKeyField('linli.Area', source_field='area_id', db_constraint=True, to_field='id', related_name='missing_items', on_delete=OnDelete.CASCADE)),
                ('wanted', fields.CharField(description='what was asked for, without fillers and long numbers', max_length=100)),
                ('count', fields.IntField(default=1)),
                ('first_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', description='the newest that asked', db_constraint=True, to_field='id', related_name='missing_items', on_delete=OnDelete.CASCADE)),
            ],
            options={'table': 'missing_item', 'app': 'linli', 'unique_together': (('area', 'wanted'),), 'indexes': [Index(fields=['case_id'])], 'pk_attr': 'id', 'table_description': 'A question the directory had no answer to, counted. The words stand in the case the grid worker got.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Provider',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=20)),
                ('name', fields.CharField(max_length=32)),
                ('kind', fields.CharField(description='家政, 餐饮, 维修 …', max_length=16)),
                ('words', fields.CharField(default='', description='what they do, blanks between: 修水管 通下水道', max_length=200)),
                ('phone', fields.CharField(default='', max_length=20)),
                ('place', fields.CharField(default='', max_length=200)),
                ('area', fields.ForeignKeyField('linli.Area', source_field='area_id', null=True, description='there and below they are shown; null = everywhere', db_constraint=True, to_field='id', related_name='providers', on_delete=OnDelete.RESTRICT)),
                ('price', fields.CharField(default='', description='what it costs, in words', max_length=100)),
                ('checked_on', fields.DateField(null=True, description='when staff last looked at licence and prices')),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'provider', 'app': 'linli', 'indexes': [Index(fields=['area_id', 'kind'])], 'pk_attr': 'id', 'table_description': 'Somebody who comes to the house or serves nearby: 家政, 餐饮, 维修 …'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ProviderComplaint',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('provider', fields.ForeignKeyField('linli.Provider', source_field='provider_id', db_constraint=True, to_field='id', related_name='complaints', on_delete=OnDelete.CASCADE)),
                ('case', fields.OneToOneField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='about_provider', on_delete=OnDelete.CASCADE)),
            ],
            options={'table': 'provider_complaint', 'app': 'linli', 'indexes': [Index(fields=['provider_id'])], 'pk_attr': 'id', 'table_description': 'A case that is a complaint about a provider.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ProviderRating',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('provider', fields.ForeignKeyField('linli.Provider', source_field='provider_id', db_constraint=True, to_field='id', related_name='ratings', on_delete=OnDelete.CASCADE)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', db_constraint=True, to_field='id', related_name='ratings', on_delete=OnDelete.CASCADE)),
                ('stars', fields.SmallIntField(description='1 to 5')),
                ('words', fields.CharField(default='', description='for staff', max_length=200)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'provider_rating', 'app': 'linli', 'unique_together': (('provider', 'resident'),), 'indexes': [Index(fields=['resident_id'])], 'pk_attr': 'id', 'table_description': 'What one resident thinks of a provider: the last they said counts.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ServiceClass',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=20)),
                ('name', fields.CharField(max_length=16)),
                ('position', fields.SmallIntField(default=0, description='place in the menu, from 1')),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'service_class', 'app': 'linli', 'pk_attr': 'id', 'table_description': 'A class of services: 政务, 生活, 法律, 文体, 关爱, 党员; each city has its own.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ServiceItem',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=20)),
                ('service_class', fields.ForeignKeyField('linli.ServiceClass', source_field='service_class_id', db_constraint=True, to_field='id', related_name='items', on_delete=OnDelete.RESTRICT)),
                ('title', fields.CharField(max_length=32)),
                ('aliases', fields.JSONField(default=list, description='what residents call it', encoder=JSON_DUMPS, decoder=loads)),
                ('keywords', fields.CharField(default='', description='more words it is found by, blanks between', max_length=300)),
                ('summary', fields.CharField(default='', max_length=200)),
                ('audience', fields.CharField(default='', description='who it is for', max_length=200)),
                ('materials', fields.JSONField(default=list, description='name, form (original, copy, both, online), count, note, source; see domain', encoder=JSON_DUMPS, decoder=loads)),
                ('steps', fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ('questions', fields.JSONField(default=list, description='am I eligible: text, answers with text, verdict (next, yes, no, ask) and say', encoder=JSON_DUMPS, decoder=loads)),
                ('fee', fields.CharField(default='', max_length=100)),
                ('duration', fields.CharField(default='', description='how long it takes, in words', max_length=100)),
                ('place', fields.CharField(default='', max_length=200)),
                ('latitude', fields.FloatField(null=True)),
                ('longitude', fields.FloatField(null=True)),
                ('phone', fields.CharField(default='', max_length=20)),
                ('hours', fields.CharField(default='', max_length=100)),
                ('link', fields.CharField(default='', max_length=300)),
                ('area', fields.ForeignKeyField('linli.Area', source_field='area_id', null=True, description='there and below it is shown; null = everywhere', db_constraint=True, to_field='id', related_name='services', on_delete=OnDelete.RESTRICT)),
                ('department', fields.ForeignKeyField('linli.Department', source_field='department_id', null=True, db_constraint=True, to_field='id', related_name='services', on_delete=OnDelete.RESTRICT)),
                ('position', fields.SmallIntField(default=100, description='place in its class: what is asked most comes first')),
                ('version', fields.IntField(default=1, description='one more with each change of its content')),
                ('reviewed_on', fields.DateField(null=True, description='when somebody last made sure that it is right')),
                ('reviewer', fields.CharField(default='', max_length=32)),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'service_item', 'app': 'linli', 'indexes': [Index(fields=['service_class_id', 'position']), Index(fields=['area_id'])], 'pk_attr': 'id', 'table_description': '服务事项: one thing residents get done, with all they must know before they go.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Checklist',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', db_constraint=True, to_field='id', related_name='checklists', on_delete=OnDelete.CASCADE)),
                ('item', fields.ForeignKeyField('linli.ServiceItem', source_field='item_id', db_constraint=True, to_field='id', related_name='checklists', on_delete=OnDelete.CASCADE)),
                ('ticked', fields.JSONField(default=list, description='names of materials', encoder=JSON_DUMPS, decoder=loads)),
                ('changed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'checklist', 'app': 'linli', 'unique_together': (('resident', 'item'),), 'indexes': [Index(fields=['item_id'])], 'pk_attr': 'id', 'table_description': 'Which materials of an item a resident has at hand already.'},
            bases=['Model'],
        ),
    ]
