"""Portal: the patient reads, chooses, withdraws, and sees who wrote to them and why.

Owns: the patients' pages, their words in English and Spanish.
Never: shows anything to somebody who has not proved who they are, but what the link's bearer holds already;
changes anything on a GET.
Enter by: `api`, and the pages under `web`.
Read first: `words.py`, then `web/gates.py`.
"""
