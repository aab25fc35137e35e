"""Journeys: each contact moves along a versioned, verified graph of steps.

Owns: journeys and their versions, the checks before one goes live, enrolments and visits, simulation.
Never: who may receive a message (gate), how it travels (delivery), what a segment means (audiences).
Enter by: `api`, `contracts`.
Read first: `contracts.py`, then `rules/moving.py`.
"""
