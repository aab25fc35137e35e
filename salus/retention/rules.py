"""How long each kind is kept when nobody says otherwise, and how short or long it may be: the law's bounds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from salus.kernel.errors import BadInput
from salus.retention.contracts import Always, Bounds, Kind

SIX_YEARS = 2192
"""Days: six years have two leap days at most (45 CFR 164.316(b)(2)(i), 164.530(j)(2))."""
LONGEST = 36_525
_NO_MINIMUM = (
    "Answers, bounces and opt-outs come within this time; no federal law says how long words are kept."
)

BOUNDS: Mapping[Kind, Bounds] = {
    Kind.MESSAGES: Bounds(SIX_YEARS, 30, None, _NO_MINIMUM),
    Kind.CONVERSATIONS: Bounds(SIX_YEARS, 30, None, _NO_MINIMUM),
    Kind.TASKS: Bounds(SIX_YEARS, 30, None, "What was done a month ago is still looked up."),
    Kind.REJECTS: Bounds(90, 1, 365, "They are copies of a file that its owner has."),
    Kind.COPIES: Bounds(30, 1, 365, "A copy is made again from the record in a moment."),
    Kind.MAIL_REPORTS: Bounds(400, 30, 1096, "The page of the sending domain compares thirty days."),
    Kind.DOCUMENTS: Bounds(
        SIX_YEARS,
        SIX_YEARS,
        None,
        "What people asked of the privacy office, and what was disclosed, is documented for six years.",
        "45 CFR 164.528(d), 164.530(j)(2)",
    ),
}
"""The bounds of each kind that has a time."""

ALWAYS: Mapping[str, Always] = {
    "receipts": Always(
        "Receipts of messages and calls",
        "An accounting of disclosures reaches back six years, and the log's proofs rest on them.",
        "45 CFR 164.528(a)(1), (d), 164.530(j)(2)",
    ),
    "permissions": Always(
        "Authorizations, consents, restrictions and opt-outs",
        "Signed documents are kept six years after they were last in effect, and an opt-out has no end.",
        "45 CFR 164.508(b)(6), 164.522(a)(3), 164.530(j)(2); 42 CFR 2.31",
    ),
    "audit-log": Always(
        "The audit log",
        "What was done is documented for six years; an entry that goes would break the proof of all others.",
        "45 CFR 164.312(b), 164.316(b)(2)(i)",
    ),
}
"""What has no time of its own: it is never emptied by its age, so never before its six years."""


def kind_of(name: str) -> Kind:
    """Return the kind with a name; raises `BadInput`, with the section of the law for what is always kept."""
    if name in ALWAYS:
        always = ALWAYS[name]
        raise BadInput(
            f"{always.what} cannot be given a time. {always.why} [{always.citation}]", place="kind"
        )
    try:
        return Kind(name)
    except ValueError:
        raise BadInput(f"This is one of: {', '.join(Kind)}.", place="kind") from None


def check(kind: Kind, days: int | None) -> None:
    """Raise `BadInput` for a time out of bounds, with the reason and the section of the law where there is one."""
    bounds = BOUNDS[kind]
    if days is None:
        if bounds.most is not None:
            raise BadInput(f"Say a number of days, {bounds.most} at most. {bounds.why}", place=kind)
        return
    if days < bounds.least:
        law = f" [{bounds.citation}]" if bounds.citation else ""
        raise BadInput(f"Keep it for {bounds.least} days at least. {bounds.why}{law}", place=kind)
    if days > (bounds.most or LONGEST):
        raise BadInput(f"Say {bounds.most or LONGEST} days at most.", place=kind)


def before(days: int, at: datetime) -> datetime:
    """Return the moment before which a thing must have ended to be due."""
    return at - timedelta(days=days)


def is_shorter(new: int | None, old: int | None) -> bool:
    """Tell whether more becomes due by a new time than by the old one; None is for ever."""
    return new is not None and (old is None or new < old)
