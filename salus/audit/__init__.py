"""The transparency log: what happened, in an order that nobody can rewrite unseen.

Owns: entries, their order (RFC 6962 Merkle tree), tiles, signed checkpoints, proofs, verification.
Never: PHI (ids, field names and counts only); an update or a delete of an entry; a key of its own.
Enter by: `api`, `contracts`.
Read first: `merkle.py`, then `sequencer.py`.
"""
