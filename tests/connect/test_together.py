"""Messages that come at the same moment are taken in one transaction; each hears its own answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from salus.connect import submitting
from salus.connect.contracts import Fault, Submitted, Taken
from salus.delivery import api as delivery
from salus.delivery.models import MessageRow, QueueRow
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import SystemClock
from salus.platform.tenancy import acting_for

from .conftest import DOMAIN, Place

pytestmark = pytest.mark.usefixtures("database")


def submitted(
    place: Place, to: str = "ada", key: str = "", text: str = "Come.", **said: str | None
) -> Submitted:
    """Return a message as a connection hands it on."""
    letter = place.letter(to, **said)
    letter.clear_content()
    letter.set_content(text)
    data = letter.as_bytes(policy=letter.policy.clone(linesep="\r\n"))
    return Submitted(key or place.key, "203.0.113.7", Phi(f"{to}@{DOMAIN}"), data)


def linked(place: Place, host: str) -> Submitted:
    """Return a message with a link to a host."""
    letter = place.letter()
    letter.clear_content()
    letter.set_content(f"<p><a href='https://{host}/'>More</a>", subtype="html")
    data = letter.as_bytes(policy=letter.policy.clone(linesep="\r\n"))
    return Submitted(place.key, "203.0.113.7", Phi(str(letter["To"])), data)


def take(place: Place, *batch: Submitted) -> list[Taken]:
    """Take a batch, as the listener does."""
    return submitting.take(place.desk.id, [submitting.arrived(each) for each in batch], SystemClock())


def queued(place: Place, *taken: Taken) -> int:
    """Return how many of these are in the queue."""
    with acting_for(place.desk.id):
        return QueueRow.objects.filter(message_id__in=[each.message_id for each in taken]).count()


def test_the_bad_among_the_good_are_refused_alone(place: Place) -> None:
    answers = take(
        place,
        submitted(place, "ada"),
        submitted(place, "nobody"),
        submitted(place, "bert", X_Salus_Topic=None),
        submitted(place, "bert", key=place.weak_key),
        submitted(place, "bert"),
        submitted(place, "cora", From="a@elsewhere.example.org"),
        linked(place, "elsewhere.example.org"),
        linked(place, "www.mail.cedar-row.example.org"),
    )
    assert [each.reason for each in answers] == [
        "", Fault.UNKNOWN_RECIPIENT, Fault.NO_TOPIC, Fault.NOT_ALLOWED, "", Fault.SENDER,
        Fault.LINK, "",
    ]  # fmt: skip
    assert queued(place, *answers) == 3


def test_one_id_twice_in_one_moment_is_one_message(place: Place) -> None:
    id = f"<{new_id().hex}@program.example.org>"
    same = {"Message_ID": id}
    first, again, other = take(
        place,
        submitted(place, **same),
        submitted(place, **same),
        submitted(place, text="Something else.", **same),
    )
    assert first.message_id
    assert again == first
    assert other == Taken(None, Fault.OTHER_CONTENT)
    assert queued(place, first) == 1


def test_two_to_one_person_are_two_messages(place: Place) -> None:
    answers = take(place, submitted(place), submitted(place))
    assert queued(place, *answers) == 2


def test_many_cost_hardly_more_statements_than_one(place: Place) -> None:
    with CaptureQueriesContext(connection) as one:
        take(place, submitted(place))
    with CaptureQueriesContext(connection) as many:
        take(place, *(submitted(place, each) for each in ("ada", "bert", "cora") * 7))
    assert len(many) <= len(one) + 2


def test_a_fault_of_one_does_not_refuse_the_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    send_each = delivery.send_each

    def fails_for_three(sendings: Any, **rest: Any) -> Any:
        if any("three" in (each.words.text if each.words else "") for each in sendings):
            raise RuntimeError("this one cannot be")
        return send_each(sendings, **rest)

    monkeypatch.setattr(delivery, "send_each", fails_for_three)
    answers = take(place, *(submitted(place, text=text) for text in ("one.", "two.", "three.", "four.")))
    assert [each.reason for each in answers] == ["", "", Fault.LATER, ""]
    assert queued(place, *answers) == 3


def test_without_a_database_nothing_is_tried_one_by_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def away(*given: Any, **rest: Any) -> Any:
        calls.append(given)
        raise OperationalError

    monkeypatch.setattr(delivery, "send_each", away)
    with acting_for(place.desk.id):
        before = MessageRow.objects.count()
    with pytest.raises(OperationalError):
        take(place, submitted(place), submitted(place))
    assert len(calls) == 1
    with acting_for(place.desk.id):
        assert MessageRow.objects.count() == before
