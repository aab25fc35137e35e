"""Tenancy, closed by default: without an organization in context there are no rows.

Two locks, each sufficient: the manager raises without a context, and PostgreSQL's forced row-level
security compares `organization_id` with the transaction's setting `salus.organization`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import connection, models, transaction

from salus.kernel.errors import SalusError

_current: ContextVar[UUID | None] = ContextVar("salus_organization", default=None)

M = TypeVar("M", bound=models.Model, covariant=True)


class NoTenant(SalusError):
    """A tenant's rows were asked for outside `acting_for`."""


class CrossTenant(SalusError):
    """One organization's work tried to enter another's."""


def current_organization() -> UUID:
    """Return the organization in context; raises `NoTenant` when there is none."""
    organization_id = _current.get()
    if organization_id is None:
        raise NoTenant("No organization is in context.", next_step="Enter acting_for() first.")
    return organization_id


@contextmanager
def acting_for(organization_id: UUID) -> Iterator[None]:
    """Open a transaction in which the rows of `organization_id`, and no others, exist.

    The setting is local to the transaction, so it can never leak into a pooled connection; within a
    transaction that goes on, it is taken back. Nesting for the same organization makes a savepoint;
    for another one it raises `CrossTenant`.
    """
    present = _current.get()
    if present is not None and present != organization_id:
        raise CrossTenant("This work belongs to another organization.")
    with transaction.atomic():
        outer = len(connection.savepoint_ids) > 0
        if present is None:
            _set(str(organization_id))
        token = _current.set(organization_id)
        try:
            yield
        finally:
            _current.reset(token)
        if present is None and outer and not connection.needs_rollback:
            _set("")


def _set(organization: str) -> None:
    """Say to the database whose rows exist, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('salus.organization', %s, true)", [organization])


class TenantManager(models.Manager[M]):
    """Shows the rows of the organization in context; raises `NoTenant` outside one."""

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the rows of the current organization."""
        return super().get_queryset().filter(organization_id=current_organization())


class TenantModel(models.Model):
    """A row that belongs to one organization. Its migration must add `TenantTable(...)`."""

    organization_id = models.UUIDField(default=current_organization, editable=False)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        """No table of its own; relations look through the guarded manager too."""

        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.pk}>"

    def __str__(self) -> str:
        return repr(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; one of another organization is refused before it reaches the database."""
        if self.organization_id != current_organization():
            raise CrossTenant("This row belongs to another organization.")
        super().save(*args, **kwargs)
