"""The tables of django-allauth follow their user: who sees no user sees no second factor either."""

from django.db import migrations

FOLLOWERS = ("mfa_authenticator", "account_emailaddress")


def _follow(table: str) -> migrations.RunSQL:
    seen = f"EXISTS (SELECT 1 FROM identity_user WHERE identity_user.id = {table}.user_id)"
    return migrations.RunSQL(
        [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY follows_user ON {table} USING ({seen}) WITH CHECK ({seen})",
        ],
        [
            f"DROP POLICY follows_user ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0001_initial"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [_follow(table) for table in FOLLOWERS]
