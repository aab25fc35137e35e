import salus.platform.tenancy
from django.db import migrations, models

from salus.delivery.schema import ChangedMoves
from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('delivery', '0007_calls'),
    ]

    operations = [
        migrations.CreateModel(
            name='CapRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'only', blank=True, editable=False, primary_key=True, serialize=False)),
                ('only', models.BooleanField(default=True)),
                ('at_most', models.SmallIntegerField()),
                ('days', models.SmallIntegerField()),
            ],
            options={
                'db_table': 'delivery_cap',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='WrittenRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'contact_id', 'at', 'message_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('at', models.DateTimeField()),
                ('message_id', models.UUIDField()),
                ('has_turn', models.BooleanField()),
                ('wanted_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'delivery_written',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='originrow',
            name='is_capped',
            field=models.BooleanField(default=True),
        ),
        TenantTable("delivery_cap"),
        TenantTable("delivery_written"),
        ChangedMoves(),
    ]
