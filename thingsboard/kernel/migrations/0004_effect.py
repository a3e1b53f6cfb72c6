"""Work outside of the database that messages wait for."""

import thingsboard.kernel.time
from django.db import migrations, models

# As with the queue: bodies are packed already, rows live for seconds, and the table is vacuumed by their number.
STORAGE = """
    ALTER TABLE kernel_effect ALTER COLUMN body SET STORAGE EXTERNAL;
    ALTER TABLE kernel_effect SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000,
        toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000
    );
"""


class Migration(migrations.Migration):

    dependencies = [
        ('kernel', '0003_dead_letter_time'),
    ]

    operations = [
        migrations.CreateModel(
            name='Effect',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant_id', models.UUIDField()),
                ('destination', models.CharField(help_text='Whom the work is sent to.', max_length=255)),
                ('queue', models.CharField(help_text='Where the message goes on.', max_length=255)),
                ('size', models.PositiveIntegerField(help_text='Bytes of the body.')),
                ('due_time', models.BigIntegerField(help_text='When it may be claimed; milliseconds since 1970.')),
                ('lease', models.BigIntegerField(default=0, help_text='A number that its present worker alone knows; 0: nobody.')),
                ('attempts', models.SmallIntegerField(default=0, help_text='Tries that were begun; committed before each.')),
                ('parked', models.BooleanField(default=False, help_text='Nothing to do: the message waits for one before it.')),
                ('order_key', models.BigIntegerField(help_text='Of one key, one after the other; null: in no order.', null=True)),
                ('order_no', models.BigIntegerField(default=0, help_text='Its place among those of its key.')),
                ('created_time', models.BigIntegerField(default=thingsboard.kernel.time.now_ms)),
                ('body', models.BinaryField()),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('parked', False)), fields=['tenant_id', 'destination', 'due_time', 'id'], name='effect_claim'), models.Index(condition=models.Q(('order_key__isnull', False)), fields=['order_key', 'order_no', 'id'], name='effect_order')],
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
