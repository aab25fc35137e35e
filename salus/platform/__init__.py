"""The platform: Django plumbing with safe defaults.

Owns: tenancy, jobs, feeds, bulk loading, the supervisor and embedded PostgreSQL, redacting logs, the web shell.
Never: a word about patients, messages or law.
Enter by: any module here (the package is open).
Read first: `tenancy.py`.
"""
