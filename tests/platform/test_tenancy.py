"""Tenancy: no context, no rows; and the database refuses on its own."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from salus.kernel.ids import new_id
from salus.platform.feed import head, next_numbers
from salus.platform.models import FeedCounter
from salus.platform.tenancy import CrossTenant, NoTenant, acting_for


@pytest.fixture
def two(database: object) -> tuple[UUID, UUID]:
    return new_id(), new_id()


def test_without_an_organization_the_manager_raises(database: object) -> None:
    with pytest.raises(NoTenant):
        FeedCounter.objects.all()


def test_an_organization_sees_its_own_rows_only(two: tuple[UUID, UUID]) -> None:
    ours, theirs = two
    with acting_for(ours):
        next_numbers("contacts", 3)
    with acting_for(theirs):
        assert not FeedCounter.objects.exists()
        assert head("contacts") == 0
    with acting_for(ours):
        assert head("contacts") == 3


def test_with_the_managers_bypassed_row_level_security_still_returns_nothing(two: tuple[UUID, UUID]) -> None:
    ours, theirs = two
    with acting_for(ours):
        next_numbers("contacts", 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM platform_feedcounter")
        assert cursor.fetchone() == (0,)
    with acting_for(theirs), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM platform_feedcounter")
        assert cursor.fetchone() == (0,)


def test_a_row_cannot_be_written_into_another_organization(two: tuple[UUID, UUID]) -> None:
    ours, theirs = two
    with acting_for(ours), pytest.raises(CrossTenant):
        FeedCounter(organization_id=theirs, name="x").save()
    with (
        pytest.raises(Exception, match="row-level security"),
        acting_for(ours),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO platform_feedcounter (organization_id, name, last) VALUES (%s, 'x', 1)", [theirs]
        )


def test_one_organization_cannot_be_entered_from_another(two: tuple[UUID, UUID]) -> None:
    ours, theirs = two
    with acting_for(ours), pytest.raises(CrossTenant), acting_for(theirs):
        pass


def test_the_setting_ends_with_the_transaction(two: tuple[UUID, UUID]) -> None:
    ours, _ = two
    with acting_for(ours):
        next_numbers("contacts", 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting('salus.organization', true), '')")
        assert cursor.fetchone() == (None,)


def test_the_setting_is_taken_back_when_the_transaction_goes_on(two: tuple[UUID, UUID]) -> None:
    ours, theirs = two
    with transaction.atomic(), connection.cursor() as cursor:
        with acting_for(ours):
            next_numbers("contacts", 1)
        cursor.execute("SELECT count(*) FROM platform_feedcounter")
        assert cursor.fetchone() == (0,)
        with acting_for(theirs), acting_for(theirs):
            next_numbers("contacts", 1)
        cursor.execute("SELECT count(*) FROM platform_feedcounter")
        assert cursor.fetchone() == (0,)
        with pytest.raises(RuntimeError), acting_for(ours):
            raise RuntimeError
        cursor.execute("SELECT count(*) FROM platform_feedcounter")
        assert cursor.fetchone() == (0,)


def test_the_applications_role_owns_nothing_and_bypasses_nothing(database: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_every_table_with_an_organization_has_forced_row_level_security(database: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE a.attname = 'organization_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
            "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )
        # The sign-in record is looked up before an organization is known; it names one and holds no PHI.
        assert {name for (name,) in cursor.fetchall()} <= {"identity_user"}


NO_ORGANIZATION = {
    "django_migrations": "which migrations were made",
    "django_content_type": "names of our models",
    "auth_permission": "unused: made by Django's sign-in",
    "auth_group": "unused",
    "auth_group_permissions": "unused",
    "account_emailconfirmation": "unused",
    "identity_guard": "counts of failed sign-ins, by a keyed hash",
    "identity_session": "found by a hash of the cookie, before an organization is known",
    "procrastinate_events": "when jobs began and ended",
    "procrastinate_jobs": "jobs; their arguments are ids",
    "procrastinate_periodic_defers": "unused",
    "procrastinate_workers": "heartbeats",
    "shaping_slot": "when a rate's next turn is: names of mail providers and of our own addresses",
    "shaping_volume": "what our own addresses that warm up sent to mail providers in a day",
}
"""Every table whose rows belong to no organization, and why it may: none of it is about a patient."""

POLICIES = {
    ("identity_organization", "before_tenant"),
    ("identity_user", "before_tenant"),
    ("account_emailaddress", "follows_user"),
    ("mfa_authenticator", "follows_user"),
    ("delivery_queue", "sender"),
    ("delivery_callqueue", "sender"),
    ("shaping_measure", "sender"),
}
"""Every policy beside `tenant`: each opens something, so each is listed here."""


def test_every_table_belongs_to_an_organization_or_is_known_not_to(database: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') "
            "AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )
        open_tables = {name for (name,) in cursor.fetchall()}
    assert open_tables <= set(NO_ORGANIZATION)


def test_every_policy_is_that_of_the_tenant_or_known(database: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies")
        found = cursor.fetchall()
    others = {(table, name) for table, name, *_ in found if name != "tenant"}
    assert others == POLICIES
    for table, name, roles, command, visible, writable in found:
        column = "id" if table == "identity_organization" else "organization_id"
        if name == "tenant":
            assert visible == writable, table
            assert visible.startswith(f"({column} = ( SELECT (NULLIF(current_setting("), table
            assert command == "ALL"
        elif name == "before_tenant":
            assert (command, writable) == ("SELECT", None), "it opens no way to write"
        elif name == "follows_user":
            assert visible == writable
            assert "identity_user.id = " in visible, "who sees no user sees no second factor either"
        else:
            assert roles == ["salus_sender"], "the application itself sees no other organization's queue"


def test_no_function_runs_with_somebody_elses_rights(database: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == []


def test_numbers_of_a_feed_are_dense_and_ordered_by_commit(database: object, world: object) -> None:
    ours = new_id()
    with acting_for(ours):
        first = next_numbers("changes", 5)
        second = next_numbers("changes", 2)
    assert (first, second) == (1, 6)
    with acting_for(ours), psycopg.connect(_dsn()) as other:
        next_numbers("changes", 1)
        other.execute("SELECT set_config('salus.organization', %s, true)", [str(ours)])
        other.execute("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("UPDATE platform_feedcounter SET last = last + 1 WHERE name = 'changes'")


def _dsn() -> str:
    return psycopg.conninfo.make_conninfo(
        host=connection.settings_dict["HOST"],
        port=connection.settings_dict["PORT"] or None,
        user=connection.settings_dict["USER"],
        password=connection.settings_dict["PASSWORD"],
        dbname=connection.settings_dict["NAME"],
    )
