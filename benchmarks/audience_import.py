"""Import of generated people through the whole CSV path, beside a plain COPY of the same file.

`python -m benchmarks.audience_import --contacts 1000000 --json FILE` measures it alone;
`measure` is for `./bench audience`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

BAR = 10_000
"""Contacts a second, sealed and blind-indexed."""


def measure(organization: UUID, contacts: int, folder: Path, dsn: str) -> dict[str, Any]:
    """Import a crowd of `contacts` into `organization` and return the figures; `dsn` may make tables."""
    from salus.intake import api
    from salus.intake.contracts import Declaration, ImportFacts
    from salus.kernel.acting import system
    from salus.kernel.vocabulary import AddressSource
    from salus.platform.tenancy import acting_for

    path = folder / "crowd.csv"
    megabytes = api.generate_crowd(path, people=contacts, seed=11) / 1e6
    plain = _plain_copy(path, dsn)
    actor = system(organization, "bench")
    declared = Declaration(AddressSource.CLINICAL_ENCOUNTER, "registration desk", date(2026, 1, 2))
    began, cpu = time.perf_counter(), _cpu()
    with acting_for(organization):
        import_id = api.start_csv(
            api.read_file(path), mapping=api.CROWD_MAPPING, declaration=declared, actor=actor, queue=False
        )
    sealed = time.perf_counter() - began

    def progress(facts: ImportFacts) -> None:
        if facts.counts.read % 50_000 < 2_000:
            rate = facts.counts.read / (time.perf_counter() - began)
            print(f"  {facts.counts.read:,} rows, {rate:,.0f} a second", file=sys.stderr, flush=True)

    facts = api.run(organization, import_id, actor=actor, progress=progress)
    seconds = time.perf_counter() - began
    assert facts.counts.created == contacts, facts
    path.unlink()
    return {
        "contacts": contacts,
        "file_mb": round(megabytes, 1),
        "seconds": round(seconds, 2),
        "sealing_the_upload_seconds": round(sealed, 2),
        "contacts_per_second": round(contacts / seconds, 1),
        "python_cpu_us_per_contact": round((_cpu() - cpu) / contacts * 1e6, 1),
        "plain_copy_rows_per_second": round(contacts / plain, 1),
        "times_slower_than_plain_copy": round(seconds / plain, 2),
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _plain_copy(path: Path, dsn: str) -> float:
    """COPY the file as it is into a plain table with the same three indexes; return the seconds."""
    import psycopg
    from psycopg import sql

    with path.open("rb") as file, psycopg.connect(dsn) as connection:
        headings = file.readline().decode().strip().split(",")
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in headings)
        connection.execute(
            sql.SQL("CREATE TABLE bench_plain (number bigserial PRIMARY KEY, {})").format(columns)
        )
        for name in ("MRN", "Email", "Phone"):
            connection.execute(sql.SQL("CREATE INDEX ON bench_plain ({})").format(sql.Identifier(name)))
        connection.commit()
        names = sql.SQL(", ").join(map(sql.Identifier, headings))
        began = time.perf_counter()
        statement = sql.SQL("COPY bench_plain ({}) FROM STDIN (FORMAT CSV)").format(names)
        with connection.cursor().copy(statement) as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
        connection.commit()
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE bench_plain")
        return seconds


def main() -> int:
    """Measure in a home of its own; exit 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    from psycopg.conninfo import make_conninfo

    from salus.wiring.home import Home, admin_dsn, database_name
    from salus.wiring.installation import Installation

    with tempfile.TemporaryDirectory(prefix="salus-bench-") as folder:
        Path(folder).chmod(0o755)
        installation = Installation(Home(Path(folder) / "home"), os.environ.get("DATABASE_URL"))
        os.environ.update(installation.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "salus.wiring.settings"
        with installation.running():
            from salus.wiring.cli import setup

            setup()
            from salus.kernel.ids import new_id
            from salus.keys import api as keys

            organization = new_id()
            keys.create_organization_keys(organization)
            url = installation.database_url
            dsn = make_conninfo(admin_dsn(installation.home, url), dbname=database_name(url))
            figures = measure(organization, options.contacts, Path(folder), dsn)
    value = figures["contacts_per_second"]
    targets = {"import contacts/s": {"value": value, "bar": BAR, "met": value >= BAR}}
    text = json.dumps({"figures": figures, "targets": targets}, indent=2)
    if options.json:
        options.json.write_text(text + "\n")
    print(text)
    return 0 if value >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
