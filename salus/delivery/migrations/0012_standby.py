"""Relays that are kept ready for destinations that refuse our mail."""

import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('delivery', '0011_letters'),
    ]

    operations = [
        migrations.CreateModel(
            name='StandbyRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=62)),
                ('service_id', models.UUIDField()),
                ('sealed', models.BinaryField()),
                ('chosen_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'delivery_standby',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'name'), name='delivery_standby_once')],
            },
        ),
        TenantTable("delivery_standby"),
    ]
