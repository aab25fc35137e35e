"""The gate: may this message go to this person now, under which rule, protected how.

Owns: the rules of law as typed data, the facts they read, decisions and clearances, their explanation.
Never: a stored row, a socket, a clock of its own, a guess about a fact that is missing.
Enter by: `api`, `contracts`.
Read first: `rules/rule.py`, `rules/care_rows.py`, then `rules/program.py`.
"""
