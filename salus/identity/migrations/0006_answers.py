"""How calls with an idempotency key were answered, for a day."""

import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0005_words_of_a_key'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnswerRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('api_key_id', models.UUIDField()),
                ('digest', models.BinaryField(max_length=32)),
                ('fingerprint', models.BinaryField(max_length=32)),
                ('size', models.BigIntegerField()),
                ('status', models.SmallIntegerField()),
                ('sealed', models.BinaryField(null=True)),
                ('answered_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'identity_answer',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'answered_at'], name='identity_answer_old')],
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'api_key_id', 'digest'), name='identity_answer_once')],
            },
        ),
        TenantTable("identity_answer"),
    ]
