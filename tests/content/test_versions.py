"""Templates and versions in the database: immutable, numbered, sealed, of one organization."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from salus.audit import api as audit
from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.content import api
from salus.content.contracts import Draft
from salus.content.models import VersionRow
from salus.identity.contracts import Role
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import AddressSource, Channel
from salus.platform.tenancy import acting_for

from .desk import LINKS, page, words

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
CANARY = "Zanzibar-Canary-7319"


def save(
    template_id: UUID, actor: Actor, body: str = "Dear {{ contact.given_name }}", language: str = "en"
) -> UUID:
    made = api.save_version(
        template_id, language=language, subject="A note", mjml=page(body), actor=actor, clock=FakeClock(AT)
    )
    return made.id


@pytest.fixture
def template(author: Actor) -> UUID:
    return api.create_template("Spring letter", actor=author, clock=FakeClock(AT))


@pytest.fixture
def rosa(clinic: UUID) -> UUID:
    patch = ContactPatch(
        identifiers=(Identifier("mrn", Phi("MRN-1")),),
        addresses=(
            Address(
                Channel.EMAIL,
                Phi("rosa@patients.example.org"),
                AddressSource.CLINICAL_ENCOUNTER,
                "visit",
                None,
            ),
        ),
        values={
            "given_name": "Rosa",
            "family_name": "Delgado",
            "birth_date": "1961-11-25",
            "gender": "female",
        },
        records={
            "labs": ({"id": "1", "system": "loinc", "code": "4548-4", "date": "2026-02-12", "value": 7.9},)
        },
    )
    [merged] = contacts.merge([patch], actor=system(clinic, "test"), clock=FakeClock(AT))
    assert merged.contact_id is not None
    return merged.contact_id


def test_versions_are_numbered_within_their_language(template: UUID, author: Actor) -> None:
    for language in ("en", "es", "en"):
        save(template, author, language=language)
    assert [(one.language, one.number) for one in reversed(api.versions(template))] == [
        ("en", 1),
        ("es", 1),
        ("en", 2),
    ]
    [listed] = api.templates()
    assert (listed.name, {key: one.number for key, one in listed.newest.items()}) == (
        "Spring letter",
        {"en": 2, "es": 1},
    )


def test_a_version_comes_back_as_it_was_saved(template: UUID, author: Actor) -> None:
    body = '{% for r in contact.labs if r.code == "4548-4" %}{{ r.value }}{% endfor %} <a href="https://cedarrow.example.org/a">x</a>'
    saved = api.version(save(template, author, body))
    assert (saved.name, saved.subject, saved.mjml, saved.authored_by) == (
        "Spring letter",
        "A note",
        page(body),
        author.id,
    )
    assert [read.code for read in saved.analysis.reads] == ["4548-4", "4548-4"]
    assert saved.classification is None
    assert saved.sources is not None
    assert [link.url for link in saved.sources.links] == ["https://cedarrow.example.org/a"]
    assert saved.sources.needs["labs"].codes == frozenset({"4548-4"})
    assert " " not in saved.renderer


def test_a_version_with_a_problem_is_not_stored(template: UUID, author: Actor) -> None:
    with pytest.raises(BadInput) as refused:
        save(template, author, "a\n{{ contact.nothing }}")
    assert refused.value.place == "line 2"
    assert api.versions(template) == []


def test_nobody_changes_or_deletes_a_version_not_even_the_owner_of_the_table(
    template: UUID, author: Actor
) -> None:
    version_id = save(template, author)
    for change in (
        lambda: VersionRow.objects.filter(id=version_id).update(language="es"),
        lambda: VersionRow.objects.filter(id=version_id).delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_words_of_staff_are_sealed(template: UUID, author: Actor, clinic: UUID) -> None:
    api.create_template(CANARY, actor=author)
    save(template, author, f"<p>{CANARY}</p>")
    with connection.cursor() as cursor:
        for table in ("content_template", "content_version"):
            cursor.execute(
                f"SELECT count(*), bool_or(position(%s::bytea in sealed) > 0) FROM {table}", [CANARY.encode()]
            )
            count, found = cursor.fetchone()
            assert count
            assert not found


def test_another_organization_sees_nothing(
    make_organization: Callable[[], UUID], other_organization: UUID
) -> None:
    mine = make_organization()
    with acting_for(mine):
        template = api.create_template("Mine", actor=system(mine, "test"))
    with acting_for(other_organization):
        assert api.templates() == []
        for look in (api.versions, api.template_name, api.version):
            with pytest.raises(NotFound):
                look(template)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM content_template")
            assert cursor.fetchone() == (0,)


def test_who_may_not_edit_finds_nothing_to_edit(template: UUID, staff: Callable[[Role], Actor]) -> None:
    with pytest.raises(NotFound):
        save(template, staff(Role.AUDITOR))
    with pytest.raises(NotFound):
        api.create_template("x", actor=staff(Role.ANALYST))


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_is_a_name(name: str, author: Actor) -> None:
    with pytest.raises(BadInput, match="name"):
        api.create_template(name, actor=author)


def test_what_is_opened_is_what_is_read(template: UUID, author: Actor, rosa: UUID) -> None:
    version = api.version(
        save(template, author, "{{ contact.age }} {{ contact.given_name }} {{ contact.email }}")
    )
    fields = api.merge_fields(version)
    assert fields == ("birth_date", "email", "given_name")
    [opened] = contacts.open_fields(ids=[rosa], fields=fields, purpose="message", actor=author)
    made = api.format_values(version, opened, at=AT)
    assert made["contact"] == {"age": "64", "email": "rosa@patients.example.org", "given_name": "Rosa"}
    rendered = api.render(version, {**made, "link": LINKS})
    assert words(rendered).startswith("64 Rosa rosa@patients.example.org")


def test_an_age_is_told_in_the_organizations_own_day(template: UUID, author: Actor, rosa: UUID) -> None:
    version = api.version(save(template, author, "{{ contact.age }}"))
    [opened] = contacts.open_fields(ids=[rosa], fields=["birth_date"], purpose="message", actor=author)
    just_past_midnight_in_greenwich = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    assert api.format_values(version, opened, at=just_past_midnight_in_greenwich)["contact"] == {"age": "64"}


def test_a_compiled_version_is_made_once_for_the_same_elements(template: UUID, author: Actor) -> None:
    version = api.version(save(template, author))
    first = api.compile_version(version.id, elements=("postal_address", "unsubscribe_link"))
    again = api.compile_version(version.id, elements=("unsubscribe_link", "postal_address"))
    assert first is again
    assert first is not api.compile_version(version.id)
    assert first.renderer == api.renderer()


def test_a_version_renders_with_its_footer(template: UUID, author: Actor) -> None:
    version = api.version(save(template, author))
    made = api.render(
        version,
        {"contact": {"given_name": "Rosa"}, "org": api.org_values(), "link": LINKS},
        elements=["postal_address"],
    )
    assert "12 Cedar Row" in made.text
    assert LINKS["why"] in made.html


def test_a_preview_as_a_person_opens_them_for_that_purpose_and_says_so(
    template: UUID, author: Actor, rosa: UUID, reviewer: Actor
) -> None:
    version = api.version(save(template, author, "Dear {{ contact.given_name }}, {{ contact.age }}"))
    made = api.preview(version, contact_id=rosa, actor=reviewer, clock=FakeClock(AT))
    assert words(made.rendered).startswith("Dear Rosa, 64")
    assert made.fields == ("birth_date", "given_name")
    recorded = {(entry.action, entry.purpose) for entry in audit.entries(limit=20)}
    assert ("contacts:phi:reveal", "preview") in recorded
    assert ("content:version:preview", "preview") in recorded
    with pytest.raises(NotFound):
        api.preview(version, contact_id=rosa, actor=author)


def test_a_preview_as_the_sample_person_opens_nobody(template: UUID, author: Actor) -> None:
    version = api.version(save(template, author))
    made = api.preview(version, actor=author, clock=FakeClock(AT))
    assert words(made.rendered).startswith("Dear Rosa")
    assert not [entry for entry in audit.entries(limit=20) if entry.action.startswith("contacts")]


def test_a_preview_counts_nothing(template: UUID, author: Actor) -> None:
    version = api.version(save(template, author, '<a href="https://cedarrow.example.org/a">x</a>'))
    made = api.preview(version, actor=author)
    assert "<img" not in made.rendered.html
    assert "cedarrow.example.org/a" not in made.rendered.html
    assert "https://preview.example.invalid/l0" in made.rendered.html


def test_a_preview_of_somebody_who_is_not_there(
    template: UUID, author: Actor, reviewer: Actor, clinic: UUID
) -> None:
    version = api.version(save(template, author))
    with pytest.raises(NotFound):
        api.preview(version, contact_id=clinic, actor=reviewer)


def test_a_draft_is_shown_before_it_is_saved(clinic: UUID, author: Actor) -> None:
    analysis, made = api.preview_draft(
        Draft("en", "A note", "", page("Hi {{ contact.given_name }}")), actor=author
    )
    assert made is not None
    assert words(made.rendered).startswith("Hi Rosa")
    analysis, made = api.preview_draft(Draft("en", "Your A1c", "", page("Hi")), actor=author)
    assert made is None
    assert [problem.place for problem in analysis.problems] == ["subject"]


def test_own_domains_open_links(template: UUID, staff: Callable[[Role], Actor], author: Actor) -> None:
    body = '<a href="https://www.cedar-row.example.net/a">x</a>'
    with pytest.raises(BadInput, match="not one of your own domains"):
        save(template, author, body)
    administrator = staff(Role.ADMINISTRATOR)
    assert (
        api.add_own_domain(" https://Cedar-Row.example.net/ ", actor=administrator) == "cedar-row.example.net"
    )
    assert api.add_own_domain("cedar-row.example.net", actor=administrator) == "cedar-row.example.net"
    assert api.own_domains() == ("cedarrow.example.org", "cedar-row.example.net")
    save(template, author, body)
    api.remove_own_domain("cedar-row.example.net", actor=administrator)
    with pytest.raises(BadInput):
        save(template, author, body)
    with pytest.raises(NotFound):
        api.remove_own_domain("cedar-row.example.net", actor=administrator)
    with pytest.raises(NotFound):
        api.add_own_domain("other.example.net", actor=author)
    for wrong in ("", "localhost", "a b.example", "*.example.org", "-x.example", "x" * 300):
        with pytest.raises(BadInput):
            api.add_own_domain(wrong, actor=administrator)


def test_every_starter_can_be_installed(author: Actor, clinic: UUID) -> None:
    for starter in api.starters():
        template_id = api.create_template(starter.name, actor=author)
        for language, draft in starter.drafts.items():
            made = api.save_version(
                template_id, language=language, subject=draft.subject, preheader=draft.preheader, mjml=draft.mjml,
                text=draft.text, actor=author,
            )  # fmt: skip
            api.classify(made.id, starter.classification, actor=author)
    assert len(api.templates()) == 6


def test_a_name_that_tells_a_condition_is_replaced_in_notices(
    clinic: UUID, staff: Callable[[Role], Actor]
) -> None:
    from salus.identity import api as identity

    assert api.notice_org("en")["name"] == "Cedar Row Clinic"
    identity.change_organization(actor=staff(Role.ADMINISTRATOR), name="Cedar Row HIV Center")
    assert api.notice_org("en")["name"] == "your clinic"
    assert api.notice_org("es")["name"] == "su clínica"
    assert api.analyse(Draft("en", "News from {{ org.name }}", "", page("a"))).problems
