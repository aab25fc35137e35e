"""Looks at a sending domain: asks DNS in a few rounds, fetches the policy file, and has each record judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from salus.delivery.contracts import PolicyFile, Question, Rr, Told
from salus.domains.contracts import Installation, Purpose, Seen, SeenRecord, Wanted
from salus.domains.rules import dmarc, records, sts_file
from salus.domains.rules.records import LOOKUPS

Ask = Callable[[Sequence[Question]], Sequence[Told]]
Fetch = Callable[[str, datetime], PolicyFile]
_COSTLY = ("include", "a", "mx", "ptr", "exists", "redirect")
"""What makes receivers ask DNS (RFC 7208, 4.6.4)."""
_LEADS = ("include", "redirect")


class Known:
    """What DNS said: asked in rounds, each thing once."""

    def __init__(self, ask: Ask) -> None:
        self._ask, self._told = ask, dict[Question, Told]()

    def learn(self, questions: Iterable[Question]) -> None:
        """Ask all of these at once."""
        new = [each for each in dict.fromkeys(questions) if each not in self._told]
        if new:
            self._told.update(zip(new, self._ask(new), strict=True))

    def __call__(self, kind: Rr, name: str) -> Told:
        """Return what was said of one."""
        question = Question(kind, name)
        self.learn([question])
        return self._told[question]


def look(
    domain: str, wanted: Sequence[Wanted], here: Installation, ask: Ask, fetch: Fetch, at: datetime
) -> tuple[SeenRecord, ...]:
    """Return how each record is found now, in the order that is wanted."""
    known = Known(ask)
    known.learn(_first(domain, wanted))
    hosts = _hosts(known(Rr.MX, domain))
    pointers = [each.name for each in wanted if each.purpose is Purpose.PTR]
    names = [name for address in pointers for name in known(Rr.PTR, address).values]
    known.learn(Question(Rr.ADDRESS, each) for each in (*hosts, *names))
    seen: list[SeenRecord] = []
    for record in wanted:
        found = _judged(domain, record, here, known, hosts)
        if record.purpose is Purpose.ALIGNMENT:
            found = records.alignment(
                record, [each for each in seen if each.record.purpose in (Purpose.SPF, Purpose.DKIM)]
            )
        elif record.purpose is Purpose.STS_FILE:
            file = fetch(domain, at)
            found = sts_file.judge(record, file.mode, file.max_age, file.hosts, file.reason, hosts)
        seen.append(found)
    return tuple(seen)


def _first(domain: str, wanted: Sequence[Wanted]) -> Iterable[Question]:
    yield Question(Rr.MX, domain)
    for each in wanted:
        if each.kind == "TXT":
            yield Question(Rr.TXT, each.name)
        elif each.kind == "PTR":
            yield Question(Rr.PTR, each.name)
    for above in dmarc.walk(domain):
        yield Question(Rr.TXT, f"_dmarc.{above}")


def _hosts(told: Told) -> list[str]:
    return [name for each in told.values if (name := each.partition(" ")[2]) != "."]


def _judged(domain: str, record: Wanted, here: Installation, known: Known, hosts: list[str]) -> SeenRecord:
    if record.kind not in ("TXT", "MX", "PTR"):
        return records.unknown(record)
    told = known(Rr(record.kind), record.name)
    if not told.answered:
        return records.unknown(record)
    match record.purpose:
        case Purpose.SPF:
            return records.spf(record, told.values, _cost(domain, known))
        case Purpose.DKIM | Purpose.NEXT_DKIM:
            return records.dkim(record, told.values)
        case Purpose.DMARC:
            return _dmarc(domain, record, told, known)
        case Purpose.MX:
            reached = {
                each: bool(answer.values) or not answer.answered
                for each in hosts
                for answer in (known(Rr.ADDRESS, each),)
            }
            return records.mx(record, told.values, reached, takes_mail=here.takes_mail)
        case Purpose.MTA_STS:
            return records.mta_sts(record, told.values)
        case Purpose.TLS_RPT:
            return records.tls_rpt(record, told.values)
        case Purpose.BIMI:
            return records.bimi(record, told.values, _policy(domain, known))
        case _:
            leading = {
                each: answer.values if answer.answered else None
                for each in told.values
                for answer in (known(Rr.ADDRESS, each),)
            }
            return records.ptr(record, told.values, leading)


def _policy(domain: str, known: Known) -> dmarc.Policy | None:
    return dmarc.discover(domain, lambda each: known(Rr.TXT, f"_dmarc.{each}").values)


def _dmarc(domain: str, record: Wanted, told: Told, known: Known) -> SeenRecord:
    """Judge the policy, and whether those outside whom it sends reports to have said that they want them."""
    policy = _policy(domain, known)
    if policy is None or policy.is_above:
        walked = [known(Rr.TXT, f"_dmarc.{each}") for each in dmarc.walk(domain)]
        if not all(each.answered for each in walked):
            return records.unknown(record)
    seen = records.dmarc_record(record, policy, told.values)
    if policy is None or seen.seen is not Seen.THERE:
        return seen
    # Whoever gets reports of others' domains says so himself (RFC 9990, 4).
    outside = [each for each in dmarc.report_domains(policy) if not _same(each, policy.domain)]
    names = {each: f"{policy.domain}._report._dmarc.{each}" for each in outside}
    known.learn(Question(Rr.TXT, each) for each in names.values())
    refused = [each for each, name in names.items() if not dmarc.records(known(Rr.TXT, name).values)]
    if not refused:
        return seen
    note = f"{seen.note} {', '.join(refused)} has not said that it takes these reports.".strip()
    mend = f'There has to be "v=DMARC1" at {names[refused[0]]}.'
    return records.there(record, note, seen.found, mend)


def _same(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _cost(domain: str, known: Known) -> int | None:
    """Return how many look-ups the SPF record of a domain costs, a little above the limit at most; None: unknown."""
    cost, waiting, seen = 0, [domain], set[str]()
    while waiting and cost <= LOOKUPS:
        known.learn(Question(Rr.TXT, each) for each in waiting)
        place = waiting.pop()
        told = known(Rr.TXT, place)
        if not told.answered:
            return None
        seen.add(place)
        texts = [each.lower() for each in told.values if each.lower().startswith("v=spf1 ")]
        for term in (each.lstrip("+-~?") for text in texts for each in text.split()[1:]):
            word, _, rest = term.replace("=", ":").partition(":")
            cost += word.partition("/")[0] in _COSTLY
            if word in _LEADS and "%" not in rest and rest not in seen:
                waiting.append(rest)
    return cost
