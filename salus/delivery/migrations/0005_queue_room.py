from django.db import migrations


class Migration(migrations.Migration):
    """Leave room in the queue's pages: each row is updated twice and deleted, which then touches no index."""

    dependencies = [("delivery", "0004_counts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE delivery_queue SET (fillfactor = 50, "
            "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
            "ALTER TABLE delivery_queue RESET (fillfactor, "
            "autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
        ),
    ]
