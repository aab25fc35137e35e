"""The checks of vendors and of the way of the mail."""

from __future__ import annotations

from salus.privacy.checks.check import ENDS_SOON, Check
from salus.privacy.posture import Facts, Severity


def _services(facts: Facts) -> str | None:
    refused = facts.office.refused
    if not refused:
        return None
    count = sum(refused.values())
    said = " ".join(f"{word} ({number})" for word, number in sorted(refused.items()))
    return f"{count} {'service is' if count == 1 else 'services are'} switched on and may not be used: {said}"


def _agreements(facts: Facts) -> str | None:
    end = facts.office.agreements_end
    if end is None or end - facts.at > ENDS_SOON:
        return None
    return f"An agreement with a vendor ends on {end:%Y-%m-%d}; what goes to its services pauses then."


def _mail_signing(facts: Facts) -> str | None:
    end = facts.office.mail_signing_ends
    if end is None or end - facts.at > ENDS_SOON:
        return None
    said = "ended" if end <= facts.at else "ends"
    return f"The certificate that encrypted mail is signed with {said} on {end:%Y-%m-%d}."


def _mail_signing_vouched(facts: Facts) -> str | None:
    if facts.demo or not facts.office.mail_signing_alone:
        return None
    return "Nobody vouches for the certificate that encrypted mail is signed with: it is a laboratory's."


def _mail_goes(facts: Facts) -> str | None:
    paused = facts.office.mail_paused
    return f"Mail is paused. {paused}" if paused else None


def _test_message(facts: Facts) -> str | None:
    proven, chosen = facts.office.proven, facts.office.route_chosen
    if proven is None:
        return "Nobody has seen a test message arrive."
    if chosen is not None and proven < chosen:
        return "Nobody has seen a test message arrive since the way of the mail was changed."
    return None


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

CHECKS = (
    Check(
        "vendors", "Every service in use has its agreement", _H, "45 CFR 164.308(b)(1), 164.314(a), 164.504(e)",
        "The vendor register says of each what is missing; mend that, or switch the service off.", _services,
    ),
    Check(
        "agreements", "No agreement ends within 30 days", _M, "45 CFR 164.308(b)(1)",
        "Record the renewed agreement in the vendor register.", _agreements,
    ),
    Check(
        "mail-signing", "The certificate for signed mail does not end within 30 days", _M, "45 CFR 164.312(c)(1), (e)(2)(i)",
        "Put a new one in place under Mail keys; until then mail is encrypted and not signed.", _mail_signing,
    ),
    Check(
        "mail-signing-vouched", "An authority vouches for the certificate for signed mail", _L, "45 CFR 164.312(d)",
        "Get one of an authority that mail programs know, and put it in place under Mail keys.", _mail_signing_vouched,
    ),
    Check(
        "mail-goes", "Mail goes out", _H, "45 CFR 164.306(a)(1)",
        "Mend the service in the vendor register; mail goes on within a minute.", _mail_goes,
    ),
    Check(
        "test-message", "A test message arrived", _M, "45 CFR 164.308(a)(8)",
        "Run salus setup --test ADDRESS, and give the word that arrives: salus setup --word WORD.", _test_message,
    ),
)  # fmt: skip
