"""What `salus audit` does with single entries and proofs: find, tell, prove, and check without an installation."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from salus.kernel.errors import BadInput, Conflict

if TYPE_CHECKING:
    from salus.audit.contracts import Entry, Filters

LARGEST_KEY_FILE = 100_000
"""Octets; a key has a hundred and thirty."""


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that narrow which entries are meant."""
    parser.add_argument(
        "--action", default="", metavar="WORD", help='an action or its beginning ("contacts:")'
    )
    parser.add_argument("--actor", metavar="ID", help="who acted")
    parser.add_argument("--patient", metavar="ID", help="which patient (the contact's id)")
    parser.add_argument("--object", metavar="ID", help="of what")
    parser.add_argument("--outcome", default="", metavar="WORD", help="ok, refused, failed, ...")
    parser.add_argument(
        "--since", metavar="MOMENT", help="2026-11-01, or 2026-11-01T08:00:00-08:00; a day is UTC"
    )
    parser.add_argument("--until", metavar="MOMENT", help="up to that moment; of a day, its end")


def filters_of(options: argparse.Namespace) -> Filters:
    """Return the filters that were typed; raises `BadInput`."""
    from salus.audit.contracts import Action, Filters

    if options.action and not any(word.startswith(options.action) for word in Action):
        raise BadInput("No action of the log begins so.", place="--action")
    return Filters(
        action=options.action,
        actor_id=_id(options.actor, "--actor"),
        patient_id=_id(options.patient, "--patient"),
        object_id=_id(options.object, "--object"),
        outcome=options.outcome,
        since=_moment(options.since, "--since", timedelta()),
        until=_moment(options.until, "--until", timedelta(days=1)),
    )


def _id(text: str | None, place: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadInput("That is not an id.", place=place) from None


def _moment(text: str | None, place: str, day: timedelta) -> datetime | None:
    """Return a moment; of a day without a time the moment `day` after it began, in UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("That is not a day or a moment (2026-11-01T08:00:00-08:00).", place=place) from None
    if "T" not in text and " " not in text:
        return datetime.combine(at.date(), time.min, UTC) + day
    if at.tzinfo is None:
        raise BadInput("A moment needs its offset from UTC.", place=place)
    return at


def told(entries: Iterable[Entry]) -> Iterable[str]:
    """Yield a line for each entry: place, moment, what, by whom, of whom."""
    for each in entries:
        place = "waits" if each.position is None else str(each.position)
        who = each.actor_name or (f"{each.actor_kind} {each.actor_id}" if each.actor_id else each.actor_kind)
        whom = f" of patient {each.patient_id}" if each.patient_id else ""
        what = f" on {each.object_kind}{f' {each.object_id}' if each.object_id else ''}"
        result = "" if each.outcome == "ok" else f" [{each.outcome}]"
        yield f"{place:>9}  {each.at:%Y-%m-%d %H:%M:%S}  {each.action}{result} by {who}{what}{whom}"


def prove(message_id: UUID, organization_id: UUID) -> dict[str, Any]:
    """Return the proof of a message's receipts, which can be checked anywhere; the look is recorded.

    Raises `NotFound`, and `Conflict` when no signed checkpoint covers anything of it yet.
    """
    from salus.delivery import api as delivery
    from salus.kernel.acting import system

    receipt = delivery.told_receipt(message_id, actor=system(organization_id, "command-line")).receipt
    if receipt.proof is None or receipt.pending:
        raise Conflict(
            f"{receipt.pending} of its {len(receipt.steps)} receipts are not under a signed checkpoint yet."
            if receipt.steps
            else "Nothing happened to this message yet, so there is nothing to prove.",
            next_step="Try again in a minute." if receipt.steps else "",
        )
    if receipt.faults:
        raise Conflict(
            f"The log does not prove it: {'; '.join(receipt.faults)}.",
            next_step="Tell your security officer now, and run: salus audit verify.",
        )
    return dict(receipt.proof)


def check(file: Path, key: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the proof in a file, and what of it does not hold by a public key in another file.

    Without database, keys or home folder. Raises `BadInput` for files that are neither.
    """
    from salus.audit import offline as audit
    from salus.delivery import offline as delivery
    from salus.keys.offline import signed_by
    from salus.wiring.asked import json_in

    name, keys = audit.public_keys(_read(key))
    given = json_in(str(file))
    given = given.get("proof", given) if isinstance(given, dict) else given
    if not isinstance(given, dict):
        raise BadInput("The file holds no proof.", place=str(file))

    def signed(signature: bytes, text: bytes) -> bool:
        return any(signed_by(each, signature, text) for each in keys)

    faults = delivery.faults(given, lambda evidence: audit.faults(evidence, name, signed))
    if name != f"salus/{given.get('organization')}":
        faults = ("the key is of another organization's log", *faults)
    return given, faults


def witness(organization_id: UUID, every: int | None) -> list[tuple[str, bool]]:
    """Send a checkpoint to each witness now, or set how often they are written to; return what to say, and whether it is well.

    Raises `BadInput` for hours that cannot be, `Conflict` when the register has no witness.
    """
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.reports import api as reports

    actor = system(organization_id, "command-line")
    with acting_for(organization_id):
        found = [each for each in reports.log_copies() if each.witness]
        if not found:
            raise Conflict(
                "The vendor register has no witness that is written to.",
                next_step="Add a service of the kind witness with an address like mailto:witness@example.org.",
            )
        if every is not None:
            for each in found:
                reports.set_copy_hours(each.service_id, every, actor=actor)
            often = f"every {every} hours at most" if every > 1 else "every hour at most"
            return [
                (f"{each.name.reveal()}: {often if every else 'only when asked'}", True) for each in found
            ]
    sent = [reports.send_copy_now(organization_id, each.service_id) for each in found]
    return [
        (f"{each.name.reveal()}: NOT SENT ({each.reason}). {each.why}.", False)
        if each.reason
        else (f"{each.name.reveal()}: took the checkpoint of {each.reached} entries", True)
        for each in sent
    ]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST_KEY_FILE + 1)
    try:
        if len(content) <= LARGEST_KEY_FILE:
            return content.decode()
    except UnicodeDecodeError:
        pass
    raise BadInput("The file does not hold the public key of a log.", place=str(path))
