"""How what stands in DNS answers what is wanted there, one function for each purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from salus.domains.contracts import Seen, SeenRecord, Wanted, Weight
from salus.domains.rules import dmarc
from salus.domains.rules.dmarc import Policy, tags_of
from salus.domains.rules.wanted import A_NAME

PUBLISH = "Publish the record as it stands here."
LOOKUPS, VOIDS = 10, 2
"""What SPF may make receivers ask (RFC 7208, 4.6.4)."""
WATCHES = "DMARC only watches (p=none): forged mail gets through."


def missing(record: Wanted) -> SeenRecord:
    """Return that nothing stands there."""
    mend = "" if record.weight is Weight.OPTIONAL else PUBLISH
    return SeenRecord(record, Seen.MISSING, mend=mend)


def unknown(record: Wanted) -> SeenRecord:
    """Return that nobody knows."""
    return SeenRecord(record, Seen.UNKNOWN, "DNS did not answer.", "Try again in a minute.")


def wrong(record: Wanted, note: str, found: Sequence[str] = (), mend: str = PUBLISH) -> SeenRecord:
    """Return that something else stands there."""
    return SeenRecord(record, Seen.WRONG, note, mend, tuple(found))


def there(record: Wanted, note: str = "", found: Sequence[str] = (), mend: str = "") -> SeenRecord:
    """Return that it is there; a `note` says what could be better."""
    return SeenRecord(record, Seen.THERE, note, mend, tuple(found))


def spf(record: Wanted, texts: Sequence[str], cost: int | None = None) -> SeenRecord:
    """Judge an SPF record; `cost` is how many look-ups it makes receivers do, None when that is not known."""
    found = [each for each in texts if each.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return missing(record)
    if len(found) > 1:
        return wrong(
            record,
            "There are several; receivers then count none (RFC 7208, 4.5).",
            found,
            "Make one of them.",
        )
    terms = [each.removeprefix("+") for each in found[0].lower().split()[1:]]
    if any(each in ("all", "?all") for each in terms):
        return wrong(record, "It lets everybody send.", found)
    last = next((at for at, each in enumerate(terms) if each in ("-all", "~all")), None)
    if last is not None:
        terms = terms[: last + 1]  # receivers read no further (RFC 7208, 5.1)
    elif led := next((each for each in terms if each.startswith("redirect=")), ""):
        where = led.removeprefix("redirect=")
        return there(record, f"It leads to {where}, which was not looked at.", found)
    lacking = [each for each in record.value.lower().split()[1:-1] if each not in terms]
    if lacking:
        return wrong(record, f"It lacks {' '.join(lacking)}.", found, f"Add {' '.join(lacking)} to it.")
    if last is None:
        return wrong(record, "It does not end with -all.", found)
    if cost is not None and cost > LOOKUPS:
        note = f"It makes receivers ask {cost} times; after {LOOKUPS} they give up (RFC 7208, 4.6.4)."
        return wrong(record, note, found, "Replace some of its includes by addresses.")
    return there(record, found=found)


def dkim(record: Wanted, texts: Sequence[str]) -> SeenRecord:
    """Judge the record of one key."""
    found = [(each, tags) for each in texts if "p" in (tags := tags_of(each))]
    said = [each for each, _ in found]
    if not found:
        return missing(record)
    key = tags_of(record.value)["p"]
    ours = [tags for _, tags in found if tags["p"] == key]
    if not ours:
        revoked = not any(tags["p"] for _, tags in found)
        return wrong(record, "The key there was revoked." if revoked else "Another key stands there.", said)
    if "y" in ours[0].get("t", "").split(":"):
        return there(
            record, "It is marked as a test (t=y): receivers need not count it.", said, "Take t=y out."
        )
    return there(record, found=said)


def dmarc_record(record: Wanted, policy: Policy | None, texts: Sequence[str]) -> SeenRecord:
    """Judge the policy that counts, `texts` being those at the domain itself."""
    found = [each for each in texts if dmarc.records([each])]
    if len(found) > 1:
        return wrong(
            record, "There are several; receivers then count none (RFC 9989).", found, "Leave one of them."
        )
    if policy is None:
        return missing(record)
    if not policy.policy:
        return wrong(record, "It names no policy.", found)
    where = f"The record of {policy.domain} counts here. " if policy.is_above else ""
    effect = dmarc.effective(policy)
    notes = [WATCHES] if effect == "none" else []
    if effect != policy.policy:
        notes.append(
            f"Test mode (t=y) makes {effect} of {policy.policy}." if notes else "Test mode is on (t=y)."
        )
    if gone := [each for each in dmarc.GONE if each in policy.tags]:
        notes.append(f"{', '.join(gone)}: no more since RFC 9989, receivers read over it.")
    if not policy.tags.get("rua"):
        notes.append("It asks for no reports (rua).")
    mend = "Publish p=reject when the reports show that all your mail passes." if effect == "none" else ""
    said = f"{where}{' '.join(notes)}" if notes else ""
    return there(record, said, found, mend or (PUBLISH if notes else ""))


def alignment(record: Wanted, others: Sequence[SeenRecord]) -> SeenRecord:
    """Judge whether anything proves the author's domain: a published key, or SPF of the same domain."""
    proven = [str(each.record.purpose) for each in others if each.seen is Seen.THERE]
    if proven:
        return there(record, found=[f"{record.name}: {', '.join(dict.fromkeys(proven))}"])
    if any(each.seen is Seen.UNKNOWN for each in others):
        return unknown(record)
    return wrong(
        record,
        "Neither SPF nor DKIM proves the domain, so DMARC fails.",
        (),
        "Publish the SPF and DKIM records above.",
    )


def mx(record: Wanted, hosts: Sequence[str], reached: Mapping[str, bool], *, takes_mail: bool) -> SeenRecord:
    """Judge MX records ("10 mx.example"); `reached` tells of each host whether it has an address."""
    if not hosts:
        return missing(record)
    names = [each.partition(" ")[2] for each in hosts]
    if names == ["."]:
        return wrong(record, "It says that the domain takes no mail (RFC 7505): nothing comes back.", hosts)
    lost = [each for each in names if not reached.get(each, True)]
    if lost:
        return wrong(record, f"{', '.join(lost)} has no address.", hosts, "Publish an address for it.")
    ours = record.value.partition(" ")[2]
    if takes_mail and ours not in names:
        return wrong(record, f"It does not name {ours}: what comes back never gets here.", hosts)
    if not takes_mail:
        return there(
            record,
            "Salus takes nothing there: bounces that come later and reports stay unread.",
            hosts,
            "Run salus inbound and let the MX record name it.",
        )
    return there(record, found=hosts)


def mta_sts(record: Wanted, texts: Sequence[str]) -> SeenRecord:
    """Judge the record that announces a policy (RFC 8461, 3.1)."""
    found = [each for each in texts if each.replace(" ", "").startswith("v=STSv1")]
    if not found:
        return missing(record)
    if len(found) > 1:
        return wrong(record, "There are several; senders then count none.", found, "Leave one of them.")
    id = tags_of(found[0]).get("id", "")
    if not (id.isascii() and id.isalnum() and len(id) <= 32):
        return wrong(record, "Its id is not 1 to 32 letters and digits.", found)
    if id != tags_of(record.value)["id"]:
        return there(
            record,
            "Its id is another than that of the file here.",
            found,
            "Publish the id here when you publish the file here.",
        )
    return there(record, found=found)


def tls_rpt(record: Wanted, texts: Sequence[str]) -> SeenRecord:
    """Judge where reports about TLS go (RFC 8460, 3)."""
    found = [each for each in texts if each.replace(" ", "").startswith("v=TLSRPTv1")]
    if not found:
        return missing(record)
    if len(found) > 1:
        return wrong(record, "There are several; senders then count none.", found, "Leave one of them.")
    uris = [each for each in tags_of(found[0]).get("rua", "").split(",") if each]
    if not any(each.lower().startswith(("mailto:", "https:")) for each in uris):
        return wrong(record, "It names no place for reports.", found)
    ours = tags_of(record.value)["rua"].lower()
    if ours not in [each.lower() for each in uris]:
        return there(record, "Reports go elsewhere: Salus does not see them.", found, f"Add {ours} to rua.")
    return there(record, found=found)


def bimi(record: Wanted, texts: Sequence[str], policy: Policy | None) -> SeenRecord:
    """Judge the mark of the domain; it counts only where DMARC is enforced for the domain and what is below it."""
    found = [each for each in texts if each.replace(" ", "").lower().startswith("v=bimi1")]
    if not found:
        return missing(record)
    if len(found) > 1:
        return wrong(record, "There are several; receivers then count none.", found, "Leave one of them.")
    tags = tags_of(found[0])
    if not tags.get("l") and not tags.get("a"):
        return there(record, "It says that the domain shows no mark.", found)
    if not tags.get("l", "").lower().startswith("https://"):
        return wrong(record, "Its picture (l) is no https address.", found)
    if policy is None or dmarc.effective(policy) not in ("quarantine", "reject"):
        return wrong(
            record,
            "DMARC is not enforced, so nobody shows it.",
            found,
            "Enforce DMARC first (p=quarantine or p=reject).",
        )
    if not tags.get("a", "").lower().startswith("https://"):
        return there(
            record,
            "Without a certificate for the mark (a) the large providers do not show it.",
            found,
            "Get a mark certificate (VMC or CMC) and name it in a.",
        )
    return there(record, found=found)


def ptr(record: Wanted, names: Sequence[str], leading: Mapping[str, Sequence[str] | None]) -> SeenRecord:
    """Judge the names of an address; `leading` are the addresses of each name, None when nobody knows.

    A name that leads back is what receivers ask for; that it is also the one we say in EHLO, some.
    """
    if not names:
        return missing(record)
    back = [each for each in names if record.name in (leading.get(each) or ())]
    if not back:
        if any(leading.get(each) is None for each in names):
            return unknown(record)
        return wrong(
            record,
            f"{', '.join(names)} does not lead back to the address.",
            names,
            "Publish an address record of that name with this address.",
        )
    if record.value not in (A_NAME, *back):
        return there(record, f"The address is called {back[0]}, and says {record.value} of itself.", names)
    return there(record, found=names)
