"""Roles of an organization's own, emergency access, and what its directory says of staff."""

import django.contrib.postgres.fields
import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0002_second_factor_rows'),
    ]

    operations = [
        migrations.AddField(
            model_name='staff',
            name='changed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='external_id',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='staff',
            name='family_name',
            field=models.CharField(db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='staff',
            name='given_name',
            field=models.CharField(db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='staff',
            name='glass_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='own_roles',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), db_default=[], default=list, size=None),
        ),
        migrations.AddField(
            model_name='staff',
            name='removed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='GlassRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('staff_id', models.UUIDField()),
                ('permission', models.CharField(max_length=60)),
                ('sealed', models.BinaryField()),
                ('opened_at', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('reviewed_by', models.UUIDField(null=True)),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('finding', models.CharField(default='', max_length=20)),
                ('sealed_note', models.BinaryField(null=True)),
            ],
            options={
                'db_table': 'identity_glass',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'staff_id', 'until'], name='identity_glass_held'), models.Index(fields=['organization_id', '-opened_at'], name='identity_glass_newest')],
            },
        ),
        migrations.CreateModel(
            name='RoleRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('wanted', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None)),
                ('granted', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'identity_role',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'name'), name='identity_role_once')],
            },
        ),
        TenantTable('identity_role'),
        TenantTable('identity_glass'),
    ]
