"""A door that needs no installation: judges evidence by public keys alone, without Django, database or keys of ours."""

from __future__ import annotations

from collections.abc import Callable

from salus.audit import notes
from salus.audit.contracts import Evidence, InclusionProof
from salus.audit.merkle import HASH, verify_inclusion
from salus.audit.rules import leaf_hash
from salus.kernel.errors import BadInput

__all__ = ["Signed", "faults", "leaf_hash", "public_keys", "verify_inclusion"]

Signed = Callable[[bytes, bytes], bool]
"""Tells whether a signature (first) over a text (second) is by a key of the log."""


def public_keys(text: str) -> tuple[str, tuple[bytes, ...]]:
    """Return the name of a log and its raw Ed25519 keys out of verifier keys, one a line (`salus audit key`).

    Raises `BadInput` when there is none, one is malformed, or they are of several logs.
    """
    found = [notes.parse_verifier_key(line) for line in text.split()]
    names = {name for name, _ in found}
    if len(names) != 1:
        raise BadInput("The file must hold the public keys of one log.", place="key")
    return names.pop(), tuple(key for _, key in found)


def faults(evidence: Evidence, name: str, signed: Signed) -> tuple[str, ...]:
    """Return what does not hold, in plain words; none: the entry is in the log `name`, unchanged."""
    proof = evidence.proof
    leaf = leaf_hash(evidence.encoded)
    found = []
    if leaf != proof.leaf_hash:
        found.append("the entry's content does not have the hash that was put into the log")
    if not _is_whole(proof) or not verify_inclusion(leaf, proof.position, proof.size, proof.path, proof.root):
        found.append("the path does not lead from the entry to the signed root")
    found += _faults_of_note(proof, name, signed)
    return tuple(found)


def _is_whole(proof: InclusionProof) -> bool:
    return all(len(each) == HASH for each in (*proof.path, proof.root))


def _faults_of_note(proof: InclusionProof, name: str, signed: Signed) -> list[str]:
    try:
        text, signatures = notes.parse(proof.checkpoint)
        stated = notes.parse_statement(text)
    except BadInput as refusal:
        return [f"the checkpoint does not read: {refusal.what}"]
    by_us = any(each.name == name and signed(each.signature, text.encode()) for each in signatures)
    if stated.origin != name or not by_us:
        return ["the checkpoint is not signed by this log's key"]
    if (stated.size, stated.root) != (proof.size, proof.root):
        return ["the checkpoint states another size or root"]
    return []
