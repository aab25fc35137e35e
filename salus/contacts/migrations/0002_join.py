import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ("contacts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="merged_into",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["organization_id", "merged_into"],
                name="contacts_contact_merged",
            ),
        ),
        migrations.CreateModel(
            name="JoinRow",
            fields=[
                ("organization_id", models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kept_id", models.UUIDField()),
                ("gone_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("sealed", models.BinaryField()),
            ],
            options={
                "db_table": "contacts_join",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["organization_id", "kept_id"], name="contacts_join_kept")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("organization_id", "gone_id"),
                        name="contacts_join_gone_once",
                    )
                ],
            },
        ),
        TenantTable("contacts_join"),
    ]
