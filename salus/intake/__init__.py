"""Intake: what comes in from other systems, as durable imports.

Owns: imports, saved mappings, the sealed upload, rejects; FHIR and CSV readers; the synthetic clinic.
Never: keeps an upload in plaintext; guesses a column, a code or the source of an address.
Enter by: `api`, `contracts`.
Read first: `contracts.py`, `running.py`, `fhir/__init__.py`.
"""
