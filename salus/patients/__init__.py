"""Patients: how a patient proves who they are, and their session.

Owns: sign-in codes, tries and lockout, patient sessions.
Never: tells which of the two facts was wrong; keeps a code in clear; lets a code travel on a path that failed.
Enter by: `api` (invitation, send_code, issue_code, verify, session), `contracts`.
Read first: `rules.py`.
"""
