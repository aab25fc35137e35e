"""Puts together what the pages of a campaign show: who may receive it and why, what it discloses, how it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.campaigns import rules
from salus.campaigns.contracts import (
    CAMPAIGN,
    Behind,
    Campaign,
    Disclosure,
    Letter,
    Line,
    Running,
    Told,
    ToldPlan,
)
from salus.campaigns.queries import campaign
from salus.campaigns.specifying import sender_of
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.content import api as content
from salus.delivery import api as delivery
from salus.delivery.api import Recipient
from salus.delivery.contracts import FREQUENCY_CAP, Origin, State
from salus.gate import api as gate
from salus.gate.contracts import Explained
from salus.identity import api as identity
from salus.kernel.acting import Actor, system
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import PhiClass, Profile, Protection, Purpose
from salus.platform.tenancy import current_organization

MINUTE = timedelta(minutes=1)
SEGMENT, TEXT, SUBJECT, ADDRESS = "the segment", "the text", "what it is about", "the address"


def tell(campaign_id: UUID) -> Told:
    """Return a campaign with what its pages show beside the plan; raises `NotFound`."""
    found = campaign(campaign_id)
    letters = tuple(_letter(language, id) for language, id in sorted(found.versions.items()))
    organization = identity.organization()
    segment = audiences.segment(found.segment_id)
    if found.frozen_id:  # what was frozen, whatever became of the segment since
        name, reads = audiences.frozen_name(found.frozen_id), audiences.frozen(found.frozen_id).reads
    else:
        name, reads = segment.name, segment.reads
    people = (found.author_id, found.approved_by, found.planned_by)
    return Told(
        campaign=found,
        segment_name=name,
        letters=letters,
        discloses=_disclosures(reads, letters),
        sender=sender_of(organization),
        profile=str(organization.profile),
        names=identity.staff_names(id for id in people if id),
    )


def tell_plan(found: Campaign) -> ToldPlan | None:
    """Return what the plan found, every rule and reason explained; None before there is one."""
    if found.planned is None:
        return None
    return ToldPlan(
        counts=found.planned,
        allowed=_allowed(found.planned.by_rule),
        refused=_lines(found.planned.refused),
        rules_version=found.rules_version,
    )


def running(found: Campaign, at: datetime) -> Running | None:
    """Return how a campaign goes; None before there is a plan."""
    if found.plan_id is None:
        return None
    origin = Origin(CAMPAIGN, found.plan_id)
    progress = delivery.progress(origin)
    outcomes = delivery.accounted(dict(progress.states))
    held = progress.reasons.get(State.DEFERRED, {}).get(FREQUENCY_CAP, 0)
    a_minute = delivery.settled_since(origin, at - MINUTE)
    return Running(
        progress=progress,
        cleared=progress.planned - sum(progress.refused.values()),
        outcomes=outcomes,
        later=progress.states.get(State.DEFERRED, 0) - held,
        held=held,
        a_minute=a_minute,
        ends_at=rules.ends_at(at, outcomes["queued"], a_minute),
    )


def behind(
    campaign_id: UUID, what: Behind, *, actor: Actor, after: int = 0, limit: int = 100
) -> list[Recipient]:
    """Return who is behind a figure of the plan, by contact number; the look is recorded.

    Raises `NotFound` before there is a plan.
    """
    found = campaign(campaign_id)
    if found.plan_id is None:
        raise NotFound
    people = delivery.recipients(
        Origin(CAMPAIGN, found.plan_id),
        states=(State.REFUSED,) if what.refused else tuple(set(State) - {State.REFUSED}),
        reason=what.code if what.refused else "",
        rule="" if what.refused else what.code,
        floor=what.floor,
        after=after,
        limit=limit,
    )
    audit.record(
        Action.REPORT_RECIPIENTS,
        actor=actor,
        object_kind="campaign",
        object_id=campaign_id,
        outcome="refused" if what.refused else "cleared",
        details={"people": len(people)},
    )
    return people


def _letter(language: str, version_id: UUID) -> Letter:
    version = content.version(version_id)
    confirmed = version.classification.confirmed_by if version.classification else None
    return Letter(
        language=language,
        version=version,
        name=content.template_name(version.template_id),
        merged=content.merge_fields(version),
        subject=content.preview(version, actor=system(current_organization(), "campaigns")).rendered.subject,
        confirmed_by=identity.staff_names([confirmed]).get(confirmed, "") if confirmed else "",
    )


def _disclosures(audience: Iterable[Read], letters: Iterable[Letter]) -> tuple[Disclosure, ...]:
    """Return what the reader of the message is told: by being chosen, by its text, by its subject matter.

    Being in a segment of people with diabetes tells of diabetes, even if the text never says so.
    """
    found: dict[str, dict[tuple[str, str], None]] = {PhiClass.CONTACT: {(ADDRESS, "E-mail"): None}}
    for where, reads in (
        (SEGMENT, tuple(audience)),
        (TEXT, tuple(read for letter in letters for read in letter.version.analysis.reads)),
    ):
        for read in reads:
            what = _label(read.field) + (f": {contacts.name_of(read.code)}" if read.code else "")
            for word in filter(None, (read.phi_class, read.special)):
                found.setdefault(word, {})[where, what] = None
    for letter in letters:
        about = letter.version.classification
        for code in about.conditions if about else ():
            assert about is not None
            word = PhiClass.MEDICATION if about.purpose is Purpose.REFILL else PhiClass.DIAGNOSIS
            found.setdefault(word, {})[SUBJECT, contacts.name_of(code)] = None
    return tuple(Disclosure(str(word), tuple(origins)) for word, origins in sorted(found.items()))


def _label(field: str) -> str:
    """Return what a field is called on pages; one that is derived has no entry in the dictionary."""
    known = contacts.dictionary().get(field)
    return known.label if known else field.replace("_", " ").capitalize()


def _allowed(counts: Mapping[str, int]) -> tuple[Line, ...]:
    """Return the rules that allow, each with what it asked for under the organization's profile."""
    strict = identity.organization().profile is Profile.STRICT
    rules = {rule.id: rule for rule in gate.decision_table()}
    gates = {
        code: (rules[code].strict if strict else rules[code].federal_floor)
        for code in counts
        if code in rules
    }
    return tuple(
        replace(line, asked=tuple(_asked(each) for each in gates.get(line.code, ()) if each != "none"))
        for line in _lines(counts)
    )


def _asked(gate_words: str) -> str:
    """Return the sentence of a gate, whatever narrows it: "OPT_IN(double)"."""
    return _explained(gate_words.partition("(")[0]).sentence


def _lines(counts: Mapping[str, int]) -> tuple[Line, ...]:
    """Return counts by code as lines, most people first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Line(code, people, _explained(code)) for code, people in ordered)


def _explained(code: str) -> Explained:
    try:
        return gate.explain(code)
    except NotFound:  # a rule that this version of the law tables does not have any more
        return Explained(code, "A rule of an earlier version of the tables.", ())


def floors(counts: Mapping[str, int]) -> tuple[tuple[Protection, int], ...]:
    """Return counts by the least protection that is asked for, the lowest first."""
    return tuple(
        (level, counts[level.name.lower()]) for level in Protection if counts.get(level.name.lower())
    )
