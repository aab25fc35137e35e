from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('delivery', '0005_queue_room'),
    ]

    operations = [
        migrations.AddField(
            model_name='originrow',
            name='is_open',
            field=models.BooleanField(default=False),
        ),
    ]
