"""Tries, codes and sessions of patients."""

import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AccessRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'contact_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('failures', models.SmallIntegerField(default=0)),
                ('locked_until', models.DateTimeField(null=True)),
                ('code', models.BinaryField(max_length=16, null=True)),
                ('code_until', models.DateTimeField(null=True)),
                ('code_proof', models.CharField(default='', max_length=10)),
                ('sends', models.SmallIntegerField(default=0)),
                ('sends_since', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'patients_access',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='SessionRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('message_id', models.UUIDField()),
                ('proof', models.CharField(max_length=10)),
                ('started_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'patients_session',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'contact_id'], name='patients_session_contact'), models.Index(fields=['organization_id', 'seen_at'], name='patients_session_seen')],
            },
        ),
        TenantTable('patients_access'),
        TenantTable('patients_session'),
    ]
