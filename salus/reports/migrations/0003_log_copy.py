"""Who outside keeps a copy of the log, and how far each came."""

import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0002_access_review'),
    ]

    operations = [
        migrations.CreateModel(
            name='LogCopyRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('service_id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('hours', models.SmallIntegerField(default=1)),
                ('asked', models.BooleanField(default=False)),
                ('reached', models.BigIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('tries', models.IntegerField(default=0)),
                ('reason', models.CharField(blank=True, max_length=60)),
            ],
            options={
                'db_table': 'reports_logcopy',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        TenantTable('reports_logcopy'),
    ]
