"""Pure decisions: which rules hold for a message, what is strictest, what a subject is marked with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from salus.kernel.vocabulary import Protection
from salus.safeguards.contracts import MARKS, About, Asked, By, Mark, Policy, Rule

_MARK = re.compile(r"\s*\[(secure|encrypt|portal)\]\s*", re.IGNORECASE)

WISHES = (Protection.VERIFIED, Protection.KEY, Protection.PORTAL)
"""What a patient may ask for; less than what the law asks for cannot be wished."""


def mark_of(subject: str) -> Mark | None:
    """Return the strictest mark at the start of a subject, None when there is none."""
    marks = []
    while found := _MARK.match(subject):
        marks.append(Mark(found[1].lower()))
        subject = subject[found.end() :]
    return max(marks, key=MARKS.__getitem__, default=None)


def unmarked(subject: str) -> str:
    """Return a subject as it is sent: without the marks at its start."""
    while found := _MARK.match(subject):
        subject = subject[found.end() :]
    return subject


def asked(policy: Policy, about: About, wish: Protection | None) -> tuple[Asked, ...]:
    """Return everybody who asks for protection of a message: its mark, the policy's rules, the person."""
    found = [Asked(By.POLICY, rule.name, rule.protect) for rule in policy.rules if holds(rule, about)]
    if about.mark:
        found.insert(0, Asked(By.MARK, about.mark.value, MARKS[about.mark]))
    if wish:
        found.append(Asked(By.PERSON, "", wish))
    return tuple(found)


def strictest(floor: Protection, requests: Iterable[Asked]) -> Protection:
    """Return what the message needs at least: nobody can lower what somebody else asks for."""
    return max((floor, *(each.level for each in requests)))


def holds(rule: Rule, about: About) -> bool:
    """Return whether all conditions of a rule hold for a message."""
    return (
        (not rule.purposes or about.purpose in rule.purposes)
        and (not rule.topics or about.topic in rule.topics)
        and (not rule.classes or not rule.classes.isdisjoint(about.classes))
        and (not rule.marks or about.mark in rule.marks)
        and (not rule.domains or _within(about.domain, rule.domains))
    )


def _within(domain: str, names: frozenset[str]) -> bool:
    """Return whether a domain is one of the names, or below one that begins with a star."""
    if domain in names:
        return True
    labels = domain.split(".")
    return any("*." + ".".join(labels[start:]) in names for start in range(1, len(labels)))
