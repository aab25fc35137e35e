"""The database roles: an owner that migrates, and unprivileged ones that own nothing and bypass nothing."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from salus.kernel.errors import Unavailable

OWNER, APP, SENDER = "salus_owner", "salus_app", "salus_sender"
ROLES = (OWNER, APP, SENDER)


def bootstrap(admin_dsn: str, database: str, passwords: Mapping[str, str]) -> None:
    """Create (or repair) the roles and the database; safe to run again.

    `admin_dsn` connects as a role that may create roles and databases. `salus_sender` inherits the
    rights of `salus_app`; policies tell them apart.
    """
    try:
        with _administrator(admin_dsn) as connection:
            for role in ROLES:
                _role(connection, role, passwords[role])
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(SENDER)))
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
            exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if not exists:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(database), sql.Identifier(OWNER)
                    )
                )
        with psycopg.connect(
            psycopg.conninfo.make_conninfo(admin_dsn, dbname=database), autocommit=True
        ) as connection:
            _grant(connection, database)
    except psycopg.errors.InsufficientPrivilege as refused:
        raise Unavailable(
            "The database user may not create roles.",
            next_step="Give it CREATEROLE and CREATEDB for the set-up, or name a user that has them.",
        ) from refused


def _administrator(dsn: str) -> psycopg.Connection:
    """Connect to the database of `dsn`, or to the server's own while that one is still to be made."""
    try:
        return psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError as fault:
        try:
            return psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True)
        except psycopg.OperationalError:
            raise fault from None


def _role(connection: psycopg.Connection, role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if known else "CREATE"
    # The server, and whoever reads its log of statements, gets the SCRAM verifier and not the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(role), sql.Literal(verifier)
        )
    )


def _grant(connection: psycopg.Connection, database: str) -> None:
    owner, app, name = sql.Identifier(OWNER), sql.Identifier(APP), sql.Identifier(database)
    for statement in (
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
        # A database that was there already belongs to somebody else.
        sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(name, owner),
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, app),
        sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app),
        sql.SQL("SET ROLE {}").format(owner),
        sql.SQL(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}"
        ).format(app),
        sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}").format(
            app
        ),
        sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {}").format(app),
    ):
        connection.execute(statement)
