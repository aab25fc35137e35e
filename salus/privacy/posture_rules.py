"""Judges the posture by its checks, which are in `checks` by subject. Pure.

Law in force: the Security Rule (45 CFR Part 164 Subpart C) and the Privacy Rule's administrative
requirements. Checks marked `proposed` come from the proposed Security Rule of 6 January 2025 (90 FR 898), which
is proposed, not law; they are a stricter set that can be left out.
"""

from __future__ import annotations

from salus.privacy.checks import backups, log, machine, mail, names, people, scanner
from salus.privacy.posture import Facts, Finding, Passed, Report, Ruleset

CHECKS = (
    *machine.CHECKS,
    *people.CHECKS,
    *log.CHECKS,
    *mail.CHECKS,
    *names.CHECKS,
    *scanner.CHECKS,
    *backups.CHECKS,
)
"""In the order of a page, what was proposed last. What has no fact (backups that nobody looks after yet) is not checked."""


def judge(facts: Facts, ruleset: Ruleset) -> Report:
    """Return what `ruleset` finds in the facts, the worst first, and what it finds in order.

    What the law finds already is not found again in the same words by what was only proposed.
    """
    asked = [each for each in CHECKS if ruleset is Ruleset.PROPOSED or not each.proposed]
    found: list[Finding] = []
    passed: list[Passed] = []
    for check in asked:
        what = check.look(facts)
        if what is None:
            passed.append(Passed(check.name, check.title, check.citation, check.proposed))
        elif not check.proposed or all(what != each.what for each in found):
            found.append(
                Finding(check.name, check.severity, what, check.mend, check.citation, check.proposed)
            )
    found.sort(key=lambda each: (each.severity.rank, each.proposed))
    return Report(facts.at, tuple(found), tuple(passed))
