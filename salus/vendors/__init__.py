"""Vendors: who works for the organization outside, under which agreement, and what each may be told.

Owns: vendors, their agreements (BAA) and subcontractors, services with what each may carry and how it is set up,
      the one question on the way to the outside (`outbound`), what is due, who does what, signing secrets.
Never: speaks to a vendor (delivery does), decides who may be written to (gate).
Enter by: `api`, `contracts`.
Read first: `rules.py`.
"""
