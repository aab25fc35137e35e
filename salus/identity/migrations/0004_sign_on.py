"""Identity providers, who came by them, and assertions that were used."""

import django.db.models.deletion
import salus.kernel.ids
import salus.platform.tenancy
from django.conf import settings
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0003_roles_glass_and_directory'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProviderRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('protocol', models.CharField(max_length=10)),
                ('active', models.BooleanField(default=False)),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'identity_provider',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='SpentAssertion',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('until', models.DateTimeField()),
            ],
            options={
                'db_table': 'identity_spent_assertion',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'until'], name='identity_spent_until')],
            },
        ),
        migrations.CreateModel(
            name='ProviderLink',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('subject', models.BinaryField(max_length=32)),
                ('managed', models.BooleanField()),
                ('created_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='identity.providerrow')),
            ],
            options={
                'db_table': 'identity_provider_link',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'user'], name='identity_provider_link_user')],
                'constraints': [models.UniqueConstraint(fields=('provider', 'subject'), name='identity_provider_link_once')],
            },
        ),
        TenantTable("identity_provider"),
        TenantTable("identity_provider_link"),
        TenantTable("identity_spent_assertion"),
    ]
