"""How messages are protected: who a peer must prove to be, and what we sign.

Owns: TLS policies and the facts of a protected connection, certificates, DKIM, the laboratory's authority.
Never: opens a socket; falls back to less than a policy asks.
Enter by: `policy`, `tls`, `dkim`, `certificates`, `authority`.
Read first: `policy.py`.
"""
