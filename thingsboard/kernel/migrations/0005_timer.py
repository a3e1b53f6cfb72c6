"""Timers in their final form: messages that wait for a time. Nobody ever set one before it."""

from django.db import migrations, models

# Rows may live for a second: the table is vacuumed by their number, not by their share.
STORAGE = """
    ALTER TABLE kernel_timer ALTER COLUMN body SET STORAGE EXTERNAL;
    ALTER TABLE kernel_timer SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
    );
"""


class Migration(migrations.Migration):

    dependencies = [
        ('kernel', '0004_effect'),
    ]

    operations = [
        migrations.DeleteModel(name='Timer'),
        migrations.CreateModel(
            name='Timer',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('owner', models.UUIDField()),
                ('key', models.UUIDField(help_text='Who knows it may answer the message; or what the single one is about.', null=True)),
                ('single', models.BooleanField(default=False)),
                ('due', models.BigIntegerField(help_text='Milliseconds since 1970.')),
                ('queue', models.CharField(max_length=255)),
                ('size', models.PositiveIntegerField(help_text='Bytes of the body.')),
                ('body', models.BinaryField(help_text="One message, as the queue's rows hold many.")),
            ],
            options={
                'indexes': [
                    models.Index(fields=['due', 'id'], name='timer_due'),
                    models.Index(fields=['tenant_id', 'due', 'id'], include=['size'], name='timer_tenant_due'),
                    models.Index(fields=['owner'], name='timer_owner'),
                    models.Index(condition=models.Q(('key__isnull', False), ('single', False)), fields=['tenant_id', 'key'], name='timer_key'),
                ],
                'constraints': [models.UniqueConstraint(condition=models.Q(('single', True)), fields=('tenant_id', 'owner', 'key'), name='timer_single')],
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
