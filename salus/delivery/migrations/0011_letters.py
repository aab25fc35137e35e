"""How messages are kept in the portal, and that their words are erased at last."""

import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    contracts = "0.1.0: whoever recalls has always written ended_at beside recalled_at, and erased_at is new"

    dependencies = [
        ('delivery', '0010_returns'),
    ]

    operations = [
        migrations.CreateModel(
            name='LetterRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('message_id', models.UUIDField(primary_key=True, serialize=False)),
                ('view_only', models.BooleanField()),
                ('days', models.SmallIntegerField(null=True)),
            ],
            options={
                'db_table': 'delivery_letter',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='PortalRuleRow',
            fields=[
                ('organization_id', models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ('pk', models.CompositePrimaryKey('organization_id', 'only', blank=True, editable=False, primary_key=True, serialize=False)),
                ('only', models.BooleanField(default=True)),
                ('days', models.SmallIntegerField()),
                ('kept_days', models.SmallIntegerField()),
            ],
            options={
                'db_table': 'delivery_portalrule',
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='deposit',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='deposit',
            name='recall_reason',
            field=models.CharField(db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='deposit',
            name='view_only',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name='deposit',
            index=models.Index(condition=models.Q(('ended_at__isnull', False), ('erased_at', None)), fields=['organization_id', 'ended_at'], name='delivery_deposit_erase'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('recalled_at', None), ('ended_at__isnull', False), _connector='OR'), name='delivery_deposit_recalled_ended'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at', None), ('ended_at__isnull', False), _connector='OR'), name='delivery_deposit_erased_ended'),
        ),
        TenantTable("delivery_letter"),
        TenantTable("delivery_portalrule"),
    ]
