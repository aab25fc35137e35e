"""Two records of one person: found, compared, made one, and taken apart again.

Owns: which pairs were told apart, what each merge moved and why, and the order in which packages merge.
Never: knows what other packages hold of a person (each has a step of its own, given by wiring).
Enter by: `api`, `contracts`.
Read first: `operations.py`, and `contacts/joining.py` for what a merge is.
"""
