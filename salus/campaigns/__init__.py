"""Campaigns: one message, many people.

Owns: the campaign from draft to done, its plan, its approval by another person, its launch.
Never: who may receive it (gate), what it says (content), how it travels (delivery).
Enter by: `api`, `contracts`.
Read first: `rules.py`.
"""
