import salus.kernel.ids
import salus.platform.tenancy
import salus.privacy.contracts
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='StepRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'request_id', 'package', blank=True, editable=False, primary_key=True, serialize=False)),
                ('request_id', models.UUIDField()),
                ('package', models.CharField(max_length=20)),
                ('done_at', models.DateTimeField()),
                ('erased', models.JSONField()),
                ('kept', models.JSONField()),
            ],
            options={
                'db_table': 'privacy_step',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='DisclosureRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('at', models.DateTimeField()),
                ('ground', models.CharField(choices=[(salus.privacy.contracts.Ground['TREATMENT_PAYMENT_OPERATIONS'], salus.privacy.contracts.Ground['TREATMENT_PAYMENT_OPERATIONS']), (salus.privacy.contracts.Ground['TO_THE_PERSON'], salus.privacy.contracts.Ground['TO_THE_PERSON']), (salus.privacy.contracts.Ground['INCIDENT_TO'], salus.privacy.contracts.Ground['INCIDENT_TO']), (salus.privacy.contracts.Ground['AUTHORIZATION'], salus.privacy.contracts.Ground['AUTHORIZATION']), (salus.privacy.contracts.Ground['DIRECTORY'], salus.privacy.contracts.Ground['DIRECTORY']), (salus.privacy.contracts.Ground['NATIONAL_SECURITY'], salus.privacy.contracts.Ground['NATIONAL_SECURITY']), (salus.privacy.contracts.Ground['CUSTODY'], salus.privacy.contracts.Ground['CUSTODY']), (salus.privacy.contracts.Ground['LIMITED_DATA_SET'], salus.privacy.contracts.Ground['LIMITED_DATA_SET']), (salus.privacy.contracts.Ground['REQUIRED_BY_LAW'], salus.privacy.contracts.Ground['REQUIRED_BY_LAW']), (salus.privacy.contracts.Ground['PUBLIC_HEALTH'], salus.privacy.contracts.Ground['PUBLIC_HEALTH']), (salus.privacy.contracts.Ground['ABUSE'], salus.privacy.contracts.Ground['ABUSE']), (salus.privacy.contracts.Ground['OVERSIGHT'], salus.privacy.contracts.Ground['OVERSIGHT']), (salus.privacy.contracts.Ground['COURT'], salus.privacy.contracts.Ground['COURT']), (salus.privacy.contracts.Ground['LAW_ENFORCEMENT'], salus.privacy.contracts.Ground['LAW_ENFORCEMENT']), (salus.privacy.contracts.Ground['DECEDENTS'], salus.privacy.contracts.Ground['DECEDENTS']), (salus.privacy.contracts.Ground['RESEARCH'], salus.privacy.contracts.Ground['RESEARCH']), (salus.privacy.contracts.Ground['THREAT'], salus.privacy.contracts.Ground['THREAT']), (salus.privacy.contracts.Ground['WORKERS_COMPENSATION'], salus.privacy.contracts.Ground['WORKERS_COMPENSATION']), (salus.privacy.contracts.Ground['NOT_PERMITTED'], salus.privacy.contracts.Ground['NOT_PERMITTED'])], max_length=30)),
                ('sealed', models.BinaryField()),
                ('suspended_until', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'privacy_disclosure',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'contact_id', 'at'], name='privacy_disclosure_person')],
            },
        ),
        migrations.CreateModel(
            name='RequestRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[(salus.privacy.contracts.Kind['ACCESS'], salus.privacy.contracts.Kind['ACCESS']), (salus.privacy.contracts.Kind['ERASURE'], salus.privacy.contracts.Kind['ERASURE']), (salus.privacy.contracts.Kind['ACCOUNTING'], salus.privacy.contracts.Kind['ACCOUNTING'])], max_length=12)),
                ('contact_id', models.UUIDField()),
                ('status', models.CharField(choices=[(salus.privacy.contracts.Status['OPEN'], salus.privacy.contracts.Status['OPEN']), (salus.privacy.contracts.Status['APPROVED'], salus.privacy.contracts.Status['APPROVED']), (salus.privacy.contracts.Status['DONE'], salus.privacy.contracts.Status['DONE']), (salus.privacy.contracts.Status['REFUSED'], salus.privacy.contracts.Status['REFUSED'])], default=salus.privacy.contracts.Status['OPEN'], max_length=10)),
                ('sealed', models.BinaryField()),
                ('received_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('extended', models.BooleanField(default=False)),
                ('decided_by', models.UUIDField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'privacy_request',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'due_at'], name='privacy_request_due')],
            },
        ),
        TenantTable("privacy_request"),
        TenantTable("privacy_step"),
        TenantTable("privacy_disclosure"),
    ]
