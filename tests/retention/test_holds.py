"""A legal hold: who puts it, what it keeps, what it does in a merge, and that lifting it lets an erasure go on."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from django.db import transaction

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.duplicates import api as duplicates
from salus.identity.contracts import Organization, Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.joining import GivenBy
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Kind, Status
from salus.privacy.models import StepRow
from salus.retention import api
from salus.retention.contracts import Spared
from salus.retention.models import HoldRow
from salus.wiring.cli import main
from salus.wiring.person import PACKAGES
from tests.delivery.conftest import Desk, furnish
from tests.duplicates.conftest import clerk, merge, record
from tests.privacy.test_person import CANARY, asked, furnished, officer

WHY = f"Letter of the lawyer of {CANARY}"


def put(desk: Desk, person: UUID | None) -> UUID:
    return api.put(person, reason=WHY, reference="No. 26-1187", actor=officer(desk), at=desk.clock.now())


def lift(desk: Desk, hold_id: UUID) -> None:
    api.lift(hold_id, reason="The case is over", actor=officer(desk), at=desk.clock.now())


@pytest.mark.parametrize("everybody", [False, True])
def test_while_a_hold_stands_an_erasure_waits_and_says_why_and_after_it_goes_on(
    desk: Desk, everybody: bool
) -> None:
    person = furnished(desk)
    id = asked(desk, person, Kind.ERASURE)
    with acting_for(desk.id):
        hold = put(desk, None if everybody else person)
        with transaction.atomic(), pytest.raises(Conflict, match="A legal hold covers this person since"):
            privacy.carry_out(id, actor=officer(desk), at=desk.clock.now())
    with pytest.raises(Conflict, match="legal hold"):
        privacy.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        assert privacy.steps(id) == ()
        assert privacy.request(id, actor=desk.actor).status is Status.APPROVED, "the request waits"
        assert contacts.versions([person])
        lift(desk, hold)
        privacy.carry_out(id, actor=officer(desk), at=desk.clock.now())
    privacy.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        assert not contacts.versions([person])
        (kept,) = api.holds(actor=officer(desk))
        assert kept.reason.reveal() == WHY, "a hold stays as documentation"


def test_a_hold_that_comes_while_an_erasure_is_under_way_keeps_what_is_left(desk: Desk) -> None:
    person = furnished(desk)
    id = asked(desk, person, Kind.ERASURE)
    with acting_for(desk.id):
        started = PACKAGES[0].erase(person, desk.actor, desk.clock)
        StepRow(
            request_id=id, package=PACKAGES[0].name, done_at=desk.clock.now(), kept=[], erased=started.erased
        ).save(force_insert=True)
        put(desk, person)
    with pytest.raises(Conflict, match="legal hold"):
        privacy.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        assert [each.package for each in privacy.steps(id)] == [PACKAGES[0].name]
        assert contacts.versions([person])


def test_a_hold_that_was_put_before_an_erasure_was_done_does_not_bring_anybody_back(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore brings the hold back too: that the erasure is on the list proves that it had been lifted."""
    person = furnished(desk)
    id = asked(desk, person, Kind.ERASURE)
    with acting_for(desk.id):
        put(desk, person)
        desk.clock.advance(timedelta(days=1))
    line = {"organization": desk.id, "request": id, "person": person, "at": desk.clock.now()}
    monkeypatch.setattr("salus.privacy.erased._list", tmp_path / "erased")
    (tmp_path / "erased").write_bytes(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    assert privacy.erase_again(desk.id, actor=desk.actor, clock=desk.clock) == 1
    with acting_for(desk.id):
        assert not contacts.versions([person])


def test_what_an_erasure_kept_stays_while_a_hold_covers_it(desk: Desk) -> None:
    person, worker = furnished(desk), desk.actor
    id = asked(desk, person, Kind.ERASURE)
    privacy.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    late = FakeClock(desk.clock.now() + timedelta(days=365 * 8))
    with acting_for(desk.id):
        hold = put(desk, None)
        assert privacy.erase_kept(actor=worker, clock=late) == 0
        lift(desk, hold)
        assert privacy.erase_kept(actor=worker, clock=late)


def test_a_merge_carries_a_hold_over_to_both_and_a_split_takes_it_from_neither(desk: Desk) -> None:
    with acting_for(desk.id):
        kept, gone = (record(desk, mrn, "ada", f"{mrn}@lakepost.example.test") for mrn in ("1001", "2002"))
        other = record(desk, "3003", "bo")
        hold = put(desk, gone)
        assert api.spared().people == {gone}
        merged = merge(desk, kept, gone)
        assert api.spared().people == {kept, gone}
        assert api.held_since(kept)
        desk.clock.advance(timedelta(seconds=1))
        duplicates.split(merged, GivenBy.NOBODY, "Two", actor=clerk(desk), at=desk.clock.now())
        assert api.held_since(kept)
        assert api.held_since(gone)
        assert api.held_since(other) is None
        lift(desk, hold)
        assert api.spared().people == frozenset()


def test_a_hold_on_a_merged_person_covers_every_record_of_theirs(desk: Desk) -> None:
    with acting_for(desk.id):
        kept, gone = (record(desk, mrn, "ada", f"{mrn}@lakepost.example.test") for mrn in ("1001", "2002"))
        merge(desk, kept, gone)
        put(desk, kept)
        assert api.spared().people == {kept, gone}


def test_words_are_sealed_and_the_log_has_ids_only(desk: Desk) -> None:
    person = furnished(desk)
    with acting_for(desk.id):
        hold = put(desk, person)
        row = HoldRow.objects.get(id=hold)
        lift(desk, hold)
        assert CANARY.encode() not in bytes(row.sealed)
        for action in (Action.HOLD_PUT, Action.HOLD_LIFT):
            (entry,) = audit.entries(Filters(action=action))
            assert (entry.object_id, entry.patient_id) == (hold, person)
            assert CANARY not in repr(entry)


def test_who_may_not_finds_nothing_and_another_clinic_neither(
    desk: Desk, make_clinic: Callable[..., Organization]
) -> None:
    person, stranger = furnished(desk), furnish(make_clinic())
    nobody = Actor(
        ActorKind.STAFF, desk.id, new_id(), permissions=frozenset({Permission.CONTACTS_RECORD_READ})
    )
    with acting_for(desk.id):
        hold, at = put(desk, person), desk.clock.now()
        for forbidden in (
            lambda: api.put(person, reason="x", reference="", actor=nobody, at=at),
            lambda: api.lift(hold, reason="x", actor=nobody, at=at),
            lambda: api.holds(actor=nobody),
            lambda: api.hold(hold, actor=nobody),
        ):
            with pytest.raises(NotFound):
                forbidden()
    with acting_for(stranger.id):
        for absent in (
            lambda: api.put(person, reason="x", reference="", actor=stranger.actor, at=at),
            lambda: api.lift(hold, reason="x", actor=stranger.actor, at=at),
            lambda: api.hold(hold, actor=stranger.actor),
        ):
            with pytest.raises(NotFound):
                absent()
        assert api.holds(actor=stranger.actor) == []
        assert api.spared() == Spared(everybody=False, people=frozenset())


@pytest.mark.parametrize(
    ("reason", "reference", "place"),
    [("  ", "", "reason"), ("x" * 2001, "", "reason"), ("x", "y" * 201, "reference"), ("a\0b", "", "reason")],
)
def test_bad_input_is_refused_at_its_place(desk: Desk, reason: str, reference: str, place: str) -> None:
    with acting_for(desk.id):
        with pytest.raises(BadInput) as fault:
            api.put(None, reason=reason, reference=reference, actor=desk.actor, at=desk.clock.now())
        assert fault.value.place == place
        hold = put(desk, None)
        with pytest.raises(BadInput):
            api.lift(hold, reason=" ", actor=desk.actor, at=desk.clock.now())
        lift(desk, hold)
        with pytest.raises(Conflict, match="lifted already"):
            lift(desk, hold)


def test_keys_are_not_destroyed_while_a_hold_stands(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("salus.wiring.cli.setup", lambda: None)
    person = furnished(desk)
    with acting_for(desk.id):
        put(desk, person)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{desk.organization.name}\n"))
    assert main(["keys", "destroy-organization", desk.organization.slug]) == 1
    assert "A legal hold stands. Nothing was destroyed." in capsys.readouterr().err
    with acting_for(desk.id):
        assert api.holds(actor=officer(desk))[0].reason.reveal() == WHY, "it still opens"


def test_the_command_line_puts_lists_and_lifts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("salus.wiring.cli.setup", lambda: None)
    person, slug = furnished(desk), desk.organization.slug

    def salus(*words: str, typed: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["hold", *words, "--organization", slug])
        said = capsys.readouterr()
        return said.out if code == 0 else f"{code} {said.err}"

    hold = salus("put", "--person", str(person), typed=f"{WHY}\n").strip()
    assert salus("list").startswith(f"{hold}  since ")
    assert str(person) in salus("list")
    assert CANARY not in salus("list")
    assert salus("put", "--person", "ada", typed="x\n") == "2 salus: person: That is not an id.\n".replace(
        "person", "--person"
    )
    assert salus("put", "--everybody", typed="\n").startswith("2 salus: reason: Say why")
    assert salus("lift", hold, typed="over\n") == "Lifted.\n"
    assert "lifted" in salus("list")
    assert salus("lift", str(new_id()), typed="over\n").startswith("1 ")
