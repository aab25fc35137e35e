"""The hands of the fault test: a process beside the installation that does what staff do, told by lines of JSON.

Started as `python tests/whole/driving.py` in the installation's environment. Each line is
`[name, arguments]`; the answer is `{"is": value}` or `{"fault": word}` when the database or the engine
is away: then the same line can be sent again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from salus.wiring.cli import setup

setup()

from django.db import connections  # noqa: E402
from psycopg import sql  # noqa: E402

from salus.audiences import api as audiences  # noqa: E402
from salus.audit import api as audit  # noqa: E402
from salus.campaigns import api as campaigns  # noqa: E402
from salus.campaigns.contracts import CAMPAIGN  # noqa: E402
from salus.contacts import api as contacts  # noqa: E402
from salus.content import api as content  # noqa: E402
from salus.content.contracts import Classification  # noqa: E402
from salus.delivery import api as delivery  # noqa: E402
from salus.delivery.contracts import Origin  # noqa: E402
from salus.identity.contracts import Role  # noqa: E402
from salus.intake import api as intake  # noqa: E402
from salus.intake.contracts import Column, CsvMapping, Declaration  # noqa: E402
from salus.kernel.errors import SalusError, Unavailable  # noqa: E402
from salus.kernel.time import SystemClock  # noqa: E402
from salus.kernel.vocabulary import AddressSource, Promotes, Purpose, Remuneration  # noqa: E402
from salus.platform import bulk  # noqa: E402
from salus.platform.outages import DATABASE_AWAY  # noqa: E402
from salus.platform.tenancy import acting_for  # noqa: E402
from salus.wiring.demo.cast import clinic, member  # noqa: E402

CLOCK = SystemClock()
MAPPING = CsvMapping(
    columns=(
        Column("MRN", "identifier:mrn"),
        Column("Email", "address:email"),
        Column("First", "attribute:given_name"),
        Column("Last", "attribute:family_name"),
        Column("Born", "attribute:birth_date"),
        Column("State", "attribute:state"),
        Column("City", "attribute:city"),
    )
)
DECLARED = Declaration(AddressSource.CLINICAL_ENCOUNTER, "registration desk", date(2026, 1, 5))
REMINDER = Classification(Purpose.APPOINTMENT, Promotes.NOTHING, Remuneration.NONE, "visits")
LETTER = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ contact.given_name }}, your visit is near. "
    "Please call us.</mj-text></mj-column></mj-section></mj-body></mjml>"
)


def start_import(path: str) -> str:
    """Queue the import of a CSV for the worker."""
    return str(
        intake.start_csv(
            intake.read_file(Path(path)),
            mapping=MAPPING,
            declaration=DECLARED,
            actor=member(CLINIC, Role.ADMINISTRATOR),
        )
    )


def import_status(import_id: str) -> dict[str, Any]:
    """Tell how far an import is."""
    facts = intake.status(UUID(import_id))
    counts = facts.counts
    return {
        "status": facts.status.value,
        "done": facts.bytes_done,
        "failure": facts.failure,
        "counts": [counts.read, counts.taken, counts.rejected, counts.ignored, counts.created],
        "contacts": contacts.count(),
        "rejects": sum(each.rows for each in intake.reasons(UUID(import_id))),
    }


def engine() -> dict[str, Any]:
    """Tell how the audience engine stands."""
    status = audiences.engine_status()
    return {"state": status.state, "people": status.people, "behind": sum((status.behind or {}).values())}


def draft(city: str) -> str:
    """Write a message and a campaign to everybody in a city; return the campaign."""
    author, reviewer, marketer = (
        member(CLINIC, role) for role in (Role.AUTHOR, Role.PRIVACY_OFFICER, Role.MARKETER)
    )
    template_id = content.create_template("A visit is near", actor=author)
    version = content.save_version(
        template_id, language="en", subject="Your visit", mjml=LETTER, actor=author
    )
    content.classify(version.id, REMINDER, actor=author)
    content.confirm_classification(version.id, actor=reviewer)
    where = {"version": 1, "where": {"field": "city", "equal": city}}
    segment = audiences.save_segment("Everybody there", where, marketer)
    campaign = campaigns.create(
        name="Visits", segment_id=segment.id, versions={"en": version.id}, actor=marketer, at=CLOCK.now()
    )
    return str(campaign.id)


def plan(campaign_id: str) -> int:
    """Queue the planning for the worker; return how many people there are."""
    marketer = member(CLINIC, Role.MARKETER)
    planned = campaigns.plan(UUID(campaign_id), actor=marketer, clock=CLOCK)
    return planned.planned_people or 0


def campaign_status(campaign_id: str) -> dict[str, Any]:
    """Tell where a campaign is, and each of its messages."""
    progress = campaigns.progress(UUID(campaign_id))
    found = campaigns.campaign(UUID(campaign_id))
    return {
        "status": found.status.value,
        "fault": found.fault,
        "planned": progress.planned if progress else 0,
        "states": dict(progress.states) if progress else {},
        "refused": dict(progress.refused) if progress else {},
        "queue": dict(delivery.waiting_by_state()),
    }


def send(campaign_id: str) -> str:
    """Approve and launch."""
    officer, marketer = member(CLINIC, Role.PRIVACY_OFFICER), member(CLINIC, Role.MARKETER)
    campaigns.approve(UUID(campaign_id), actor=officer, at=CLOCK.now())
    return campaigns.launch(UUID(campaign_id), actor=marketer, at=CLOCK.now()).status.value


def messages(campaign_id: str) -> list[tuple[str, str, bool]]:
    """Return (id, state, whether its receipt says `uncertain`) of every message."""
    origin = _origin(campaign_id)
    found, after = [], 0
    while page := delivery.recipients(origin, after=after, limit=500):
        after = page[-1].contact_number
        found += [(each.message_id.hex, each.state.value, each.uncertain) for each in page]
    return found


def receipts_say_uncertain(message_ids: list[str]) -> list[bool]:
    """Return what the receipts of these messages say."""
    return [delivery.receipt(UUID(each)).uncertain for each in message_ids]


def without_owner(campaign_id: str) -> list[int]:
    """Return how many messages wait in no queue, and how many in the queue wait for nothing."""
    waiting = "m.state IN ('cleared', 'leased', 'deferred')"
    orphans = bulk.execute(
        sql.SQL(
            f"SELECT count(*) FROM delivery_message m WHERE m.origin_id = %s AND {waiting} "
            "AND NOT EXISTS (SELECT 1 FROM delivery_queue q WHERE q.message_id = m.id)"
        ),
        [_origin(campaign_id).id],
    )
    strays = bulk.execute(
        sql.SQL(
            "SELECT count(*) FROM delivery_queue q WHERE q.origin_id = %s AND NOT EXISTS "
            f"(SELECT 1 FROM delivery_message m WHERE m.id = q.message_id AND {waiting})"
        ),
        [_origin(campaign_id).id],
    )
    return [orphans[0][0], strays[0][0]]


def verify() -> list[Any]:
    """Give every entry of the log its place and recompute all of it."""
    while audit.integrate():
        pass
    audit.checkpoint(CLOCK)
    verdict = audit.verify()
    return [verdict.verified, verdict.entries, [str(each) for each in verdict.faults]]


def _origin(campaign_id: str) -> Origin:
    plan_id = campaigns.campaign(UUID(campaign_id)).plan_id
    assert plan_id
    return Origin(CAMPAIGN, plan_id)


WORDS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        start_import, import_status, engine, draft, plan, campaign_status, send, messages,
        receipts_say_uncertain, without_owner, verify,
    )
}  # fmt: skip


def answer(line: str) -> dict[str, Any]:
    """Do what one line asks, in one transaction."""
    name, arguments = json.loads(line)
    try:
        with acting_for(CLINIC.id):
            return {"is": WORDS[name](*arguments)}
    except (*DATABASE_AWAY, Unavailable) as away:
        connections.close_all()
        return {"fault": type(away).__name__}
    except SalusError as refused:
        return {"refused": str(refused)}


if __name__ == "__main__":
    CLINIC = clinic()
    for _line in sys.stdin:
        sys.stdout.write(json.dumps(answer(_line)) + "\n")
        sys.stdout.flush()
