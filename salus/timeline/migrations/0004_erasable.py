from django.db import migrations

from salus.platform.schema import Erasable


class Migration(migrations.Migration):

    dependencies = [
        ("timeline", "0003_resealable"),
    ]

    operations = [
        Erasable("timeline_event", "sealed"),
    ]
