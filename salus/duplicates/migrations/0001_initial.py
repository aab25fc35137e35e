import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name="MergeRow",
            fields=[
                ("organization_id", models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kept_id", models.UUIDField()),
                ("gone_id", models.UUIDField()),
                ("kept_number", models.BigIntegerField()),
                ("gone_number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("by_id", models.UUIDField()),
                ("sealed", models.BinaryField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by_id", models.UUIDField(null=True)),
                ("given_by", models.CharField(choices=[("kept", "kept"), ("gone", "gone"), ("nobody", "nobody")], default="", max_length=6)),
                ("sealed_end", models.BinaryField(null=True)),
            ],
            options={
                "db_table": "duplicates_merge",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organization_id", "-at"], name="duplicates_merge_at"),
                    models.Index(fields=["organization_id", "kept_id"], name="duplicates_merge_kept"),
                    models.Index(fields=["organization_id", "gone_id"], name="duplicates_merge_gone"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApartRow",
            fields=[
                ("organization_id", models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ("pk", models.CompositePrimaryKey("organization_id", "first_id", "second_id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("first_id", models.UUIDField()),
                ("second_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("by_id", models.UUIDField()),
            ],
            options={
                "db_table": "duplicates_apart",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        TenantTable("duplicates_merge"),
        TenantTable("duplicates_apart"),
    ]
