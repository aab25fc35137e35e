"""The written forms of sealed mail: CMS, OpenPGP, protected headers; bytes in, bytes out.

Owns: every use of cryptography for message bodies (S/MIME, OpenPGP) and what is read from recipients' keys.
Never: touches the database, the network or a clock of its own.
Enter by: `smime`, `openpgp`, `certificates`, `headers`, `wkd`.
Read first: `headers.py`.
"""
