"""Contacts: people and what is known of them, sealed.

Owns: the attribute dictionary, the sealed document of each person, blind indexes, the change feed.
Never: shows plaintext without a purpose; decides who may be written to.
Enter by: `api`, `contracts`.
Read first: `contracts.py`, `document.py`, `operations.py`.
"""
