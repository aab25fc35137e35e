from django.db import migrations

from salus.platform.schema import Resealable


class Migration(migrations.Migration):

    dependencies = [
        ("content", "0001_initial"),
    ]

    operations = [
        Resealable("content_version", "sealed"),
        Resealable("content_review", "sealed"),
    ]
