"""Content: what messages say, checked before anyone may send it.

Owns: templates and their immutable versions, rendering, PHI analysis, classification and review.
Never: sends, decides who may receive, or lets a value of a patient into a subject or an address.
Enter by: `api`, `contracts`.
Read first: `reading.py` (what a template discloses), then `compiling.py`.
"""
