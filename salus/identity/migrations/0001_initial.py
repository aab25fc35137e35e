"""Organizations, users, staff, sessions, API keys; what may be seen before a tenant is known."""

import django.contrib.postgres.fields
import django.db.models.deletion
import salus.kernel.ids
import salus.platform.tenancy
from django.conf import settings
from django.db import migrations, models

from salus.platform.schema import TENANT, TenantTable

# Rows that a sign-in must find before it knows the tenant: readable, never writable, and only while
# `identity.doorway.before_tenant()` has said so in this transaction.
BEFORE_TENANT = "(SELECT current_setting('salus.before_tenant', true) = 'on')"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('organization_id', models.UUIDField(editable=False)),
                ('email', models.CharField(max_length=254, unique=True)),
                ('is_active', models.BooleanField(default=True)),
                ('totp_step', models.BigIntegerField(default=0)),
                ('invited_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'identity_user',
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('secret_hash', models.BinaryField(max_length=32)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None)),
                ('created_by', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'identity_apikey',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Guard',
            fields=[
                ('key', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('failures', models.IntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('paused_until', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'identity_guard',
            },
        ),
        migrations.CreateModel(
            name='OrganizationRow',
            fields=[
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('slug', models.CharField(max_length=40, unique=True)),
                ('sender_role', models.CharField(max_length=20)),
                ('profile', models.CharField(max_length=20)),
                ('postal_address', models.CharField(max_length=300)),
                ('phone', models.CharField(max_length=40)),
                ('sending_domain', models.CharField(max_length=253)),
                ('time_zone', models.CharField(max_length=60)),
                ('demo', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'identity_organization',
            },
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('user_id', models.UUIDField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('browser', models.CharField(blank=True, default='', max_length=120)),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'db_table': 'identity_session',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Staff',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('name', models.CharField(max_length=120)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), size=None)),
                ('theme', models.CharField(blank=True, default='', max_length=5)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'identity_staff',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['organization_id'], name='identity_user_org'),
        ),
        migrations.AddIndex(
            model_name='apikey',
            index=models.Index(fields=['organization_id', 'created_at'], name='identity_apikey_org'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['user_id'], name='identity_session_user'),
        ),
        migrations.AddIndex(
            model_name='staff',
            index=models.Index(fields=['organization_id', 'name'], name='identity_staff_org'),
        ),
        TenantTable('identity_staff'),
        TenantTable('identity_apikey'),
        TenantTable('identity_user'),
        migrations.RunSQL(
            f"CREATE POLICY before_tenant ON identity_user FOR SELECT USING ({BEFORE_TENANT})",
            "DROP POLICY before_tenant ON identity_user",
        ),
        migrations.RunSQL(
            [
                "ALTER TABLE identity_organization ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE identity_organization FORCE ROW LEVEL SECURITY",
                f"CREATE POLICY tenant ON identity_organization USING (id = {TENANT}) WITH CHECK (id = {TENANT})",
                f"CREATE POLICY before_tenant ON identity_organization FOR SELECT USING ({BEFORE_TENANT})",
            ],
            [
                "DROP POLICY before_tenant ON identity_organization",
                "DROP POLICY tenant ON identity_organization",
                "ALTER TABLE identity_organization NO FORCE ROW LEVEL SECURITY",
                "ALTER TABLE identity_organization DISABLE ROW LEVEL SECURITY",
            ],
        ),
    ]
