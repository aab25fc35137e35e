"""Who is on a static segment, in ranges of contact numbers."""

import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ("audiences", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ListedRow",
            fields=[
                ("organization_id", models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ("pk", models.CompositePrimaryKey("organization_id", "segment_id", "place", blank=True, editable=False, primary_key=True, serialize=False)),
                ("segment_id", models.UUIDField()),
                ("place", models.IntegerField()),
                ("change", models.BigIntegerField()),
                ("count", models.IntegerField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "db_table": "audiences_listed",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("organization_id", "change"), name="audiences_listed_change")],
            },
        ),
        TenantTable("audiences_listed"),
        # Ciphertext does not compress: keep PostgreSQL from trying.
        migrations.RunSQL(
            "ALTER TABLE audiences_listed ALTER COLUMN sealed SET STORAGE EXTERNAL",
            "ALTER TABLE audiences_listed ALTER COLUMN sealed SET STORAGE EXTENDED",
        ),
    ]
