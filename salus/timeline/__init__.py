"""Timeline: what happened to a contact, in an order that a reader can trust.

Owns: clinical, engagement, transactional, web and form events; append-only, sealed.
Never: decides anything; keeps a state of its own beside the events.
Enter by: `api` (append, events_since, of_contact, of_contacts, head), `contracts`.
Read first: `operations.py`.
"""
