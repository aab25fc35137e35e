"""Audiences: a small language for sets of people, its encrypted column store, frozen memberships.

Owns: the segment tree and its schema, both evaluators, segments, frozen bitmaps, the engine process.
Never: decides who may be written to; opens a document for anything but its own store.
Enter by: `api`, `contracts`.
Read first: `nodes.py`, `parse.py`, `predicate.py`, `compiler.py`, then `engine/__init__.py`.
"""
