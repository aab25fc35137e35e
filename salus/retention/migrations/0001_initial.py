"""Legal holds, how long what is kept, and what was emptied."""

import django.db.models.deletion
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
            name='HoldRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('everybody', models.BooleanField()),
                ('sealed', models.BinaryField()),
                ('put_by', models.UUIDField(null=True)),
                ('put_at', models.DateTimeField()),
                ('sealed_end', models.BinaryField(null=True)),
                ('lifted_by', models.UUIDField(null=True)),
                ('lifted_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'retention_hold',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='RuleRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'kind', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=20)),
                ('days', models.IntegerField(null=True)),
            ],
            options={
                'db_table': 'retention_rule',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='TallyRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'kind', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=20)),
                ('emptied', models.BigIntegerField(default=0)),
                ('left', models.BigIntegerField(default=0)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'retention_tally',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='HeldRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'hold_id', 'contact_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('hold', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='held', to='retention.holdrow')),
            ],
            options={
                'db_table': 'retention_held',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'contact_id'], name='retention_held_person')],
            },
        ),
        TenantTable("retention_hold"),
        TenantTable("retention_held"),
        TenantTable("retention_rule"),
        TenantTable("retention_tally"),
    ]
