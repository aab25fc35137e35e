"""The set-up of a real installation: questions, answers that are kept, and steps that call the packages' doors.

Owns: which questions lead to a clinic that can send, the page of the first run, the facts for the posture.
Never: decides what is lawful or good enough (`privacy.posture_rules` does), or keeps a secret.
Read first: `questions.py`, then `steps.py`.
"""
