"""`salus catch`: a development relay that takes every mail and delivers none, and an inbox to read it in.

Owns: a small SMTP server with hosts that misbehave on purpose, their certificates, the inbox pages.
Never: sends anything; writes a message to disk (mail holds PHI: it lives in memory, and not for long).
Enter by: `relay`.
Read first: `behaviors.py`.
"""
