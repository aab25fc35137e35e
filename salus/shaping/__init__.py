"""Shaping: how much mail a destination gets, from which of our addresses, and what its replies change about that.

Owns: limits by destination as data, what a reply sets off (measures) and when that ends, source addresses and their warm-up,
      the slots by which senders keep a rate together.
Never: opens a connection, knows a message or a person (delivery does).
Enter by: `api`, `contracts`.
Read first: `contracts.py`, `data/shaping.toml`, then `rules.py`.
"""
