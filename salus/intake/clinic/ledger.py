"""What people of the synthetic clinic permitted and refused: rows of the CSV of permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random

from salus.intake.clinic.people import Person

TOPICS = ("health education", "clinic news", "our services")
"""Subjects that people chose or refused, written as templates name them."""

HEADINGS = (
    "record_number", "kind", "topic", "channel", "date", "evidence", "valid_until", "purposes", "classes",
    "specials", "parties", "information", "discloser", "recipient", "purpose_text", "expiration_event", "signed_at",
    "signature", "intent_action", "signer", "authority", "states_right_to_revoke", "states_how_to_revoke",
    "states_revocation_exceptions", "states_no_conditioning", "states_redisclosure", "form_state", "typeface_points",
    "separate_language", "separate_signature", "states_copy_right", "tpo", "marketing", "names_patient", "reason",
    "value", "name", "relationship", "warning_text_version", "warned_at", "accepted_at", "method",
)  # fmt: skip

Row = Mapping[str, str]

_FORM = {
    "discloser": "Cedar Row Clinic",
    "recipient": "Cedar Row Clinic, by e-mail to me",
    "signature": "electronic",
    "intent_action": "typed",
    "signer": "self",
    "states_right_to_revoke": "yes",
    "states_how_to_revoke": "yes",
    "states_revocation_exceptions": "yes",
    "states_redisclosure": "yes",
}


def rows(person: Person, random: Random, today: date) -> Iterator[Row]:
    """Yield the permission rows of one person."""
    if person.minor:
        yield from _minor(person, random, today)
        return
    yield from _choices(person, random, today)
    if random.random() < 0.22:
        yield from _authorization(person, random, today)
    if person.has("substance_use") and random.random() < 0.6:
        yield _part2(person, random, today)
    yield from _rare(person, random, today)


def _base(person: Person, kind: str, day: date, evidence: str, **more: str) -> Row:
    return {
        "record_number": person.record_number,
        "kind": kind,
        "date": day.isoformat(),
        "evidence": evidence,
        **more,
    }


def _ago(random: Random, today: date, least: int, most: int) -> date:
    return today - timedelta(days=random.randrange(least, most))


def _choices(person: Person, random: Random, today: date) -> Iterator[Row]:
    for topic, share in zip(TOPICS, (0.55, 0.42, 0.3), strict=True):
        if random.random() < share:
            day = _ago(random, today, 40, 900)
            kind = "opt_in_confirmed" if random.random() < 0.4 else "opt_in"
            yield _base(person, kind, day, "registration form, page 2", topic=topic, channel="email")
    draw = random.random()
    if draw < 0.04:
        yield _base(
            person, "opt_out", _ago(random, today, 1, 35), "unsubscribe link", topic="*", channel="email"
        )
    elif draw < 0.08:
        topic = random.choice(TOPICS)
        day = _ago(random, today, 1, 35)
        yield _base(person, "opt_out", day, "preference page", topic=topic, channel="email")


def _authorization(person: Person, random: Random, today: date) -> Iterator[Row]:
    """Yield a signed authorization; some are faulty, a few were taken back."""
    day = _ago(random, today, 20, 300)
    fault = random.random()
    row = {
        **_FORM,
        "purposes": "own_service_announcement;elective_cosmetic_weightloss_wellness;condition_education;newsletter",
        "classes": "contact;demographic;dates_of_care;department;physician;diagnosis;medication;lab",
        "information": "My name, contact data, visits, conditions, medicines and lab results",
        "purpose_text": "News about services of the clinic that fit my health",
        "states_no_conditioning": "yes",
        "signed_at": day.isoformat(),
        "valid_until": (day + timedelta(days=730)).isoformat(),
    }
    if person.state == "CA":
        row |= {
            "form_state": "CA",
            "typeface_points": "14",
            "separate_language": "yes",
            "separate_signature": "yes",
            "states_copy_right": "yes",
        }
    if fault < 0.07:
        del row["valid_until"]  # no expiration: 45 CFR 164.508(c)(1)(v)
    elif fault < 0.12:
        del row["states_redisclosure"]
    yield _base(person, "authorization", day, "form AU-7, signed in the portal", **row)
    if fault > 0.93:
        yield _base(person, "authorization_revoked", _ago(random, today, 1, 19), "letter of the patient")


def _part2(person: Person, random: Random, today: date) -> Row:
    day = _ago(random, today, 20, 300)
    row = {
        **_FORM,
        "information": "Records of my treatment for substance use",
        "purpose_text": "Treatment, payment and health care operations",
        "expiration_event": "none",
        "tpo": "yes",
        "names_patient": "yes",
        "signed_at": day.isoformat(),
    }
    return _base(
        person, "part2_consent", day, "form P2-1, signed on paper", **{**row, "signature": "written"}
    )


def _rare(person: Person, random: Random, today: date) -> Iterator[Row]:
    draw, day = random.random(), _ago(random, today, 5, 500)
    if draw < 0.02:
        yield _base(person, "fundraising_opt_out", day, "telephone")
    elif draw < 0.028:
        yield _base(
            person,
            "suppression",
            day,
            "complaint by the mailbox provider",
            channel="email",
            reason="complaint",
        )
    elif draw < 0.036:
        yield _base(person, "restriction", day, "letter, agreed", purposes="condition_education")
    elif draw < 0.042:
        yield _base(person, "confidential_address", day, "front desk")
    elif draw < 0.052:
        yield _base(
            person,
            "unencrypted_preference",
            day,
            "form UE-2",
            channel="email",
            valid_until=(day + timedelta(days=900)).isoformat(),
            purposes="appointment_confirm_remind_reschedule",
            warning_text_version="UE-2",
            warned_at=day.isoformat(),
            accepted_at=day.isoformat(),
            method="signed at the front desk",
        )


def _minor(person: Person, random: Random, today: date) -> Iterator[Row]:
    """Yield a child's representative; for some there is none."""
    if random.random() < 0.8:
        parent = f"parent.{person.email}"
        day = _ago(random, today, 40, 900)
        yield _base(
            person,
            "representative",
            day,
            "registration form, page 1",
            channel="email",
            value=parent,
            relationship="parent",
            authority="parent with custody",
        )
