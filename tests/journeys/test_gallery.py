"""The ready journeys: each is whole, says what it is for, and its letters are lawful in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from uuid import uuid4

import pytest

from salus.audiences import api as audiences
from salus.contacts.contracts import Read
from salus.contacts.dictionary import DICTIONARY
from salus.content import api as content
from salus.content.contracts import Analysis, Classification, Draft, House, TemplateVersion
from salus.content.rules import check_classification
from salus.identity.contracts import Role
from salus.journeys.contracts import Again, Graph, Send, StepKind
from salus.journeys.gallery import reading
from salus.journeys.gallery.filling import Made, fill
from salus.journeys.gallery.ready import Ready, ReadyTemplate
from salus.journeys.rules.checking import check
from salus.journeys.rules.known import Known, Neighbour
from salus.journeys.rules.reading import read, write
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import Channel, PhiClass, Purpose
from salus.timeline.contracts import EventKind

DOMAIN = "mail.cedar-row.example.org"
HOUSE = House(
    (DOMAIN,), {"name": "Cedar Row Clinic", "phone": "518-555-0142", "postal_address": "12 Cedar Row, Albany"}
)
LINK = re.compile(r'href="([^"]+)"')
every = pytest.mark.parametrize("key", reading.KEYS)


def drafts(ready: Ready) -> Iterator[tuple[str, Draft]]:
    """Yield the letters of a ready journey as an organization gets them."""
    for word, template in ready.templates.items():
        for language, draft in template.drafts.items():
            mjml = draft.mjml.replace(reading.DOMAIN, DOMAIN)
            yield f"{word}.{language}", Draft(language, draft.subject, draft.preheader, mjml)


def made_of(ready: Ready) -> Made:
    """Return ids for everything that a ready journey names."""
    return Made(
        {word: {"en": uuid4(), "es": uuid4()} for word in ready.templates},
        {word: uuid4() for word in (*ready.segments, *ready.lists)},
        {key: uuid4() for key in ready.leads_to},
    )


def graph_of(key: str) -> Graph:
    ready = reading.read(key)
    return read(fill(ready.document, made_of(ready)))


def test_the_gallery_holds_what_was_asked_for() -> None:
    assert len(reading.every()) == 14
    assert len({ready.name for ready in reading.every()}) == 14


def test_another_key_is_not_there() -> None:
    with pytest.raises(NotFound):
        reading.read("../content")


@every
def test_it_says_what_it_is_for_and_what_it_needs(key: str) -> None:
    ready = reading.read(key)
    assert ready.purpose.endswith(".")
    assert 40 < len(ready.purpose) < 240
    assert ready.needs


@every
def test_its_document_is_a_graph_and_nothing_is_named_that_is_not_there(key: str) -> None:
    graph = graph_of(key)
    assert read(write(graph)) == graph
    assert all(step.title for step in graph.steps.values())
    assert all(target in graph.steps for step in graph.steps.values() for target in step.ports.values())


@every
def test_the_check_finds_nothing_where_all_that_it_needs_is_there(key: str) -> None:
    ready = reading.read(key)
    made = made_of(ready)
    proof = check(read(fill(ready.document, made)), world_of(ready, made))
    assert not proof.findings
    assert proof.promises[-1] == "Every send can be lawful, and what it is for is confirmed."


def world_of(ready: Ready, made: Made) -> Known:
    """Return what is known where everything was made and confirmed."""
    nothing = Analysis((), ())
    letters = {
        id: TemplateVersion(
            id, uuid4(), 1, "", language, "", "", "", "", "", nothing, _confirmed(ready.templates[word])
        )
        for word, versions in made.templates.items()
        for language, id in versions.items()
    }
    return Known(
        attributes=DICTIONARY,
        readable=frozenset(DICTIONARY),
        segments={id: word in ready.lists for word, id in made.segments.items()},
        letters=letters,
        channels=frozenset({Channel.EMAIL, Channel.PORTAL}),
        doers=frozenset({Role.CARE_COORDINATOR, Role.PRIVACY_OFFICER}),
        journeys={id: Neighbour(takes_people=True, again=Again.AFTER) for id in made.journeys.values()},
        produced=frozenset(EventKind),
    )


def _confirmed(template: ReadyTemplate) -> Classification:
    return replace(template.classification, authored_by=uuid4(), confirmed_by=uuid4())


@every
def test_every_template_is_used_and_every_send_is_in_both_languages(key: str) -> None:
    ready = reading.read(key)
    sends = [step.does for step in graph_of(key).steps.values() if isinstance(step.does, Send)]
    named = {step["versions"] for step in ready.document["steps"].values() if "versions" in step}
    assert named == {f"template:{word}" for word in ready.templates}
    assert all(set(send.versions) == {"en", "es"} for send in sends)


def test_a_name_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(KeyError):
        fill({"segment_id": "segment:nobody"}, Made({}, {}, {}))


def test_the_whole_language_is_in_the_gallery() -> None:
    kinds = {step.kind for key in reading.KEYS for step in graph_of(key).steps.values()}
    assert kinds == set(StepKind) - {StepKind.CALL}  # a call needs a vendor's service of the house


@every
def test_its_letters_pass_the_analysis_and_are_shown_to_a_reader(key: str) -> None:
    for name, draft in drafts(reading.read(key)):
        analysis, preview = content.sample(draft, house=HOUSE)
        assert not analysis.problems, (name, analysis.problems)
        assert preview is not None
        assert "{{" not in preview.rendered.html + preview.rendered.text + preview.rendered.subject
        assert "{domain}" not in preview.rendered.html
        assert len(preview.rendered.text) > 100, name


@every
def test_its_languages_say_the_same_of_a_person_and_link_to_the_same_pages(key: str) -> None:
    letters = dict(drafts(reading.read(key)))
    for name in {name.partition(".")[0] for name in letters}:
        english, spanish = (letters[f"{name}.{language}"] for language in ("en", "es"))
        assert LINK.findall(english.mjml) == LINK.findall(spanish.mjml)
        told = [
            {_told(one) for one in content.analyse(draft, house=HOUSE).reads} for draft in (english, spanish)
        ]
        assert told[0] == told[1]


def _told(read: Read) -> tuple[str, str | None]:
    return read.field, read.code


@every
def test_its_links_lead_to_the_organization_itself(key: str) -> None:
    for name, draft in drafts(reading.read(key)):
        for address in LINK.findall(draft.mjml):
            assert address.startswith((f"https://{DOMAIN}/", "{{ link.")), (name, address)


@every
def test_its_classification_is_complete(key: str) -> None:
    for word, template in reading.read(key).templates.items():
        assert not check_classification(template.classification), word


def test_spanish_letters_are_written_to_you_with_respect() -> None:
    """No "tú", no "vos": words that only those have."""
    familiar = re.compile(r"(?i)\b(tú|te|ti|tus|tu|contigo|eres|tienes|puedes|quieres|elige|llámanos|os)\b")
    for key in reading.KEYS:
        for name, draft in drafts(reading.read(key)):
            if name.endswith(".es"):
                words = re.sub(r"<[^>]+>|\{\{.*?\}\}|\{%.*?%\}", " ", draft.mjml.partition("<mj-body")[2])
                assert not familiar.search(words), (key, name, familiar.search(words))


@pytest.mark.usefixtures("tenant")
@every
def test_its_segments_are_in_the_language_of_segments(key: str) -> None:
    ready = reading.read(key)
    for word, segment in ready.segments.items():
        assert audiences.check(segment.tree), word


PERMITTED: Mapping[Purpose, frozenset[PhiClass] | None] = {
    Purpose.PREVENTIVE_REMINDER: frozenset(
        {PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.ENGAGEMENT, PhiClass.VACCINATION}
    ),
    Purpose.RE_ENGAGEMENT: frozenset(
        {
            PhiClass.CONTACT,
            PhiClass.DEMOGRAPHIC,
            PhiClass.ENGAGEMENT,
            PhiClass.VACCINATION,
            PhiClass.DATES_OF_CARE,
        }
    ),
    Purpose.PUBLIC_HEALTH_ALERT: frozenset({PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.ENGAGEMENT}),
    Purpose.MILESTONE: frozenset({PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.ENGAGEMENT}),
}
"""What may choose the readers, or show in the letter, of a purpose that needs no authorization (D11, D30, D34, D35)."""


@pytest.mark.usefixtures("tenant")
@every
def test_who_is_chosen_and_what_is_said_fits_the_purpose(key: str) -> None:
    ready = reading.read(key)
    chosen = {read.phi_class for one in ready.segments.values() for read in audiences.check(one.tree)}
    for word, template in ready.templates.items():
        said = {
            read.phi_class
            for name, draft in drafts(ready)
            if name.startswith(f"{word}.")
            for read in content.analyse(draft, house=HOUSE).reads
        }
        allowed = PERMITTED.get(template.classification.purpose)
        assert allowed is None or chosen | said <= allowed, word
