"""The one mouth: opens mail sockets, and writes a message only on a connection that is protected enough.

Owns: the SMTP client, mail routes, the pool of connections.
Never: writes MAIL FROM in clear; decides who may get a message; knows a database.
Enter by: `courier` (send), `handover` (what goes in and comes out), `settings`, `routes`, `laboratory`.
Read first: `handover.py`, then `session.py`.
"""
