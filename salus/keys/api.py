"""The door of the keyring.

Functions import the rooms behind them when they are called: settings ask for local secrets before
Django is ready, and models exist only after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import Clock, SystemClock
from salus.keys import local, tokens
from salus.keys.certificates import certificate_ends
from salus.keys.contracts import (
    AWS_KMS,
    VAULT,
    Blinder,
    DkimKey,
    KeptIndex,
    KeyFacts,
    KeyProvider,
    Kit,
    Progress,
    SealedColumn,
    Sealer,
    Token,
    Walk,
)
from salus.keys.provider import file_provider
from salus.keys.shares import Reader, Share
from salus.keys.shares import page as share_page
from salus.keys.shares import text as share_text
from salus.keys.streams import OpeningStream, SealingStream

if TYPE_CHECKING:
    from salus.audit.contracts import Signer
    from salus.keys.keyring import OrganizationKeys
    from salus.keys.models import Kind

__all__ = [
    "OpeningStream",
    "Reader",
    "SealingStream",
    "Share",
    "activate_dkim",
    "age_dkim_keys",
    "age_token_keys",
    "audience_file_key",
    "binding",
    "blinder",
    "certificate_ends",
    "checkpoint_signer",
    "configure",
    "create_organization_keys",
    "destroy_organization_keys",
    "destroy_retired",
    "dkim_keys",
    "file_provider",
    "forget_cached",
    "is_stale",
    "keep_kit",
    "keys_of_organization",
    "local_secret",
    "make_recovery_kit",
    "move",
    "open_token",
    "organization_of_token",
    "progress",
    "record_kit",
    "recover_key_file",
    "recovery_kit",
    "reseal",
    "rotate",
    "rotate_dkim",
    "seal_token",
    "sealer",
    "share_page",
    "share_text",
    "use_sealed",
    "waiting_dkim_keys",
]

_CLOCK = SystemClock()


def configure(provider: KeyProvider, directory: Path) -> None:
    """Set who wraps keys and where local secrets are, for this process; wiring calls it once."""
    local.configure(provider, directory)


def local_secret(name: str, make: Callable[[], bytes] | None = None) -> bytes:
    """Return this machine's secret `name`, made on first use (32 random bytes unless `make` is given).

    It lives in a sealed file of mode 0600 and needs neither database nor organization.
    """
    return local.local_secret(name, make) if make else local.local_secret(name)


def binding(organization_id: UUID, table: str, row_id: UUID) -> bytes:
    """Return the associated data that ties a sealed value to its organization, table and row."""
    return organization_id.bytes + row_id.bytes + table.encode()


def sealer() -> Sealer:
    """Return what seals and opens data of the current organization; keep it for a batch, not for good."""
    return _present().data


def is_stale(ciphertext: bytes) -> bool:
    """Return whether `ciphertext` was sealed with another key than the present one; it is not opened."""
    return not ciphertext.startswith(_present().data.prefix)


def blinder() -> Blinder:
    """Return what makes blind indexes of the current organization."""
    return _present().blinder


def audience_file_key() -> bytes:
    """Return the 32 bytes that encrypt the current organization's audience file."""
    from salus.keys.models import Kind

    return _present().required(Kind.AUDIENCE)[0]


def dkim_keys(domain: str) -> tuple[DkimKey, DkimKey]:
    """Return the RSA-2048 and the Ed25519 key of a sending domain, made on first use and stable after.

    Raises `BadInput` for what is no domain name.
    """
    from salus.keys import dkim, operations
    from salus.keys.keyring import ring
    from salus.keys.models import Kind
    from salus.platform.tenancy import current_organization

    name = dkim.normalize_domain(domain)
    organization_id = current_organization()
    keys = ring.of(organization_id)
    found = keys.dkim(name)
    if found is None:
        keys.required(Kind.DATA)  # destroyed keys do not come back through a side door
        operations.create_dkim_keys(name, system(organization_id, "keys"), _CLOCK.now())
        found = ring.reload(organization_id).dkim(name)
    assert found is not None
    return found


def checkpoint_signer() -> Signer:
    """Return the signer of audit checkpoints, for `audit.api.use_signer`."""
    from salus.keys.keyring import ring
    from salus.keys.signing import CheckpointSigner

    return CheckpointSigner(lambda organization_id: ring.of(organization_id).checkpoint)


def seal_token(purpose: str, payload: bytes, *, lifetime: timedelta, clock: Clock = _CLOCK) -> str:
    """Return an opaque URL-safe token of the current organization that opens for `purpose` only.

    `lifetime` is at most 400 days. The organization's id can be read from the token, nothing else.
    """
    keys = _present()
    return tokens.seal(keys.token, keys.organization_id, purpose, payload, lifetime=lifetime, now=clock.now())


def organization_of_token(text: str) -> UUID:
    """Return the organization that a token names, to enter it; unproven until the token is opened."""
    return tokens.organization_of(text)


def open_token(text: str, purpose: str, at: datetime) -> Token:
    """Return what a token carries; needs no organization in context.

    Raises `BadInput`, with the same words whatever is wrong: changed, ended, for another purpose, of
    another organization than the one in context, or its key is gone.
    """
    from salus.keys.keyring import ring
    from salus.platform.tenancy import NoTenant, current_organization

    organization_id = tokens.organization_of(text)
    try:
        if current_organization() != organization_id:
            raise tokens.refused()
    except NoTenant:
        pass
    try:
        return tokens.open_(ring.of(organization_id).token, text, purpose, at)
    except NotFound:
        raise tokens.refused() from None


def create_organization_keys(organization_id: UUID, *, actor: Actor | None = None) -> None:
    """Give an organization its first keys; raises `Conflict` when it has any."""
    from salus.keys import operations
    from salus.platform.tenancy import acting_for

    with acting_for(organization_id):
        operations.create_organization_keys(actor or system(organization_id, "keys"), _CLOCK.now())


def destroy_organization_keys(organization_id: UUID, *, actor: Actor) -> int:
    """Destroy an organization's keys for good and return how many: nothing sealed opens after it.

    Other processes forget theirs within a minute.
    """
    from salus.keys import operations
    from salus.platform.tenancy import acting_for

    with acting_for(organization_id):
        return operations.destroy_organization_keys(actor, _CLOCK.now())


def use_sealed(data: Sequence[SealedColumn | Walk], blind: Sequence[Walk], kept: Sequence[KeptIndex]) -> None:
    """Say what a rotation of data and blind-index keys has to bring to the new key; wiring calls it once."""
    from salus.keys import walking

    walking.use(data, blind, kept)


def rotate(kind: str, *, actor: Actor, clock: Clock = _CLOCK) -> int:
    """Make a new key of `kind` ("data", "blind", "token", "checkpoint") active; return its version.

    The retired key still opens (and blinds as a candidate). A worker brings what is sealed or indexed to
    the new key; `reseal` does it here and now. DKIM keys have `rotate_dkim`.
    """
    from salus.keys import operations

    return operations.rotate(_kind(kind), actor, clock.now())


def reseal(
    organization_id: UUID,
    *,
    actor: Actor,
    clock: Clock = _CLOCK,
    tell: Callable[[tuple[Progress, ...]], object] = lambda _: None,
) -> None:
    """Bring everything that is sealed or indexed to the present keys, and tell the progress after each batch.

    Call it outside `acting_for`: each batch is a transaction of its own, so that it can be ended and taken
    up again at any moment, and any number of processes may take part.
    """
    from salus.keys import batches

    batches.run(organization_id, actor, clock, tell)


def progress() -> tuple[Progress, ...]:
    """Return how far the work after the last rotations has got in the current organization."""
    from salus.keys import resealing

    return resealing.progress()


def destroy_retired(kind: str, *, actor: Actor, clock: Clock = _CLOCK) -> int:
    """Destroy the retired keys of `kind` that nothing needs any more; return how many.

    Data and blind-index keys: a day after they retired, when a sweep over every table finds nothing under
    them. Raises `Conflict` when it does; that is then brought to the present key. Token keys: when no
    token that they sealed can be valid.
    """
    from salus.keys import operations

    return operations.destroy_unused(_kind(kind), actor, clock.now())


def move(
    organization_id: UUID,
    to: str,
    *,
    actor: Actor,
    clock: Clock = _CLOCK,
    tell: Callable[[int, int], object] = lambda _moved, _left: None,
) -> int:
    """Have every key of an organization wrapped by `to`, and return how many were not.

    `to` is "file", "aws-kms:ARN" or "vault:https://HOST/MOUNT/KEY".

    New keys follow. Call it outside `acting_for`: each key is a transaction of its own, read back before it
    replaces what was there, so that the work can be ended and taken up again at any moment. Raises `BadInput`
    for what is no provider, `OutOfScope`, `Unavailable` (what was moved stays moved), `NotFound`.
    """
    from salus.keys import moving

    if to != "file" and not to.startswith((AWS_KMS, VAULT)):
        raise BadInput("Keys are wrapped by the key file, AWS KMS or Vault.", place="to")
    return moving.run(organization_id, to, actor, clock.now, tell)


def rotate_dkim(domain: str, *, actor: Actor, clock: Clock = _CLOCK) -> tuple[DkimKey, ...]:
    """Make the next DKIM keys of `domain` and return them to be published; mail is signed as before.

    Asked again, it returns the same. Raises `NotFound` for a domain without keys.
    """
    from salus.keys import dkim, selectors

    return selectors.prepare(dkim.normalize_domain(domain), actor, clock.now())


def activate_dkim(
    domain: str, is_published: Callable[[DkimKey], bool], *, actor: Actor, clock: Clock = _CLOCK
) -> None:
    """Sign with the keys that `rotate_dkim` made; the present ones retire and are destroyed after a week.

    Raises `Conflict` when `is_published` says no of one of them, `NotFound` when none wait.
    """
    from salus.keys import dkim, selectors

    selectors.activate(dkim.normalize_domain(domain), is_published, actor, clock.now())


def waiting_dkim_keys(domain: str) -> tuple[DkimKey, ...]:
    """Return the keys of a domain that wait for their records to be published."""
    from salus.keys import dkim
    from salus.keys.keyring import ring
    from salus.platform.tenancy import current_organization

    return ring.of(current_organization()).waiting_dkim(dkim.normalize_domain(domain))


def age_dkim_keys(*, clock: Clock = _CLOCK) -> None:
    """Destroy DKIM keys that have signed nothing for a week; run it daily."""
    from salus.keys import selectors
    from salus.platform.tenancy import current_organization

    selectors.age(system(current_organization(), "keys"), clock.now())


def age_token_keys(*, clock: Clock = _CLOCK) -> None:
    """Rotate the current organization's token key monthly and end keys after 13 months; run it daily."""
    from salus.keys import operations
    from salus.platform.tenancy import current_organization

    operations.age_token_keys(system(current_organization(), "keys"), clock.now())


def make_recovery_kit(*, shares: int, threshold: int, clock: Clock = _CLOCK) -> tuple[Kit, tuple[Share, ...]]:
    """Return a kit of this machine's key file: `shares` shares, of which any `threshold` bring it back.

    Each organization's log must hear of it (`record_kit`), and when people have the shares it is noted
    (`keep_kit`): only then does this machine count on it. Raises `BadInput`, and `Conflict` when the keys
    are wrapped by another provider.
    """
    from salus.keys import kit

    return kit.make(shares, threshold, clock.now())


def record_kit(kit: Kit, *, actor: Actor) -> None:
    """Note in the current organization's log that a kit was made that can open its keys."""
    from salus.audit import api as audit
    from salus.audit.contracts import Action

    audit.record(
        Action.KEYS_KIT_CREATE,
        actor=actor,
        object_kind="key",
        details={"shares": kit.shares, "threshold": kit.threshold, "key": kit.provider},
    )


def keep_kit(kit: Kit) -> None:
    """Note that people have the shares of a kit."""
    from salus.keys import kit as kits

    kits.keep(kit)


def recovery_kit() -> Kit | None:
    """Return the last kit of the key that wraps now; None: the loss of one file would lose everything."""
    from salus.keys import kit

    return kit.present()


def recover_key_file(shares: Sequence[Share], directory: Path) -> str:
    """Make the key file in `directory` of a kit's shares again, and return the key's name; needs no database.

    Raises `BadInput` when they are too few, of different kits, or give no key: nothing is written then.
    """
    from salus.keys import kit

    return kit.recover(shares, directory)


def keys_of_organization() -> tuple[KeyFacts, ...]:
    """Return what keys the current organization has and had; none is opened."""
    from salus.keys import queries

    return queries.all_keys()


def forget_cached() -> None:
    """Drop all unwrapped keys from this process's memory."""
    from salus.keys.keyring import ring

    ring.clear()


def _present() -> OrganizationKeys:
    from salus.keys.keyring import ring
    from salus.platform.tenancy import current_organization

    return ring.of(current_organization())


def _kind(word: str) -> Kind:
    from salus.keys.models import Kind

    try:
        return Kind(word)
    except ValueError:
        raise BadInput("There is no such kind of key.", place="kind") from None
