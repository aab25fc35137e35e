"""The story of `./run`: a clinic's patients to delivered, proven mail, step by step, through the same doors a person uses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.campaigns import api as campaigns
from salus.campaigns.contracts import CAMPAIGN as CAMPAIGN_KIND
from salus.campaigns.contracts import Campaign, Status
from salus.contacts import api as contacts
from salus.content import api as content
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin, State
from salus.delivery.web.wording import PEERS
from salus.gate import api as gate
from salus.identity.contracts import Organization, Role
from salus.journeys import api as journeys
from salus.journeys.contracts import JOURNEY
from salus.kernel.errors import Unavailable
from salus.kernel.time import SystemClock
from salus.platform.tenancy import acting_for
from salus.reports import api as reports
from salus.wiring.demo import clinic, weeks
from salus.wiring.demo.cast import member
from salus.wiring.demo.summary import Summary
from salus.wiring.demo.terminal import Terminal

CLOCK = SystemClock()
STARTER = "a1c_check"
SEGMENT = "Diabetes, blood sugar check due"
CAMPAIGN = "Blood sugar check, time to book"
TREE = {
    "version": 1,
    "where": {
        "all": [
            {"record": "conditions", "code": "vs:diabetes"},
            {"not": {"record": "labs", "code": "vs:hba1c", "date": {"within_last": {"days": 90}}}},
        ]
    },
}
PATIENCE = 180.0
"""Seconds to wait for the worker, the engine or the sender before saying that one does not answer."""


class Story:
    """One telling of the story, for one organization."""

    def __init__(
        self, organization: Organization, terminal: Terminal, summary: Summary, *, command: str = "salus"
    ) -> None:
        self._organization, self._terminal, self._summary = organization, terminal, summary
        self._command = command
        self._id = organization.id
        self._tend: Callable[[], None] = lambda: None

    def tell(self, patients: int, *, tend: Callable[[], None] = lambda: None) -> None:
        """Do the whole job; what an earlier telling did is not done again.

        `tend` is called while we wait for other processes, so that one that died is started again.
        """
        terminal, self._tend = self._terminal, tend
        with terminal.phase("import", "Importing and sealing the clinic"):
            self._bring_in(patients)
        with terminal.phase("audience", "Building the audience in the encrypted column store"):
            self._wait_for_engine()
        with terminal.phase("content", "Writing, analysing and reviewing the message"):
            versions = self._write()
        with terminal.phase("plan", "Freezing the segment and asking the gate for every person"):
            campaign = self._plan(versions)
        self._show_plan(campaign)
        with terminal.phase("approve", "Approval by somebody who did not write it"):
            campaign = self._approve(campaign)
        with terminal.phase("send", "Sending over verified TLS, with the portal as fallback"):
            self._send(campaign)
        self._show_sums(campaign)
        with terminal.phase("journey", f"A journey at work: {weeks.DAYS} days of it on a fast clock"):
            journey_id = self._run_journey()
        self._show_journey(journey_id)
        with terminal.phase("verify", "Verifying the audit log from its first entry"):
            self._verify()
        self._show_receipt(campaign)

    def _bring_in(self, patients: int) -> None:
        with acting_for(self._id):
            earlier, known = clinic.is_in(), contacts.count()
        if earlier:
            self._terminal.say(f"{known:,} people are here from an earlier run; nothing is imported twice")
            self._summary.patients = known
        else:
            clinic.bring_in(self._organization, patients, self._terminal)
            self._summary.patients = patients
        with acting_for(self._id):
            self._summary.imported = contacts.count()
            self._summary.rejected = clinic.rejected()

    def _wait_for_engine(self) -> None:
        def ready() -> bool:
            with acting_for(self._id):
                status = audiences.engine_status()
            return status.state == "ready" and not sum((status.behind or {}).values())

        self._wait("The audience engine", ready)
        with acting_for(self._id):
            count = audiences.count(TREE)
            total = contacts.count()
        self._terminal.say(f"{total:,} people, {count.people:,} of them in “{SEGMENT}”")

    def _write(self) -> dict[str, UUID]:
        with acting_for(self._id):
            for known in content.templates():
                if known.name == _starter_name():
                    return {language: version.id for language, version in known.newest.items()}
            author, reviewer = (
                member(self._organization, Role.AUTHOR),
                member(self._organization, Role.PRIVACY_OFFICER),
            )
            starter = next(each for each in content.starters() if each.key == STARTER)
            template_id = content.create_template(starter.name, actor=author)
            versions: dict[str, UUID] = {}
            for language, draft in starter.drafts.items():
                version = content.save_version(
                    template_id,
                    language=language,
                    subject=draft.subject,
                    preheader=draft.preheader,
                    mjml=draft.mjml,
                    text=draft.text,
                    actor=author,
                )
                content.classify(version.id, starter.classification, actor=author)
                content.confirm_classification(version.id, actor=reviewer)
                versions[language] = version.id
                reads = sorted({read.phi_class for read in version.analysis.reads})
                subject = content.preview(version, actor=author).rendered.subject
                self._terminal.say(f"“{subject}”; the text discloses {', '.join(reads) or 'nothing'}")
        return versions

    def _plan(self, versions: dict[str, UUID]) -> Campaign:
        with acting_for(self._id):
            marketer = member(self._organization, Role.MARKETER)
            known = next((each for each in campaigns.campaigns() if each.name.reveal() == CAMPAIGN), None)
            if known is None:
                segment = audiences.save_segment(SEGMENT, TREE, marketer)
                known = campaigns.create(
                    name=CAMPAIGN, segment_id=segment.id, versions=versions, actor=marketer, at=CLOCK.now()
                )
            if known.status is Status.DRAFT:
                known = campaigns.plan(known.id, actor=marketer, clock=CLOCK)
        campaign_id, people = known.id, known.planned_people or 0
        with self._terminal.bar("People decided", people) as done:

            def planned() -> bool:
                with acting_for(self._id):
                    progress = campaigns.progress(campaign_id)
                    done(progress.planned if progress else 0)
                    return campaigns.campaign(campaign_id).status is not Status.PLANNING

            self._wait("The worker", planned)
        with acting_for(self._id):
            return campaigns.campaign(campaign_id)

    def _show_plan(self, campaign: Campaign) -> None:
        plan = campaign.planned
        assert plan is not None
        self._terminal.sums(
            f"Of {plan.planned:,} people, {plan.cleared:,} may receive it",
            {
                f"{gate.explain(rule).sentence} [dim]{rule}[/dim]": count
                for rule, count in plan.by_rule.items()
            },
            plan.planned,
        )
        self._show_refused(plan.refused, "may not, and why", "people")

    def _show_refused(self, refused: Mapping[str, int], title: str, what: str) -> None:
        rows = []
        for reason, count in sorted(refused.items(), key=lambda item: -item[1]):
            explained = gate.explain(reason)
            rows.append((explained.sentence, ", ".join(explained.citations), f"{count:,}"))
        self._terminal.table(f"{sum(refused.values()):,} {title}", rows, ("", "citation", what))

    def _approve(self, campaign: Campaign) -> Campaign:
        with acting_for(self._id):
            officer = member(self._organization, Role.PRIVACY_OFFICER)
            marketer = member(self._organization, Role.MARKETER)
            if campaign.status is Status.PLANNED:
                campaign = campaigns.approve(campaign.id, actor=officer, at=CLOCK.now())
                self._terminal.say("The privacy officer approved what the plan shows")
            if campaign.status is Status.APPROVED:
                campaign = campaigns.launch(campaign.id, actor=marketer, at=CLOCK.now())
        return campaign

    def _send(self, campaign: Campaign) -> None:
        """Wait until every message was tried; what a peer put off is tried again later and stays queued."""
        total = campaign.planned.cleared if campaign.planned else 0
        with self._terminal.bar("Messages tried", total) as done:

            def tried() -> bool:
                with acting_for(self._id):
                    waiting = delivery.untried(_origin(campaign))
                done(total - waiting)
                return waiting == 0

            self._wait("The sender", tried)

    def _show_sums(self, campaign: Campaign) -> None:
        with acting_for(self._id):
            progress = campaigns.progress(campaign.id)
        assert progress is not None
        self._summary.audience = campaign.planned_people or 0
        self._summary.take_progress(progress)
        summary = self._summary
        words = {
            "accepted by the peer": summary.accepted,
            "waiting in the portal, notice sent": summary.portal,
            "waiting in the portal, staff must tell": summary.portal_unnotified,
            "bounced": summary.bounced,
            "gave up": summary.gave_up,
            "stopped": summary.cancelled,
            "put off by the peer, tried again later": summary.queued,
        }
        self._terminal.sums(
            f"What became of {summary.cleared:,} messages",
            {k: v for k, v in words.items() if v},
            summary.cleared,
        )

    def _run_journey(self) -> UUID:
        """Let a ready journey run; one that an earlier telling started goes on by itself."""
        with acting_for(self._id):
            known = weeks.known()
        if known and known.live:
            self._terminal.say("It runs since an earlier telling")
            return known.id
        running = weeks.Weeks(self._organization, CLOCK.now(), self._settle_journeys)
        with self._terminal.bar("Days passed", weeks.DAYS) as done:
            return running.live(done)

    def _settle_journeys(self, since: datetime) -> None:
        def settled() -> bool:
            with acting_for(self._id):
                return not any(delivery.untried(each.origin) for each in delivery.sendings(JOURNEY, since))

        self._wait("The sender", settled)

    def _show_journey(self, journey_id: UUID) -> None:
        with acting_for(self._id):
            counts = journeys.counts(journey_id)
            newest = journeys.journey(journey_id).live or journeys.versions(journey_id)[0].id
            graph = journeys.version(newest).graph
            way = weeks.longest_way(self._organization, journey_id)
        self._summary.take_journey(graph.name, counts)
        weeks.show(self._terminal, graph, counts)
        refused = weeks.refused(counts)
        self._show_refused(refused, "letters may not be written, and why", "letters")
        weeks.show_way(self._terminal, graph, way)

    def _verify(self) -> None:
        while True:
            with acting_for(self._id):
                if not audit.integrate():
                    break
        with acting_for(self._id):
            audit.checkpoint(CLOCK)
            found = reports.verify_log(actor=member(self._organization, Role.AUDITOR), clock=CLOCK)
        self._summary.take_verdict(found)
        if not found.verified:
            self._terminal.say(f"[red]The log does not match: {found.faults[0].what}[/red]")
            return
        self._terminal.say(f"{found.entries:,} entries, none changed; root {found.root[:16]}…")

    def _show_receipt(self, campaign: Campaign) -> None:
        with acting_for(self._id):
            found = delivery.recipients(_origin(campaign), states=(State.ACCEPTED,), limit=1)
            if not found:
                return
            receipt = delivery.receipt(found[0].message_id)
        rule = gate.explain(receipt.rule_ids[0])
        rows = [
            ("Allowed by", f"{rule.sentence} [dim]{receipt.rule_ids[0]}: {'; '.join(rule.citations)}[/dim]"),
            ("Discloses", ", ".join(receipt.disclosed)),
            ("Protected", f"{receipt.tls.get('version')}, {receipt.tls.get('cipher')}"),
            ("Peer", f"{receipt.tls.get('host')}. {PEERS[receipt.tls['peer']][0]}"),
            ("Proof", "in the signed log" if receipt.proof else "waits for the next checkpoint"),
        ]
        self._terminal.table("One message’s receipt", rows, ("", ""))
        self._terminal.say(f"[dim]{self._command} message receipt {receipt.message_id}[/dim]")

    def _wait(self, who: str, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > deadline:
                raise Unavailable(f"{who} does not answer.", kept="Nothing is lost: start again, it goes on.")
            self._tend()
            time.sleep(0.3)


def _starter_name() -> str:
    return next(each.name for each in content.starters() if each.key == STARTER)


def _origin(campaign: Campaign) -> Origin:
    assert campaign.plan_id is not None
    return Origin(CAMPAIGN_KIND, campaign.plan_id)


def write_summary(summary: Summary, path: Path | None) -> None:
    """Write the summary to `path`, whole or not at all."""
    if path is None:
        return
    draft = path.with_suffix(path.suffix + ".part")
    draft.write_text(json.dumps(vars(summary), indent=2) + "\n")
    draft.replace(path)
