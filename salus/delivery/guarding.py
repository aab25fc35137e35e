"""What the organization's policy, a mark in the subject and the person's wish add to what the law asks of a message's way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salus.delivery.contracts import MessageSpec
from salus.gate.contracts import Decision
from salus.kernel.vocabulary import Channel, Protection
from salus.safeguards import api as safeguards
from salus.safeguards.contracts import About, Asked, By, Policy

PROTECTION = "protection"
"""Under this key a row's sealed decision keeps what was asked, and by whom."""


class Guard:
    """What is the same for every person of a sending; `subjects` by language."""

    def __init__(self, spec: MessageSpec, subjects: Mapping[str, str], policy: Policy) -> None:
        self._spec, self._policy = spec, policy
        self._marks = {language: safeguards.mark_of(subject) for language, subject in subjects.items()}

    def floor(
        self, decision: Decision, domain: str, language: str, wish: Protection | None
    ) -> tuple[Protection, dict[str, Any]]:
        """Return the least protection of one message, and what to keep of why: the strictest wins."""
        about = About(
            self._spec.facts.purpose,
            self._spec.facts.topic,
            frozenset(decision.disclosed),
            domain,
            self._marks.get(language),
        )
        asked = safeguards.asked(self._policy, about, wish)
        floor = safeguards.strictest(decision.floor, asked)
        if (
            self._spec.facts.channel is Channel.PORTAL
        ):  # it is written to the portal, and does not try the mail
            floor = Protection.PORTAL
        kept = {
            "law": int(decision.floor),
            "policy": self._policy.number,
            "wish": int(wish or 0),
            "asked": [[each.by, each.name, int(each.level)] for each in asked],
        }
        return floor, kept


def is_outdated(decision: Mapping[str, Any], policy: int, wish: Protection | None) -> bool:
    """Return whether a message was cleared under another policy or another wish than those of now."""
    kept = decision.get(PROTECTION, {})
    return (kept.get("policy", 0), kept.get("wish", 0)) != (policy, int(wish or 0))


def law_of(decision: Mapping[str, Any]) -> Protection | None:
    """Return what the law alone asked for, None for a message from before this was kept."""
    kept = decision.get(PROTECTION)
    return Protection(kept["law"]) if kept else None


def asked_of(decision: Mapping[str, Any]) -> tuple[Asked, ...]:
    """Return who else asked for protection when the message was cleared."""
    kept = decision.get(PROTECTION, {})
    return tuple(Asked(By(by), name, Protection(level)) for by, name, level in kept.get("asked", ()))
