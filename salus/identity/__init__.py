"""Identity: who acts, for which organization, and may they.

Owns: organizations, staff, roles and permissions, sign-in with a second factor, sessions, API keys, lockout.
Never: patients (that is `patients`); what an act means (each package decides on its own objects).
Enter by: `api`, `contracts`.
Read first: `rules.py` (the table of roles), then `sign_in.py`.
"""
