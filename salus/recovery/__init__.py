"""Backups, restores, and the proof that they work.

Owns: sealed backups in a directory, their retention and holds, restoring to a point in time, the drill and its evidence.
Never: writes what PostgreSQL holds anywhere in clear, takes half a backup for a whole one, or restores over live data before the copy is proven.
Enter by: `api`, `contracts`.
Read first: `contracts.py`, `repository.py`, then `rebuilding.py`.
"""
