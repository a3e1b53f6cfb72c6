"""The queue in its final form: rows by flow, the register of flows, dead letters. Nothing was ever appended before it."""

import thingsboard.kernel.models
import thingsboard.kernel.time
from django.db import migrations, models

# Bodies are packed already, and an update of a row must not copy them. Rows live for milliseconds: the table is vacuumed
# by their number, not by their share.
STORAGE = """
    ALTER TABLE kernel_outboxrow ALTER COLUMN body SET STORAGE EXTERNAL;
    ALTER TABLE kernel_outboxrow SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000,
        toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000
    );
"""


class Migration(migrations.Migration):

    dependencies = [
        ('kernel', '0001_initial'),
    ]

    operations = [
        migrations.DeleteModel(name='OutboxRow'),
        migrations.CreateModel(
            name='OutboxFlow',
            fields=[
                ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('queue', models.CharField(max_length=255)),
                ('lane', models.SmallIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['tenant_id'], name='outbox_flow_tenant')],
            },
        ),
        migrations.CreateModel(
            name='OutboxRow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('xid', thingsboard.kernel.models.Xid8Field(db_default=thingsboard.kernel.models.CurrentXactId(), editable=False)),
                ('flow_id', models.BigIntegerField()),
                ('messages', models.PositiveIntegerField(help_text='How many messages the body holds.')),
                ('done', models.PositiveIntegerField(default=0, help_text='How many of them are processed: a suspected row goes in bites.')),
                ('size', models.PositiveIntegerField(help_text='Bytes of the body.')),
                ('attempts', models.SmallIntegerField(default=0, help_text='Runs that were begun; committed before each.')),
                ('retries', models.SmallIntegerField(default=0, help_text='How often its first message failed and was put off.')),
                ('not_before', models.BigIntegerField(default=0, help_text='When it is tried again; milliseconds since 1970.')),
                ('created_time', models.BigIntegerField(default=thingsboard.kernel.time.now_ms)),
                ('body', models.BinaryField()),
            ],
            options={
                'indexes': [models.Index(fields=['flow_id', 'xid', 'id'], name='outbox_flow_order')],
            },
        ),
        migrations.CreateModel(
            name='DeadLetter',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('queue', models.CharField(max_length=255)),
                ('message_id', models.UUIDField()),
                ('type', models.CharField(max_length=255)),
                ('originator_type', models.CharField(max_length=32)),
                ('originator_id', models.UUIDField()),
                ('chain_id', models.UUIDField(null=True)),
                ('node_id', models.UUIDField(null=True)),
                ('error', models.TextField()),
                ('attempts', models.SmallIntegerField(default=1)),
                ('created_time', models.BigIntegerField(default=thingsboard.kernel.time.now_ms)),
                ('body', models.BinaryField()),
            ],
            options={
                'indexes': [models.Index(fields=['tenant_id', '-id'], name='dead_letter_tenant')],
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
