import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('privacy', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CopyRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('request_id', models.UUIDField(primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('made_at', models.DateTimeField()),
                ('sealed', models.BinaryField()),
            ],
            options={
                'db_table': 'privacy_copy',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='requestrow',
            name='started_at',
            field=models.DateTimeField(null=True),
        ),
        TenantTable("privacy_copy"),
    ]
