"""What of a peer's words may be kept: only words on a list, because any other could be a name or an address."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?![\d.])|[A-Za-z]+|[^\sA-Za-z]+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LONGEST_READ = 1000
LONGEST = 160
"""Characters kept of a reply."""

WORDS = frozenset(
    """
    a accept accepted access account action active address after again all allowed an and are as at
    authenticate authenticated authentication authorized bad because been before blacklist blacklisted
    block blocked blocklist body bounce bulk busy but by cannot closing command completed connection
    connections contact content could data deferred delivered delivering delivery denied detected
    disabled dkim dmarc dns does domain due encryption error exceeded exceeds exist expired failed
    failure fatal first for found from full go goodbye greylisted greylisting has have header host id
    if in inactive incorrect insufficient internal invalid ip is it its later limit limited line list
    listed local locked lookup mail mailbox maximum message messages missing moved must name
    negotiate network no not null of ok okay on or order our out over partner peer permanent permitted
    please policy postmaster processed prohibited protocol queue queued quota rate rbl reached
    received recipient recipients refused reject rejected rejecting relay relaying reputation
    requested required reserved resources response reverse route security sender sending sent
    server service session size smtp spam spamhaus spf starttls start state status storage such
    suspended syntax system temporarily temporary that the then this throttled time timeout tls to too
    transaction try unable unauthenticated unavailable unexpected unknown unrecognized unsolicited
    unusual user using valid version virus volume was we while with would you your
    """.split()  # noqa: SIM905
)


def neutral(text: str) -> str:
    """Return what can be kept of a reply's `text`: known words and status codes; the rest is "…".

    A reply may repeat the address, a part of it, or the patient's name, in any form: so nothing is
    searched for and removed, only what is known to be harmless stays.
    """
    kept: list[str] = []
    size = 0
    for token in _TOKEN.findall(text[:_LONGEST_READ]):
        word = token.lower() if token.lower() in WORDS else token if _STATUS.fullmatch(token) else "…"
        if word == "…" and kept and kept[-1] == "…":
            continue
        size += len(word) + 1
        if size > LONGEST:
            break
        kept.append(word)
    return " ".join(kept)
