"""Sealed mail: messages that only their reader can open, and the keys that this takes.

Owns: keys of people and of partners' domains, the organization's own signing keys, whom it trusts to vouch,
      S/MIME and OpenPGP (`formats`), look-ups in web key directories.
Never: sends, or decides whether a message may be sent (gate) or how well it must be protected (delivery).
Enter by: `api`, `contracts`.
Read first: `rules.py`, `protecting.py`.
"""
