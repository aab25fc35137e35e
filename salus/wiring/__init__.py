"""The wiring: decides nothing, connects everything.

Owns: settings, urls, the command line, the job registry, who listens to which event, which adapter is used.
Never: a rule.
Enter by: the command `salus`.
Read first: `cli/__init__.py`.
"""
