from django.db import migrations

from salus.platform.schema import Resealable


class Migration(migrations.Migration):

    dependencies = [
        ("permissions", "0001_initial"),
    ]

    operations = [
        Resealable("permissions_entry", "sealed"),
    ]
