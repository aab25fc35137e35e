"""Keeps how TLS to recipients' domains went, a day long: sealed, because which domains are written to is patients' affair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from salus.delivery.contracts import PolicyReport, TlsPath, TlsSeen
from salus.domains.models import TallyRow
from salus.domains.rules.telling import FEW
from salus.keys import api as keys
from salus.platform.tenancy import current_organization


@dataclass(frozen=True, slots=True)
class Day:
    """One domain's day: reports under each policy, and how many different people were written to, `FEW` at most."""

    about: UUID
    day: date
    domain: str
    policies: tuple[PolicyReport, ...]
    people: int


def keep(seen: Sequence[TlsSeen], at: datetime) -> None:
    """Add what was seen; two senders may do so at once."""
    day = at.astimezone(UTC).date()
    with transaction.atomic():
        for each in sorted(seen, key=lambda one: (one.domain, one.path.kind)):
            _add(each, day)


def _add(seen: TlsSeen, day: date) -> None:
    blinder = keys.blinder()
    path = f"{seen.path.kind} {' '.join(seen.path.strings)} {' '.join(seen.path.hosts)}"
    row_id = UUID(bytes=blinder.blind("tls_tally", f"{day} {seen.domain} {path}"))
    about = UUID(bytes=blinder.blind("tls_day", f"{day} {seen.domain}"))
    fresh = TallyRow(id=row_id, about=about, day=day, sealed=_sealed(row_id, seen, {}, frozenset()))
    TallyRow.objects.bulk_create([fresh], ignore_conflicts=True)
    row = TallyRow.objects.select_for_update().get(id=row_id)
    counts, people = _counts(row), _people(row)
    row.sealed = _sealed(row_id, seen, Counter(counts) + Counter(seen.counts), people | seen.people)
    row.save(update_fields=["sealed"])


def days_before(day: date) -> list[Day]:
    """Return what was seen of each domain on days before `day`."""
    rows: dict[UUID, list[TallyRow]] = {}
    for row in TallyRow.objects.filter(day__lt=day).order_by("day", "about", "id"):
        rows.setdefault(row.about, []).append(row)
    return [_day(each) for each in rows.values()]


def forget(abouts: Sequence[UUID]) -> None:
    """Drop days that were told, or never will be."""
    TallyRow.objects.filter(about__in=list(abouts)).delete()


def _day(rows: list[TallyRow]) -> Day:
    domain = str(_opened(rows[0])["domain"])
    people = frozenset[bytes]().union(*(_people(each) for each in rows))
    return Day(
        rows[0].about,
        rows[0].day,
        domain,
        tuple(PolicyReport(_path(each), _counts(each)) for each in rows),
        min(len(people), FEW),
    )


def _sealed(
    row_id: UUID, seen: TlsSeen, counts: dict[tuple[str, str, str], int], people: frozenset[bytes]
) -> bytes:
    plain = {
        "domain": seen.domain,
        "kind": seen.path.kind,
        "strings": seen.path.strings,
        "hosts": seen.path.hosts,
        "counts": [[*key, count] for key, count in sorted(counts.items())],
        "people": sorted(each.hex() for each in people)[:FEW],
    }
    return keys.sealer().seal(orjson.dumps(plain), _binding(row_id))


def _opened(row: TallyRow) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(row.id)))
    return found


def _counts(row: TallyRow) -> dict[tuple[str, str, str], int]:
    return {(result, reason, host): count for result, reason, host, count in _opened(row)["counts"]}


def _people(row: TallyRow) -> frozenset[bytes]:
    return frozenset(bytes.fromhex(str(each)) for each in _opened(row)["people"])


def _path(row: TallyRow) -> TlsPath:
    plain = _opened(row)
    return TlsPath(str(plain["kind"]), tuple(map(str, plain["strings"])), tuple(map(str, plain["hosts"])))


def _binding(row_id: UUID) -> bytes:
    return keys.binding(current_organization(), "domains_tally", row_id)
