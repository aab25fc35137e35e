"""Policies and wishes."""

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
            name='WishRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'contact_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('level', models.SmallIntegerField(choices=[(1, 'NAMED'), (2, 'VERIFIED'), (3, 'KEY'), (4, 'PORTAL')])),
                ('since', models.DateTimeField()),
            ],
            options={
                'db_table': 'safeguards_wish',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='PolicyRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('sealed', models.BinaryField()),
                ('saved_by', models.UUIDField(null=True)),
                ('saved_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'safeguards_policy',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'number'), name='safeguards_policy_number')],
            },
        ),
        TenantTable('safeguards_policy'),
        TenantTable('safeguards_wish'),
    ]
