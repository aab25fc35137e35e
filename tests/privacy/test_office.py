"""The privacy office at work: who may answer requests, its jobs, its commands, what Salus told and to whom."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters, NewEntry
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind
from salus.permissions.contracts import NewEntry as NewChoice
from salus.platform.tenancy import acting_for
from salus.privacy import api, request_rules, tasks
from salus.privacy.contracts import Ground, Kind, Sent, Status, Suspension, To
from salus.wiring import cli
from salus.wiring.person import PACKAGES
from tests.delivery.conftest import Desk, furnish

from .test_person import NOW, asked, furnished, made, officer


@pytest.fixture
def desk(make_clinic: Callable[..., Organization], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(cli, "setup", lambda: None)  # this process is set up already
    api.use_packages(PACKAGES)
    return furnish(make_clinic())


def started(desk: Desk, request_id: UUID) -> None:
    with acting_for(desk.id):
        api.carry_out(request_id, actor=officer(desk), at=desk.clock.now())


def queued(name: str, request_id: UUID) -> list[dict[str, str]]:
    """Return the arguments of the jobs of a request, as they stand in the queue."""
    found = ProcrastinateJob.objects.filter(
        task_name=f"salus.privacy.tasks.{name}", args__request_id=str(request_id)
    )
    return [each.args for each in found]


def test_every_act_asks_for_the_permission_and_only_a_person_decides(desk: Desk) -> None:
    with acting_for(desk.id):
        (person,) = desk.admit("ada")
        now = desk.clock.now()
        id = api.receive(person, Kind.ACCESS, note="", received_at=now, actor=officer(desk), at=now)
        nobody = Actor(ActorKind.STAFF, desk.id, new_id(), permissions=frozenset({"contacts:record:read"}))
        acts: list[Callable[[Actor], object]] = [
            lambda who: api.receive(person, Kind.ACCESS, note="", received_at=now, actor=who, at=now),
            lambda who: api.request(id, actor=who),
            lambda who: api.requests(actor=who),
            lambda who: api.extend(id, reason="x", actor=who, at=now),
            lambda who: api.refuse(id, reason="x", actor=who, at=now),
            lambda who: api.approve(id, actor=who, at=now),
            lambda who: api.carry_out(id, actor=who, at=now),
            lambda who: api.export(id, actor=who, at=now),
            lambda who: api.make_copy(id, actor=who, at=now),
            lambda who: api.open_copy(id, actor=who),
            lambda who: api.accounting(person, since=now, actor=who, at=now),
            lambda who: api.record_disclosure(person, made(now, Ground.COURT), actor=who, at=now),
            lambda who: api.suspend(
                person, new_id(), Suspension(Phi("Police"), now, in_writing=True), actor=who, at=now
            ),
        ]
        for act in acts:
            with pytest.raises(NotFound):
                act(nobody)
        for act in acts[4:7]:
            with pytest.raises(NotFound):
                act(desk.actor)
        assert api.request(id, actor=desk.actor).status is Status.OPEN
    with pytest.raises(NotFound):
        api.erase(desk.id, id, actor=nobody, clock=desk.clock)


def test_a_copy_is_a_job_with_ids_only_and_is_kept_sealed_for_thirty_days(desk: Desk) -> None:
    person = furnished(desk)
    id = asked(desk, person, Kind.ACCESS)
    started(desk, id)
    started(desk, id)
    assert queued("export", id) == [{"organization_id": str(desk.id), "request_id": str(id)}]
    tasks.export(organization_id=str(desk.id), request_id=str(id))
    with acting_for(desk.id):
        assert api.request(id, actor=desk.actor).status is Status.DONE
        found = json.loads(api.open_copy(id, actor=officer(desk)))
        assert found["person"] == str(person)
        taken = audit.entries(Filters(action=Action.PRIVACY_EXPORT, patient_id=person, outcome="downloaded"))
        assert len(taken) == 1
        assert api.copy_made_at(id)


def test_an_erasure_is_a_job_that_takes_the_copies_along(desk: Desk) -> None:
    person = furnished(desk)
    tasks.export(organization_id=str(desk.id), request_id=str(copied := asked(desk, person, Kind.ACCESS)))
    id = asked(desk, person, Kind.ERASURE)
    left_over = asked(desk, person, Kind.ACCESS)
    started(desk, id)
    assert queued("erase", id) == [{"organization_id": str(desk.id), "request_id": str(id)}]
    tasks.erase(organization_id=str(desk.id), request_id=str(id))
    with acting_for(desk.id):
        assert api.copy_made_at(copied) is None
        (mine,) = [each.left for each in api.steps(id) if each.package == "privacy"]
        assert mine.erased == {"copies": 1, "documents": 0}
        assert [(each.count, each.citation) for each in mine.kept] == [
            (3, "45 CFR 164.528(d), 164.530(j)(2)")
        ]
        with pytest.raises(Conflict, match="erased"):
            api.carry_out(left_over, actor=officer(desk), at=desk.clock.now())


def test_nothing_is_queued_before_it_is_approved_and_an_accounting_is_answered_at_once(desk: Desk) -> None:
    with acting_for(desk.id):
        (person,) = desk.admit("ada")
        now = desk.clock.now()
        id = api.receive(person, Kind.ACCESS, note="", received_at=now, actor=officer(desk), at=now)
        with pytest.raises(Conflict, match="open"):
            api.carry_out(id, actor=officer(desk), at=now)
        with pytest.raises(NotFound):
            api.carry_out(new_id(), actor=officer(desk), at=now)
    assert queued("export", id) == []
    other = asked(desk, person, Kind.ACCOUNTING)
    started(desk, other)
    with acting_for(desk.id):
        assert api.request(other, actor=desk.actor).status is Status.DONE


def sent(to: To, **facts: object) -> Sent:
    given = {
        "name": Phi("Harbor Print"),
        "address": "",
        "what": ("email",),
        "purpose": "vendor_call",
        **facts,
    }
    return Sent(new_id(), NOW, to, **given)  # type: ignore[arg-type]


def test_what_went_to_others_is_told_and_what_went_to_the_person_is_counted_only() -> None:
    told = sent(To.VENDOR), sent(To.REPRESENTATIVE)
    made_by_salus = [sent(To.PERSON), *told, sent(To.PERSON)]
    found = request_rules.account([], NOW - timedelta(days=1), NOW, made_by_salus)
    assert set(found.sent) == set(told)
    assert found.exempt == {Ground.TO_THE_PERSON: 2}
    assert request_rules.EXEMPT[Ground.TO_THE_PERSON] == "45 CFR 164.528(a)(1)(ii)"
    assert request_rules.account([], NOW, NOW + timedelta(days=3000), made_by_salus).sent == ()


def test_messages_and_calls_are_accounted_for_from_receipts_and_the_log(desk: Desk) -> None:
    with acting_for(desk.id):
        adult, child = (
            desk.admit("ada", domain="lakepost.example.test"),
            desk.admit("cy", birth_date="2015-02-01"),
        )
        guardian = NewChoice(
            child[0], EntryKind.REPRESENTATIVE, desk.clock.now(), "birth certificate",
            channel=Channel.EMAIL, details={"value": "mother@lakepost.example.test"},
        )  # fmt: skip
        permissions.append([guardian], actor=desk.actor, clock=desk.clock)
        desk.release()
        desk.settle(*(desk.outcome(each) for each in desk.take().prepared))
        audit.record_many(
            [
                NewEntry(
                    Action.CALL_RECORD, desk.actor, object_kind="call", object_id=new_id(), patient_id=adult[0],
                    fields=("email",) if ok else (), purpose="vendor_call", outcome="ok" if ok else "failed",
                    details={"service": str(new_id()), "attempts": attempts},
                )
                for ok, attempts in ((True, 1), (False, 2), (False, 0))
            ]
        )  # fmt: skip
        until = desk.clock.now() + timedelta(minutes=1)
        of = {
            id: api.accounting(id, since=NOW - timedelta(days=1), actor=officer(desk), at=until)
            for id in (adult[0], child[0])
        }
    calls = of[adult[0]].sent
    assert [(each.to, each.sure) for each in calls] == [(To.VENDOR, True), (To.VENDOR, False)]
    assert of[adult[0]].exempt == {Ground.TO_THE_PERSON: 1}
    assert [each.to for each in of[child[0]].sent] == [To.REPRESENTATIVE]
    assert of[child[0]].exempt == {}


def run(*words: str) -> int:
    return cli.main(["person", *words])


def test_the_terminal_exports_erases_and_accounts(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person, clinic = furnished(desk), ("--organization", desk.organization.slug)
    with acting_for(desk.id):
        now = desk.clock.now()
        api.record_disclosure(person, made(now - timedelta(days=1), Ground.COURT), actor=desk.actor, at=now)
    assert run("accounting", str(person), *clinic) == 0
    assert "To: County Court" in capsys.readouterr().out
    assert run("accounting", str(person), *clinic, "--language", "es") == 0
    assert "A: County Court" in capsys.readouterr().out
    file = tmp_path / "copy.json"
    access = str(asked(desk, person, Kind.ACCESS))
    assert run("export", access, *clinic, "--out", str(file)) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_bytes())["person"] == str(person)
    assert run("export", access, *clinic, "--out", str(file)) == 2, "no file is written over"
    paper = tmp_path / "copy.pdf"
    assert run("export", access, *clinic, "--out", str(paper), "--form", "pdf") == 0
    assert paper.read_bytes().startswith(b"%PDF-")
    assert run("erase", access, *clinic) == 1, "the person asked for something else"
    assert run("erase", str(asked(desk, person, Kind.ERASURE)), *clinic) == 0
    said = capsys.readouterr().out
    assert "contacts: 1 records" in said
    assert "45 CFR 164.528(d)" in said
    assert run("accounting", str(person), *clinic) == 1, "nobody is here any more"


@pytest.mark.parametrize("word", ["export", "erase", "accounting"])
def test_the_terminal_refuses_what_is_no_id_and_what_is_not_there(
    desk: Desk, word: str, tmp_path: Path
) -> None:
    more = ("--out", str(tmp_path / "x")) if word == "export" else ()
    assert run(word, "Ana", "--organization", desk.organization.slug, *more) == 2
    assert run(word, str(new_id()), "--organization", desk.organization.slug, *more) == 1
    assert not (tmp_path / "x").exists()


def test_the_letter_says_what_is_not_listed_and_why(desk: Desk) -> None:
    zone = NOW.tzinfo
    assert zone is not None
    messages = [sent(To.PERSON), sent(To.VENDOR, sure=False)]
    found = request_rules.account([], NOW - timedelta(days=1), NOW, messages)
    english, spanish = api.letter(found, "en", zone), api.letter(found, "es", zone)
    assert "Messages that we sent to you: 1." in english
    assert "We do not know if it arrived" in english
    assert "Mensajes que le enviamos a usted: 1." in spanish
    assert "Nobody else" in api.letter(request_rules.account([], NOW, NOW), "en", zone)
