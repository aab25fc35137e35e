"""The audience engine: one process that keeps people in encrypted columns and answers about sets of them.

It owns a file an organization under `<home>/audience/<organization>/`. The file is a cache: throw it
away and it is built anew from the feeds of contacts, permissions and timeline.

Read first: `store.py` (the file), `load.py` (documents in), `ask.py` (answers out), `keeper.py` (one
organization's life), `server.py` (the socket).
"""
