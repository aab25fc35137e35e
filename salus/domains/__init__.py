"""The domains that mail comes from.

Owns: what to publish for a sending domain and how what DNS says of it is judged; reports about TLS that we send and reports that others send us.
Never: publishes anything itself, tells anybody of a domain to which few people's mail goes, or believes what a report says.
Enter by: `api`, `contracts`.
Read first: `contracts.py`, `rules/wanted.py`, then `looking.py`.
"""
