"""Rooms of grids, logins to the API, consents, uploads."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from models.enums import BadgeKind, GroupPlatform, LoginKind, MessageKind, MessageState, OutboxKind, Purpose, ReviewKind, ReviewOutcome, RoomKind, Source, UploadKind, UploadState
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('linli', '0008_places')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Badge',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='PARTY_MEMBER: party_member\nVOLUNTEER: volunteer\nPROPERTY_MANAGER: property_manager', enum_type=BadgeKind, max_length=20)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', null=True, db_constraint=True, to_field='id', related_name='badges', on_delete=OnDelete.CASCADE)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name='badges', on_delete=OnDelete.CASCADE)),
                ('label', fields.CharField(default='', description='the unit: 幸福物业; empty = the kind says enough', max_length=32)),
                ('granted_by', fields.ForeignKeyField('linli.Staff', source_field='granted_by_id', db_constraint=True, to_field='id', related_name='badges_granted', on_delete=OnDelete.RESTRICT)),
                ('granted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('agreed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'badge', 'app': 'linli', 'indexes': [Index(fields=['resident_id']), Index(fields=['staff_id'])], 'pk_attr': 'id', 'table_description': '亮身份: what a person is shown as in rooms, set by staff and shown once the person agreed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IdempotentRequest',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('actor', fields.CharField(max_length=40)),
                ('key', fields.CharField(max_length=255)),
                ('digest', fields.CharField(description='SHA-256 over method, path and body', max_length=64)),
                ('status', fields.SmallIntField(null=True, description='null = under way')),
                ('body', fields.TextField(default='', unique=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'idempotent_request', 'app': 'linli', 'unique_together': (('actor', 'key'),), 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'A write with an Idempotency-Key: what it asked, and what was answered, kept for a day.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='LoginCode',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='login_codes', on_delete=OnDelete.CASCADE)),
                ('code_hash', fields.CharField(max_length=64)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('tries', fields.SmallIntField(default=0, description='wrong codes typed for this member of staff since')),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'login_code', 'app': 'linli', 'indexes': [Index(fields=['staff_id'])], 'pk_attr': 'id', 'table_description': 'A one-time code a member of staff types on another device. Only its hash is stored.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='LoginToken',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('digest', fields.CharField(unique=True, description='SHA-256 of the token', max_length=64)),
                ('kind', fields.CharEnumField(description='MINIAPP: miniapp\nWEB: web\nSTAFF: staff', enum_type=LoginKind, max_length=12)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', null=True, db_constraint=True, to_field='id', related_name='tokens', on_delete=OnDelete.CASCADE)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name='tokens', on_delete=OnDelete.CASCADE)),
                ('device', fields.CharField(default='', description='as their list of devices shows it', max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('seen_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'login_token', 'app': 'linli', 'indexes': [Index(fields=['resident_id']), Index(fields=['staff_id'])], 'pk_attr': 'id', 'table_description': 'An opaque token of one signed-in device. Only its hash is stored.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MiniappUser',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('openid', fields.CharField(unique=True, description='of the mini-program, not of the account', max_length=64)),
                ('unionid', fields.CharField(null=True, max_length=64)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', db_constraint=True, to_field='id', related_name='miniapps', on_delete=OnDelete.CASCADE)),
                ('session_key', fields.CharField(default='', description="WeChat's; never leaves the server", max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('seen_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'miniapp_user', 'app': 'linli', 'indexes': [Index(fields=['unionid']), Index(fields=['resident_id'])], 'pk_attr': 'id', 'table_description': 'Somebody as the mini-program knows them. The same resident as in the official account once `unionid` says so.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PurposeConsent',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', db_constraint=True, to_field='id', related_name='consents', on_delete=OnDelete.CASCADE)),
                ('purpose', fields.CharEnumField(description='SERVICE: service\nPROFILE: profile\nPHONE: phone\nLOCATION: location\nROOM: room\nNOTICES: notices\nGUARDIAN: guardian', enum_type=Purpose, max_length=16)),
                ('version', fields.SmallIntField(description='of the text they were shown')),
                ('given_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, description='when they withdrew it', auto_now=False, auto_now_add=False)),
                ('source', fields.CharField(default='', description='what carried it: api, inbox:123', max_length=40)),
            ],
            options={'table': 'purpose_consent', 'app': 'linli', 'indexes': [Index(fields=['resident_id', 'purpose'])], 'pk_attr': 'id', 'table_description': 'What a resident agreed to, purpose by purpose. Only ever ended, so that what held when can be told.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Room',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, description='grid:12; private:12:7 = of resident 7 in grid 12', max_length=40)),
                ('kind', fields.CharEnumField(description='GRID: grid\nPRIVATE: private', enum_type=RoomKind, max_length=8)),
                ('grid', fields.ForeignKeyField('linli.Area', source_field='grid_id', db_constraint=True, to_field='id', related_name='rooms', on_delete=OnDelete.RESTRICT)),
                ('resident', fields.ForeignKeyField('linli.Resident', source_field='resident_id', null=True, db_constraint=True, to_field='id', related_name='rooms', on_delete=OnDelete.CASCADE)),
                ('last_seq', fields.BigIntField(default=0, description='of the newest entry; its row lock gives the next one out')),
                ('auto_case', fields.BooleanField(default=False, description='clear reports open a case by themselves')),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'room', 'app': 'linli', 'indexes': [Index(fields=['grid_id']), Index(fields=['resident_id'])], 'pk_attr': 'id', 'table_description': "The group of a grid, or a resident's private talk with the staff of their grid."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='GroupLink',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(unique=True, description='stands in the address it sends to', max_length=32)),
                ('platform', fields.CharEnumField(description='WECOM: wecom\nSIGNED: signed', enum_type=GroupPlatform, max_length=8)),
                ('room', fields.ForeignKeyField('linli.Room', source_field='room_id', db_constraint=True, to_field='id', related_name='links', on_delete=OnDelete.CASCADE)),
                ('secret', fields.CharField(description='what both sides sign with', max_length=128)),
                ('url', fields.CharField(default='', description='the group robot\'s address; "" = nothing goes out', max_length=500)),
                ('active', fields.BooleanField(default=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'group_link', 'app': 'linli', 'indexes': [Index(fields=['room_id'])], 'pk_attr': 'id', 'table_description': 'A group on another platform that talks with a room: signed messages come in, replies and notices go out.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RoomDigest',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('room', fields.ForeignKeyField('linli.Room', source_field='room_id', db_constraint=True, to_field='id', related_name='digests', on_delete=OnDelete.CASCADE)),
                ('day', fields.DateField()),
                ('figures', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('text', fields.TextField(unique=False)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'room_digest', 'app': 'linli', 'unique_together': (('room', 'day'),), 'pk_attr': 'id', 'table_description': "A room's day, for community staff."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RoomMessage',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('room', fields.ForeignKeyField('linli.Room', source_field='room_id', db_constraint=True, to_field='id', related_name='messages', on_delete=OnDelete.CASCADE)),
                ('seq', fields.BigIntField(null=True)),
                ('kind', fields.CharEnumField(description='TEXT: text\nIMAGE: image\nVOICE: voice\nLOCATION: location\nANNOUNCEMENT: announcement\nCASE: case\nSYSTEM: system\nRECALL: recall\nREMOVAL: removal\nRETURN: return', enum_type=MessageKind, max_length=12)),
                ('state', fields.CharEnumField(default=MessageState.SHOWN, description='SHOWN: shown\nCHECKING: checking\nREVIEW: review\nREFUSED: refused\nRECALLED: recalled\nREMOVED: removed', enum_type=MessageState, max_length=8)),
                ('sender', fields.CharField(description='resident:7, staff:12, group:3, system', max_length=40)),
                ('author', fields.CharField(description='as the room reads it: 网格员王芳, 邻居0007', max_length=64)),
                ('client_id', fields.CharField(description="the sender's own name for it: sent twice, stored once", max_length=64)),
                ('text', fields.TextField(default='', unique=False)),
                ('data', fields.JSONField(default=dict, description='upload, position, mentions, the case', encoder=JSON_DUMPS, decoder=loads)),
                ('reply_to', fields.BigIntField(null=True, description='message it answers')),
                ('target', fields.BigIntField(null=True, description='message a recall or removal is about')),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('intent', fields.CharField(default='', description='what it seems to want; see nlp.values.Intent', max_length=12)),
                ('hint', fields.JSONField(null=True, description='a likely report: category, subject, place, urgent, confidence', encoder=JSON_DUMPS, decoder=loads)),
                ('case_id', fields.BigIntField(null=True, description='the case it became, or joined')),
                ('answered_at', fields.DatetimeField(null=True, description='when somebody on duty replied to it', auto_now=False, auto_now_add=False)),
                ('collected_at', fields.DatetimeField(null=True, description='when the grid worker was told that nobody has', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'room_message', 'app': 'linli', 'unique_together': (('room', 'seq'), ('room', 'sender', 'client_id')), 'indexes': [Index(fields=['case_id']), Index(fields=['room_id', 'at']), Index(fields=['sender', 'id'])], 'pk_attr': 'id', 'table_description': "One entry of a room. `seq` counts the room's public entries without a gap; what is not shown yet has none."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Review',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='WORDS: words\nPLATFORM: platform\nCOMPLAINT: complaint\nAPPEAL: appeal', enum_type=ReviewKind, max_length=12)),
                ('room', fields.ForeignKeyField('linli.Room', source_field='room_id', db_constraint=True, to_field='id', related_name='reviews', on_delete=OnDelete.CASCADE)),
                ('message', fields.ForeignKeyField('linli.RoomMessage', source_field='message_id', null=True, description='null = an appeal against being muted', db_constraint=True, to_field='id', related_name='reviews', on_delete=OnDelete.CASCADE)),
                ('by', fields.CharField(description='who asks: resident:7, system', max_length=40)),
                ('reason', fields.CharField(default='', max_length=500)),
                ('opened_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('outcome', fields.CharEnumField(default=ReviewOutcome.OPEN, description='OPEN: open\nSHOWN: shown\nHIDDEN: hidden\nLIFTED: lifted\nUPHELD: upheld', enum_type=ReviewOutcome, max_length=8)),
                ('decided_by', fields.ForeignKeyField('linli.Staff', source_field='decided_by_id', null=True, db_constraint=True, to_field='id', related_name='reviews', on_delete=OnDelete.RESTRICT)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('answer', fields.CharField(default='', max_length=200)),
            ],
            options={'table': 'review', 'app': 'linli', 'indexes': [Index(fields=['room_id', 'outcome']), Index(fields=['message_id'])], 'pk_attr': 'id', 'table_description': 'Something in a room that staff must look at: unsure words, a complaint, an appeal.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RoomSeat',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('room', fields.ForeignKeyField('linli.Room', source_field='room_id', db_constraint=True, to_field='id', related_name='seats', on_delete=OnDelete.CASCADE)),
                ('who', fields.CharField(description='resident:7, staff:12', max_length=40)),
                ('read_seq', fields.BigIntField(default=0)),
                ('muted_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('muted_why', fields.CharField(default='', max_length=200)),
                ('relay_since', fields.DatetimeField(null=True, description='since when what they write to the account goes into the room; null = it does not', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'room_seat', 'app': 'linli', 'unique_together': (('room', 'who'),), 'indexes': [Index(fields=['who'])], 'pk_attr': 'id', 'table_description': 'What a room remembers of one person: how far they read, whether they are muted or relayed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Shortlisted',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.ForeignKeyField('linli.Staff', source_field='staff_id', db_constraint=True, to_field='id', related_name='shortlist', on_delete=OnDelete.CASCADE)),
                ('case', fields.ForeignKeyField('linli.Case', source_field='case_id', db_constraint=True, to_field='id', related_name='shortlists', on_delete=OnDelete.CASCADE)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'shortlisted', 'app': 'linli', 'unique_together': (('staff', 'case'),), 'pk_attr': 'id', 'table_description': "A case a member of staff put on their list for today's round (巡查清单)."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Upload',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('owner', fields.CharField(description='who sent it: resident:7, staff:12', max_length=40)),
                ('kind', fields.CharEnumField(description='IMAGE: image\nVOICE: voice', enum_type=UploadKind, max_length=8)),
                ('state', fields.CharEnumField(default=UploadState.UNCHECKED, description='UNCHECKED: new\nCHECKING: checking\nPASSED: passed\nREFUSED: refused', enum_type=UploadState, max_length=8)),
                ('path', fields.CharField(description='below the media folder', max_length=200)),
                ('content_type', fields.CharField(max_length=64)),
                ('size', fields.IntField(description='bytes as stored')),
                ('width', fields.IntField(null=True, description='pixels')),
                ('height', fields.IntField(null=True)),
                ('seconds', fields.SmallIntField(null=True, description='length of a voice message')),
                ('digest', fields.CharField(description='SHA-256 of the stored bytes', max_length=64)),
                ('trace_id', fields.CharField(default='', description="WeChat's, of its check under way", max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'upload', 'app': 'linli', 'indexes': [Index(fields=['owner', 'created_at']), Index(fields=['trace_id'])], 'pk_attr': 'id', 'table_description': 'A file somebody sent, private until it stands in something others may read.'},
            bases=['Model'],
        ),
        ops.AlterField(
            model_name='Case',
            name='source',
            field=fields.CharEnumField(description='WECHAT: wechat\nSTAFF: staff\nPATROL: patrol\nOPEN311: open311\nCONNECTOR: connector\nMINIAPP: miniapp\nROOM: room', enum_type=Source, max_length=12),
        ),
        ops.AlterField(
            model_name='Outbox',
            name='kind',
            field=fields.CharEnumField(description='NOTICE: notice\nMEDIA: media\nRESULT: result\nWEBHOOK: webhook\nROOM: room\nCHECK: check\nGROUP: group', enum_type=OutboxKind, max_length=12),
        ),
        ops.AddField(
            model_name='Resident',
            name='deleted_at',
            field=fields.DatetimeField(null=True, description='they had themselves forgotten', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Resident',
            name='minor',
            field=fields.BooleanField(null=True, description='under fourteen; null = they were not asked'),
        ),
        ops.AddField(
            model_name='Resident',
            name='name',
            field=fields.CharField(default='', description='for staff who handle their cases', db_default='', max_length=32),
        ),
        ops.AddField(
            model_name='Resident',
            name='nickname',
            field=fields.CharField(default='', description='as rooms show them', db_default='', max_length=32),
        ),
        ops.AddField(
            model_name='Resident',
            name='phone',
            field=fields.CharField(default='', db_default='', max_length=20),
        ),
        ops.AddField(
            model_name='Resident',
            name='unionid',
            field=fields.CharField(null=True, unique=True, description='the same person in the account and the mini-program', max_length=64),
        ),
    ]
