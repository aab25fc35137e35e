"""The rounds that every worker makes: sequencing the log, witnessing it, closing what has ended."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from salus.audit import api as audit
from salus.campaigns import api as campaigns
from salus.delivery import api as delivery
from salus.domains import api as domains
from salus.files import api as files
from salus.identity import api as identity
from salus.inbox import api as inbox
from salus.intake import api as intake
from salus.journeys import api as journeys
from salus.kernel.acting import system
from salus.kernel.time import SystemClock
from salus.keys import api as keys
from salus.patients import api as patients
from salus.platform.jobs import defer
from salus.platform.rounds import Round
from salus.privacy import api as privacy
from salus.reports import api as reports
from salus.retention import api as retention
from salus.sealedmail import api as sealedmail
from salus.shaping import api as shaping
from salus.wiring.reminding import remind_of_mail_keys, remind_of_vendors

CLOCK = SystemClock()


def _integrate(organization_id: UUID) -> None:
    audit.integrate()


def _checkpoint(organization_id: UUID) -> None:
    audit.checkpoint_regularly(CLOCK)


def _expire(organization_id: UUID) -> None:
    delivery.expire_deposits(actor=system(organization_id, "worker"), at=CLOCK.now())


def _erase_ended(organization_id: UUID) -> None:
    held = retention.spared()
    if not held.everybody:
        actor = system(organization_id, "worker")
        delivery.erase_ended(spared=held.people, actor=actor, at=CLOCK.now())


def _expire_calls(organization_id: UUID) -> None:
    delivery.expire_calls(actor=system(organization_id, "worker"), at=CLOCK.now())


def _expire_tasks(organization_id: UUID) -> None:
    inbox.expire(actor=system(organization_id, "worker"), at=CLOCK.now())


def _launch(organization_id: UUID) -> None:
    campaigns.launch_due(actor=system(organization_id, "worker"), at=CLOCK.now())


def _verify(organization_id: UUID) -> None:
    reports.look_after_log(CLOCK)


def _send_copies(organization_id: UUID) -> None:
    reports.look_after_copies(CLOCK)


def _tell_domains(organization_id: UUID) -> None:
    domains.look_after_tls_reports(CLOCK)


def _age_keys(organization_id: UUID) -> None:
    keys.age_token_keys()
    keys.age_dkim_keys()


def _remind_of_vendors(organization_id: UUID) -> None:
    remind_of_vendors(actor=system(organization_id, "worker"), at=CLOCK.now())


def _remind_of_mail_keys(organization_id: UUID) -> None:
    remind_of_mail_keys(actor=system(organization_id, "worker"), at=CLOCK.now())


def _refresh_mail_keys(organization_id: UUID) -> None:
    sealedmail.refresh(CLOCK.now())


def _forget_patients(organization_id: UUID) -> None:
    held = retention.spared()
    if not held.everybody:
        patients.forget_old(spared=held.people)


def _forget_drafts(organization_id: UUID) -> None:
    files.forget_drafts(actor=system(organization_id, "worker"), at=CLOCK.now())


def _erase_kept(organization_id: UUID) -> None:
    privacy.erase_kept(actor=system(organization_id, "worker"), clock=CLOCK)


def _keep_erased(organization_id: UUID) -> None:
    privacy.remember()
    privacy.queue_again()


def _forget_staff_sessions(organization_id: UUID) -> None:
    identity.forget_old(CLOCK.now())


def _forget_answers(organization_id: UUID) -> None:
    identity.forget_answers(CLOCK.now())


def _forget_imports(organization_id: UUID) -> None:
    if not retention.spared().everybody:
        intake.discard_abandoned(actor=system(organization_id, "worker"), clock=CLOCK)


def _empty_due(organization_id: UUID) -> None:
    defer("salus.retention.tasks.empty", once="due")


def _forget_measures(organization_id: UUID) -> None:
    shaping.forget(CLOCK.now())


def _find_due(organization_id: UUID) -> None:
    journeys.find_due()


def _find_coming(organization_id: UUID) -> None:
    journeys.find_coming()


def _follow(feed: str, organization_id: UUID) -> None:
    journeys.follow(feed)


def _join_counts(organization_id: UUID) -> None:
    journeys.join_counts()


ROUNDS = (
    Round("audit-integrate", 1.0, _integrate),
    Round("audit-checkpoint", 60.0, _checkpoint),
    Round("delivery-expire", 60.0, _expire),
    Round("shaping-forget", 3600.0, _forget_measures),
    Round("delivery-erase", 3_600.0, _erase_ended),
    Round("delivery-expire-calls", 15.0, _expire_calls),
    Round("inbox-expire", 15.0, _expire_tasks),
    Round("keys-age", 86_400.0, _age_keys),
    Round("vendors-remind", 3_600.0, _remind_of_vendors),
    Round("sealedmail-remind", 3_600.0, _remind_of_mail_keys),
    Round("sealedmail-refresh", 3_600.0, _refresh_mail_keys),
    Round("patients-forget", 86_400.0, _forget_patients),
    Round("intake-forget", 86_400.0, _forget_imports),
    Round("files-forget", 3_600.0, _forget_drafts),
    Round("privacy-forget", 86_400.0, _erase_kept),
    Round("retention-empty", 86_400.0, _empty_due),
    Round("privacy-erased", 600.0, _keep_erased),
    Round("identity-forget", 3_600.0, _forget_staff_sessions),
    Round("identity-answers", 3_600.0, _forget_answers),
    Round("reports-verify", 30.0, _verify),
    Round("reports-copies", 15.0, _send_copies),
    Round("domains-tell", 1_800.0, _tell_domains),
    Round("campaigns-launch", 5.0, _launch),
    Round("journeys-due", 1.0, _find_due),
    *(Round(f"journeys-follow-{feed}", 1.0, partial(_follow, feed)) for feed in journeys.FEEDS),
    Round("journeys-enter", 5.0, _find_coming),
    Round("journeys-counts", 60.0, _join_counts),
)
