"""Choices of the set-up that need no machine: who wraps the keys, and a server's database."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import pytest

from salus.kernel.errors import BadInput
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.wiring import installed
from salus.wiring.setup import answers, steps
from salus.wiring.setup.questions import SECTIONS, asked, check

from .test_first_run import ANSWERS

VAULT = "https://vault.clinic.example:8200/transit/salus"
(MACHINE,) = [each for each in SECTIONS if each.key == "machine"]


def test_each_key_provider_asks_for_its_own_key_only() -> None:
    wanted = {"file": set(), "aws-kms": {"kms_key"}, "vault": {"vault_key"}}
    for provider, own in wanted.items():
        found = {each.key for each in asked(MACHINE, {"key_provider": provider})}
        assert found == {"database", "key_provider"} | own


@pytest.mark.parametrize(
    "text", ["http://vault.clinic.example/transit/salus", "https://vault.clinic.example/salus", "salus", ""]
)
def test_what_is_no_key_in_vault_is_refused(text: str) -> None:
    (question,) = [each for each in MACHINE.questions if each.key == "vault_key"]
    assert check(question, f" {VAULT} ") == VAULT
    with pytest.raises(BadInput) as fault:
        check(question, text)
    assert fault.value.place == "vault_key"


def test_a_vault_that_nobody_registered_leaves_the_keys_with_the_file_and_says_so(database: object) -> None:
    done = steps.set_up({**ANSWERS, "slug": "vault-clinic", "key_provider": "vault", "vault_key": VAULT})
    (said,) = [each for each in done.waits if "Vault" in each]
    assert f"salus keys move --to vault --key {VAULT} --organization vault-clinic" in said
    with acting_for(done.organization.id):
        assert all(each.wrapped_by.startswith("file:") for each in keys.keys_of_organization())


def test_a_servers_database_is_chosen_with_its_address_and_without_its_password(tmp_path: Path) -> None:
    given = {**ANSWERS, "database": "server", "backup": ""}
    with pytest.raises(BadInput, match="names no server"):
        answers.choose(tmp_path, given, None)
    url = "postgresql://admin:Secret-1@db.clinic.example:5432/salus?sslmode=verify-full"
    with pytest.raises(BadInput, match="names a server"):
        answers.choose(tmp_path, {**given, "database": "embedded"}, url)
    answers.choose(tmp_path, given, url)
    kept = installed.read(tmp_path).database_url
    assert kept == "postgresql://db.clinic.example:5432/salus?sslmode=verify-full"
    assert not any(b"Secret-1" in each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    answers.choose(tmp_path, given, None)
    assert installed.read(tmp_path).database_url == kept, "it is known from then on"


def test_what_the_set_up_does_not_ask_stays_when_it_is_run_again(tmp_path: Path) -> None:
    by_hand = {
        each.name: f"by-hand-{each.name}"
        for each in fields(installed.Installed)
        if each.name.startswith(("inbound", "smtp", "senders"))
    }
    installed.write(tmp_path, installed.Installed(**by_hand))
    answers.choose(tmp_path, {**ANSWERS, "public_url": "https://new.clinic.example/"}, None)
    kept = asdict(installed.read(tmp_path))
    assert by_hand.items() <= kept.items()
    asked = {"public_url": "https://new.clinic.example", "http": ANSWERS["http"], "spf": ANSWERS["spf"]}
    assert {name: kept[name] for name in asked} == asked
    assert kept.keys() == by_hand.keys() | asked.keys() | {"database_url", "backup"}


def test_an_empty_answer_in_a_file_is_as_none_so_the_default_holds(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(
        '[organization]\nname = "Harbor Light Clinic"\nslug = ""\n[sending]\nrelay_vendor = " "\n'
    )
    given = answers.from_file(path)
    assert given == {"name": "Harbor Light Clinic"}
    done = answers.whole({**{key: ANSWERS[key] for key in ANSWERS if key != "slug"}, **given})
    assert done["slug"] == "harbor-light-clinic"


@pytest.mark.parametrize(
    ("change", "place"), [({"relay_evidence": ""}, "relay_evidence"), ({"backup": "backups"}, "backup")]
)
def test_what_a_later_step_would_refuse_is_refused_at_its_question(
    change: dict[str, str], place: str
) -> None:
    with pytest.raises(BadInput) as fault:
        answers.whole({**ANSWERS, **change})
    assert fault.value.place == place
    unattested = {**ANSWERS, "relay_attested_by": "", "relay_evidence": ""}
    assert "relay_evidence" not in answers.whole(unattested)
