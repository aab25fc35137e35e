"""The organization's own side of sealed mail: what it signs with, whom it trusts to vouch, what it chose."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import current_organization
from salus.sealedmail import keeping, operations
from salus.sealedmail.contracts import Choices, KeyKind
from salus.sealedmail.formats import certificates, openpgp
from salus.sealedmail.formats.certificates import Identity
from salus.sealedmail.models import AnchorRow, ChoiceRow, OwnRow

SENDER = "care"
"""The local part that the organization writes from."""
MOST_ANCHORS = 50


def set_certificate(data: bytes, password: str, *, actor: Actor, at: datetime) -> None:
    """Sign S/MIME with this certificate from now on (PKCS #12, or PEM with its key). Raises `BadInput`.

    It must be for an address of the sending domain: readers' programs hold it against the sender's.
    """
    found = certificates.read_identity(data, password)
    domain = identity.organization().sending_domain
    if not any(each.rpartition("@")[2] == domain for each in found.certificate.addresses):
        raise BadInput(f"The certificate must be for an address at {domain}.", place="certificate")
    if found.certificate.not_after <= at:
        raise BadInput("This certificate has ended.", place="certificate")
    _keep_certificate(found, actor, at)


def make_certificate(*, actor: Actor, at: datetime) -> None:
    """Sign S/MIME with a certificate that nobody vouches for: for laboratories; readers' programs will warn."""
    organization = identity.organization()
    address = f"{SENDER}@{organization.sending_domain}"
    _keep_certificate(certificates.make_identity(organization.name, address, at), actor, at)


def make_openpgp(*, actor: Actor, at: datetime) -> None:
    """Sign OpenPGP with a new key of the organization's own; its public part can be handed out."""
    organization = identity.organization()
    address = f"{SENDER}@{organization.sending_domain}"
    name = organization.name.translate(str.maketrans("", "", "<>()\r\n"))
    secret = openpgp.make_identity(f"{name} <{address}>")
    public = openpgp.public_part(secret)
    document = {
        "key": base64.b64encode(secret).decode(),
        "holder": name,
        "address": address,
        "fingerprint": openpgp.read(public.encode(), at).fingerprint,
        "public": public,
    }
    _keep(KeyKind.OPENPGP, document, None, self_signed=False, actor=actor, at=at)


def drop(kind: KeyKind, *, actor: Actor) -> None:
    """Sign no more with what there is of a kind: messages are encrypted and not signed. Raises `NotFound`."""
    gone, _ = OwnRow.objects.filter(kind=kind).delete()
    if not gone:
        raise NotFound
    _record(Action.SEALED_OWN_CHANGE, actor, "removed", kind=str(kind))


def trust(data: bytes, *, actor: Actor, at: datetime) -> UUID:
    """Trust an authority to vouch for mail certificates. Raises `BadInput`, `Conflict`."""
    found = certificates.read_authority(data)
    if found.not_after <= at:
        raise BadInput("This certificate has ended.", place="certificate")
    if AnchorRow.objects.filter(fingerprint=found.fingerprint).exists():
        raise Conflict("This authority is trusted already.")
    if AnchorRow.objects.count() >= MOST_ANCHORS:
        raise Conflict(f"{MOST_ANCHORS} authorities are trusted already.")
    row = AnchorRow(
        id=new_id(), certificate=found.der, fingerprint=found.fingerprint, not_after=found.not_after, added_at=at
    )  # fmt: skip
    row.save(force_insert=True)
    _record(Action.SEALED_ANCHOR_CHANGE, actor, "trusted", anchor=str(row.id))
    return row.id


def distrust(anchor_id: UUID, *, actor: Actor, at: datetime) -> int:
    """Trust an authority no more; the keys that only it vouched for end, and their number is returned."""
    gone, _ = AnchorRow.objects.filter(id=anchor_id).delete()
    if not gone:
        raise NotFound
    ended = operations.end_unvouched(actor=actor, at=at)
    _record(Action.SEALED_ANCHOR_CHANGE, actor, "distrusted", anchor=str(anchor_id), ended=ended)
    return ended


def choose(choices: Choices, *, actor: Actor) -> None:
    """Say when keys are used, and whether directories are asked for them."""
    ChoiceRow.objects.all().delete()
    ChoiceRow(use=choices.use, look_up=choices.look_up).save(force_insert=True)
    _record(Action.SEALED_CHOICE_CHANGE, actor, str(choices.use), look_up=int(choices.look_up))


def _keep_certificate(found: Identity, actor: Actor, at: datetime) -> None:
    certificate = found.certificate
    document = {
        "certificate": base64.b64encode(certificate.der).decode(),
        "key": base64.b64encode(found.key).decode(),
        "issuers": [base64.b64encode(each).decode() for each in certificate.issuers],
        "holder": certificate.subject,
        "address": next(iter(certificate.addresses), ""),
        "fingerprint": certificate.fingerprint,
        "public": certificates.as_pem((certificate.der, *certificate.issuers)).decode(),
    }
    alone = certificate.self_signed
    _keep(KeyKind.SMIME, document, certificate.not_after, self_signed=alone, actor=actor, at=at)


def _keep(
    kind: KeyKind,
    document: Mapping[str, object],
    not_after: datetime | None,
    *,
    self_signed: bool,
    actor: Actor,
    at: datetime,
) -> None:
    OwnRow.objects.filter(kind=kind).delete()
    row = OwnRow(id=new_id(), kind=kind, self_signed=self_signed, not_after=not_after, added_at=at)
    row.sealed = keeping.seal_own(row.id, document)
    row.save(force_insert=True)
    _record(Action.SEALED_OWN_CHANGE, actor, "self_signed" if self_signed else "kept", kind=str(kind))


def _record(action: Action, actor: Actor, outcome: str, **details: str | int) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="organization",
        object_id=current_organization(),
        outcome=outcome,
        details=details,
    )
