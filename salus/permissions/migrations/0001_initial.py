"""The ledger, which only grows, and the standings, which can be rebuilt from it."""

import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import AppendOnly, TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('recorded_at', models.DateTimeField()),
                ('sealed', models.BinaryField()),
            ],
            options={
                'db_table': 'permissions_entry',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'contact_id', 'id'], name='permissions_entry_contact')],
            },
        ),
        migrations.CreateModel(
            name='StandingRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'contact_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('version', models.IntegerField(default=0)),
                ('change', models.BigIntegerField(default=0)),
                ('sealed', models.BinaryField(default=b'')),
            ],
            options={
                'db_table': 'permissions_standing',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'change'], name='permissions_standing_change')],
            },
        ),
        TenantTable('permissions_entry'),
        TenantTable('permissions_standing'),
        AppendOnly('permissions_entry'),
    ]
