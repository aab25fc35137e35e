"""The one mouth: opens the sockets of mail and of calls, and writes only on a connection that is protected enough.

Owns: the SMTP client, mail routes, the pool of connections; the client of signed webhooks.
Never: writes MAIL FROM in clear; decides who may get a message; knows a database.
Enter by: `courier` (send), `handover` (what goes in and comes out), `settings`, `routes`, `laboratory`; `webhook`.
Read first: `handover.py`, then `session.py`.
"""
