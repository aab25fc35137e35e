"""No two rows of a person in a journey count as the same entry: of two that come in at once, one does."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """One more unique index on enrolments."""

    dependencies = [("journeys", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            model_name="enrolmentrow",
            constraint=models.UniqueConstraint(
                fields=("organization_id", "contact_id", "journey_id", "entry"), name="journeys_entry_once"
            ),
        ),
    ]
