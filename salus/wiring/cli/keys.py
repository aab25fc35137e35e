"""`salus keys`: what keys an organization has, their rotation and end, DNS records of its mail keys, recovery."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from salus.kernel.errors import BadInput, Conflict

if TYPE_CHECKING:
    from salus.keys.api import Share
    from salus.keys.contracts import DkimKey, Progress

_KINDS = "data, blind, token, checkpoint or dkim"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("keys", help="list, rotate, recover and destroy keys").add_subparsers(
        metavar="WORD", required=True
    )

    def word(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        found = words.add_parser(name, help=about)
        found.set_defaults(run=run)
        return found

    listed = word("list", _list, "list an organization's keys and how far rotations are; none is shown")
    rotate = word(
        "rotate", _rotate, "make a new key, and bring what is sealed to it; the old one still opens"
    )
    rotate.add_argument("kind", help=_KINDS)
    rotate.add_argument("--domain", help="of dkim: the sending domain (default: the organization's)")
    rotate.add_argument("--in-background", action="store_true", help="leave the work to `salus worker`")
    reseal = word("reseal", _reseal, "go on with what a rotation has left to do")
    activate = word("activate-dkim", _activate, "sign with the new DKIM keys once DNS shows their records")
    activate.add_argument("domain", nargs="?", help="default: the organization's")
    activate.add_argument("--confirmed", action="store_true", help="you have seen the records yourself")
    end = word("destroy-retired", _destroy_retired, "destroy old keys that nothing is sealed with any more")
    end.add_argument("kind", help="data, blind or token")
    dkim = word("dkim", _dkim, "print the DNS records to publish for a sending domain")
    dkim.add_argument("domain")
    move = word("move", _move, "have another provider wrap an organization's keys, and new ones too")
    move.add_argument(
        "--to",
        required=True,
        choices=("file", "aws-kms", "vault"),
        help="this machine's file, AWS KMS, or Vault",
    )
    move.add_argument(
        "--key", metavar="KEY", default="", help="the ARN in AWS KMS, or https://HOST/MOUNT/KEY in Vault"
    )
    for each in (listed, rotate, reseal, activate, end, dkim, move):
        each.add_argument("--organization", metavar="SLUG", required=True)
    kit = word("recovery-kit", _recovery_kit, "print shares from which the key file can be made again")
    kit.add_argument("--shares", type=int, default=5, metavar="N", help="how many people keep one (5)")
    kit.add_argument("--threshold", type=int, default=3, metavar="K", help="how many of them recover (3)")
    kit.add_argument("--directory", type=Path, help="write each as text and as a page to print, not here")
    recover = word("recover", _recover, "make the lost key file again from shares")
    recover.add_argument("files", nargs="*", type=Path, metavar="FILE", help="else they are typed")
    gone = word("destroy-organization", _destroy_organization, "destroy an organization's keys for good")
    gone.add_argument("slug")


def _list(options: argparse.Namespace) -> int:
    from salus.keys import api as keys

    with _acting_for(options.organization):
        found = keys.keys_of_organization()
        for key in found:
            made = f"{key.created_at:%Y-%m-%d}"
            print(
                f"{key.kind:13} {key.name or '-':30} v{key.version:<3} {key.status:10} {made} {key.wrapped_by}"
            )
        for line in _lines(keys.progress()):
            print(line)
        by_file = any(key.wrapped_by.startswith("file:") and key.status != "destroyed" for key in found)
    if by_file and keys.recovery_kit() is None:
        print(
            "Nobody can bring the key file back if it is lost: no recovery kit was made since it was. "
            "Run: salus keys recovery-kit",
            file=sys.stderr,
        )
    return 0


def _lines(progress: tuple[Progress, ...]) -> Iterator[str]:
    """Yield how far each walk is; those that had nothing to do are not told."""
    for each in progress:
        if each.total:
            state = f"done {each.finished_at:%Y-%m-%d %H:%M}" if each.finished_at else "under way"
            yield (
                f"  to {each.kind} v{each.version}: {each.name:34} {each.done:>12,} of {each.total:,}  {state}"
            )


def _rotate(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys

    if options.kind == "dkim":
        return _rotate_dkim(options)
    with _acting_for(options.organization) as organization_id:
        actor = system(organization_id, "command-line")
        under_way = [each for each in keys.progress() if each.kind == options.kind and not each.finished_at]
        version = under_way[0].version if under_way else keys.rotate(options.kind, actor=actor)
    if under_way:
        print(f"The rotation to {options.kind}, version {version}, goes on.")
    else:
        print(f"Key {options.kind}, version {version}, is active. Other processes use it within a minute.")
    if options.kind == "checkpoint":
        _sign_anew(organization_id)
    if not options.in_background:
        _walk(organization_id)
    return 0


def _sign_anew(organization_id: UUID) -> None:
    """Sign the log with the new key at once, so that the entry that names it is under a checkpoint."""
    from salus.audit import api as audit
    from salus.platform.tenancy import acting_for

    with acting_for(organization_id):
        audit.integrate()
        audit.checkpoint()
        print(audit.verifier_key())


def _rotate_dkim(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys

    with _acting_for(options.organization) as organization_id:
        domain = options.domain or _sending_domain()
        found = keys.rotate_dkim(domain, actor=system(organization_id, "command-line"))
    _print_records(domain, found)
    print(
        "Publish these beside the present ones. Mail is signed as before until you run: "
        f"salus keys activate-dkim {domain} --organization {options.organization}"
    )
    return 0


def _activate(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys

    with _acting_for(options.organization) as organization_id:
        domain = options.domain or _sending_domain()
        published = _confirmed if options.confirmed else _seen_in_dns(domain)
        keys.activate_dkim(domain, published, actor=system(organization_id, "command-line"))
    print("The new keys sign from now on. Keep the old records in DNS for a week.")
    return 0


def _confirmed(key: DkimKey) -> bool:
    return True


def _seen_in_dns(domain: str) -> Callable[[DkimKey], bool]:
    """Return what looks a key's record up; a resolver that does not answer has not seen it."""
    import dns.exception
    import dns.resolver

    def seen(key: DkimKey) -> bool:
        try:
            answer = dns.resolver.resolve(f"{key.selector}._domainkey.{domain}", "TXT", lifetime=10)
        except dns.exception.DNSException:
            return False
        found = {b"".join(each.strings).decode(errors="replace") for each in answer}
        return key.txt.replace(" ", "") in {each.replace(" ", "") for each in found}

    return seen


def _sending_domain() -> str:
    from salus.identity import api as identity

    return identity.organization().sending_domain


def _reseal(options: argparse.Namespace) -> int:
    with _acting_for(options.organization) as organization_id:
        pass
    _walk(organization_id)
    return 0


def _walk(organization_id: UUID) -> None:
    """Bring everything to the present keys, showing how far it is."""
    from salus.kernel.acting import system
    from salus.keys import api as keys

    bar = _Bar()
    keys.reseal(organization_id, actor=system(organization_id, "command-line"), tell=bar)
    bar.end()


class _Bar:
    """One line that moves on a terminal, and a line for each table that is done elsewhere."""

    def __init__(self) -> None:
        self._moves = sys.stderr.isatty()
        self._told: set[str] = set()

    def __call__(self, progress: tuple[Progress, ...]) -> None:
        work = [each for each in progress if each.total]
        if self._moves and work:
            done, total = sum(each.done for each in work), max(1, sum(each.total for each in work))
            filled = min(30, 30 * done // total)
            print(f"\r[{'#' * filled:30}] {done:,} of {total:,} rows", end="", file=sys.stderr, flush=True)
            return
        for each in work:
            if each.finished_at and each.name not in self._told:
                self._told.add(each.name)
                print(f"{each.name}: {each.done:,} rows", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._moves:
            print(file=sys.stderr)


def _move(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys

    if bool(options.key) is (options.to == "file"):
        raise BadInput("AWS KMS and Vault need to know which key, and the file has one only.", place="--key")
    with _acting_for(options.organization) as organization_id:
        pass
    to = f"{options.to}:{options.key}" if options.key else "file"
    moved = keys.move(
        organization_id,
        to,
        actor=system(organization_id, "command-line"),
        tell=lambda done, left: print(f"Moved: {done}. Left: {left}.", file=sys.stderr, flush=True),
    )
    print(f"{moved} {'key was' if moved == 1 else 'keys were'} moved. New keys go there too.")
    if options.to != "file":
        print(
            "Whoever deletes that key there destroys everything that is sealed. Guard it, and try a restore."
        )
    return 0


def _destroy_retired(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys
    from salus.keys.contracts import InUse

    with _acting_for(options.organization) as organization_id:
        refused: InUse | None = None
        try:
            count = keys.destroy_retired(options.kind, actor=system(organization_id, "command-line"))
        except InUse as found:  # what it has set going is kept
            refused = found
    if refused is not None:
        raise refused
    print(f"{count} retired {'key was' if count == 1 else 'keys were'} destroyed.")
    if not count:
        print("A key goes a day after it retired at the earliest (a token key after 13 months).")
    return 0


def _destroy_organization(options: argparse.Namespace) -> int:
    from salus.kernel.acting import system
    from salus.keys import api as keys

    with _acting_for(options.slug) as organization_id:
        from salus.identity import api as identity
        from salus.retention import api as retention

        name = identity.organization().name
        if retention.standing():
            raise Conflict(
                "A legal hold stands. Nothing was destroyed.",
                next_step="Lift every hold first: salus hold list",
            )
    print(
        f"Nothing that is sealed for {name} can ever be opened again: people, messages, permissions, files."
    )
    print("Type its name to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() != name:
        raise BadInput("That is not its name. Nothing was destroyed.", place="name")
    count = keys.destroy_organization_keys(organization_id, actor=system(organization_id, "command-line"))
    print(f"{count} keys were destroyed. The log and its signatures stay.")
    print("Destroy the copies too: backups of the database together with the key file still open what was.")
    return 0


def _recovery_kit(options: argparse.Namespace) -> int:
    from salus.wiring.cli import setup

    setup()
    from salus.identity import api as identity
    from salus.kernel.acting import system
    from salus.keys import api as keys
    from salus.platform.tenancy import acting_for

    if options.directory and options.directory.exists() and any(options.directory.iterdir()):
        raise BadInput("The folder is not empty.", place=str(options.directory))
    kit, shares = keys.make_recovery_kit(shares=options.shares, threshold=options.threshold)
    for organization in identity.organizations():
        with acting_for(organization.id):
            keys.record_kit(kit, actor=system(organization.id, "command-line"))
    for share in shares:
        about = (share, kit.shares, kit.provider, f"{kit.made_at:%Y-%m-%d}")
        if options.directory is None:
            print(keys.share_text(*about) + "\f")
            continue
        name = f"share-{share.number}-of-{kit.shares}"
        _write(options.directory / f"{name}.txt", keys.share_text(*about))
        _write(options.directory / f"{name}.html", keys.share_page(*about))
    keys.keep_kit(kit)
    if options.directory is not None:
        print(f"{2 * kit.shares} files are in {options.directory}. Print them, then destroy the files.")
    return 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _recover(options: argparse.Namespace) -> int:
    from salus.keys import api as keys
    from salus.wiring.home import from_environment

    shares = _from_files(options.files) if options.files else _typed()
    directory = from_environment().keys
    name = keys.recover_key_file(shares, directory)
    print(
        f"The key {name} is back in {directory}. Restart Salus, then make a new kit: these shares were seen."
    )
    return 0


def _from_files(files: list[Path]) -> list[Share]:
    from salus.keys import api as keys

    found = []
    for path in files:
        reader = keys.Reader()
        found += [share for line in path.read_text().splitlines() if (share := reader.line(line))]
        if reader.is_within:
            raise BadInput("A share in it is not whole.", place=str(path))
    return found


def _typed() -> list[Share]:
    """Read shares from whoever types them; a line with a fault is asked for again."""
    from salus.keys import api as keys

    print("Type the lines of each share, with number and word.", file=sys.stderr)
    found: dict[int, Share] = {}
    reader = keys.Reader()
    for line in sys.stdin:
        try:
            share = reader.line(line)
        except BadInput as fault:
            print(f"{fault} Type that line again.", file=sys.stderr)
            continue
        if share is not None:
            found[share.number] = share
            print(f"Share {share.number} is whole: {len(found)} of {share.threshold}.", file=sys.stderr)
            if len(found) >= share.threshold:
                break
    return list(found.values())


def _dkim(options: argparse.Namespace) -> int:
    from salus.keys import api as keys

    with _acting_for(options.organization):
        _print_records(options.domain, keys.dkim_keys(options.domain))
        _print_records(options.domain, keys.waiting_dkim_keys(options.domain))
    return 0


def _print_records(domain: str, found: tuple[DkimKey, ...]) -> None:
    for key in found:
        print(f"{key.selector}._domainkey.{domain} TXT {key.txt}")


@contextmanager
def _acting_for(slug: str) -> Iterator[UUID]:
    from salus.wiring.cli import setup

    setup()
    from salus.identity import api as identity
    from salus.platform.tenancy import acting_for

    organization_id = identity.find_organization(slug).id
    with acting_for(organization_id):
        yield organization_id
