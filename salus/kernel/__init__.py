"""The kernel: words that every storey shares.

Owns: ids, time, `Phi`, errors, the closed vocabularies.
Never: I/O, Django, third-party code.
Enter by: `errors`, `ids`, `phi`, `time`, `vocabulary`, `acting`.
Read first: `phi.py`.
"""
