"""Files and their sealed pieces."""

import salus.files.contracts
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='PieceRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'file_id', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                ('file_id', models.UUIDField()),
                ('place', models.IntegerField()),
                ('sealed', models.BinaryField()),
            ],
            options={
                'db_table': 'files_piece',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='FileRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('owner_of', models.CharField(choices=[(salus.files.contracts.Of['DRAFT'], salus.files.contracts.Of['DRAFT']), (salus.files.contracts.Of['MESSAGE'], salus.files.contracts.Of['MESSAGE']), (salus.files.contracts.Of['ENTRY'], salus.files.contracts.Of['ENTRY'])], max_length=10)),
                ('owner_id', models.UUIDField()),
                ('contact_id', models.UUIDField()),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'files_file',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'owner_of', 'owner_id'], name='files_file_owner'), models.Index(fields=['organization_id', 'contact_id'], name='files_file_contact'), models.Index(condition=models.Q(('owner_of', salus.files.contracts.Of['DRAFT'])), fields=['organization_id', 'created_at'], name='files_file_drafts')],
            },
        ),
        TenantTable('files_file'),
        TenantTable('files_piece'),
    ]
