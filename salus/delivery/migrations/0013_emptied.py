from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("delivery", "0012_standby"),
    ]

    operations = [
        migrations.AddField(
            model_name="messagerow",
            name="emptied_at",
            field=models.DateTimeField(null=True),
        ),
    ]
