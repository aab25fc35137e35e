"""Conversations with patients."""

import django.db.models.deletion
import salus.inbox.contracts
import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0002_about_nobody'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConversationRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('message_id', models.UUIDField()),
                ('waiting', models.BooleanField(default=False)),
                ('begun_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'inbox_conversation',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('waiting', True)), fields=['organization_id', 'last_at', 'id'], name='inbox_conversation_waiting'), models.Index(fields=['organization_id', '-last_at', '-id'], name='inbox_conversation_last'), models.Index(fields=['organization_id', 'contact_id'], name='inbox_conversation_contact')],
                'constraints': [models.UniqueConstraint(fields=('organization_id', 'message_id'), name='inbox_conversation_once')],
            },
        ),
        migrations.CreateModel(
            name='EntryRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('id', models.UUIDField(default=salus.kernel.ids.new_id, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField()),
                ('side', models.CharField(choices=[(salus.inbox.contracts.Side['PATIENT'], salus.inbox.contracts.Side['PATIENT']), (salus.inbox.contracts.Side['STAFF'], salus.inbox.contracts.Side['STAFF'])], max_length=10)),
                ('sealed', models.BinaryField(null=True)),
                ('message_id', models.UUIDField(null=True)),
                ('by', models.UUIDField(null=True)),
                ('at', models.DateTimeField()),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.conversationrow')),
            ],
            options={
                'db_table': 'inbox_entry',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['organization_id', 'conversation', 'at', 'id'], name='inbox_entry_order'), models.Index(condition=models.Q(('side', salus.inbox.contracts.Side['PATIENT'])), fields=['organization_id', 'contact_id', '-at'], name='inbox_entry_patient')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('side', salus.inbox.contracts.Side['STAFF'])), fields=('organization_id', 'message_id'), name='inbox_entry_letter_once'), models.CheckConstraint(condition=models.Q(models.Q(('sealed__isnull', False), ('side', salus.inbox.contracts.Side['PATIENT'])), models.Q(('message_id__isnull', False), ('sealed', None), ('side', salus.inbox.contracts.Side['STAFF'])), _connector='OR'), name='inbox_entry_words')],
            },
        ),
        TenantTable("inbox_conversation"),
        TenantTable("inbox_entry"),
    ]
