"""Whole imports on a real database: what comes in, what does not and why, again, and after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from salus.contacts import api as contacts
from salus.intake import api, running
from salus.intake.contracts import Counts, CsvMapping, Declaration, ImportFacts, ImportStatus, Severity
from salus.intake.models import Chunk, Import
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline

from .clinicfiles import DESK, RESOURCES, WEB, patient, write_fhir

HEAD = "Record number,Email,First name,Last name,DOB,State,Notes\n"


@pytest.fixture
def actor(organization: UUID) -> Actor:
    return system(organization, "test")


ImportCsv = Callable[..., ImportFacts]


@pytest.fixture
def import_csv(organization: UUID, actor: Actor) -> ImportCsv:
    def run(
        text: str | bytes, *, declaration: Declaration = DESK, mapping: CsvMapping | None = None
    ) -> ImportFacts:
        data = text.encode() if isinstance(text, str) else text
        with acting_for(organization):
            import_id = api.start_csv(
                [data], mapping=mapping, declaration=declaration, actor=actor, queue=False
            )
        return api.run(organization, import_id, actor=actor)

    return run


@pytest.fixture
def import_fhir(organization: UUID, actor: Actor) -> Callable[[Path], ImportFacts]:
    def run(directory: Path) -> ImportFacts:
        with acting_for(organization):
            import_id = api.start_fhir([directory], declaration=DESK, actor=actor, queue=False)
        return api.run(organization, import_id, actor=actor)

    return run


def reasons(organization: UUID, facts: ImportFacts) -> list[tuple[int, str, str]]:
    with acting_for(organization):
        return [(one.line, one.field, one.reason) for one in api.rejects(facts.id)]


def documents(organization: UUID) -> list[dict[str, Any]]:
    with acting_for(organization):
        return [orjson.loads(raw) for *_, raw in contacts.open_documents_after(0, 1000)]


def state(organization: UUID) -> tuple[int, int, int, int]:
    with acting_for(organization):
        events = len(timeline.events_since(0, 1000))
        return contacts.count(), contacts.head_change(), events, permissions.head_change()


def test_an_appointment_that_is_imported_at_another_time_has_moved(
    organization: UUID, import_fhir: Callable[[Path], ImportFacts], tmp_path: Path
) -> None:
    def booked(start: str, status: str = "booked") -> dict[str, Any]:
        return {
            "resourceType": "Appointment", "id": "a1", "status": status, "created": "2026-01-05T09:00:00-08:00",
            "start": start, "participant": [{"actor": {"reference": "Patient/p1"}}],
        }  # fmt: skip

    def kinds() -> list[str]:
        with acting_for(organization):
            return [one.kind.value.removeprefix("appointment_") for one in timeline.events_since(0, 100)]

    def bring(name: str, *resources: dict[str, Any]) -> None:
        folder = tmp_path / name
        folder.mkdir()
        import_fhir(write_fhir(folder, list(resources)))

    first, second = "2026-03-02T10:10:00-08:00", "2026-03-09T11:00:00-07:00"
    bring("1", patient(1), booked(first))
    assert kinds() == ["booked"]
    for turn, start in enumerate((first, second, second, "2026-03-09T18:00:00Z", first), 2):
        bring(str(turn), booked(start))
    assert kinds() == ["booked", "moved", "moved"]
    bring("9", booked(second, "cancelled"))
    assert kinds() == ["booked", "moved", "moved", "cancelled"]
    with acting_for(organization):
        events = timeline.events_since(0, 100)
    assert [one.details["starts_at"] for one in events] == [first, second, first, second]
    (document,) = documents(organization)
    (record,) = document["appointments"]
    assert (record["date"], record["time"], record["status"]) == ("2026-03-09", "11:00", "cancelled")


def test_a_csv_of_people_comes_in(organization: UUID, import_csv: ImportCsv) -> None:
    facts = import_csv(
        HEAD
        + "C-1,Zoldina@lakepost.test,Zoldina,Quandreth,1980-05-06,WA,x\n"
        + "C-2,orvin@lakepost.test,Orvin,Quandreth,1979-05-06,Texas,\n"
    )

    assert facts.status is ImportStatus.DONE
    assert facts.counts == Counts(read=2, taken=2, created=2)
    first, second = documents(organization)
    assert (first["given_name"], first["state"], first["relation"]) == ("Zoldina", "WA", "patient")
    assert second["addresses"][0]["source"] == "clinical_encounter"
    assert second["addresses"][0]["evidence"] == "registration desk, form R-2"
    assert second["addresses"][0]["obtained"] == "2026-01-02"


def test_every_bad_row_is_rejected_with_line_field_and_reason_and_the_others_are_in(
    organization: UUID, import_csv: ImportCsv
) -> None:
    facts = import_csv(
        (
            HEAD
            + "C-1,zoldina@lakepost.test,Zoldina,Quandreth,1980-05-06,WA,\n"
            + "C-2,nonsense,Orvin,,,,\n"
            + "C-3,,Orvin,,06.05.1980,,\n"
            + "C-4,,,,,Atlantis,\n"
            + "C-5,,\n"
            + 'C-6,"open@lakepost.test,,,,,\n'
            + ",,Nobody,,,,\n"
            + "\n"
            + "C-8,,,,,,\n"
        ).encode()
        + "C-9,,Núñez,,,,\n".encode("cp1252")
        + b"C-10,,\x81\x8d,,,,\n"
    )

    assert reasons(organization, facts) == [
        (3, "email", "is not an e-mail address"),
        (4, "birth_date", "is not a date like 2024-12-31"),
        (5, "state", "is not a state of the USA"),
        (6, "row", "has 3 columns where the heading has 7"),
        (7, "row", "a quote is not closed, or text follows it"),
        (8, "identity", "no record number, e-mail or phone: this person could not be found again"),
        (12, "row", "is neither UTF-8 nor Windows-1252 text"),
    ]
    assert facts.counts == Counts(read=10, taken=3, rejected=7, created=3, repaired=1)
    assert facts.counts.read == facts.counts.taken + facts.counts.rejected + facts.counts.ignored
    assert documents(organization)[2]["given_name"] == "Núñez"


def test_people_without_name_email_or_birth_date_come_in(organization: UUID, import_csv: ImportCsv) -> None:
    facts = import_csv(HEAD + "C-1,,,,,,\n,news@lakepost.test,,,,,\n")

    assert facts.counts == Counts(read=2, taken=2, created=2)


def test_the_same_file_twice_changes_nothing(organization: UUID, import_csv: ImportCsv) -> None:
    text = (
        HEAD
        + "C-1,zoldina@lakepost.test,Zoldina,Quandreth,1980-05-06,WA,\n"
        + ",news@lakepost.test,Orvin,,,,\n"
        + ",home@lakepost.test,Ulvric,,2014-05-06,,\n"
        + ",home@lakepost.test,Ulvmar,,2014-05-06,,\n"
        + "C-9,nonsense,,,,,\n"
    )
    import_csv(text)
    before = state(organization)
    again = import_csv(text)

    assert state(organization) == before
    assert again.counts == Counts(read=5, taken=4, rejected=1, unchanged=4)


def test_a_person_who_stands_twice_in_a_file_is_one_contact(
    organization: UUID, import_csv: ImportCsv
) -> None:
    row = "C-1,zoldina@lakepost.test,Zoldina,Quandreth,1980-05-06,WA,\n"
    facts = import_csv(HEAD + row + row + "C-1,,,,,TX,\n")

    assert facts.counts == Counts(read=3, taken=3, created=1, unchanged=1, updated=1)
    assert [one["state"] for one in documents(organization)] == ["TX"]


def test_the_rejects_file_can_be_corrected_and_imported_again(
    organization: UUID, actor: Actor, import_csv: ImportCsv
) -> None:
    first = import_csv(HEAD + "C-1,a@lakepost.test,,,,,\nC-2,b(at)lakepost.test,,,,,note\n")
    with acting_for(organization):
        rejected = b"".join(api.rejects_file(first.id, actor=actor)).decode()

    assert rejected.splitlines() == [
        "Record number,Email,First name,Last name,DOB,State,Notes,salus_line,salus_field,salus_reason",
        "C-2,b(at)lakepost.test,,,,,note,3,email,is not an e-mail address",
    ]
    again = import_csv(rejected.replace("(at)", "@"))
    assert again.counts == Counts(read=1, taken=1, created=1)


def test_taking_the_rejects_file_is_recorded(organization: UUID, actor: Actor, import_csv: ImportCsv) -> None:
    from salus.audit.models import EntryRow

    facts = import_csv(HEAD + "C-1,nonsense,,,,,\n")
    with acting_for(organization):
        list(api.rejects_file(facts.id, actor=actor))
        entry = EntryRow.objects.get(action="intake:reject:read")
        assert (entry.object_id, entry.details) == (facts.id, {"rejected": 1})
        kinds = set(EntryRow.objects.values_list("action", flat=True))
    assert {"intake:import:start", "intake:import:finish"} <= kinds


@pytest.mark.parametrize("lines_a_batch", [1, 2, 3])
def test_the_outcome_does_not_depend_on_the_size_of_batches(
    organization: UUID, import_csv: ImportCsv, monkeypatch: pytest.MonkeyPatch, lines_a_batch: int
) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", lines_a_batch)
    text = HEAD + 'C-1,,"Two\nlines",,,,\nC-2,"open,,,,,\nC-3,x,,,,,\nC-4,,,,,,\nC-4,,,,,WA,\n'

    facts = import_csv(text)

    assert facts.counts == Counts(read=5, taken=3, rejected=2, created=2, updated=1)
    assert [line for line, *_ in reasons(organization, facts)] == [4, 5]
    assert documents(organization)[0]["given_name"] == "Two lines"


class Crash(Exception):
    """A process that dies."""


def crash_after(batches: int) -> Callable[[ImportFacts], None]:
    seen: list[ImportFacts] = []

    def progress(facts: ImportFacts) -> None:
        seen.append(facts)
        if len(seen) == batches:
            raise Crash

    return progress


@pytest.mark.parametrize("batches", [1, 2, 4])
def test_an_import_that_dies_goes_on_where_it_was(
    organization: UUID, actor: Actor, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 3)
    rows = [f"C-{n},p{n}@lakepost.test,Zoldina{n},,1980-05-06,WA,\n" for n in range(12)]
    rows[5] = "C-5,nonsense,,,,,\n"
    with acting_for(organization):
        import_id = api.start_csv(
            [(HEAD + "".join(rows)).encode()], declaration=DESK, actor=actor, queue=False
        )

    with pytest.raises(Crash):
        api.run(organization, import_id, actor=actor, progress=crash_after(batches))
    with acting_for(organization):
        half = api.status(import_id)
    done = api.run(organization, import_id, actor=actor)

    assert half.status is ImportStatus.RUNNING
    assert 0 < half.counts.read < 12
    assert done.counts == Counts(read=12, taken=11, rejected=1, created=11)
    assert [line for line, *_ in reasons(organization, done)] == [7]
    assert (done.bytes_done, done.status) == (done.bytes_total, ImportStatus.DONE)


def test_two_runs_of_one_import_double_nothing(
    organization: UUID, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 2)
    rows = "".join(f"C-{n},,,,,WA,\n" for n in range(8))
    with acting_for(organization):
        import_id = api.start_csv([(HEAD + rows).encode()], declaration=DESK, actor=actor, queue=False)
    others: list[ImportFacts] = []

    def another_worker(_: ImportFacts) -> None:
        if not others:
            others.append(api.run(organization, import_id, actor=actor))

    facts = api.run(organization, import_id, actor=actor, progress=another_worker)

    assert facts.counts == others[0].counts == Counts(read=8, taken=8, created=8)
    assert state(organization)[:2] == (8, 8)


def test_a_run_that_was_overtaken_gives_way(
    organization: UUID, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 2)
    rows = "".join(f"C-{n},,,,,WA,\n" for n in range(8))
    with acting_for(organization):
        import_id = api.start_csv([(HEAD + rows).encode()], declaration=DESK, actor=actor, queue=False)

    def another_worker(_: ImportFacts) -> None:
        with pytest.raises(Crash):
            api.run(organization, import_id, actor=actor, progress=crash_after(1))

    with pytest.raises(Conflict, match="running elsewhere"):
        api.run(organization, import_id, actor=actor, progress=another_worker)

    assert api.run(organization, import_id, actor=actor).counts == Counts(read=8, taken=8, created=8)


def test_a_cancelled_import_stops_and_what_is_in_stays(
    organization: UUID, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 3)
    rows = "".join(f"C-{n},,,,,WA,\n" for n in range(9))
    with acting_for(organization):
        import_id = api.start_csv([(HEAD + rows).encode()], declaration=DESK, actor=actor, queue=False)

    def stop(_: ImportFacts) -> None:
        with acting_for(organization):
            api.cancel(import_id, actor=actor)

    facts = api.run(organization, import_id, actor=actor, progress=stop)

    assert facts.status is ImportStatus.CANCELLED
    assert facts.counts.created == state(organization)[0] == 2
    with acting_for(organization):
        assert not Chunk.objects.exists()
    with pytest.raises(Conflict):
        api.run(organization, import_id, actor=actor)


def test_fhir_comes_in_with_records_events_and_the_death_in_the_ledger(
    organization: UUID, import_fhir: Callable[[Path], ImportFacts], tmp_path: Path
) -> None:
    facts = import_fhir(write_fhir(tmp_path, RESOURCES))

    assert facts.files == ("Patient", "Condition", "Encounter")
    assert facts.counts == Counts(read=5, taken=5, created=3, updated=2, events=1, entries=1)
    first = documents(organization)[0]
    assert [one["code"] for one in first["conditions"]] == ["E11.9"]
    assert first["encounters"][0]["text"] == "Office visit"
    with acting_for(organization):
        dead = contacts.find_by_identifier("mrn", "C-2")
        assert dead is not None
        assert permissions.standing(dead, datetime.now(UTC)).deceased is not None


def test_the_same_fhir_twice_changes_nothing(
    organization: UUID, import_fhir: Callable[[Path], ImportFacts], tmp_path: Path
) -> None:
    import_fhir(write_fhir(tmp_path, RESOURCES))
    before = state(organization)
    again = import_fhir(tmp_path)

    assert state(organization) == before
    assert (again.counts.created, again.counts.updated, again.counts.unchanged) == (0, 0, 5)


def test_a_cut_last_line_an_unknown_patient_and_no_json_are_rejected_each(
    organization: UUID, import_fhir: Callable[[Path], ImportFacts], tmp_path: Path
) -> None:
    stranger = {
        "resourceType": "Condition",
        "id": "c9",
        "code": {"text": "Sprain"},
        "subject": {"reference": "Patient/p9"},
    }
    directory = write_fhir(
        tmp_path,
        [patient(1), patient(1), stranger],
        b'not json\n\n{"resourceType": "Condition", "id": "c8", "su',
    )

    facts = import_fhir(directory)

    assert reasons(organization, facts) == [
        (1, "identity", "nobody here has this identifier"),
        (2, "json", "is not JSON"),
        (4, "json", "is cut off: the file ends in the middle of a line"),
    ]
    assert facts.counts == Counts(read=5, taken=2, rejected=3, created=1)


def test_what_is_left_out_of_a_patient_is_in_the_rejects_too(
    organization: UUID, actor: Actor, import_fhir: Callable[[Path], ImportFacts], tmp_path: Path
) -> None:
    facts = import_fhir(write_fhir(tmp_path, [patient(1, birthDate="1980")]))

    assert facts.counts == Counts(read=1, taken=1, created=1, left_out=1)
    with acting_for(organization):
        (reject,) = api.rejects(facts.id)
        assert (reject.part, reject.severity) == ("Patient", Severity.FIELD)
        (line,) = b"".join(api.rejects_file(facts.id, actor=actor)).splitlines()
    assert json.loads(line)["resource"]["birthDate"] == "1980"


def test_a_csv_by_record_number_adds_emails_to_a_health_record(
    organization: UUID, import_fhir: Callable[[Path], ImportFacts], import_csv: ImportCsv, tmp_path: Path
) -> None:
    import_fhir(write_fhir(tmp_path, RESOURCES))
    mapping = CsvMapping(api.suggest_mapping(["Record number", "Email"]).columns, existing_only=True)

    facts = import_csv("Record number,Email\nC-1,a@lakepost.test\nC-99,b@lakepost.test\n", mapping=mapping)

    assert facts.counts == Counts(read=2, taken=1, rejected=1, updated=1)
    assert documents(organization)[0]["addresses"][0]["value"] == "a@lakepost.test"


def test_a_purchased_list_does_not_make_a_patient_a_prospect(
    organization: UUID, import_csv: ImportCsv
) -> None:
    import_csv(HEAD + "C-1,a@lakepost.test,Zoldina,,,,\n")
    import_csv("Email,First name\na@lakepost.test,Zoldina\nnew@lakepost.test,Orvin\n", declaration=WEB)

    assert [one["relation"] for one in documents(organization)] == ["patient", "prospect"]
    assert documents(organization)[0]["addresses"][0]["source"] == "clinical_encounter"


def test_a_check_says_what_a_run_would_do_and_writes_nothing(organization: UUID, actor: Actor) -> None:
    text = HEAD + "C-1,a@lakepost.test,,,,,\nC-2,nonsense,,,,,\nC-3,nonsense,,,,,\n,,X,,,,\n"
    with acting_for(organization):
        import_id = api.start_csv([text.encode()], declaration=DESK, actor=actor, queue=False)

    counts, found = api.check(organization, import_id, actor=actor)

    assert counts == Counts(read=4, taken=1, rejected=3, created=1)
    assert [(one.field, one.rows) for one in found] == [("email", 2), ("identity", 1)]
    assert state(organization) == (0, 0, 0, 0)
    assert api.run(organization, import_id, actor=actor).counts == counts


def test_an_import_needs_its_declaration_before_it_runs(organization: UUID, actor: Actor) -> None:
    from salus.intake.contracts import ImportKind

    with acting_for(organization):
        import_id = api.receive(
            ImportKind.CONTACTS_CSV, [api.Incoming("x.csv", "csv", [HEAD.encode()])], actor=actor
        )
        assert api.headings(import_id)[0] == "Record number"
    with pytest.raises(Conflict, match="where the addresses"):
        api.run(organization, import_id, actor=actor)


@pytest.mark.parametrize(
    ("pieces", "place"),
    [([], "line 1"), ([b"\n"], "line 1"), ([b"a@b.test,c\n"], "line 1"), ([b"Shoe size\n1\n"], "columns")],
)
def test_a_file_that_is_no_list_of_people_is_refused_at_once(
    organization: UUID, actor: Actor, pieces: Iterable[bytes], place: str
) -> None:
    with acting_for(organization), pytest.raises(BadInput) as refused:
        api.start_csv(pieces, declaration=DESK, actor=actor, queue=False)

    assert refused.value.place == place


def test_a_directory_without_fhir_is_refused(organization: UUID, actor: Actor, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "missing"):
        with acting_for(organization), pytest.raises(BadInput):
            api.start_fhir([path], declaration=DESK, actor=actor, queue=False)


def test_a_utf16_file_with_a_mark_comes_in(organization: UUID, import_csv: ImportCsv) -> None:
    facts = import_csv(("\ufeff" + HEAD + "C-1,,Núria,,,,\n").encode("utf-16-le"))

    assert facts.counts == Counts(read=1, taken=1, created=1)
    assert documents(organization)[0]["given_name"] == "Núria"


def test_the_sample_shows_the_first_rows_protected(organization: UUID, actor: Actor) -> None:
    with acting_for(organization):
        import_id = api.start_csv(
            [(HEAD + "C-1,a@lakepost.test,Zoldina,,,,\n" * 5).encode()],
            declaration=DESK,
            actor=actor,
            queue=False,
        )
        rows = api.sample(import_id)
        mapping = api.mapping_of(import_id)

    assert len(rows) == 3
    assert rows[0][2].reveal() == "Zoldina"
    assert "Zoldina" not in repr(rows)
    assert mapping is not None
    assert mapping.columns[0].target == "identifier:mrn"


def test_saved_mappings_come_back_by_name(organization: UUID, actor: Actor) -> None:
    mapping = api.suggest_mapping(["Record number", "Email"])
    with acting_for(organization):
        kept = api.save_mapping("Front desk", mapping, actor=actor)
        api.save_mapping("Front desk 2", mapping, actor=actor, mapping_id=kept)
        (found,) = api.saved_mappings()

    assert (found.id, found.name.reveal(), found.mapping) == (kept, "Front desk 2", mapping)


def test_another_organization_sees_no_import_of_ours(
    organization: UUID, other_organization: UUID, actor: Actor, import_csv: ImportCsv
) -> None:
    facts = import_csv(HEAD + "C-1,nonsense,,,,,\n")
    stranger = system(other_organization, "test")
    with acting_for(other_organization):
        assert api.imports() == []
        for attempt in (
            lambda: api.status(facts.id),
            lambda: api.rejects(facts.id),
            lambda: list(api.rejects_file(facts.id, actor=stranger)),
            lambda: api.cancel(facts.id, actor=stranger),
        ):
            with pytest.raises(NotFound):
                attempt()
    with pytest.raises(NotFound):
        api.run(other_organization, facts.id, actor=stranger)


def test_uploads_that_nobody_described_are_removed_after_two_days(organization: UUID, actor: Actor) -> None:
    from datetime import timedelta

    from salus.kernel.time import FakeClock

    clock = FakeClock(datetime.now(UTC))
    with acting_for(organization):
        api.start_csv([HEAD.encode()], declaration=DESK, actor=actor, queue=False, clock=clock)
        assert api.discard_abandoned(actor=actor, clock=clock) == 0
        clock.advance(timedelta(days=3))
        assert api.discard_abandoned(actor=actor, clock=clock) == 1
        assert Import.objects.get().status == "cancelled"
        assert not Chunk.objects.exists()


def test_people_who_were_sealed_ahead_are_those_who_are_merged(
    organization: UUID, import_csv: ImportCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 2)
    new = "".join(f"C-{n},p{n}@lakepost.test,Zoldina{n},,1980-05-06,WA,\n" for n in range(9))
    known = "C-0,,,,,TX,\nC-8,,,,,TX,\nC-9,,Orvin,,,,\nC-9,,,,,CA,\n"

    facts = import_csv(HEAD + new + known)

    assert facts.counts == Counts(read=13, taken=13, created=10, updated=3)
    found = documents(organization)
    assert [one["identifiers"][0]["value"] for one in found] == [f"C-{n}" for n in range(10)]
    assert [one["state"] for one in found] == ["TX", *["WA"] * 7, "TX", "CA"]
    with acting_for(organization):
        assert contacts.find_by_identifier("mrn", "C-9") is not None
