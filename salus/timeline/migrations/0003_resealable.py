from django.db import migrations

from salus.platform.schema import Resealable


class Migration(migrations.Migration):

    dependencies = [
        ("timeline", "0002_recent"),
    ]

    operations = [
        Resealable("timeline_event", "sealed"),
    ]
