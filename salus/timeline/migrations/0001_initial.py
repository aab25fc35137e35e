"""The stream of events, which only grows."""

import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import AppendOnly, TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='EventRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'number', blank=True, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField()),
                ('contact_id', models.UUIDField()),
                ('key', models.BinaryField(max_length=16)),
                ('message_id', models.UUIDField(null=True)),
                ('recorded_at', models.DateTimeField()),
                ('sealed', models.BinaryField()),
            ],
            options={
                'db_table': 'timeline_event',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'contact_id', 'key'), name='timeline_event_once')],
            },
        ),
        TenantTable('timeline_event'),
        AppendOnly('timeline_event'),
    ]
