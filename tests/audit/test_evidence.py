"""The evidence for one entry: it proves itself, and every change to it shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Evidence
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
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


def test_an_entry_without_a_checkpoint_over_it_has_no_evidence_yet(actor: Actor) -> None:
    ids = fill(actor, 1)
    assert audit.evidence_for(ids[0]) is None
    audit.checkpoint()
    late = audit.record_many([an_entry(actor)])[0]
    assert audit.evidence_for(late) is None
    assert audit.evidence_for(ids[0]) is not None


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
