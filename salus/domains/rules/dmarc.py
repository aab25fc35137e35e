"""DMARC as RFC 9989 has it: the walk up the tree, which record counts, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Tags = dict[str, str]
MOST = 8
"""Queries that one walk may take (4.10)."""
POLICIES = ("none", "quarantine", "reject")
GONE = ("pct", "rf", "ri")
"""Tags of RFC 7489 that are no more: receivers read over them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The record that counts for a domain: where it stands, its tags, and what it asks for mail of the domain."""

    domain: str
    tags: Tags
    policy: str
    is_above: bool


def tags_of(text: str) -> Tags:
    """Return a tag list (RFC 6376, 3.2): name to value, without spaces; of a tag that comes twice the last counts."""
    pairs = (each.partition("=") for each in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs if name.strip()}


def records(found: Sequence[str]) -> list[Tags]:
    """Return those of the texts that are DMARC records: v=DMARC1 comes first, in capitals (4.7)."""
    return [tags for each in found if (tags := tags_of(each)).get("v") == "DMARC1" and _begins(each)]


def _begins(text: str) -> bool:
    name, _, value = text.partition(";")[0].partition("=")
    return name.strip() == "v" and value.strip() == "DMARC1"


def walk(domain: str) -> list[str]:
    """Return the domains that are asked, the own one first (4.10): of long names the middle is left out."""
    labels = domain.split(".")
    asked = [domain]
    rest = labels[1:] if len(labels) <= MOST else labels[-(MOST - 1) :]
    while rest:
        asked.append(".".join(rest))
        rest = rest[1:]
    return asked


def discover(domain: str, texts: Callable[[str], Sequence[str]]) -> Policy | None:
    """Return the record that counts for mail of `domain` (4.10.1); `texts` are those at `_dmarc.` below a domain.

    Its own, else that of its organizational domain, else one of a public suffix that says so. Several at one
    place count as none.
    """
    met: list[tuple[str, Tags]] = []
    for each in walk(domain):
        found = records(texts(each))
        if len(found) != 1:
            continue
        tags = found[0]
        if each == domain:
            return Policy(domain, tags, _asked(tags, "p"), is_above=False)
        met.append((each, tags))
        if tags.get("psd", "").lower() in ("y", "n"):
            break
    if not met:
        return None
    place, tags = met[-1]
    if tags.get("psd", "").lower() == "y" and len(met) > 1:
        below = place.count(".") + 2
        place, tags = next(((one, its) for one, its in met if one.count(".") + 1 == below), met[-1])
    return Policy(place, tags, _asked(tags, "sp") or _asked(tags, "p"), is_above=True)


def _asked(tags: Tags, name: str) -> str:
    """Return a policy; without one, or with one that is none of them, a record that wants reports only watches (4.7)."""
    value = tags.get(name, "").lower()
    if value in POLICIES:
        return value
    return "none" if name == "p" and tags.get("rua") else ""


def effective(policy: Policy) -> str:
    """Return what receivers do: in test mode one step less than what is asked (4.7, t)."""
    if policy.tags.get("t", "").lower() == "y" and policy.policy:
        return POLICIES[max(0, POLICIES.index(policy.policy) - 1)]
    return policy.policy


def report_domains(policy: Policy) -> list[str]:
    """Return the domains that its reports go to by mail, without the size that may follow (RFC 9990)."""
    found = []
    for each in policy.tags.get("rua", "").split(","):
        scheme, _, rest = each.partition(":")
        mailbox = rest.partition("!")[0].partition("?")[0]
        if scheme.lower() == "mailto" and "@" in mailbox:
            found.append(mailbox.rpartition("@")[2].lower())
    return found
