"""The evidence for one entry: it proves itself, and every change to it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Evidence
from salus.kernel.acting import Actor, system
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.audit.test_log import an_entry, fill


@pytest.fixture
def evidence(actor: Actor) -> Evidence:
    ids = fill(actor, 7)
    audit.checkpoint()
    found = audit.evidence_for(ids[4])
    assert found
    return found


def test_the_evidence_of_an_entry_holds(evidence: Evidence) -> None:
    assert audit.faults(evidence) == ()
    assert audit.leaf_hash(evidence.encoded) == evidence.proof.leaf_hash
    assert evidence.verifier_key == audit.verifier_key()


def test_every_change_to_the_evidence_shows(evidence: Evidence) -> None:
    proof = evidence.proof
    changed = (
        replace(evidence, encoded=evidence.encoded.replace(b"contacts:record:read", b"contacts:record:x")),
        replace(evidence, proof=replace(proof, position=3)),
        replace(evidence, proof=replace(proof, path=proof.path[:-1])),
        replace(evidence, proof=replace(proof, path=(b"short", *proof.path[1:]))),
        replace(evidence, proof=replace(proof, root=bytes(32))),
        replace(
            evidence,
            proof=replace(proof, checkpoint=proof.checkpoint.replace(f"\n{proof.size}\n", "\n999\n")),
        ),
        replace(evidence, proof=replace(proof, checkpoint="no note")),
        replace(evidence, proof=replace(proof, leaf_hash=bytes(32))),
    )
    assert all(audit.faults(each) for each in changed)


def test_what_no_checkpoint_covers_is_signed_as_soon_as_somebody_wants_it_proven(actor: Actor) -> None:
    first = audit.record_many([an_entry(actor)])[0]
    assert audit.latest_checkpoint() is None
    found = audit.evidence_for(first)  # it even waited for its place
    assert found
    assert audit.faults(found) == ()
    signed = audit.latest_checkpoint()
    later = audit.record_many([an_entry(actor)])[0]
    assert audit.evidence_for(first) == found  # a checkpoint covers it: nothing is signed again
    assert audit.latest_checkpoint() == signed
    found = audit.evidence_for(later)
    assert found
    assert audit.faults(found) == ()
    assert audit.verify().checkpoints == 2


def test_a_log_that_does_not_continue_itself_proves_only_what_was_signed_before(
    organization: UUID, behind_our_back: Callable[..., None]
) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        early = fill(actor, 1)[0]
        assert audit.evidence_for(early)
    with acting_for(organization):
        late = fill(actor, 1)[0]
    behind_our_back("UPDATE audit_log SET edge = set_byte(edge, 0, get_byte(edge, 0) # 1)")
    with acting_for(organization):
        assert audit.evidence_for(late) is None
        with pytest.raises(Conflict, match="not under a signed checkpoint"):
            audit.prove(late)
        assert audit.evidence_for(early)
        assert not audit.verify().verified


def test_an_unknown_entry_has_none(tenant: UUID) -> None:
    with pytest.raises(NotFound):
        audit.evidence_for(new_id())


def test_how_far_the_sequencer_is_behind_is_told(tenant: UUID, actor: Actor) -> None:

    audit.integrate()
    assert (audit.waiting().count, audit.waiting().since) == (0, None)
    audit.record_many([an_entry(actor), an_entry(actor)])
    waiting = audit.waiting()
    assert waiting.count == 2
    assert waiting.since is not None
    assert abs(datetime.now(UTC) - waiting.since) < timedelta(minutes=1)
