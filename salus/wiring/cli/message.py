"""`salus message`: the whole proof of one message, to read or as JSON, and the check of a proof in a file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any
from uuid import UUID

from salus.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from salus.delivery.contracts import ToldReceipt
    from salus.identity.contracts import Organization

WIDTH = 88
LABEL = 14


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("message", help="the receipts of messages").add_subparsers(
        metavar="WORD", required=True
    )
    receipt = words.add_parser("receipt", help="print the whole proof of one message")
    receipt.add_argument("id", help="the message's id")
    receipt.add_argument(
        "--organization", metavar="SLUG", help="whose message it is (default: whoever has it)"
    )
    receipt.add_argument("--json", action="store_true", help="print the receipt and its proof as JSON")
    receipt.set_defaults(run=_receipt)
    verify = words.add_parser("verify", help="check a proof that was kept in a file")
    verify.add_argument("file", type=Path, help="as the receipt's page or --json gave it")
    verify.set_defaults(run=_verify)


def _receipt(options: argparse.Namespace) -> int:
    """Print a receipt; 1 when the log does not prove what it says."""
    organization, told = find(options.id, options.organization)
    if options.json:
        from salus.delivery.web.rest import written

        print(written(told).model_dump_json(indent=2))
    else:
        print("\n".join(_text(organization, told)))
    return 1 if told.receipt.faults else 0


def _verify(options: argparse.Namespace) -> int:
    """Check a proof from its own bytes and the log's key; 1 when it does not hold."""
    try:
        given = json.loads(options.file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as unreadable:
        raise BadInput("The file cannot be read as JSON.", place=str(options.file)) from unreadable
    proof = given.get("proof", given) if isinstance(given, dict) else None
    if not isinstance(proof, dict):
        raise BadInput("The file holds no proof.", place=str(options.file))
    try:
        organization_id = UUID(str(proof.get("organization")))
    except ValueError:
        raise BadInput("The file does not say whose proof it is.", place="organization") from None
    _setup()
    from salus.delivery import api as delivery
    from salus.platform.tenancy import acting_for

    if organization_id not in {each.id for each in _organizations(None)}:
        raise BadInput("No organization here has this log.", place="organization")
    with acting_for(organization_id):
        faults = delivery.faults_of_proof(proof)
    for fault in faults:
        print(fault, file=sys.stderr)
    steps = len(proof["steps"])
    verdict = "NOT PROVEN" if faults else "proven"
    print(f"message {proof.get('message')}: {steps} step{'s' if steps != 1 else ''}, {verdict}")
    return 1 if faults else 0


def find(given: str, slug: str | None) -> tuple[Organization, ToldReceipt]:
    """Return the receipt and whose it is; the look is recorded in that organization's log.

    Raises `BadInput` for what is no id, `NotFound` when no message has it.
    """
    try:
        message_id = UUID(given)
    except ValueError:
        raise BadInput("That is not the id of a message.", place="id") from None
    _setup()
    from salus.delivery import api as delivery
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    for organization in _organizations(slug):
        with acting_for(organization.id):
            try:
                delivery.sent_message(message_id)
            except NotFound:
                continue
            return organization, delivery.told_receipt(
                message_id, actor=system(organization.id, "command-line")
            )
    raise NotFound("No message here has this id.")


def _text(organization: Organization, told: ToldReceipt) -> Iterable[str]:
    """Yield the lines of a receipt for a terminal."""
    found = told.receipt
    yield f"Message {found.message_id}"
    yield f"{organization.name}, {found.origin.kind} {found.origin.id}"
    yield ""
    yield from _part("state", _state(told))
    if found.handed_over_at:
        yield from _part("handed over", _moment(found.handed_over_at))
    yield ""
    yield from _why(told)
    yield ""
    yield from _part("disclosed", ", ".join(found.disclosed) or "nothing about the person")
    yield from _part("at least", found.floor or "-")
    yield from _part("reached", found.reached or "-")
    for name in ("host", "version", "cipher", "peer", "fingerprint"):
        if found.tls.get(name):
            yield from _part(f"  {name}", str(found.tls[name]))
    for name in ("algorithm", "mark", "payload_hash"):
        if found.key.get(name):
            yield from _part(f"  key {name}", str(found.key[name]))
    if found.body_hash:
        yield from _part("bytes", f"SHA-256 {found.body_hash}")
        if told.same_bytes:
            yield from _part("", "made again just now from what was kept: the same bytes")
    if found.reply:
        yield from _part("peer said", found.reply)
    yield ""
    for number, step in enumerate(found.steps, 1):
        yield from _part(f"step {number}", _step(step))
    for event in found.events:
        by = event.details.get("by", "")
        yield from _part("then", f"{_moment(event.at)}  {event.kind}{f' by {by}' if by else ''}")
    yield ""
    yield from _proof(told)


def _state(told: ToldReceipt) -> str:
    found = told.receipt
    doubt = ", uncertain: it may have arrived twice" if found.uncertain else ""
    return f"{found.state}{f' ({found.reason})' if found.reason else ''}{doubt}"


def _why(told: ToldReceipt) -> Iterable[str]:
    found = told.receipt
    confirmed = f", confirmed by {told.confirmed_by}" if told.confirmed_by else ""
    yield from _part("purpose", f"{found.purpose}{confirmed}")
    if told.refusal:
        yield from _part("because", f"{told.refusal.sentence} [{'; '.join(told.refusal.citations)}]")
    if told.rules:
        rule = told.rules[0]
        yield from _part("rule", f"{rule.code}: {rule.sentence} [{'; '.join(rule.citations)}]")
    yield from _part("rules", f"{found.rules_version}, {found.profile} profile")
    for gate in told.gates:
        mark = "yes" if gate.satisfied else "NO "
        yield from _part("  asked", f"{mark} {gate.sentence} [{gate.citation}] {gate.rule_id}")
    for ground in told.grounds:
        since = f", {ground.at:%Y-%m-%d}" if ground.at else ""
        yield from _part("rests on", f"{ground.what}{since} ({ground.evidence_id})")
    if found.elements:
        yield from _part("required", ", ".join(found.elements))
    if told.origin and told.origin.approved_by:
        at = f", {_moment(told.origin.approved_at)}" if told.origin.approved_at else ""
        yield from _part("approved by", f"{told.approved_by or told.origin.approved_by}{at}")


def _step(step: Mapping[str, Any]) -> str:
    reason = f" ({step['reason']})" if step.get("reason") else ""
    return f"{_moment(datetime.fromisoformat(str(step['at'])))}  {step['state']}{reason}"


def _proof(told: ToldReceipt) -> Iterable[str]:
    """Yield how the log proves the last step: the paths in full, so that they can be followed by hand."""
    found = told.receipt
    if found.proof:
        step = found.proof["steps"][-1]
        yield from _part("batch", f"place {step['place'] + 1} of {step['count']}, root {step['batch_root']}")
        for number, each in enumerate(step["path"], 1):
            yield from _part(f"  path {number}", each)
        yield from _part(
            "log entry", f"position {step['position']} of {step['size']}, leaf {step['entry_leaf']}"
        )
        for number, each in enumerate(step["entry_path"], 1):
            yield from _part(f"  path {number}", each)
        yield from _part("root", step["root"])
        yield "checkpoint"
        yield from (f"    {line}" for line in step["checkpoint"].splitlines())
        yield ""
    for fault in found.faults:
        yield from _part("FAULT", fault)
    if found.faults:
        yield "NOT PROVEN: the log does not match. Tell your security officer now."
    elif found.pending:
        yield f"Not proven yet: {found.pending} of {len(found.steps)} steps wait for a signed checkpoint. Try again in a minute."
    elif found.proof:
        yield "Proven: every step is in the log, unchanged, under the signed checkpoint above."
    else:
        yield "Nothing happened to it yet, so there is nothing to prove."


def _part(label: str, text: str) -> Iterable[str]:
    """Yield a labelled value, its further lines under its first."""
    lines = wrap(text, WIDTH - LABEL, break_on_hyphens=False) or [""]
    yield f"{label:<{LABEL}}{lines[0]}"
    yield from (f"{'':<{LABEL}}{line}" for line in lines[1:])


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _organizations(slug: str | None) -> tuple[Organization, ...]:
    from salus.identity import api as identity

    return (identity.find_organization(slug),) if slug else identity.organizations()


def _setup() -> None:
    from salus.wiring.cli import setup

    setup()
