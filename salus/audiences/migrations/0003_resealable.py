from django.db import migrations

from salus.platform.schema import Resealable


class Migration(migrations.Migration):

    dependencies = [
        ("audiences", "0002_lists"),
    ]

    operations = [
        Resealable("audiences_frozen", "sealed", "sealed_members"),
    ]
