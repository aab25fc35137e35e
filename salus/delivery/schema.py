"""Migration operations of delivery: the legal moves as a trigger, and what a sender may see."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations import RunSQL

from salus.delivery.rules import LEGAL_MOVES
from salus.platform.schema import SenderSees

__all__ = ["ChangedMoves", "LegalMoves", "SenderSees"]


def _moves() -> str:
    """Return the table of `rules.LEGAL_MOVES` as SQL conditions."""
    lines = [
        f"(old.state = '{old}' AND new.state IN ({', '.join(repr(str(new)) for new in sorted(targets))}))"
        for old, targets in LEGAL_MOVES.items()
        if targets
    ]
    return " OR ".join(lines)


def _function() -> str:
    return (
        "CREATE OR REPLACE FUNCTION delivery_legal_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT ({_moves()}) THEN "
        "RAISE EXCEPTION 'a message cannot go from % to %', old.state, new.state "
        "USING ERRCODE = 'check_violation'; END IF; RETURN new; END $$"
    )


class LegalMoves(RunSQL):
    """Refuse a move between states that `rules.LEGAL_MOVES` does not have."""

    def __init__(self) -> None:
        super().__init__(
            [
                _function(),
                "CREATE TRIGGER legal_move BEFORE UPDATE OF state ON delivery_message FOR EACH ROW "
                "WHEN (old.state IS DISTINCT FROM new.state) EXECUTE FUNCTION delivery_legal_move()",
            ],
            ["DROP TRIGGER legal_move ON delivery_message", "DROP FUNCTION delivery_legal_move()"],
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [], {}


class ChangedMoves(RunSQL):
    """Let the database know `rules.LEGAL_MOVES` as it is now, after that table changed."""

    def __init__(self) -> None:
        super().__init__([_function()], RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return type(self).__name__, [], {}
