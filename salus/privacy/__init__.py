"""The privacy office: is the clinic set up as the law asks, and what is owed to a person about their own record.

Owns: the checks of the posture, their reasons and how each is mended.
Never: looks at machines or tables of others itself (wiring gathers the facts).
Enter by: `api`, `contracts`.
Read first: `posture_rules.py`.
"""
