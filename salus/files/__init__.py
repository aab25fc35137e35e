"""Files: what is attached to messages, sealed piece by piece, and never whole in memory or in clear on a disk.

Owns: attached files, which kinds are taken, how large they may be, how they are given out.
Never: believes a file's name about its kind; takes active content; knows who may read a file (its owner's
package does).
Enter by: `api`, `contracts`.
Read first: `rules.py`, `data/kinds.json`.
"""
