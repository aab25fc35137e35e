"""What is new of many contacts is read without going through all that ever happened to them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("timeline", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="eventrow",
            index=models.Index(
                fields=["organization_id", "contact_id", "recorded_at"], name="timeline_event_recent"
            ),
        ),
    ]
