"""Choices of the set-up that need no machine: who wraps the keys, and a server's database."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import pytest

from salus.domains.contracts import Installation, Purpose, Signing
from salus.domains.rules.wanted import wanted
from salus.kernel.errors import BadInput
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.wiring import installed
from salus.wiring.cli.setup_ import _put as put
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


def test_all_that_is_wrong_in_a_file_is_told_at_once_with_section_and_key(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    lines = [f'{key} = "{answer}"' for key, answer in ANSWERS.items() if key not in {"phone", "spf", "route"}]
    more = '[sending]\nroute = "pigeon"\n[domain]\nspfx = "mx"\nspf = 7\n[keep]\nvendors = {a = 1}\n'
    path.write_text(
        "\n".join([*lines, more]).replace('vendors = "Harbor Print and Post, Elm Analytics"\n', "")
    )
    with pytest.raises(answers.Faults) as fault:
        answers.whole_of_file(path)
    first, *others = str(fault.value).splitlines()
    assert first == "5 answers will not do."
    assert sorted(others) == [
        "  [domain] spf: Write SPF mechanisms, like include:spf.relay.example or ip4:192.0.2.7.",
        "  [domain] spfx: No question has this name.",
        "  [keep] vendors: Write one answer.",
        "  [organization] phone: This is needed.",
        "  [sending] route: This is one of: relay, direct.",
    ]
    path.write_text("\n".join(lines))
    with pytest.raises(answers.Faults) as fault:
        answers.whole_of_file(path)
    assert str(fault.value) == "[organization] phone: This is needed."


def test_what_the_world_outside_is_told_is_said_in_a_sentence_each() -> None:
    records = wanted(
        "mail.clinic.example", [Signing("s1", "v=DKIM1; p=x")], Installation(addresses=("192.0.2.7",))
    )
    why = {str(each.purpose): each.why for each in records}
    assert set(why) == {str(each) for each in Purpose} - {"Next DKIM"}
    assert all(text.endswith(".") for text in why.values())
    assert why["BIMI"].startswith("May be left out.")
    assert why["Alignment"].startswith("Nothing to publish.")
    assert "mailbox" in why["DMARC"]
    assert "mailbox" in why["TLS-RPT"]
    assert "salus inbound" in why["MX"]


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


@pytest.mark.parametrize(
    ("typed", "known", "asked_as", "kept"),
    [
        ("", {}, "Folder for backups, on another disk (Enter leaves it out): ", ""),
        (
            "",
            {"backup": "/mnt/b"},
            "Folder for backups, on another disk [/mnt/b] (Enter keeps it, - leaves it out): ",
            "/mnt/b",
        ),
        (
            "-",
            {"backup": "/mnt/b"},
            "Folder for backups, on another disk [/mnt/b] (Enter keeps it, - leaves it out): ",
            "",
        ),
    ],
)
def test_what_may_be_left_out_says_so_and_can_be_taken_back(
    typed: str, known: dict[str, str], asked_as: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (question,) = [each for part in SECTIONS for each in part.questions if each.key == "backup"]
    labels: list[str] = []

    def ask(label: str) -> str:
        labels.append(label)
        return typed

    monkeypatch.setattr("builtins.input", ask)
    assert put(question, known) == kept
    assert labels == [asked_as]
