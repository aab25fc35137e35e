import django.db.models
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable

KINDS = [('data', 'Data'), ('blind', 'Blind'), ('token', 'Token'), ('audience', 'Audience'), ('checkpoint', 'Checkpoint'), ('dkim-rsa', 'Dkim Rsa'), ('dkim-ed25519', 'Dkim Ed25519')]


class Migration(migrations.Migration):

    dependencies = [
        ('keys', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='keyrow',
            name='status',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('active', 'Active'), ('retired', 'Retired'), ('destroyed', 'Destroyed')], max_length=10),
        ),
        migrations.CreateModel(
            name='WalkRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'kind', 'name', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=KINDS, max_length=20)),
                ('name', models.CharField(max_length=80)),
                ('version', models.IntegerField()),
                ('cursor', models.JSONField(null=True)),
                ('done', models.BigIntegerField(default=0)),
                ('total', models.BigIntegerField()),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'keys_walk',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        TenantTable('keys_walk'),
    ]
