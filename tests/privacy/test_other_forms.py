"""The FHIR bundle and the PDF of a person's record: whole, valid, readable, and silent about what is not known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import typst
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery.contracts import State
from salus.identity.contracts import Organization
from salus.kernel.errors import Conflict, Unavailable
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind
from salus.platform.tenancy import acting_for
from salus.privacy import exports, fhir, keeping, paper, requests
from salus.privacy.contracts import Form, Kind
from salus.timeline.contracts import EventKind
from salus.wiring.person import PACKAGES
from tests.delivery.conftest import Desk, furnish
from tests.privacy.test_person import officer

CHICAGO = ZoneInfo("America/Chicago")
PERSON = UUID("019c0000-0000-7000-8000-000000000001")
PAGES = Path(paper.__file__).parent / "data"


def exported(language: str = "en", **known: Any) -> dict[str, Any]:
    """Return an invented export in which every package holds something."""
    day = {"id": "1", "date": "2026-02-03"}
    return {
        "made_at": "2026-03-01T12:00:00+00:00",
        "person": str(PERSON),
        "contacts": {
            "given_name": "Inés",
            "family_name": "Quillfeather",
            "birth_date": "1961-05-04",
            "gender": "female",
            "language": language,
            "spoken_languages": ["es", "en"],
            "race": ["white", "unknown"],
            "ethnicity": "hispanic",
            "marital_status": "widowed",
            "state": "IL",
            "city": "Springfield",
            "pregnant": False,
            "due_date": "2026-09-01",
            "income": 41000,
            "insurance_type": "medicare",
            "risk_factors": ["high_blood_pressure"],
            "conditions": [
                day | {"code": "E11.9", "system": "icd10", "text": "Type 2 diabetes", "status": "active"},
                {"id": "2", "date": "2020-01-01", "end": "2020-02-01", "status": "active"},
            ],
            "allergies": [day | {"text": "Penicillin"}],
            "medications": [day | {"code": "860975", "system": "rxnorm", "text": "Metformin", "status": "active"}],
            "procedures": [day | {"code": "G0008", "system": "cpt", "status": "completed"}],
            "labs": [
                day | {"code": "4548-4", "system": "loinc", "text": "HbA1c", "value": 7.1, "unit": "%"},
                {"id": "2", "unit": "negative"},
            ],
            "hospitalizations": [day | {"end": "2026-02-05", "status": "finished", "unit": "IMP"}],
            "encounters": [day | {"text": "Check-up", "status": "finished"}],
            "vaccinations": [{"id": "1", "code": "140", "system": "cvx"}],
            "appointments": [
                {"id": "a1", "date": "2026-04-01", "time": "09:30", "text": "Eye check", "status": "booked"},
                {"id": "a2", "date": "2026-04-02", "status": "booked"},
                {"id": "a3", "status": "noshow"},
                {"id": "a4", "date": "2026-05-01", "time": "10:00", "status": "fulfilled"},
            ],
            "coverages": [day | {"text": "Medicare"}],
            "addresses": [
                {"channel": "email", "value": "ines@lakepost.example.test", "source": "clinical_encounter"},
                {"channel": "sms", "value": "+13125550123", "source": "website_signup"},
            ],
            "identifiers": [{"system": "mrn", "value": "MR-7"}, {"system": "fhir", "value": "abc"}],
            **known,
        },
        "permissions": {
            "permissions": [
                entry("opt_in", topic="news", channel="email"),
                entry("restriction", details={"channels": ["sms"], "agreed_by": "Dr. Roe"}, stands=False),
                entry("deceased"),
            ]
        },
        "delivery": {"messages": [message(each.value) for each in State]},
        "timeline": {
            "events": [
                event(kind.value) if not kind.startswith("appointment") else booked(kind) for kind in EventKind
            ]
        },
        "inbox": {"tasks": [task()]},
        "journeys": {
            "journeys": [
                {"name": "After a visit", "entered_at": moment(), "ended_at": None, "fate": "waiting"}
            ]
        },
        "audiences": {"lists": ["Called back"]},
        "patients": {"portal_sessions": [{"proof": "code", "from": moment().isoformat(), "until": moment().isoformat()}]},
    }  # fmt: skip


def moment() -> datetime:
    return datetime(2026, 2, 3, 15, 4, tzinfo=UTC)


def entry(kind: str, **more: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {
        "evidence": "paper form",
        "topic": "",
        "channel": "",
        "valid_until": None,
        "details": {},
    }
    return {"id": f"e-{kind}", "kind": kind, "at": moment().isoformat(), "stands": True, **blank, **more}


def message(state: str) -> dict[str, Any]:
    return {
        "id": f"m-{state.replace('_', '-')}", "at": moment().isoformat(), "state": state, "from": "Lake Clinic",
        "channel": "email", "purpose": "newsletter", "subject": "Hello", "text": "First line\nsecond line",
    }  # fmt: skip


def event(kind: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "at": moment().isoformat(), "details": details}


def booked(kind: str) -> dict[str, Any]:
    times = {"starts_at": "2026-05-01T10:00:00-05:00", "ends_at": "2026-05-01T10:20:00-05:00"}
    return event(kind, id="a4", **times)


def task() -> dict[str, Any]:
    words = {"title": "Call", "instructions": "Ask about the new tablets", "note": "", "status": "done"}
    return {**words, "created_at": moment().isoformat(), "ended_at": None}


def resources(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["resource"] for each in found["entry"] if each["resource"]["resourceType"] == kind]


def valid(found: dict[str, Any]) -> dict[str, Any]:
    """Return the bundle when the R4B models of fhir.resources take it and each resource in it."""
    text = json.dumps(found)
    get_fhir_model_class("Bundle").model_validate_json(text)
    for each in found["entry"]:
        get_fhir_model_class(each["resource"]["resourceType"]).model_validate(each["resource"])
    ids = [each["fullUrl"] for each in found["entry"]]
    assert len(set(ids)) == len(ids)
    return found


def test_every_kind_of_record_is_a_valid_resource_of_the_bundle() -> None:
    found = valid(fhir.bundle(exported(), CHICAGO))
    kinds = {each["resource"]["resourceType"] for each in found["entry"]}
    assert kinds == {
        "Patient", "Condition", "AllergyIntolerance", "MedicationStatement", "Procedure", "Observation",
        "Encounter", "Immunization", "Appointment", "Coverage", "Consent", "Communication",
    }  # fmt: skip
    (patient,) = resources(found, "Patient")
    assert patient["name"] == [{"family": "Quillfeather", "given": ["Inés"]}]
    assert patient["communication"][0]["language"]["coding"][0]["code"] == "en"
    assert {each["url"].rsplit("-", 1)[1] for each in patient["extension"]} == {"race", "ethnicity"}
    codes = {
        each["code"]["coding"][0]["code"]
        for each in resources(found, "Condition")
        if "coding" in each["code"]
    }
    assert codes == {"E11.9"}
    (procedure,) = resources(found, "Procedure")
    assert procedure["code"]["coding"][0]["system"].endswith("HCPCSReleaseCodeSets")


def test_what_has_ended_is_not_told_as_active() -> None:
    conditions = resources(fhir.bundle(exported(), CHICAGO), "Condition")
    ended = [each for each in conditions if "abatementDateTime" in each]
    assert [each["clinicalStatus"]["coding"][0]["code"] for each in ended] == ["resolved"]


def test_an_appointment_says_its_times_as_they_are_known_and_what_is_not() -> None:
    appointments = {
        each.get("start", each["status"]): each
        for each in resources(fhir.bundle(exported(), CHICAGO), "Appointment")
    }
    exact = appointments["2026-05-01T10:00:00-05:00"]
    assert (exact["end"], "comment" in exact) == ("2026-05-01T10:20:00-05:00", False)
    assert "ends is not recorded" in appointments["2026-04-01T09:30:00-05:00"]["comment"]
    assert "time of day is not recorded" in appointments["2026-04-02T00:00:00-05:00"]["comment"]
    assert appointments["proposed"]["comment"] == "Recorded as noshow, without a day."
    for each in appointments.values():  # FHIR app-2 and app-3
        assert ("start" in each) == ("end" in each)
        assert "start" in each or each["status"] in {"proposed", "cancelled", "waitlist"}


def test_a_permission_names_what_it_is_about_and_one_that_ended_is_not_active() -> None:
    consents = {each["status"]: each for each in resources(fhir.bundle(exported(), CHICAGO), "Consent")}
    assert consents["active"]["provision"]["code"] == [{"text": "news"}, {"text": "email"}]
    assert consents["active"]["provision"]["type"] == "permit"
    assert consents["inactive"]["provision"]["type"] == "deny"
    assert len(consents) == 2, "a death is no consent"


def test_only_a_message_that_went_out_has_a_time_of_sending() -> None:
    for each in resources(fhir.bundle(exported(), CHICAGO), "Communication"):
        assert ("sent" in each) == (each["status"] == "completed")


def test_somebody_of_whom_nothing_is_known_has_a_valid_bundle_and_a_paper() -> None:
    blank = exported() | {"contacts": {}, "permissions": {"permissions": []}, "delivery": {"messages": []}}
    found = valid(fhir.bundle(blank, CHICAGO))
    assert [each["resource"]["resourceType"] for each in found["entry"]] == ["Patient"]
    assert paper.printed(blank, "Lake Clinic", CHICAGO).startswith(b"%PDF-")


def words_of(known: dict[str, Any]) -> Iterator[str]:
    for section in paper.Paper(known, "Lake Clinic", CHICAGO).content()["sections"]:
        yield section["name"]
        for row in section["rows"]:
            assert len(row) == len(section["columns"]) == len(section["widths"])
            yield from row


def test_the_paper_tells_every_part_in_the_persons_language() -> None:
    english, spanish = list(words_of(exported())), list(words_of(exported("es")))
    assert {"Conditions", "Type 2 diabetes (E11.9)", "February 3, 2026", "7.1 %", "Widowed"} <= set(english)
    assert {"Diagnósticos", "3 de febrero de 2026", "Viudo", "español, inglés", "Sí"} <= set(spanish)
    assert {"Call\nAsk about the new tablets", "After a visit", "Called back"} <= set(english)


@pytest.mark.parametrize("code", [*EventKind, *EntryKind, *State, *Channel])
def test_every_code_that_a_person_reads_has_its_words_in_both_languages(code: str) -> None:
    pair = paper.words()["codes"][code]
    assert set(pair) == {"en", "es"}
    assert all(pair.values())


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pdf_is_tagged_for_screen_readers_and_its_title_names_nobody(language: str) -> None:
    pdf = paper.printed(exported(language), "Lake Clinic", CHICAGO)
    assert b"/StructTreeRoot" in pdf
    assert b"pdfuaid" in pdf
    assert f"/Lang ({language})".encode() in pdf.replace(b"/Lang(", b"/Lang (")
    assert b"Quillfeather" not in pdf.split(b"stream")[-1]


def test_words_of_a_record_are_never_markup() -> None:
    evil = '#panic("x") *b* $x$ #import "@preview/x:1.0.0" #read("/etc/passwd") <a> @b \\ `c` = h'
    pdf = paper.printed(exported(family_name=evil, physician=evil), evil, CHICAGO)
    assert pdf.startswith(b"%PDF-")


def test_letters_that_no_font_has_are_said_to_be_missing_and_the_rest_is_told() -> None:
    known = exported(family_name="\U00013000\U00013001")
    assert paper.printed(known, "Lake Clinic", CHICAGO).startswith(b"%PDF-")
    notice = paper.Paper(known, "Lake Clinic", CHICAGO).say("missing_letters")
    assert notice in paper.Paper(known, "Lake Clinic", CHICAGO).content(notice)["intro"]


def test_a_paper_that_cannot_be_set_says_so_without_a_word_of_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> bytes:
        raise typst.TypstError("the text Quillfeather could not be displayed", "")

    monkeypatch.setattr(paper, "_set", broken)
    with pytest.raises(Unavailable, match="JSON") as fault:
        paper.printed(exported(), "Lake Clinic", CHICAGO)
    assert "Quillfeather" not in str(fault.value)
    assert fault.value.__suppress_context__


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_whatever_somebody_is_called_there_is_a_paper_and_a_valid_bundle(name: str) -> None:
    assert paper.printed(exported(family_name=name), "Lake Clinic", CHICAGO).startswith(b"%PDF-")
    fhir.bundle(exported(family_name=name), CHICAGO)


@pytest.fixture
def desk(make_clinic: Callable[..., Organization]) -> Desk:
    exports.use_packages(PACKAGES)
    return furnish(make_clinic())


def test_a_real_export_is_a_valid_bundle_and_a_pdf_and_each_is_recorded(desk: Desk) -> None:
    with acting_for(desk.id):
        (person,) = desk.admit("zephyrine")
        now = desk.clock.now()
        number = contacts.numbers_of([person])[person]
        contacts.change_records(
            [(number, {"labs": [{"id": "1", "text": "HbA1c", "value": 7.1}]})], desk.actor, clock=desk.clock
        )
        for days, act in ((3, permissions.opt_in), (2, permissions.opt_out)):
            before = FakeClock(now - timedelta(days=days))
            act(person, "news", Channel.EMAIL, evidence="web form", actor=desk.actor, clock=before)
        desk.release()
        desk.settle(*(desk.outcome(each, State.PORTAL) for each in desk.take().prepared))
        id = requests.receive(person, Kind.ACCESS, note="", received_at=now, actor=officer(desk), at=now)
        with pytest.raises(Conflict, match="open"):
            keeping.make_copy(id, actor=officer(desk), at=now)
        requests.approve(id, actor=officer(desk), at=now)
        keeping.make_copy(id, actor=officer(desk), at=now)
        found = valid(json.loads(keeping.open_copy(id, Form.FHIR, actor=officer(desk))))
        assert keeping.open_copy(id, Form.PDF, actor=officer(desk)).startswith(b"%PDF-")
        news = [each for each in resources(found, "Consent") if {"text": "news"} in each["provision"]["code"]]
        assert {(each["provision"]["type"], each["status"]) for each in news} == {
            ("permit", "inactive"),
            ("deny", "active"),
        }, "an opt-in that an opt-out ended does not read as one that stands"
        assert resources(found, "Communication")
        taken = audit.entries(Filters(action=Action.PRIVACY_EXPORT, patient_id=person, outcome="downloaded"))
        assert {each.details["form"] for each in taken} == {"fhir", "pdf"}
