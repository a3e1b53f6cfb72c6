"""What rule nodes hold back and remember."""

from django.db import migrations, models

# Held messages live for seconds or minutes: the table is vacuumed by their number, not by their share.
STORAGE = """
    ALTER TABLE rules_heldmessage ALTER COLUMN body SET STORAGE EXTERNAL;
    ALTER TABLE rules_heldmessage SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
    );
    ALTER TABLE rules_nodestate SET (fillfactor = 50, autovacuum_vacuum_threshold = 1000);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0002_debug_events_and_traces'),
    ]

    operations = [
        migrations.CreateModel(
            name='HeldMessage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('node_id', models.UUIDField()),
                ('entity_id', models.UUIDField(help_text='The originator.')),
                ('queue', models.CharField(max_length=255)),
                ('size', models.PositiveIntegerField(help_text='Bytes of the body.')),
                ('body', models.BinaryField()),
            ],
            options={
                'indexes': [
                    models.Index(fields=['node_id', 'entity_id', 'id'], name='held_message_of'),
                    models.Index(fields=['tenant_id'], include=['size'], name='held_message_tenant'),
                ],
            },
        ),
        migrations.CreateModel(
            name='NodeState',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('node_id', models.UUIDField()),
                ('key', models.CharField(max_length=255)),
                ('value', models.JSONField()),
            ],
            options={
                'indexes': [models.Index(fields=['tenant_id'], name='node_state_tenant')],
                'constraints': [models.UniqueConstraint(fields=('node_id', 'key'), name='node_state_key')],
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
