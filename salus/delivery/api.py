"""The door of delivery. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from salus.delivery import (
    calls,
    capping,
    deposits,
    letters,
    operations,
    proofs,
    queries,
    routing,
    suppressing,
    tracking,
)
from salus.delivery.aging import count_messages, empty_messages
from salus.delivery.asking import ask_identity_provider, ask_key_directory
from salus.delivery.capping import MOST_DAYS, MOST_MESSAGES, cap, capped
from salus.delivery.contracts import (
    Cap,
    MessageSpec,
    PlanCounts,
    PolicyFile,
    PortalRule,
    Question,
    TlsReport,
    Told,
    Trial,
)
from salus.delivery.counts import (
    Recipient,
    count_unnotified,
    engaged,
    engagement,
    engagement_of,
    is_waiting,
    progress,
    progress_of,
    recipients,
    sendings,
    settled_since,
    unnotified,
    untried,
    waiting_by_state,
)
from salus.delivery.joining import join_person as join_person
from salus.delivery.joining import part_person as part_person
from salus.delivery.leaving import erase_person, export_person
from salus.delivery.letters import erase_ended, keep_letter, letters_of, portal_rule
from salus.delivery.operations import cancel, expire_deposits, pause, recall, release, resume
from salus.delivery.plainly import NEXT_STEPS, plain_reason
from salus.delivery.planning import CHUNK, begin, finish, plan_chunk, plan_counts, spec_of
from salus.delivery.ports import use_origins, use_pages, use_reports, use_tally
from salus.delivery.queries import (
    may_send_code,
    messages_of_contact,
    origin_of,
    portal_message,
    sent_message,
)
from salus.delivery.routing import route
from salus.delivery.rules import accounted, priority_of
from salus.delivery.sending import Sending, send, send_each
from salus.delivery.suppressing import one_stopped, signs_since, stopped
from salus.delivery.telling import receipt
from salus.delivery.telling import tell as told_receipt
from salus.delivery.why import protected_so
from salus.delivery.written import Words
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.platform.presence import Roll
from salus.vendors.contracts import Waiting

__all__ = [
    "CHUNK",
    "MOST_DAYS",
    "MOST_MESSAGES",
    "NEXT_STEPS",
    "Recipient",
    "Sending",
    "Words",
    "accounted",
    "ask_dns",
    "ask_identity_provider",
    "ask_key_directory",
    "begin_plan",
    "call",
    "calls_settled",
    "cancel",
    "cancel_calls",
    "cap",
    "capped",
    "confirm_trial",
    "count_messages",
    "count_unnotified",
    "drop_relay",
    "empty_messages",
    "engaged",
    "engagement",
    "engagement_of",
    "erase_ended",
    "erase_person",
    "expire_calls",
    "expire_deposits",
    "export_person",
    "faults_of_proof",
    "fetch_policy",
    "finish_plan",
    "hold_calls",
    "is_our_address",
    "is_waiting",
    "keep_letter",
    "keep_relay_ready",
    "letters_of",
    "lift",
    "mail_paused",
    "may_send_code",
    "messages_of_contact",
    "one_stopped",
    "origin_of",
    "pause",
    "plain_reason",
    "plan",
    "plan_chunk",
    "plan_counts",
    "portal_message",
    "portal_opened",
    "portal_rule",
    "priority_of",
    "progress",
    "progress_of",
    "protected_so",
    "recall",
    "receipt",
    "recipients",
    "record_click",
    "record_engagement",
    "record_open",
    "relays_ready",
    "release",
    "release_calls",
    "resume",
    "route",
    "run_inbound",
    "run_sender",
    "send",
    "send_checkpoint",
    "send_code",
    "send_each",
    "send_log",
    "send_tls_report",
    "send_trial",
    "sendings",
    "sent_message",
    "set_cap",
    "set_portal_rule",
    "set_route",
    "settled_since",
    "signs_since",
    "spec_of",
    "stopped",
    "told_receipt",
    "trial_confirmed",
    "unnotified",
    "untried",
    "use_origins",
    "use_pages",
    "use_reports",
    "use_tally",
    "waiting_by_state",
    "waiting_for",
]

begin_plan, finish_plan = begin, finish
call, calls_settled, expire_calls = calls.call, calls.settled, calls.expire
hold_calls, release_calls, cancel_calls = calls.hold, calls.release, calls.cancel
mail_paused, relays_ready = routing.paused, routing.ready
record_open, record_click, record_engagement = tracking.opened, tracking.clicked, tracking.note
faults_of_proof = proofs.faults


def plan(spec: MessageSpec, numbers: Iterable[int], *, actor: Actor, clock: Clock) -> PlanCounts:
    """Plan a whole sending in the transaction of the caller; for large ones use the three parts of it."""
    begin(spec, actor=actor, at=clock.now())
    chunk: list[int] = []
    for number in numbers:
        chunk.append(number)
        if len(chunk) == CHUNK:
            plan_chunk(spec.origin, chunk, actor=actor, at=clock.now())
            chunk = []
    if chunk:
        plan_chunk(spec.origin, chunk, actor=actor, at=clock.now())
    return finish(spec.origin, actor=actor)


def run_sender(
    *,
    laboratory_routes: Path | None = None,
    until_idle: bool = False,
    roll: Roll | None = None,
    express: Roll | None = None,
) -> None:
    """Hand over what is due, for every organization, until SIGTERM (or until nothing is due).

    Senders of one machine share a `roll`, and one for their parts that hand over what somebody waits for
    (`express`): when one dies, another takes its messages over at once. Raises `BadInput` for a bad
    `shaping.toml`.
    """
    from salus.delivery.process import run_sender as run  # the network is loaded by senders only

    run(laboratory_routes=laboratory_routes, until_idle=until_idle, roll=roll, express=express)


def is_our_address(address: str) -> bool:
    """Tell whether mail could leave from this address of this machine."""
    from salus.delivery.transports.local import is_ours  # the network is loaded by who asks only

    return is_ours(address)


def run_inbound(
    listen: str, host: str, *, certificate: Path | None, key: Path | None, say: Callable[[str], None]
) -> None:
    """Take bounces and complaints on `listen` ("address:port") until SIGTERM, for every organization.

    `say` is told once where it listens. Raises `OSError` when it cannot.
    """
    from salus.delivery.inbound import run_inbound as run  # the network is loaded by the listener only

    run(listen, host, certificate=certificate, key=key, say=say)


def lift(entry_id: UUID, why: Phi[str], *, actor: Actor, at: datetime) -> None:
    """Let messages go again to an address that a rule had stopped; `why` is kept in the person's ledger.

    Raises `NotFound` (also for who may not write permissions), `BadInput` (with the place), `Conflict` when
    it was lifted already.
    """
    identity.require(actor, Permission.PERMISSIONS_ENTRY_WRITE)
    suppressing.lift(entry_id, why, actor=actor, at=at)


def ask_dns(questions: Sequence[Question], *, nameserver: str = "") -> tuple[Told, ...]:
    """Return what DNS answers now, in order; `nameserver` ("1.1.1.1", "127.0.0.1:5353") is asked, if given.

    It needs no organization in context, and takes a few seconds at most.
    """
    from salus.delivery.asking_dns import ask

    return ask(questions, nameserver)


def fetch_policy(domain: str, at: datetime, *, nameserver: str = "") -> PolicyFile:
    """Return the MTA-STS policy file that a domain serves now. It needs no organization in context."""
    from salus.delivery.asking_dns import policy_file

    return policy_file(domain, at, nameserver)


def send_trial(
    organization_id: UUID,
    address: Phi[str],
    word: str,
    *,
    laboratory_routes: Path | None = None,
    actor: Actor,
    clock: Clock,
) -> Trial:
    """Send a test message with fixed words and `word` by the way that all mail goes; return what became of it.

    Call it outside the organization's context. Raises `BadInput` (with the place), `OutOfScope`, `NotFound`
    for who may not change the organization's settings.
    """
    from salus.delivery import trial

    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    return trial.send(
        organization_id, address, word, laboratory_routes=laboratory_routes, actor=actor, clock=clock
    )


def send_checkpoint(
    organization_id: UUID, service_id: UUID, *, laboratory_routes: Path | None = None, clock: Clock
) -> tuple[int, Trial]:
    """Send the newest checkpoint to a witness of the register; return how many entries it covers, and what became of it.

    Call it outside the organization's context. Raises `NotFound`, `OutOfScope`, `BadInput` for a service that is
    no mailbox of a witness, `Conflict` before the first checkpoint.
    """
    from salus.delivery import witnessing

    return witnessing.send_checkpoint(
        organization_id, service_id, laboratory_routes=laboratory_routes, clock=clock
    )


def send_log(organization_id: UUID, service_id: UUID, messages: Sequence[str], *, clock: Clock) -> str:
    """Send messages of RFC 5424 to a log server of the register; return "", or a word for why they may not be there.

    Call it outside the organization's context. Raises `NotFound`, `OutOfScope`, `BadInput` for a service that is
    no log server.
    """
    from salus.delivery import witnessing

    return witnessing.send_log(organization_id, service_id, messages, clock=clock)


def send_tls_report(
    organization_id: UUID, uri: str, report: TlsReport, *, laboratory_routes: Path | None, clock: Clock
) -> str:
    """Send a report about TLS to one place that a domain named; return "", or a word for why it is not there.

    Call it outside the organization's context. Raises `OutOfScope` when the register does not allow reports,
    `BadInput` for a place that is none.
    """
    from salus.delivery import reporting

    return reporting.send(organization_id, uri, report, laboratory_routes=laboratory_routes, clock=clock)


def confirm_trial(*, actor: Actor) -> None:
    """Record that somebody has seen the test message arrive."""
    from salus.delivery import trial

    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    trial.confirm(actor=actor)


def trial_confirmed() -> datetime | None:
    """Return when somebody last said that a test message had arrived, None when nobody did."""
    from salus.delivery import trial

    return trial.confirmed()


def set_cap(new: Cap | None, *, actor: Actor, at: datetime) -> None:
    """Set the frequency cap, or take it away; what the old one held back asks again at once.

    Raises `BadInput` (with the place), `NotFound` for who may not change the organization's settings.
    """
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    capping.set_cap(new, actor=actor, at=at)


def set_portal_rule(new: PortalRule, *, actor: Actor) -> None:
    """Say how long messages wait in the portal from now on, and how long they are kept after it.

    Raises `BadInput` (with the place), `NotFound` for who may not change the organization's settings.
    """
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    letters.set_rule(new, actor=actor)


def set_route(
    service_id: UUID | None, *, user: str = "", password: str = "", actor: Actor, at: datetime
) -> None:
    """Send all mail by a relay of the vendor register, or (None) straight to the recipients' hosts.

    Raises `BadInput` (with the place), `NotFound`, also for who may not change the organization's settings.
    """
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    routing.choose(service_id, user=user, password=password, actor=actor, at=at)


def keep_relay_ready(
    name: str, service_id: UUID, *, user: str = "", password: str = "", actor: Actor, at: datetime
) -> None:
    """Keep a relay of the vendor register ready, by the name that rules of shaping have for it.

    Raises `BadInput` (with the place), `NotFound`, also for who may not change the organization's settings.
    """
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    routing.keep_ready(name, service_id, user=user, password=password, actor=actor, at=at)


def drop_relay(standby_id: UUID, *, actor: Actor) -> None:
    """Keep a relay ready no more. Raises `NotFound`, also for who may not change the organization's settings."""
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    routing.drop(standby_id, actor=actor)


def waiting_for(service_ids: Collection[UUID]) -> Mapping[UUID, Waiting]:
    """Return what waits for each of these services of the vendor register, and why it is paused."""
    return {**calls.waiting(service_ids), **routing.waiting(service_ids)}


def portal_opened(message_id: UUID, at: datetime) -> None:
    """Record that its reader opened a message in the portal; the first time counts."""
    operations.opened(message_id, at=at)


def send_code(message_id: UUID, code: Phi[str], *, language: str, at: datetime) -> Phi[str] | None:
    """Queue a sign-in code for the reader of a deposit, before all other mail; return where it goes.

    None when it may not travel: a special category is disclosed, or the path failed for the message
    itself. It goes on a verified path or not at all.
    """
    if not queries.may_send_code(message_id):
        return None
    return deposits.queue_code(message_id, code, language=language, at=at)
