"""A key may have ended by its authority's list; the database holds the same."""

from django.db import migrations, models

from salus.sealedmail.contracts import Revocation


class Migration(migrations.Migration):

    dependencies = [
        ('sealedmail', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='keyrow',
            name='why',
            field=models.CharField(choices=[(each, each) for each in Revocation], default='', max_length=12),
        ),
    ]
