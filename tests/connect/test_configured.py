"""Submission runs where it was told to, and nowhere otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from salus.wiring.cli import main
from salus.wiring.home import Home
from salus.wiring.installation import Installation
from salus.wiring.installed import Installed

CHOSEN = Installed(smtp="127.0.0.1:587", smtp_certificate="/c.pem", smtp_key="/k.pem")


def test_it_runs_only_when_an_address_was_chosen_and_the_environment_wins(tmp_path: Path) -> None:
    assert Installed(smtp_certificate="/c.pem").submission({}) == {}
    assert CHOSEN.submission({})["--listen"] == "127.0.0.1:587"
    options = CHOSEN.submission({"SALUS_SMTP": "127.0.0.1:2587"})
    assert options == {"--listen": "127.0.0.1:2587", "--certificate": "/c.pem", "--key": "/k.pem"}
    command = Installation(Home(tmp_path)).submission(options).command
    assert command[-7:] == [
        "smtp",
        "--listen",
        "127.0.0.1:2587",
        "--certificate",
        "/c.pem",
        "--key",
        "/k.pem",
    ]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--listen", "587"],
        ["--listen", "a b:587"],
        ["--listen-tls", "x:70000"],
        ["--listen", "x:1", "--host", "a b"],
    ],
)
def test_an_address_that_is_none_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smtp", "--certificate", "/c.pem", "--key", "/k.pem", *words]) == 2
    assert "salus:" in capsys.readouterr().err
