"""A door that needs no installation: checks the proof of a message's receipts from the file alone.

A receipt's canonical bytes are a leaf of their batch's tree; the batch's root stands in one entry of
the audit log; that entry is a leaf of the log, whose root a checkpoint signs. `docs/receipts.md` says
how anybody can follow this with other programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson

from salus.audit.contracts import Action, Evidence, InclusionProof
from salus.audit.offline import leaf_hash, verify_inclusion
from salus.kernel.errors import BadInput

FORMAT = "salus/receipt-proof/1"

Judge = Callable[[Evidence], tuple[str, ...]]
"""Says what does not hold of the evidence for an entry of the log; it knows the log's keys."""


def faults(given: Mapping[str, Any], judge: Judge) -> tuple[str, ...]:
    """Return what does not hold of a proof, in plain words; none: every step is in the log, unchanged.

    Raises `BadInput` for something that is no proof.
    """
    if given.get("format") != FORMAT or not isinstance(given.get("steps"), list) or not given["steps"]:
        raise BadInput("This is not a proof of a receipt.", place="format")
    found = []
    for number, step in enumerate(given["steps"], 1):
        try:
            found += [f"step {number}: {what}" for what in _faults_of_step(step, given, judge)]
        except (AttributeError, KeyError, TypeError, ValueError) as broken:
            raise BadInput("A step of the proof cannot be read.", place=f"steps[{number - 1}]") from broken
    return tuple(found)


def _faults_of_step(step: Mapping[str, Any], given: Mapping[str, Any], judge: Judge) -> list[str]:
    receipt, entry = str(step["receipt"]).encode(), str(step["entry"]).encode()
    facts, recorded = orjson.loads(receipt), orjson.loads(entry)
    root = bytes.fromhex(step["batch_root"])
    found = []
    if facts.get("message") != given.get("message"):
        found.append("the receipt is of another message")
    path = [bytes.fromhex(each) for each in step["path"]]
    if not verify_inclusion(leaf_hash(receipt), step["place"], step["count"], path, root):
        found.append("the receipt is not the one that was put into its batch")
    details = recorded.get("details", {})
    if (recorded.get("action"), details.get("root"), details.get("count")) != (
        Action.RECEIPTS_RECORD,
        root.hex(),
        step["count"],
    ):
        found.append("the log's entry does not hold this batch")
    if recorded.get("organization") != given.get("organization"):
        found.append("the log's entry is of another organization")
    evidence = Evidence(entry, _inclusion(step, recorded), str(given.get("verifier_key", "")))
    return found + list(judge(evidence))


def _inclusion(step: Mapping[str, Any], recorded: Mapping[str, Any]) -> InclusionProof:
    return InclusionProof(
        entry_id=UUID(recorded["id"]),
        position=int(step["position"]),
        size=int(step["size"]),
        leaf_hash=bytes.fromhex(step["entry_leaf"]),
        path=tuple(bytes.fromhex(each) for each in step["entry_path"]),
        root=bytes.fromhex(step["root"]),
        checkpoint=str(step["checkpoint"]),
    )
