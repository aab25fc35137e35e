"""Opt-ins, opt-outs and signed authorizations come in by CSV, into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from salus.contacts import api as contacts
from salus.intake import api
from salus.intake.contracts import Column, Counts, CsvMapping, ImportFacts
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.permissions.contracts import Standing
from salus.platform.tenancy import acting_for
from tests.contacts.people import email, patch

from .clinicfiles import DESK

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ImportPermissions = Callable[..., ImportFacts]


@pytest.fixture
def actor(organization: UUID) -> Actor:
    return system(organization, "test")


@pytest.fixture
def people(organization: UUID, actor: Actor) -> list[UUID]:
    with acting_for(organization):
        merged = contacts.merge(
            [
                patch(email("a@lakepost.test"), mrn="C-1", birth_date="1980-05-06"),
                patch(email("home@lakepost.test"), mrn="C-2", birth_date="1980-05-06"),
                patch(email("home@lakepost.test"), mrn="C-3", birth_date="2012-05-06"),
            ],
            actor=actor,
        )
    return [one.contact_id for one in merged if one.contact_id]


@pytest.fixture
def load(organization: UUID, actor: Actor, people: list[UUID]) -> ImportPermissions:
    def run(text: str, mapping: CsvMapping | None = None) -> ImportFacts:
        with acting_for(organization):
            import_id = api.start_permissions_csv(
                [text.encode()], mapping=mapping, declaration=DESK, actor=actor, queue=False
            )
        return api.run(organization, import_id, actor=actor)

    return run


def standing(organization: UUID, contact_id: UUID) -> Standing:
    with acting_for(organization):
        return permissions.standing(contact_id, NOW)


def reasons(organization: UUID, facts: ImportFacts) -> list[tuple[int, str]]:
    with acting_for(organization):
        return [(one.line, one.field) for one in api.rejects(facts.id)]


HEAD = "record_number,kind,topic,channel,date,evidence\n"
AUTHORIZATION = (
    "record_number,kind,date,evidence,valid_until,purposes,classes,information,discloser,recipient,purpose_text,"
    "signed_at,signature,intent_action,signer,states_right_to_revoke,states_how_to_revoke,"
    "states_revocation_exceptions,states_no_conditioning,states_redisclosure\n"
    "C-1,authorization,2026-01-02,form AU-7,2027-01-02,own_service_announcement;newsletter,contact;diagnosis,"
    "My conditions,Cedar Row Clinic,Me,News that fits my health,2026-01-02,electronic,typed,self,yes,yes,yes,yes,{}\n"
)


def test_opt_ins_and_opt_outs_stand(organization: UUID, people: list[UUID], load: ImportPermissions) -> None:
    facts = load(
        HEAD
        + "C-1,opt_in_confirmed,News,email,2026-01-02,web form\n"
        + "C-1,opt_out,*,sms,2026-02-03,telephone\n"
        + "C-2,Opt-In,News,E-mail,2026-01-02,\n"
    )

    assert facts.counts == Counts(read=3, taken=3, entries=3)
    first = standing(organization, people[0])
    assert [(one.topic, one.channel, one.confirmed) for one in first.opt_ins] == [
        ("News", Channel.EMAIL, True)
    ]
    assert [(one.topic, one.channel) for one in first.opt_outs] == [("*", Channel.SMS)]
    assert len(standing(organization, people[1]).opt_ins) == 1


def test_a_signed_authorization_stands_with_its_defects(
    organization: UUID, people: list[UUID], load: ImportPermissions
) -> None:
    load(AUTHORIZATION.format("yes"))
    (good,) = standing(organization, people[0]).authorizations

    assert good.defects == ()
    assert {one.value for one in good.purposes} == {"own_service_announcement", "newsletter"}
    assert {one.value for one in good.classes} == {"contact", "diagnosis"}

    load(AUTHORIZATION.format("no").replace("C-1", "C-2"))
    (faulty,) = standing(organization, people[1]).authorizations
    assert faulty.defects == ("164.508(c)(2)(iii) redisclosure not stated",)


def test_the_same_file_twice_is_entered_once(
    organization: UUID, people: list[UUID], load: ImportPermissions
) -> None:
    text = HEAD + "C-1,opt_in,News,email,2026-01-02,web form\n"
    load(text)
    before = standing(organization, people[0]).version
    load(text)

    assert standing(organization, people[0]).version == before


def test_faulty_rows_are_rejected_each_and_the_others_are_entered(
    organization: UUID, people: list[UUID], load: ImportPermissions
) -> None:
    facts = load(
        HEAD
        + "C-1,opt_in,News,email,2026-01-02,web form\n"
        + "C-1,opt_in,News,,2026-01-02,web form\n"
        + "C-1,maybe,News,email,2026-01-02,web form\n"
        + "C-1,opt_in,News,email,soon,web form\n"
        + "C-1,opt_in,News,pigeon,2026-01-02,web form\n"
        + "C-9,opt_in,News,email,2026-01-02,web form\n"
        + ",opt_in,News,email,2026-01-02,web form\n"
        + "C-2,opt_in,News,email,2026-01-02,web form\n"
    )

    assert reasons(organization, facts) == [
        (3, "channel"),
        (4, "kind"),
        (5, "date"),
        (6, "channel"),
        (7, "identity"),
        (8, "identity"),
    ]
    assert facts.counts == Counts(read=8, taken=2, rejected=6, entries=2)


BY_EMAIL = "email,kind,topic,channel,date,evidence\n"


def test_an_opt_out_by_address_holds_for_everybody_who_has_it(
    organization: UUID, people: list[UUID], load: ImportPermissions
) -> None:
    facts = load(BY_EMAIL + "HOME@lakepost.test,opt_out,*,email,2026-01-02,reply\n")

    assert facts.counts.entries == 2
    assert all(standing(organization, one).opt_outs for one in people[1:])


def test_an_opt_in_by_an_address_that_two_share_is_rejected(
    organization: UUID, people: list[UUID], load: ImportPermissions
) -> None:
    facts = load(
        BY_EMAIL
        + "home@lakepost.test,opt_in,News,email,2026-01-02,reply\n"
        + "a@lakepost.test,opt_in,News,email,2026-01-02,reply\n"
    )

    assert facts.counts == Counts(read=2, taken=1, rejected=1, entries=1)
    with acting_for(organization):
        assert [one.reason for one in api.rejects(facts.id)] == ["more than one person has this address"]


def test_a_list_of_addresses_is_read_by_a_mapping_with_defaults(
    organization: UUID, people: list[UUID], load: ImportPermissions
) -> None:
    mapping = CsvMapping(
        columns=(Column("Mail", "address:email"), Column("On", "entry:date")),
        defaults={"entry:kind": "opt_out", "entry:topic": "*", "entry:channel": "email"},
        date="MM/DD/YYYY",
    )

    load("Mail,On,Name\na@lakepost.test,03/04/2026,x\n", mapping)

    (choice,) = standing(organization, people[0]).opt_outs
    assert choice.at == datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "place"),
    [("record_number,topic\n", "columns"), ("shoe,size\n", "columns")],
)
def test_a_file_that_does_not_say_what_and_when_is_refused(
    organization: UUID, load: ImportPermissions, head: str, place: str
) -> None:
    with pytest.raises(BadInput) as refused:
        load(head)

    assert refused.value.place == place


def test_a_day_begins_at_midnight_where_the_organization_is(make_clinic: Callable[..., Any]) -> None:
    clinic = make_clinic(time_zone="America/New_York")
    desk = system(clinic.id, "test")
    with acting_for(clinic.id):
        [merged] = contacts.merge(
            [patch(email("a@lakepost.test"), mrn="C-1", birth_date="1980-05-06")], actor=desk
        )
        import_id = api.start_permissions_csv(
            [AUTHORIZATION.format("yes").encode()], declaration=DESK, actor=desk, queue=False
        )
    api.run(clinic.id, import_id, actor=desk)

    with acting_for(clinic.id):
        assert merged.contact_id is not None
        [entry] = permissions.entries_of(merged.contact_id, actor=desk)
    home = ZoneInfo("America/New_York")
    assert entry.at == datetime(2026, 1, 2, tzinfo=home)
    assert entry.valid_until == datetime(2027, 1, 2, tzinfo=home)
