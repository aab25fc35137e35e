"""What the gate must know of clinical codes: a port that `contacts` fills, and a plain one for tests."""

from __future__ import annotations

from typing import Protocol

from salus.kernel.vocabulary import Special

CHRONIC = (
    "C", "D37", "D38", "D39", "D4", "E08", "E09", "E10", "E11", "E13", "E84", "D57", "B20", "G12", "G20", "G30", "G35",
    "I10", "I11", "I12", "I13", "I20", "I21", "I25", "I27", "I42", "I48", "I50", "I60", "I61", "I63", "J43", "J44",
    "J45", "J84", "K50", "K51", "K70", "K74", "M05", "M06", "M32", "N18", "Z94",
    "vs:diabetes", "vs:hypertension", "vs:asthma", "vs:copd", "vs:heart_failure", "vs:coronary_disease",
    "vs:kidney_disease", "vs:cancer", "vs:hiv",
)  # fmt: skip
"""Chronic, seriously debilitating or life-threatening conditions (Cal. Civ. Code 56.05), by ICD-10-CM
prefix or value set. The statute has no list: this one is ours, to be read by counsel."""


class Codes(Protocol):
    """What is known of clinical codes."""

    def covers(self, asked: str, record: str) -> bool:
        """Return whether a record with code `record` answers a question for `asked`."""
        ...

    def specials_of(self, field: str, code: str) -> frozenset[Special]:
        """Return the special categories that `code`, a code, prefix or value set, tells in `field`."""
        ...


class PlainCodes:
    """Codes without any catalogue: ICD-10 prefixes cover, and a few letters are special."""

    _SPECIALS = (
        ("F1", Special.PART2_SUD), ("F2", Special.MENTAL_HEALTH), ("F3", Special.MENTAL_HEALTH),
        ("F4", Special.MENTAL_HEALTH), ("B20", Special.HIV), ("O", Special.REPRODUCTIVE), ("Z33", Special.REPRODUCTIVE),
        ("Z15", Special.GENETIC),
    )  # fmt: skip

    def covers(self, asked: str, record: str) -> bool:
        """Return whether `record` begins with `asked`."""
        return record.startswith(asked)

    def specials_of(self, field: str, code: str) -> frozenset[Special]:
        """Return the categories that `code`, or a code that begins with it, tells."""
        return frozenset(
            special for start, special in self._SPECIALS if code.startswith(start) or start.startswith(code)
        )


def covers(codes: Codes, asked: str, record: str) -> bool:
    """Return whether `asked` covers `record`; a code covers itself whatever the catalogue says."""
    return asked == record or codes.covers(asked, record)


def is_chronic(codes: Codes, condition: str) -> bool:
    """Return whether `condition` is one of `CHRONIC`."""
    return any(covers(codes, known, condition) for known in CHRONIC)
