"""Delivery: from a cleared row to a message that was handed over, or waits in the portal, with proof.

Owns: message rows and their states, the queue, senders, protection, portal deposits, tracking, receipts.
Never: whether a message may go (gate), what it says (content), anything in clear.
Enter by: `api`, `contracts`.
Read first: `rules.py`, then `planning.py`, `sender.py`.
"""
