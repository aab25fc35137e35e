"""The way to the outside, closed by default: whoever opens a connection to somebody's service asks here first.

The vendor register answers (wiring gives it); packages below it on the storeys ask through this port, those
above may ask the register itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from salus.kernel.outbound import Label, OutOfScope, ServiceKind, Why
from salus.platform.tenancy import acting_for

Register = Callable[[ServiceKind, str, Iterable[Label], datetime], UUID]
"""Answers for the organization in context; `vendors.outbound` is one."""


def _closed(kind: ServiceKind, address: str, labels: Iterable[Label], at: datetime) -> UUID:
    raise OutOfScope(Why.UNKNOWN, "Nobody looks after the ways to the outside, so they are closed.")


_register: Register = _closed
_organizations: Callable[[], Iterable[UUID]] = lambda: ()  # noqa: E731 - nobody: then nobody allows it


def use_register(register: Register, organizations: Callable[[], Iterable[UUID]]) -> None:
    """Set who answers, and whom there is to answer for; wiring calls it once."""
    global _register, _organizations
    _register, _organizations = register, organizations


def ask(kind: ServiceKind, address: str, labels: Iterable[Label] = (), *, at: datetime) -> UUID:
    """Return the id of the registered service behind `address`, which may be used for this at `at`.

    `address` is the one that was configured, as a URL; `labels` are what this tells beyond what the kind
    always does. Inside the organization's context. Raises `OutOfScope` with code, words and next step.
    """
    return _register(kind, address, labels, at)


def ask_everywhere(kind: ServiceKind, address: str, labels: Iterable[Label] = (), *, at: datetime) -> None:
    """Ask for every organization of the installation: for what serves them all (a backup, key management).

    Outside any organization's context. Raises `OutOfScope` when one does not allow it, or when there is none.
    """
    everybody = list(_organizations())
    if not everybody:
        raise OutOfScope(Why.UNKNOWN, "There is no organization yet that could allow this.")
    for organization_id in everybody:
        with acting_for(organization_id):
            _register(kind, address, labels, at)
