"""How processes reach the database: each as its role, as protected as the administrator asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from salus.platform import roles
from salus.wiring.home import Home, address_only, django_database
from salus.wiring.installation import Installation


def test_what_the_address_asks_of_a_connection_holds_for_every_role(tmp_path: Path) -> None:
    url = (
        "postgresql://admin:secret@db.example.test:5433/salus"
        "?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&user=admin&password=secret"
    )
    for role, user in (("app", "salus_app"), ("sender", "salus_sender"), ("owner", "salus_owner")):
        found = django_database(Home(tmp_path), url, role)
        assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.test", "5433", "salus")
        assert found["USER"] == user
        assert found["PASSWORD"] not in {"", "secret"}
        assert found["OPTIONS"]["sslmode"] == "verify-full"
        assert found["OPTIONS"]["sslrootcert"] == "/etc/ca.pem"
        assert not {"user", "password"} & set(found["OPTIONS"])


def test_processes_are_not_told_the_administrators_password(tmp_path: Path) -> None:
    url = "postgresql://admin:s%40cret@db.example.test:5433/salus?sslmode=require&password=secret"
    told = Installation(Home(tmp_path), url).environment["DATABASE_URL"]
    assert told == "postgresql://db.example.test:5433/salus?sslmode=require"
    assert django_database(Home(tmp_path), told, "app") == django_database(Home(tmp_path), url, "app")
    assert address_only("postgresql://127.0.0.1/salus") == "postgresql://127.0.0.1/salus"


def test_passwords_of_roles_do_not_travel_in_statements(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    execute = psycopg.Connection.execute

    def listen(self: Any, statement: Any, *more: Any, **named: Any) -> Any:
        said.append(statement if isinstance(statement, str) else statement.as_string(self))
        return execute(self, statement, *more, **named)

    monkeypatch.setattr(psycopg.Connection, "execute", listen)
    passwords = {role: database.home.password(role) for role in roles.ROLES}
    with psycopg.connect(database.superuser_dsn) as superuser:
        name = superuser.info.dbname
    roles.bootstrap(database.superuser_dsn, name, passwords)
    assert sum("SCRAM-SHA-256$" in statement for statement in said) == len(roles.ROLES)
    assert not any(password in statement for password in passwords.values() for statement in said)
    found = django_database(database.home, database.url, "app")
    with psycopg.connect(
        host=found["HOST"], port=found["PORT"], user=found["USER"], password=found["PASSWORD"], dbname=name
    ) as again:
        assert again.execute("SELECT current_user").fetchone() == ("salus_app",)


def test_a_database_that_was_there_before_lets_its_owner_in(database: Any) -> None:
    passwords = {role: database.home.password(role) for role in roles.ROLES}
    with psycopg.connect(database.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("CREATE DATABASE made_by_hand")
        try:
            roles.bootstrap(database.superuser_dsn, "made_by_hand", passwords)
            found = django_database(database.home, database.url, "owner")
            with psycopg.connect(
                host=found["HOST"],
                port=found["PORT"],
                user=found["USER"],
                password=found["PASSWORD"],
                dbname="made_by_hand",
            ) as owner:
                owner.execute("CREATE TABLE kept (id int)")
        finally:
            superuser.execute("DROP DATABASE made_by_hand WITH (FORCE)")
