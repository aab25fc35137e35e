"""The log from the first entry to a proof: recorded, put in order, signed, proved, shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from salus.audit import api as audit
from salus.audit import notes
from salus.audit.contracts import Action, Filters, NewEntry
from salus.audit.merkle import Tree, verify_inclusion
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, NotFound, Unavailable
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.platform.tenancy import CrossTenant, NoTenant, acting_for

AT = datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def an_entry(actor: Actor, **changes: object) -> NewEntry:
    facts: dict[str, object] = {
        "action": Action.CONTACT_READ,
        "actor": actor,
        "object_kind": "contact",
        **changes,
    }
    return NewEntry(**facts)  # type: ignore[arg-type]


def fill(actor: Actor, count: int) -> list[UUID]:
    ids = audit.record_many([an_entry(actor, object_id=new_id()) for _ in range(count)])
    while audit.integrate():
        pass
    return ids


def test_an_entry_comes_back_as_it_was_recorded(tenant: UUID) -> None:
    nurse = Actor(
        ActorKind.STAFF,
        tenant,
        id=new_id(),
        roles=("care_coordinator", "marketer"),
        session_id="s-1",
        ip="2001:db8::1",
    )
    patient, thing = new_id(), new_id()
    entry_id = audit.record(
        Action.CONTACT_REVEAL,
        actor=nurse,
        object_kind="contact",
        object_id=thing,
        patient_id=patient,
        fields=("email", "birth_date"),
        purpose="appointment_confirm_remind_reschedule",
        reason="break_glass",
        rule_version="2025.1",
        details={"count": 2, "root": "ab" * 32},
        at=AT,
    )
    found = audit.entry(entry_id)
    assert found.at == AT
    assert (found.action, found.actor_kind, found.actor_id) == ("contacts:phi:reveal", "staff", nurse.id)
    assert (found.role, found.session_id, found.ip) == ("care_coordinator,marketer", "s-1", "2001:db8::1")
    assert (found.object_id, found.patient_id, found.fields) == (thing, patient, ("email", "birth_date"))
    assert found.details == {"count": 2, "root": "ab" * 32}
    assert found.position is None
    audit.integrate()
    assert audit.entry(entry_id).position is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "contacts:record:peek"),
        ("object_kind", "Ana Ruiz"),
        ("purpose", "because she asked"),
        ("reason", "ana@example.org"),
        ("rule_version", "x" * 201),
        ("fields", ("email", "what is her name")),
        ("details", {"name": "Ana Ruiz"}),
        ("details", {"Name of patient": 1}),
        ("details", {"count": 2**60}),
        ("details", {"yes": True}),
        ("details", {"null": "\x00"}),
        ("details", {"line": "a\n"}),
        ("details", {f"k{number}": "x" * 200 for number in range(400)}),
    ],
)
def test_what_could_be_phi_is_refused_without_being_repeated(
    tenant: UUID, actor: Actor, field: str, value: object
) -> None:
    with pytest.raises(ValueError) as refusal:
        audit.record_many([an_entry(actor, **{field: value})])
    assert "Ana" not in str(refusal.value)
    assert "example.org" not in str(refusal.value)


def test_an_act_of_another_organization_is_not_recorded_here(tenant: UUID) -> None:
    with pytest.raises(CrossTenant):
        audit.record_many([an_entry(system(new_id(), "test"))])


def test_without_an_organization_nothing_is_recorded_or_shown(database: object) -> None:
    with pytest.raises(NoTenant):
        audit.record_many([an_entry(system(new_id(), "test"))])
    with pytest.raises(NoTenant):
        audit.entries()
    with pytest.raises(NoTenant):
        audit.integrate()


def test_an_act_that_is_undone_leaves_no_entry(organization: UUID) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        (entry_id,) = audit.record_many([an_entry(actor)])
        transaction.set_rollback(True)
    with acting_for(organization), pytest.raises(NotFound):
        audit.entry(entry_id)


def test_every_entry_gets_one_place_and_every_place_is_proved(tenant: UUID, actor: Actor) -> None:
    ids = fill(actor, 600)
    signed = audit.checkpoint()
    total = signed.size
    assert total >= 600
    places = {audit.entry(entry_id).position for entry_id in ids}
    assert len(places) == 600
    for entry_id in (ids[0], ids[255], ids[256], ids[-1]):
        proof = audit.prove(entry_id)
        assert proof.size == total
        assert audit.verify_path(proof.leaf_hash, proof.position, proof.size, proof.path, proof.root)
        assert proof.checkpoint == signed.note


def test_a_proof_has_its_checkpoint_signed_and_an_unknown_entry_has_none(tenant: UUID, actor: Actor) -> None:
    (entry_id,) = audit.record_many([an_entry(actor)])
    proof = audit.prove(entry_id, FakeClock(AT))
    signed = audit.latest_checkpoint()
    assert signed is not None
    assert (proof.entry_id, proof.checkpoint, signed.at) == (entry_id, signed.note, AT)
    with pytest.raises(NotFound):
        audit.prove(new_id())


def test_a_checkpoint_is_a_note_that_other_tools_can_verify(tenant: UUID, actor: Actor) -> None:
    fill(actor, 3)
    signed = audit.checkpoint(FakeClock(AT))
    assert signed.at == AT
    text, (signature,) = notes.parse(signed.note)
    assert notes.parse_statement(text) == notes.Statement(f"salus/{tenant}", signed.size, signed.root)
    name, key_id, key = audit.verifier_key().split("+", 2)
    assert (name, key_id) == (signature.name, signature.key_id.hex())
    import base64

    Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(signature.signature, text.encode())


def test_a_log_that_did_not_grow_is_not_signed_again(tenant: UUID, actor: Actor) -> None:
    fill(actor, 3)
    first = audit.checkpoint(FakeClock(AT))
    assert audit.checkpoint(FakeClock(AT + timedelta(hours=1))) == first
    fill(actor, 1)
    assert audit.checkpoint().size == first.size + 1
    latest = audit.latest_checkpoint()
    assert latest is not None
    assert latest.size == first.size + 1


def test_a_growing_log_is_signed_every_quarter_of_an_hour(tenant: UUID, actor: Actor) -> None:
    clock, sizes = FakeClock(AT), []
    for minutes in (0, 14, 1, 1, -60):
        clock.advance(timedelta(minutes=minutes))
        fill(actor, 1)
        audit.checkpoint_regularly(clock)
        signed = audit.latest_checkpoint()
        assert signed is not None
        sizes.append(signed.size)
    first = sizes[0]
    assert sizes == [first, first, first + 2, first + 2, first + 4]  # a clock that was set back signs at once


def test_a_sound_log_verifies_and_says_what_still_waits(tenant: UUID, actor: Actor) -> None:
    fill(actor, 300)
    signed = audit.checkpoint()
    audit.record_many([an_entry(actor)])
    verdict = audit.verify(signed.note)
    assert (verdict.verified, verdict.faults) == (True, ())
    assert (verdict.entries, verdict.pending, verdict.root) == (signed.size, 1, signed.root.hex())
    assert verdict.checkpoints == 2  # the stored and the given
    assert any("1 entries wait" in remark for remark in verdict.remarks)


def test_a_log_that_was_never_sequenced_verifies_and_says_that_nothing_is_signed(tenant: UUID) -> None:
    assert audit.latest_checkpoint() is None
    verdict = audit.verify()
    assert (verdict.verified, verdict.entries, verdict.pending) == (True, 0, 1)
    assert any("No checkpoint" in remark for remark in verdict.remarks)
    assert audit.checkpoint().size == 0


def test_a_given_checkpoint_of_another_log_is_bad_input(organization: UUID, other_organization: UUID) -> None:
    with acting_for(other_organization):
        audit.integrate()
        theirs = audit.checkpoint().note
    with acting_for(organization):
        for text in (theirs, "", "no note at all"):
            with pytest.raises(BadInput):
                audit.verify(text)
    assert audit.checkpoint_origins(theirs) == ((f"salus/{other_organization}", theirs),)


def test_a_batch_of_receipts_is_one_entry_and_each_receipt_has_two_short_paths(
    tenant: UUID, actor: Actor
) -> None:
    receipts = [audit.leaf_hash(f"receipt {number}".encode()) for number in range(200)]
    root = audit.merkle_root(receipts)
    entry_id = audit.record_receipts(root, len(receipts), actor=actor)
    audit.integrate()
    audit.checkpoint()
    found = audit.entry(entry_id)
    assert found.details == {"root": root.hex(), "count": 200}
    path = audit.merkle_path(receipts, 77)
    assert audit.verify_path(receipts[77], 77, 200, path, root)
    assert audit.prove(entry_id).position == found.position
    with pytest.raises(ValueError):
        audit.record_receipts(b"short", 1, actor=actor)


def test_entries_are_shown_newest_first_page_by_page_and_by_what_is_asked(tenant: UUID, actor: Actor) -> None:
    patient = new_id()
    ids = audit.record_many(
        [an_entry(actor, patient_id=patient if number % 2 else None) for number in range(10)], at=AT
    )
    audit.record(Action.AUDIT_LOG_READ, actor=actor, object_kind="log", outcome="refused", at=AT)
    mine = Filters(action="contacts:")
    first = audit.entries(mine, limit=4)
    second = audit.entries(mine, after=first[-1].id, limit=100)
    assert [entry.id for entry in (*first, *second)] == ids[::-1]
    assert len(audit.entries(Filters(patient_id=patient))) == 5
    assert [entry.action for entry in audit.entries(Filters(outcome="refused"))] == ["audit:log:read"]
    assert audit.entries(Filters(since=AT, until=AT + timedelta(seconds=1)), limit=50)[0].at == AT
    assert audit.entries(Filters(until=AT)) == []
    assert audit.entries(Filters(object_id=new_id())) == []
    assert len(audit.entries(Filters(actor_id=new_id()))) == 0


def test_an_organization_sees_and_proves_nothing_of_another(
    organization: UUID, other_organization: UUID
) -> None:
    with acting_for(other_organization):
        theirs = fill(system(other_organization, "test"), 3)
        audit.checkpoint()
    with acting_for(organization):
        assert {entry.id for entry in audit.entries(limit=1000)}.isdisjoint(theirs)
        for entry_id in theirs:
            with pytest.raises(NotFound):
                audit.entry(entry_id)
            with pytest.raises(NotFound):
                audit.prove(entry_id)


def test_checkpoints_are_copied_out_of_the_database_when_they_are_committed(
    organization: UUID, tmp_path: Path, witness_folder: Path
) -> None:
    file = witness_folder / f"{organization}.checkpoints"
    with acting_for(organization):
        fill(system(organization, "test"), 3)
        first = audit.checkpoint()
        assert not file.exists()
    assert file.read_text() == first.note
    assert file.stat().st_mode & 0o777 == 0o600
    with acting_for(organization):
        assert (witness_folder / f"{organization}.vkey").read_text().strip() == audit.verifier_key()
        fill(system(organization, "test"), 3)
        second = audit.checkpoint()
    assert notes.split(file.read_text()) == [first.note, second.note]
    with acting_for(organization):
        fill(system(organization, "test"), 3)
        audit.checkpoint()
        transaction.set_rollback(True)
    assert notes.split(file.read_text()) == [first.note, second.note]


def test_a_witness_folder_that_cannot_be_written_loses_no_checkpoint(
    organization: UUID, witness_folder: Path
) -> None:
    witness_folder.write_text("a file where the folder should be")

    def sign() -> None:
        with acting_for(organization):
            fill(system(organization, "test"), 3)
            audit.checkpoint()

    with pytest.raises(Unavailable, match="witness folder"):
        sign()
    witness_folder.unlink()
    sign()
    with acting_for(organization):
        assert audit.verify().verified


@pytest.mark.parametrize("lines", [0.5, 1, 2, 3, 3.5, 4, 4.5])
def test_a_torn_note_in_the_witness_file_is_remarked_and_the_rest_still_counts(
    organization: UUID, witness_folder: Path, lines: float
) -> None:
    file = witness_folder / f"{organization}.checkpoints"
    with acting_for(organization):
        fill(system(organization, "test"), 3)
        first = audit.checkpoint()
    whole, half = first.note.splitlines(keepends=True)[: int(lines)], first.note.splitlines()[int(lines)][:9]
    file.write_text(first.note + "".join(whole) + (half if lines % 1 else ""))
    with acting_for(organization):
        fill(system(organization, "test"), 3)
        second = audit.checkpoint()
    assert second.note in file.read_text()
    with acting_for(organization):
        verdict = audit.verify()
    assert verdict.verified
    assert any("torn" in remark for remark in verdict.remarks)
    assert verdict.checkpoints == 4


def test_the_exported_tiles_verify_without_our_database(tenant: UUID, actor: Actor, tmp_path: Path) -> None:
    ids = fill(actor, 700)
    before = audit.checkpoint()
    audit.record_many([an_entry(actor)])
    signed = audit.export_tiles(tmp_path, FakeClock(AT))
    assert (signed.size, signed.at) == (before.size + 1, AT)  # what was not signed yet is signed for it
    # What any tlog-tiles tool does: read the bundles, hash the entries, rebuild the tree.
    entries: list[bytes] = []
    for path in sorted(
        (tmp_path / "tile/entries").rglob("*"), key=lambda found: found.relative_to(tmp_path).parts
    ):
        if path.is_file():
            content = path.read_bytes()
            while content:
                length = int.from_bytes(content[:2], "big")
                entries.append(content[2 : 2 + length])
                content = content[2 + length :]
    assert len(entries) == signed.size
    leaves = [audit.leaf_hash(entry) for entry in entries]
    assert Tree(leaves).root() == signed.root
    assert (tmp_path / "tile/0/000").read_bytes() == b"".join(leaves[:256])
    assert (tmp_path / f"tile/0/002.p/{signed.size - 512}").read_bytes() == b"".join(leaves[512:])
    assert (tmp_path / "tile/1/000.p/2").stat().st_size == 64
    assert (tmp_path / "checkpoint").read_text() == signed.note
    assert any(str(ids[0]).encode() in entry for entry in entries)
    proof = audit.prove(ids[9])
    assert verify_inclusion(leaves[proof.position], proof.position, proof.size, proof.path, proof.root)
