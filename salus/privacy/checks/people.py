"""The checks of who can get in, how, and who looks after what they did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from salus.privacy.checks.check import ENDS_SOON, Check, Look
from salus.privacy.posture import Facts, Ready, Severity

REVIEW_OLD = timedelta(days=45)
"""A month is reviewed within two weeks of its end; "regularly" is the law's word."""
_INVITE = (
    "Add one under Staff, and let them follow their invitation, which works once, for three days. To send it again: "
    "Staff, or salus staff invite --organization SHORT-NAME --email ADDRESS."
)


def _officer(role: str, of: Callable[[Facts], Ready]) -> Look:
    def look(facts: Facts) -> str | None:
        ready = of(facts)
        if ready.count:
            return None
        if ready.invited:
            return f"No {role} can sign in yet: {_invitations(ready.invited)}."
        return f"No {role} can sign in: there is none, or none has set up a second factor."

    return look


def _administrators(facts: Facts) -> str | None:
    ready = facts.office.administrators
    if ready.count >= 2:
        return None
    who = "Only one administrator" if ready.count else "No administrator"
    waits = f"; {_invitations(ready.invited)}" if ready.invited else ""
    return f"{who} can sign in: when they cannot, nobody lets others in{waits}."


def _invitations(count: int) -> str:
    return "an invitation waits to be followed" if count == 1 else f"{count} invitations wait to be followed"


def _second_factor(facts: Facts) -> str | None:
    count = facts.office.stranded
    people = "1 person has" if count == 1 else f"{count} people have"
    return (
        f"{people} access, but neither a second factor nor an invitation that is still good."
        if count
        else None
    )


def _endless_keys(facts: Facts) -> str | None:
    count = facts.office.endless_keys
    return f"{count} API {'key has' if count == 1 else 'keys have'} no end within a year." if count else None


def _sign_on_certificate(facts: Facts) -> str | None:
    end = facts.ways_in.certificates_end
    if end is None or end - facts.at > ENDS_SOON:
        return None
    if end <= facts.at:
        return f"The certificate of an identity provider ended on {end:%Y-%m-%d}: nobody comes in by it."
    return f"The certificate of an identity provider ends on {end:%Y-%m-%d}; nobody comes in by it then."


def _sign_on(facts: Facts) -> str | None:
    failing = facts.ways_in.failing
    if not failing:
        return None
    said = "; ".join(f"{word} ({number})" for word, number in sorted(failing.items()))
    return f"Nobody comes in by an identity provider: {said}."


def _directory_key(facts: Facts) -> str | None:
    end = facts.ways_in.directory_ends
    if not facts.ways_in.directory or end is None or end - facts.at > ENDS_SOON:
        return None
    if end <= facts.at:
        return "The key of the staff directory (SCIM) has ended: who leaves there keeps their access here."
    return f"The key of the staff directory (SCIM) ends on {end:%Y-%m-%d}; who leaves there keeps their access here then."


def _directory_silent(facts: Facts) -> str | None:
    count = facts.ways_in.directories_silent
    if not count:
        return None
    return f"{count} {'key' if count == 1 else 'keys'} of staff directories (SCIM) were not used for a month."


def _access_review(facts: Facts) -> str | None:
    examined = facts.ways_in.examined
    if examined is None or facts.at - examined <= REVIEW_OLD:
        return None
    return f"For {(facts.at - examined).days} days nobody has signed for examining who signed in and who looked at whom."


def _emergencies(facts: Facts) -> str | None:
    count = facts.ways_in.emergencies_overdue
    if not count:
        return None
    return f"{count} emergency {'access waits' if count == 1 else 'accesses wait'} for a review for more than a week."


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

CHECKS = (
    Check(
        "privacy-officer", "There is a privacy officer", _H, "45 CFR 164.530(a)(1)(i)",
        _INVITE, _officer("privacy officer", lambda facts: facts.office.privacy_officers),
    ),
    Check(
        "security-officer", "There is a security officer", _H, "45 CFR 164.308(a)(2)",
        _INVITE, _officer("security officer", lambda facts: facts.office.security_officers),
    ),
    Check(
        "administrators", "More than one person can let others in", _L, "45 CFR 164.308(a)(7)(ii)(C)",
        "Add a second administrator under Staff, and let them follow their invitation.", _administrators,
    ),
    Check(
        "second-factor", "Everybody with access has a second factor", _L, "45 CFR 164.312(d)",
        "Send them a new invitation under Staff, or take their access away.", _second_factor,
    ),
    Check(
        "api-keys", "Keys for programs end within a year", _M, "45 CFR 164.308(a)(4)(ii)(C)",
        "Revoke them under API keys and make new ones with an end.", _endless_keys,
    ),
    Check(
        "sign-on", "People come in by the identity providers", _M, "45 CFR 164.308(a)(7)(ii)(C), 164.312(d)",
        "Look at the provider under Sign-on; the log says of each refusal why. Passwords of staff go on working.", _sign_on,
    ),
    Check(
        "sign-on-certificate", "No certificate of an identity provider ends within 30 days", _M, "45 CFR 164.312(d)",
        "Give the provider's new metadata under Sign-on; both certificates hold meanwhile.", _sign_on_certificate,
    ),
    Check(
        "directory-key", "The key of the staff directory holds", _H, "45 CFR 164.308(a)(3)(ii)(C)",
        "Make a new key for it under API keys; until then take access away by hand under Staff.", _directory_key,
    ),
    Check(
        "directory-silent", "The staff directory is heard", _M, "45 CFR 164.308(a)(3)(ii)(C)",
        "Look at the directory's own log, or revoke the key under API keys.", _directory_silent,
    ),
    Check(
        "access-review", "Records of access are examined every month", _M, "45 CFR 164.308(a)(1)(ii)(D)",
        "Open Access review, look at what stands out, and sign for it.", _access_review,
    ),
    Check(
        "emergency-review", "Emergency access is reviewed within a week", _M, "45 CFR 164.308(a)(1)(ii)(D), 164.312(a)(2)(ii)",
        "Open Emergency reviews and say of each what you found.", _emergencies,
    ),
)  # fmt: skip
