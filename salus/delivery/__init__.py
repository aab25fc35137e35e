"""Delivery: from a cleared row to a message that was handed over, or waits in the portal, with proof.

Owns: message rows and their states, the queue, senders, protection, portal deposits, tracking, receipts; calls to
vendors' services.
Never: whether a message may go (gate), which service may carry what (vendors), what it says (content), anything in clear.
Enter by: `api`, `contracts`.
Read first: `rules.py`, then `planning.py`, `sender.py`; of calls `calls.py`, then `calling.py`.
"""
