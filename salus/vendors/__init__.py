"""Vendors: who works for the organization outside, under which agreement, and what each may be told.

Owns: vendors, their agreements (BAA), services and the classes of PHI that each may carry, signing secrets.
Never: speaks to a vendor (delivery does), decides who may be written to (gate).
Enter by: `api`, `contracts`.
Read first: `rules.py`.
"""
