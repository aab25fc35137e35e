"""What a key says of its program's messages holds where a message says nothing itself, and is checked when it is said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.connect import api as connect
from salus.connect.contracts import Fault
from salus.identity import api as identity
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main

from .conftest import Place
from .test_together import queued, submitted, take

pytestmark = pytest.mark.usefixtures("database")

UNSAID: dict[str, Any] = {"X_Salus_Purpose": None, "X_Salus_Topic": None, "X_Salus_Promotes": None}
WORDS = {"purpose": "appointment_confirm_remind_reschedule", "topic": "visits", "promotes": "nothing"}


def key_id(place: Place) -> UUID:
    """Return the id of the key that may submit."""
    return UUID(place.key.split("_")[1][32:])


def say(place: Place, **words: str) -> None:
    """Set the words of the key."""
    with acting_for(place.desk.id):
        connect.set_key_words(key_id(place), words, actor=place.desk.actor)


def test_a_key_says_what_its_messages_leave_out(place: Place) -> None:
    assert take(place, submitted(place, **UNSAID))[0].reason == Fault.NO_TOPIC
    say(place, **WORDS)
    answers = take(place, submitted(place, **UNSAID), submitted(place, "bert", **UNSAID))
    assert queued(place, *answers) == 2
    say(place)
    assert take(place, submitted(place, **UNSAID))[0].reason == Fault.NO_TOPIC


def test_what_a_message_says_itself_wins(place: Place) -> None:
    say(place, **WORDS, discloses="contact")
    [taken] = take(place, submitted(place, X_Salus_Purpose="no such purpose"))
    assert taken.reason == Fault.NO_PURPOSE
    [taken] = take(place, submitted(place, X_Salus_Discloses="psychotherapy_notes"))
    assert taken.reason == "category_never_in_messages"
    say(place)


def test_the_change_is_in_the_log_by_name_and_not_by_word(place: Place) -> None:
    say(place, **WORDS)
    with acting_for(place.desk.id):
        entry = next(iter(audit.entries(Filters(action=Action.API_KEY_CHANGE))))
        assert list(entry.fields) == sorted(WORDS)
        [facts] = [each for each in identity.api_keys_of_organization() if each.id == key_id(place)]
        assert facts.words == WORDS
    say(place)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"purpose": "whatever"}, "purpose"),
        ({"topic": "Two Words"}, "topic"),
        ({"discloses": "contact, gossip"}, "discloses"),
        ({"channel": "sms"}, "channel"),
        ({"conditions": "E11; drop"}, "conditions"),
        ({"idempotency-key": "x"}, "words"),
        ({"colour": "red"}, "words"),
    ],
)
def test_what_no_message_may_say_no_key_may(place: Place, words: dict[str, str], named: str) -> None:
    with acting_for(place.desk.id), pytest.raises(BadInput) as refused:
        connect.set_key_words(key_id(place), words, actor=place.desk.actor)
    assert refused.value.place == named


def test_a_key_that_is_not_there_is_not_found(place: Place) -> None:
    with acting_for(place.desk.id), pytest.raises(NotFound):
        connect.set_key_words(new_id(), WORDS, actor=place.desk.actor)


def test_the_command_says_it_too(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    of = ["--organization", place.desk.organization.slug]
    given = [f"--say={name}={word}" for name, word in WORDS.items()]
    assert main(["apikey", "messages", str(key_id(place)), *of, *given]) == 0
    assert main(["apikey", "list", *of]) == 0
    assert "topic=visits" in capsys.readouterr().out
    assert main(["apikey", "messages", str(key_id(place)), *of, "--say", "topic"]) == 2
    assert main(["apikey", "messages", str(key_id(place)), *of]) == 0
