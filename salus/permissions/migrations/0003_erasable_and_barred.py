import salus.kernel.ids
import salus.platform.tenancy
from django.db import migrations, models

from salus.platform.schema import Erasable, TenantTable


class Migration(migrations.Migration):

    dependencies = [
        ("permissions", "0002_resealable"),
    ]

    operations = [
        Erasable("permissions_entry", "sealed"),
        migrations.CreateModel(
            name="BarredRow",
            fields=[
                ("organization_id", models.UUIDField(default=salus.platform.tenancy.current_organization, editable=False)),
                ("id", models.UUIDField(default=salus.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("blind", models.BinaryField(max_length=16)),
                ("channel", models.CharField(max_length=10)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "permissions_barred",
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "blind"), name="permissions_barred_once")
                ],
            },
        ),
        TenantTable("permissions_barred"),
    ]
