"""Reviews of who signed in and who looked at whom; what was signed stays as it is."""

import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessReviewRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('since', models.DateField()),
                ('until', models.DateField()),
                ('signed_by', models.UUIDField()),
                ('signed_at', models.DateTimeField()),
                ('finding', models.CharField(max_length=20)),
                ('entries', models.BigIntegerField()),
                ('outliers', models.IntegerField()),
                ('sealed', models.BinaryField()),
            ],
            options={
                'db_table': 'reports_accessreview',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'until'], name='reports_accessreview_until')],
            },
        ),
        TenantTable('reports_accessreview'),
    ]
