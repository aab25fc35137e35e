"""Segments and frozen memberships; the latter only grow."""

import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import AppendOnly, TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='FrozenRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('segment_id', models.UUIDField()),
                ('segment_version', models.IntegerField()),
                ('change', models.BigIntegerField()),
                ('count', models.BigIntegerField()),
                ('frozen_at', models.DateTimeField()),
                ('sealed', models.BinaryField()),
                ('sealed_members', models.BinaryField()),
            ],
            options={
                'db_table': 'audiences_frozen',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'segment_id', '-id'], name='audiences_frozen_latest')],
            },
        ),
        migrations.CreateModel(
            name='SegmentRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField()),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'audiences_segment',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', '-changed_at'], name='audiences_segment_recent')],
            },
        ),
        TenantTable("audiences_frozen"),
        TenantTable("audiences_segment"),
        AppendOnly("audiences_frozen"),
        # Ciphertext does not compress: keep PostgreSQL from trying.
        migrations.RunSQL(
            "ALTER TABLE audiences_frozen ALTER COLUMN sealed_members SET STORAGE EXTERNAL",
            "ALTER TABLE audiences_frozen ALTER COLUMN sealed_members SET STORAGE EXTENDED",
        ),
    ]
