"""The keyring: seal, open, blind, sign, rotate, destroy.

Owns: every key and the only use of a cryptography library below `delivery`.
Never: a key in clear in the database, a log or another package's hands, save those that `api` gives out.
Enter by: `api`, `contracts`.
Read first: `keyring.py`, then `provider.py`.
"""
