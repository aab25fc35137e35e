import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='LastVerification',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('verified', models.BooleanField()),
                ('entries', models.BigIntegerField()),
                ('faults', models.IntegerField()),
                ('first_fault', models.BigIntegerField(null=True)),
                ('seconds', models.FloatField()),
            ],
            options={
                'db_table': 'reports_lastverification',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        TenantTable("reports_lastverification"),
    ]
