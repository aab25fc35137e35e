"""Passkeys of patients, and what they have to sign."""

import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='accessrow',
            name='challenge',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='accessrow',
            name='challenge_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='PasskeyRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('sealed', models.BinaryField()),
                ('made_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'patients_passkey',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'contact_id'], name='patients_passkey_contact')],
            },
        ),
        TenantTable("patients_passkey"),
    ]
