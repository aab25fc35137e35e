"""`salus template`: check a template file, see it as a sample person, list the fields it may read."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from salus.kernel.errors import BadInput
from salus.wiring import cli

if TYPE_CHECKING:
    from salus.content.contracts import Analysis, Draft, House


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    template = subparsers.add_parser("template", help="check and preview message templates")
    words = template.add_subparsers(dest="word", metavar="WORD", required=True)
    check = words.add_parser("check", help="say what a template discloses, and what keeps it from being sent")
    preview = words.add_parser("preview", help="print a template as an invented person would get it")
    fields = words.add_parser("fields", help="list the fields that a template may read")
    for parser in (check, preview):
        _describe_draft(parser)
    check.add_argument("--json", action="store_true", help="print one JSON object")
    preview.add_argument("--plain", action="store_true", help="print the plain text instead of the HTML")
    fields.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(run=run_check)
    preview.set_defaults(run=run_preview)
    fields.set_defaults(run=run_fields)


def _describe_draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the MJML")
    parser.add_argument("--subject", default="A message", help='default: "A message"')
    parser.add_argument("--preheader", default="")
    parser.add_argument("--text", type=Path, help="the plain text part; made from the MJML without it")
    parser.add_argument("--language", default="en", choices=("en", "es"))
    parser.add_argument(
        "--domain", action="append", default=[], help="a domain of your own; may stand more than once"
    )


def run_check(options: argparse.Namespace) -> int:
    """Print reads, notes and problems; 1 when there is a problem."""
    cli.setup()
    from salus.content import api as content

    analysis = content.analyse(_draft(options), house=_house(options))
    if options.json:
        print(json.dumps(asdict(analysis), ensure_ascii=False, indent=2))
    else:
        _print(analysis)
    return 1 if analysis.problems else 0


def run_preview(options: argparse.Namespace) -> int:
    """Print what the sample person gets; 1 (and the problems) when there is nothing to show."""
    cli.setup()
    from salus.content import api as content

    analysis, preview = content.sample(_draft(options), house=_house(options))
    if preview is None:
        _print(analysis)
        return 1
    print(preview.rendered.text if options.plain else preview.rendered.html)
    return 0


def run_fields(options: argparse.Namespace) -> int:
    """Print every readable field with its type and what it tells."""
    cli.setup()
    from salus.content import api as content

    known = content.readable_fields()
    if options.json:
        listed = {
            key: {"type": one.type, "class": one.phi_class, "special": one.special, "label": one.label}
            for key, one in known.items()
        }
        print(json.dumps(listed, ensure_ascii=False, indent=2))
        return 0
    for key, one in known.items():
        special = f", {one.special.value}" if one.special else ""
        print(f"contact.{key:<22} {one.type.value:<8} {one.phi_class.value}{special}  ({one.label})")
    for key, label in content.ORG_FIELDS.items():
        print(f"org.{key:<26} text     nothing of a patient  ({label})")
    for key, label in content.LINK_FIELDS.items():
        print(f"link.{key:<25} link     nothing of a patient  ({label})")
    return 0


def _draft(options: argparse.Namespace) -> Draft:
    from salus.content.contracts import Draft

    text = _read(options.text) if options.text else ""
    return Draft(options.language, options.subject, options.preheader, _read(options.file), text)


def _house(options: argparse.Namespace) -> House:
    from salus.content.contracts import House

    org = {"name": "Your organization", "phone": "(555) 555-0100", "postal_address": "1 Main Street, Anytown"}
    return House(tuple(domain.lower() for domain in options.domain), org)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"It cannot be read ({error.strerror}).", place=file.name) from None
    except UnicodeDecodeError as error:
        raise BadInput(
            f"It is not UTF-8 (byte {error.start}).", place=file.name, next_step="Save it as UTF-8."
        ) from None


def _print(analysis: Analysis) -> None:
    if analysis.reads:
        print("This discloses to whoever sees the message:")
    for read in analysis.reads:
        how = "tests" if read.origin == "condition" else "shows"
        code = f", code {read.code}" if read.code else ""
        special = f", {read.special.value}" if read.special else ""
        print(f"  {read.place}: {how} {read.field} ({read.phi_class.value}{special}{code})")
    if not analysis.reads:
        print("This reads nothing of a patient.")
    for note in analysis.notes:
        print(f"  {note.place}: {note.what}")
    for problem in analysis.problems:
        print(f"PROBLEM {problem.place}: {problem.what} {problem.next_step}".rstrip())
