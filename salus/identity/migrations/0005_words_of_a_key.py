"""What the messages are that a key's program submits, where they do not say so themselves."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0004_sign_on'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='words',
            field=models.JSONField(default=dict, db_default={}),
        ),
    ]
