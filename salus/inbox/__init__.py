"""The inbox: what staff are asked to do, by role, until it is done or its time is over.

Owns: tasks, who took them, how they ended and the note about it; conversations with patients in the portal.
Never: decides what a task leads to (journeys follow how it ended).
Enter by: `api`, `contracts`.
Read first: `rules.py`.
"""
