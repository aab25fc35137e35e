"""Keys of programs' calls are kept in one place for all calls (identity_answer), not with the campaign.

The column stays, with a default of the database's own, for processes of the release before; the one after may drop it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='campaignrow',
            name='requests',
            field=models.JSONField(default=dict, db_default={}),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name='campaignrow', name='requests')],
        ),
    ]
