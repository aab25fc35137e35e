"""Brings the demo's clinic in through the same importers that a real one goes through."""

from __future__ import annotations

import tempfile
from pathlib import Path

from salus.identity.contracts import Organization
from salus.intake import api as intake
from salus.intake.contracts import ImportFacts, ImportKind, ImportStatus
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.wiring.demo.terminal import Terminal

SEED = 7
DOMAINS = (
    ("partner.example.test", 58),
    ("pinned.example.test", 14),
    ("mail.example.test", 10),
    ("partner-refuses.example.test", 3),
    ("partner-busy.example.test", 3),
    ("no-starttls.example.test", 3),
    ("expired.example.test", 3),
    ("wrong-name.example.test", 2),
    ("tls10.example.test", 2),
    ("untrusted.example.test", 2),
)
"""Where the clinic's patients have their mail: most at hosts that can be verified, some at hosts of the
development relay that misbehave on purpose."""


def is_in() -> bool:
    """Return whether an earlier run brought the whole clinic in: its last file, of consents, is done."""
    return any(
        each.kind is ImportKind.PERMISSIONS_CSV and each.status is ImportStatus.DONE
        for each in intake.imports()
    )


def rejected() -> int:
    """Return how many rows of all files could not be used."""
    return sum(each.counts.rejected for each in intake.imports())


def bring_in(organization: Organization, patients: int, terminal: Terminal) -> None:
    """Generate the clinic and import every file; what a run that was stopped brought in is not doubled.

    The files hold plaintext, so they live in a private temporary folder for as long as it takes.
    """
    actor = system(organization.id, "demo")
    with tempfile.TemporaryDirectory(prefix="salus-clinic-") as folder:
        clinic = intake.generate_clinic(Path(folder), patients=patients, seed=SEED, domains=DOMAINS)
        for planned in clinic.imports:
            with acting_for(organization.id):
                match planned.kind:
                    case ImportKind.FHIR:
                        started = intake.start_fhir(
                            planned.paths, declaration=planned.declaration, actor=actor, queue=False
                        )
                    case ImportKind.CONTACTS_CSV:
                        started = intake.start_csv(
                            intake.read_file(planned.paths[0]),
                            mapping=planned.mapping,
                            declaration=planned.declaration,
                            actor=actor,
                            queue=False,
                        )
                    case ImportKind.PERMISSIONS_CSV:
                        started = intake.start_permissions_csv(
                            intake.read_file(planned.paths[0]),
                            mapping=planned.mapping,
                            declaration=planned.declaration,
                            actor=actor,
                            queue=False,
                        )
                about = intake.status(started)
            with terminal.bar(_TITLES[planned.kind], about.bytes_total) as done:

                def seen(facts: ImportFacts, done: object = done) -> None:
                    assert callable(done)
                    done(facts.bytes_done)

                ended = intake.run(organization.id, started, actor=actor, progress=seen)
            counts = ended.counts
            terminal.say(
                f"{_TITLES[planned.kind]}: {counts.taken:,} rows in, {counts.rejected:,} rejected, "
                f"{counts.unchanged:,} said nothing new"
            )


_TITLES = {
    ImportKind.FHIR: "Health record (FHIR)",
    ImportKind.CONTACTS_CSV: "Addresses (CSV)",
    ImportKind.PERMISSIONS_CSV: "Consents (CSV)",
}
