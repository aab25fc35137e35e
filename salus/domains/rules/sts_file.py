"""How a policy file of MTA-STS that was fetched answers the one that is wanted, and the mail hosts that DNS names."""

from __future__ import annotations

from collections.abc import Sequence

from salus.domains.contracts import SeenRecord, Wanted
from salus.domains.rules.records import missing, there, wrong

DAY = 86_400
_WORDS = {
    "no_policy": "What is served there is no policy.",
    "not_text": "It is not served as text/plain.",
    "timeout": "The web server did not answer in time.",
    "no_such_host": "The name has no address.",
    "unreachable": "The web server cannot be reached.",
    "certificate_expired": "The web server's certificate expired.",
    "certificate_wrong_name": "The web server's certificate is for another name.",
    "certificate_untrusted": "The web server's certificate is from nobody that others trust.",
    "private_address": "The name leads into a private network.",
}
SERVE = "Let the name lead to Salus' web server, or serve the file as it stands here."


def judge(
    record: Wanted, mode: str, max_age: int, hosts: Sequence[str], reason: str, mail_hosts: Sequence[str]
) -> SeenRecord:
    """Return how the file answers; `reason` is why there is none, `mail_hosts` are those of the MX records."""
    if reason in ("no_such_host", "status_404"):
        return missing(record)
    if reason:
        said = _WORDS.get(
            reason, f"The web server answers {reason.removeprefix('status_')}, which is no file."
        )
        return wrong(record, said, mend=SERVE)
    found = (f"mode: {mode}", *(f"mx: {each}" for each in hosts), f"max_age: {max_age}")
    lost = [each for each in mail_hosts if not any(covers(pattern, each) for pattern in hosts)]
    if mode != "none" and lost:
        return wrong(
            record,
            f"It leaves out {', '.join(lost)}, so mail from those who hold to it would not come.",
            found,
            SERVE,
        )
    if mode != "enforce":
        testing = "mode: testing" in record.value
        mend = (
            "Give salus inbound a certificate that others trust; then publish mode: enforce."
            if testing
            else SERVE
        )
        return there(record, f"It only watches (mode: {mode}).", found, mend)
    if max_age < DAY:
        return there(
            record, "It is forgotten within a day: who blocks DNS for so long outlasts it.", found, SERVE
        )
    return there(record, found=found)


def covers(pattern: str, host: str) -> bool:
    """Tell whether a pattern of a policy covers a mail host: "*." stands for one label (RFC 8461, 4.1)."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern
