"""`salus audit`: verify the log, search and export it, prove a message, print the public key."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from salus.kernel.errors import BadInput, NotFound
from salus.wiring import auditing

if TYPE_CHECKING:
    from salus.audit.contracts import Verdict
    from salus.identity.contracts import Organization


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("audit", help="verify and export the audit log").add_subparsers(
        metavar="WORD", required=True
    )
    verify = words.add_parser("verify", help="recompute the log and hold it against every checkpoint")
    verify.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="signed checkpoints that you kept, one or many"
    )
    verify.add_argument("--organization", metavar="SLUG", help="this organization only (default: all)")
    verify.add_argument(
        "--json", action="store_true", help="print one JSON object an organization, a line each"
    )
    verify.set_defaults(run=_verify)
    search = words.add_parser("search", help="find entries, newest first")
    auditing.add_filters(search)
    search.add_argument("--limit", type=int, default=50, metavar="N", help="how many at most (50)")
    search.add_argument("--json", action="store_true", help="print one JSON object an entry, a line each")
    search.add_argument("--organization", metavar="SLUG", required=True)
    search.set_defaults(run=_search)
    export = words.add_parser(
        "export", help="write the log as C2SP tlog-tiles, or entries as lines of a file"
    )
    export.add_argument("path", type=Path, help="a new or empty folder for tiles, else a new file")
    export.add_argument(
        "--as", dest="form", choices=("tiles", "csv", "json", "syslog"), default="tiles", help="(tiles)"
    )
    auditing.add_filters(export)
    export.add_argument("--organization", metavar="SLUG", required=True)
    export.set_defaults(run=_export)
    prove = words.add_parser("prove", help="write the receipts of a message with all that proves them")
    prove.add_argument("message", help="the message's id")
    prove.add_argument("--out", type=Path, metavar="FILE", help="a new file (default: print it)")
    prove.add_argument("--organization", metavar="SLUG", help="whose message it is (default: whoever has it)")
    prove.set_defaults(run=_prove)
    check = words.add_parser(
        "check-proof", help="check such a file; needs no installation, only the public key"
    )
    check.add_argument("file", type=Path)
    check.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="what `salus audit key` printed"
    )
    check.set_defaults(run=_check)
    witness = words.add_parser(
        "witness", help="send the newest checkpoint to the witnesses of the vendor register now"
    )
    witness.add_argument("--organization", metavar="SLUG", required=True)
    witness.add_argument(
        "--every",
        type=int,
        metavar="HOURS",
        help="send nothing; set how often they are written to: 1, 6, 24, or 0 for only when asked",
    )
    witness.set_defaults(run=_witness)
    key = words.add_parser("key", help="print the public key that verifies checkpoints")
    key.add_argument("--organization", metavar="SLUG", required=True)
    key.set_defaults(run=_key)


def _verify(options: argparse.Namespace) -> int:
    """Verify one log or all; 1 when anything is wrong, naming each entry."""
    given = _read(options.checkpoint)
    _setup()
    from salus.audit import api as audit
    from salus.audit.contracts import Action
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    notes = audit.checkpoint_origins(given) if given is not None else ()
    if given is not None and not notes:
        raise BadInput("The file holds no checkpoint.", place=str(options.checkpoint))
    sound, matched = True, 0
    for organization in _organizations(options.organization):
        mine = [note for origin, note in notes if origin == audit.origin(organization.id)]
        matched += len(mine)
        if notes and not mine and not options.organization:
            continue
        with acting_for(organization.id):
            # All notes go in when one organization was named: a note of another log is a fault then.
            verdict = audit.verify(given if options.organization else "".join(mine) or None)
        with acting_for(organization.id):
            audit.record(
                Action.AUDIT_LOG_VERIFY,
                actor=system(organization.id, "command-line"),
                object_kind="log",
                outcome="ok" if verdict.verified else "failed",
                details={"entries": verdict.entries, "faults": len(verdict.faults)},
            )
        _print(organization, verdict, as_json=options.json)
        sound = sound and verdict.verified
    if notes and not matched:
        raise BadInput("No organization here has the log of this checkpoint.", place=str(options.checkpoint))
    return 0 if sound else 1


def _search(options: argparse.Namespace) -> int:
    """Print the newest entries that fit; the look is recorded."""
    if options.limit < 1:
        raise BadInput("Ask for at least one entry.", place="--limit")
    filters = auditing.filters_of(options)
    _setup()
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.reports import api as reports

    (organization,) = _organizations(options.organization)
    actor = system(organization.id, "command-line")
    with acting_for(organization.id):
        found = reports.search_log(filters, limit=options.limit, actor=actor)
    if options.json:
        print("".join(reports.entry_lines(found)), end="")
    else:
        print("\n".join(auditing.told(found)) if found else "No entry fits.")
    return 0


def _export(options: argparse.Namespace) -> int:
    """Write tiles below a new or empty folder, or entries into a new file."""
    filters, target = auditing.filters_of(options), options.path
    tiles = options.form == "tiles"
    if tiles and _is_narrowed(options):
        raise BadInput("Tiles are of the whole log: filters go with --as csv, json or syslog.", place="--as")
    if tiles and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput("The export goes into a new or empty folder.", place=str(target))
    if not tiles and target.exists():
        raise BadInput("The export goes into a new file.", place=str(target))
    _setup()
    from salus.audit import api as audit
    from salus.audit.contracts import Action
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.reports import api as reports
    from salus.reports.contracts import LogForm

    (organization,) = _organizations(options.organization)
    actor = system(organization.id, "command-line")
    if not tiles:
        with acting_for(organization.id):
            lines = reports.export_log(filters, LogForm(options.form), host=socket.getfqdn(), actor=actor)
        with target.open("x", encoding="utf-8", newline="") as file:
            target.chmod(0o600)
            file.writelines(lines)
        print(f"{target} is written.")
        return 0
    with acting_for(organization.id):
        written = audit.export_tiles(target)
        audit.record(
            Action.AUDIT_LOG_EXPORT, actor=actor, object_kind="log", details={"entries": written.size}
        )
    print(f"{written.size} entries are in {target}, with the checkpoint that signs them.")
    return 0


def _is_narrowed(options: argparse.Namespace) -> bool:
    named = ("action", "actor", "patient", "object", "outcome", "since", "until")
    return any(getattr(options, name) for name in named)


def _prove(options: argparse.Namespace) -> int:
    """Write a message's proof; the look is recorded in the log of whoever has it."""
    try:
        message_id = UUID(options.message)
    except ValueError:
        raise BadInput("That is not the id of a message.", place="message") from None
    _setup()
    from salus.platform.tenancy import acting_for

    for organization in _organizations(options.organization):
        with acting_for(organization.id), suppress(NotFound):
            proof = auditing.prove(message_id, organization.id)
            break
    else:
        raise NotFound("No message here has this id.")
    text = json.dumps(proof, indent=2) + "\n"
    if options.out is None:
        print(text, end="")
        return 0
    with options.out.open("x", encoding="utf-8") as file:
        file.write(text)
    print(
        f"{options.out} is written. Anybody can check it: salus audit check-proof {options.out} --key KEYFILE"
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    """Say whether a proof holds; 1 when it does not."""
    given, faults = auditing.check(options.file, options.key)
    for fault in faults:
        print(fault, file=sys.stderr)
    steps = len(given["steps"])
    verdict = "NOT PROVEN" if faults else "proven"
    print(f"message {given.get('message')}: {steps} step{'s' if steps != 1 else ''}, {verdict}")
    return 1 if faults else 0


def _witness(options: argparse.Namespace) -> int:
    """Write to every witness, or set how often; 1 when one of them did not get it."""
    _setup()
    (organization,) = _organizations(options.organization)
    told = auditing.witness(organization.id, options.every)
    for line, _ in told:
        print(line)
    return 0 if all(well for _, well in told) else 1


def _key(options: argparse.Namespace) -> int:
    """Print the C2SP verifier key."""
    _setup()
    from salus.audit import api as audit
    from salus.platform.tenancy import acting_for

    (organization,) = _organizations(options.organization)
    with acting_for(organization.id):
        print("\n".join(audit.verifier_keys()))
    return 0


def _setup() -> None:
    from salus.wiring.cli import setup

    setup()


def _organizations(slug: str | None) -> tuple[Organization, ...]:
    from salus.identity import api as identity

    return (identity.find_organization(slug),) if slug else identity.organizations()


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput("The checkpoint file cannot be read.", place=str(path)) from fault


def _print(organization: Organization, verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_facts(organization, verdict)))
        return
    head = f"{organization.slug}: {verdict.entries} entries, {verdict.checkpoints} checkpoints"
    print(f"{head}, root {verdict.root}: {'verified' if verdict.verified else 'NOT VERIFIED'}")
    for remark in verdict.remarks:
        print(f"  note: {remark}")
    for fault in verdict.faults:
        place = "the log" if fault.position is None else f"position {fault.position}"
        print(f"  {place}: {fault.what}", file=sys.stderr)


def _facts(organization: Organization, verdict: Verdict) -> dict[str, Any]:
    return {
        "organization": organization.slug,
        "entries": verdict.entries,
        "pending": verdict.pending,
        "checkpoints": verdict.checkpoints,
        "root": verdict.root,
        "verified": verdict.verified,
        "remarks": list(verdict.remarks),
        "faults": [{"position": fault.position, "what": fault.what} for fault in verdict.faults],
    }
