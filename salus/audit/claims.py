"""What was signed: the checkpoints in the database, in the witness file and in a file that somebody kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from salus.audit import notes, ports, witness
from salus.audit.contracts import Signer
from salus.audit.models import CheckpointRow
from salus.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkpoint whose signature holds: at `size` entries the root was `root`."""

    size: int
    root: bytes
    source: str


@dataclass(slots=True)
class Claims:
    """All that verification has to hold the rows against."""

    claims: list[Claim] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


DATABASE, WITNESS, GIVEN = "the database's checkpoint", "the witnessed checkpoint", "the given checkpoint"


def claims(organization_id: UUID, given: str | None) -> Claims:
    """Return every checkpoint of an organization's log, with the faults that reading them showed.

    Raises `BadInput` when `given` is not made of checkpoints of this log.
    """
    found = Claims()
    signer = ports.signer()
    for note in _given(given, signer.name(organization_id)):
        _add(found, signer, organization_id, note, GIVEN)
    stored = {}
    for row in CheckpointRow.objects.order_by("size").iterator():
        statement = _add(found, signer, organization_id, row.note, DATABASE)
        if statement and (statement.size, statement.root) != (row.size, bytes(row.root)):
            found.faults.append(f"the stored checkpoint of {row.size} entries does not say what its row says")
        stored[row.size] = row.note
    _witnessed(found, signer, organization_id, stored)
    if not found.claims:
        found.remarks.append("No checkpoint was signed yet: there is nothing to hold the entries against.")
    return found


def _given(text: str | None, origin: str) -> list[str]:
    if text is None:
        return []
    given = notes.split(text)
    if not given:
        raise BadInput("The file holds no checkpoint.", place="checkpoint")
    for note in given:
        if notes.parse_statement(notes.parse(note)[0]).origin != origin:
            raise BadInput("This checkpoint is of another log.", place="checkpoint line 1")
    return given


def _witnessed(found: Claims, signer: Signer, organization_id: UUID, stored: dict[int, str]) -> None:
    if ports.witness_directory() is None:
        found.remarks.append("No witness folder is set: a rewrite with the signing key would not show.")
        return
    for note in notes.split(witness.read(organization_id)):
        if not notes.is_whole(note):
            found.remarks.append("The witness file holds a torn note (a power cut); it was passed over.")
            continue
        statement = _add(found, signer, organization_id, note, WITNESS)
        if statement and statement.size not in stored:
            found.faults.append(
                f"the witnessed checkpoint of {statement.size} entries is not in the database"
            )


def _add(
    found: Claims, signer: Signer, organization_id: UUID, note: str, source: str
) -> notes.Statement | None:
    """Take a note as a claim if its signature holds, else as a fault."""
    try:
        text, signatures = notes.parse(note)
        statement = notes.parse_statement(text)
    except BadInput as refusal:
        found.faults.append(f"{source} does not read: {refusal.what}")
        return None
    name = signer.name(organization_id)
    signed = any(
        signature.name == name and signer.verify(organization_id, signature.signature, text.encode())
        for signature in signatures
    )
    if statement.origin != name or not signed:
        found.faults.append(f"{source} of {statement.size} entries is not signed by this log's key")
        return None
    found.claims.append(Claim(statement.size, statement.root, source))
    return statement
