"""Retention: how long the contents of each kind are kept, and whose nothing may go because of a legal hold.

Owns: holds, rules, the round that empties what is due.
Never: knows the tables of others (each package brings a step, and wiring puts them together).
Enter by: `api`, `contracts`.
Read first: `rules.py`.
"""
