"""Classification: proposed by one person, confirmed by another, never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from salus.content import api
from salus.content.contracts import Classification, ReviewStep
from salus.content.models import ReviewRow
from salus.content.rules import check_classification
from salus.identity.contracts import Role
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.vocabulary import Promotes, Purpose, Remuneration

from .desk import page

NEWS = Classification(Purpose.NEWSLETTER, Promotes.NOTHING, Remuneration.NONE, "newsletter")


@pytest.fixture
def version(author: Actor) -> UUID:
    template_id = api.create_template("News", actor=author)
    return api.save_version(template_id, language="en", subject="News", mjml=page("Hi"), actor=author).id


def test_a_proposal_stands_unconfirmed(version: UUID, author: Actor) -> None:
    api.classify(version, NEWS, actor=author)
    found = api.version(version).classification
    assert found == replace(NEWS, authored_by=author.id)


def test_another_person_confirms(version: UUID, author: Actor, reviewer: Actor) -> None:
    api.classify(version, NEWS, actor=author)
    api.confirm_classification(version, actor=reviewer)
    found = api.version(version).classification
    assert found == replace(NEWS, authored_by=author.id, confirmed_by=reviewer.id)
    assert [review.step for review in api.history(version)] == [ReviewStep.PROPOSED, ReviewStep.CONFIRMED]


def test_nobody_confirms_what_they_proposed_or_wrote(
    version: UUID, author: Actor, reviewer: Actor, staff: Callable[[Role], Actor]
) -> None:
    both = replace(author, permissions=author.permissions | reviewer.permissions)
    api.classify(version, NEWS, actor=both)
    with pytest.raises(Conflict, match="You wrote this, so somebody else approves it"):
        api.confirm_classification(version, actor=both)
    other = replace(staff(Role.AUTHOR), permissions=both.permissions)
    api.classify(version, NEWS, actor=other)
    with pytest.raises(Conflict, match="somebody else"):
        api.confirm_classification(version, actor=other)
    with pytest.raises(Conflict, match="somebody else"):  # the author of the version, not of the proposal
        api.confirm_classification(version, actor=both)


def test_only_who_may_review_confirms(version: UUID, author: Actor, staff: Callable[[Role], Actor]) -> None:
    api.classify(version, NEWS, actor=author)
    for role in (Role.AUTHOR, Role.ANALYST, Role.AUDITOR, Role.DEVELOPER):
        with pytest.raises(NotFound):
            api.confirm_classification(version, actor=staff(role))
    with pytest.raises(NotFound):
        api.confirm_classification(version, actor=system(author.organization_id, "worker"))


def test_a_new_proposal_takes_the_confirmation_away(version: UUID, author: Actor, reviewer: Actor) -> None:
    api.classify(version, NEWS, actor=author)
    api.confirm_classification(version, actor=reviewer)
    api.classify(version, replace(NEWS, topic="events"), actor=author)
    found = api.version(version).classification
    assert found is not None
    assert (found.topic, found.confirmed_by) == ("events", None)


def test_a_declined_proposal_leaves_the_version_unclassified(
    version: UUID, author: Actor, reviewer: Actor
) -> None:
    api.classify(version, NEWS, actor=author)
    api.decline_classification(version, note="It promotes the gym.", actor=reviewer)
    assert api.version(version).classification is None
    assert api.history(version)[-1].note == "It promotes the gym."


def test_an_answer_is_given_once(version: UUID, author: Actor, reviewer: Actor) -> None:
    with pytest.raises(Conflict, match="Nobody has said"):
        api.confirm_classification(version, actor=reviewer)
    api.classify(version, NEWS, actor=author)
    api.confirm_classification(version, actor=reviewer)
    with pytest.raises(Conflict, match="answered this already"):
        api.confirm_classification(version, actor=reviewer)
    with pytest.raises(Conflict, match="answered this already"):
        api.decline_classification(version, note="", actor=reviewer)


def test_the_history_is_never_changed(version: UUID, author: Actor) -> None:
    api.classify(version, NEWS, actor=author)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ReviewRow.objects.all().update(step="confirmed")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ReviewRow.objects.all().delete()


def test_the_reviewers_words_are_sealed(version: UUID, author: Actor, reviewer: Actor) -> None:
    api.classify(version, replace(NEWS, topic="canary seventy"), actor=author)
    api.decline_classification(version, note="Canary-Note", actor=reviewer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(encode(sealed, 'escape'), '') FROM content_review")
        [stored] = cursor.fetchone()
    assert "anary" not in stored


def test_a_classification_of_nothing(author: Actor, reviewer: Actor) -> None:
    with pytest.raises(NotFound):
        api.classify(author.organization_id, NEWS, actor=author)
    with pytest.raises(NotFound):
        api.confirm_classification(author.organization_id, actor=reviewer)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (replace(NEWS, purpose=Purpose.UNCLASSIFIED), "purpose"),
        (replace(NEWS, topic=""), "topic"),
        (replace(NEWS, topic="Rosa's"), "topic"),
        (replace(NEWS, remuneration=Remuneration.ABOVE_COST), "payer"),
        (replace(NEWS, payer="Acme"), "payer"),
        (
            replace(NEWS, payer="Acme", remuneration=Remuneration.IN_KIND, payer_is_promoted_party=True),
            "promotes",
        ),
        (replace(NEWS, purpose=Purpose.THIRD_PARTY_PRODUCT), "promotes"),
        (replace(NEWS, purpose=Purpose.CONDITION_EDUCATION), "conditions"),
    ],
)
def test_a_proposal_says_all_that_the_gate_needs(wrong: Classification, place: str) -> None:
    assert place in [problem.place for problem in check_classification(wrong)]


def test_an_unsound_proposal_is_refused(version: UUID, author: Actor) -> None:
    with pytest.raises(BadInput, match="payer"):
        api.classify(version, replace(NEWS, payer="Acme"), actor=author)
    assert api.history(version) == []
