"""Reports: what happened, did it work, and is the record of it sound.

Owns: the report of a campaign and its exports, the home page, the pages of the audit log, regular verification.
Never: changes what it reports on; counts one by one what can be counted in one statement.
Enter by: `api`, `contracts`.
Read first: `contracts.py`, `rules.py`.
"""
