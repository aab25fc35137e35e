"""Permissions: what each contact permits and forbids, as an append-only ledger.

Owns: consents, authorizations, revocations, restrictions, opt-outs, suppressions, representatives.
Never: decides whether a message may go (that is `gate`); changes or deletes an entry.
Enter by: `api` (append, standings, versions, changes), `contracts`.
Read first: `rules.py`, the pure fold of entries into a standing.
"""
