"""Safeguards: how much protection an organization and its patients ask for, beyond what the law asks.

Owns: the organization's protection policy as data, the wishes of single patients, the marks in subjects.
Never: asks for less than the gate did; knows how a protection is reached (delivery does).
Enter by: `api`, `contracts`.
Read first: `rules.py`, `reading.py`.
"""
