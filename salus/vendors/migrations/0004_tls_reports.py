import salus.kernel.outbound
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vendors', '0003_verifications_subcontractors_responsibilities'),
    ]

    operations = [
        migrations.AlterField(
            model_name='servicerow',
            name='kind',
            field=models.CharField(choices=[(kind, kind) for kind in salus.kernel.outbound.ServiceKind], max_length=20),
        ),
    ]
