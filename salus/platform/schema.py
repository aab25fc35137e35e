"""Migration operations for what Django cannot say: row-level security and append-only tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.migrations.operations import RunSQL

from salus.platform.roles import SENDER

# The subselect is evaluated once a query, not once a row; NULLIF because a setting that was local to
# an ended transaction reads as ''.
TENANT = "(SELECT NULLIF(current_setting('salus.organization', true), '')::uuid)"


class TenantTable(RunSQL):
    """Enable and force row-level security on `table`: rows of the current organization only."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            [
                f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
                f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
                f'CREATE POLICY tenant ON "{table}" USING (organization_id = {TENANT}) '
                f"WITH CHECK (organization_id = {TENANT})",
            ],
            [
                f'DROP POLICY tenant ON "{table}"',
                f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
                f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
            ],
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [self.table], {}


class AppendOnly(RunSQL):
    """Refuse UPDATE, DELETE and TRUNCATE on `table` for every role, the owner included."""

    def __init__(self, table: str) -> None:
        self.table = table
        function = f"{table}_append_only"
        super().__init__(
            [
                f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$",
                f'CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON "{table}" '
                f"FOR EACH ROW EXECUTE FUNCTION {function}()",
                f'CREATE TRIGGER append_only_table BEFORE TRUNCATE ON "{table}" '
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
            ],
            [
                f'DROP TRIGGER append_only_row ON "{table}"',
                f'DROP TRIGGER append_only_table ON "{table}"',
                f"DROP FUNCTION {function}()",
            ],
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [self.table], {}


class Resealable(RunSQL):
    """Let append-only `table` have the ciphertexts in `columns` sealed under another key, and nothing else.

    A re-seal is as long as what it replaces and names another key; every other column stays as it is.
    """

    def __init__(self, table: str, *columns: str) -> None:
        self.table, self.columns = table, columns
        function, refused = f"{table}_append_only", f"RAISE EXCEPTION '{table} is append-only' "
        refused += "USING ERRCODE = 'restrict_violation';"
        checks = "".join(
            f"IF NEW.{column} IS DISTINCT FROM OLD.{column} AND (length(NEW.{column}) <> length(OLD.{column}) "
            f"OR substring(NEW.{column} FROM 1 FOR 5) = substring(OLD.{column} FROM 1 FOR 5)) "
            f"THEN {refused} END IF; same.{column} := OLD.{column}; "
            for column in columns
        )
        super().__init__(
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"DECLARE same \"{table}\"; BEGIN IF TG_OP <> 'UPDATE' THEN {refused} END IF; "
            f"same := NEW; {checks} IF same IS DISTINCT FROM OLD THEN {refused} END IF; RETURN NEW; END $$",
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refused} END $$",
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [self.table, *self.columns], {}


class Erasable(RunSQL):
    """Let rows of append-only `table` be deleted for the one person whose id `salus.erasing` says, and no others.

    Everything else that its trigger refuses stays refused: say it with the columns that may be re-sealed.
    """

    def __init__(self, table: str, *columns: str) -> None:
        self.table, self.columns = table, columns
        body = str(Resealable(table, *columns).sql)
        opening = "BEGIN IF TG_OP <> 'UPDATE'"
        if opening not in body:
            raise ValueError("The trigger of re-sealing is not as it was when this was written.")
        allowed = (
            "BEGIN IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN "
            "IF OLD.contact_id::text = current_setting('salus.erasing', true) THEN RETURN OLD; END IF; END IF; "
            "IF TG_OP <> 'UPDATE'"
        )
        super().__init__(body.replace(opening, allowed), body)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [self.table, *self.columns], {}


class SenderSees(RunSQL):
    """Let the sender's database role see the rows of every organization in this one narrow table."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            [f'CREATE POLICY sender ON "{table}" TO {SENDER} USING (true) WITH CHECK (true)'],
            [f'DROP POLICY sender ON "{table}"'],
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [self.table], {}


@contextmanager
def erasing(contact_id: UUID) -> Iterator[None]:
    """Let the `Erasable` tables delete rows of one person, in the transaction of the caller."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('salus.erasing', %s, true)", [str(contact_id)])
        try:
            yield
        finally:
            if not connection.needs_rollback:
                cursor.execute("SELECT set_config('salus.erasing', '', true)")
