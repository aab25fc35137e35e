"""`salus audit`: verify the log, export it for other tools, print its public key."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salus.kernel.errors import BadInput

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
    export = words.add_parser("export", help="write the log as C2SP tlog-tiles")
    export.add_argument("directory", type=Path)
    export.add_argument("--organization", metavar="SLUG", required=True)
    export.set_defaults(run=_export)
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


def _export(options: argparse.Namespace) -> int:
    """Write checkpoint, tiles and entry bundles below a new or empty folder."""
    folder: Path = options.directory
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput("The export goes into a new or empty folder.", place=str(folder))
    _setup()
    from salus.audit import api as audit
    from salus.audit.contracts import Action
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for

    (organization,) = _organizations(options.organization)
    with acting_for(organization.id):
        written = audit.export_tiles(folder)
        audit.record(
            Action.AUDIT_LOG_EXPORT,
            actor=system(organization.id, "command-line"),
            object_kind="log",
            details={"entries": written.size},
        )
    print(f"{written.size} entries are in {folder}, with the checkpoint that signs them.")
    return 0


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
