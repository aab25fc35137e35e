"""What an installation was set up with: addresses and choices that hold for all its processes, in one file of its home.

The environment wins over the file, so that a container can be told otherwise. No secret is in it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from salus.kernel.errors import BadInput

NAME = "installation.json"


@dataclass(frozen=True, slots=True)
class Installed:
    """The choices; an empty one was not made."""

    public_url: str = ""
    http: str = ""
    """Where the web server listens, as "host:port"."""
    database_url: str = ""
    """Without the administrator's login; empty: the embedded database."""
    spf: str = ""
    """What SPF should allow besides nobody: "mx", "include:spf.relay.example"."""
    backup: str = ""
    """Where backups go."""
    inbound: str = ""
    """Where bounces and complaints are taken, as "address:port"; empty: nowhere."""
    inbound_host: str = ""
    """What the listener is called, as the MX record of the sending domain says."""
    inbound_certificate: str = ""
    inbound_key: str = ""
    """Files in PEM; without them the listener makes a certificate of its own."""
    smtp: str = ""
    """Where programs submit messages with STARTTLS, as "address:port"; empty: nowhere."""
    smtp_tls: str = ""
    """The same with TLS from the start."""
    smtp_host: str = ""
    smtp_certificate: str = ""
    smtp_key: str = ""
    """Files in PEM; submission needs them."""
    senders: str = ""
    """How many senders run; empty: one a processor, up to four."""

    def sender_count(self, environment: Mapping[str, str]) -> int:
        """Return how many senders were asked for, 0 when nobody did. `SALUS_SENDERS` wins. Raises `BadInput`."""
        asked = environment.get("SALUS_SENDERS") or self.senders
        if asked and not (asked.isascii() and asked.isdecimal() and 1 <= int(asked) <= 64):
            raise BadInput("This is a whole number from 1 to 64.", place="SALUS_SENDERS")
        return int(asked or 0)

    def taking(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the options of `salus inbound`; empty when it is to listen nowhere. `SALUS_INBOUND...` wins."""
        chosen = {
            "--listen": environment.get("SALUS_INBOUND") or self.inbound,
            "--host": environment.get("SALUS_INBOUND_HOST") or self.inbound_host,
            "--certificate": environment.get("SALUS_INBOUND_CERTIFICATE") or self.inbound_certificate,
            "--key": environment.get("SALUS_INBOUND_KEY") or self.inbound_key,
        }
        return {name: value for name, value in chosen.items() if value} if chosen["--listen"] else {}

    def submission(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the options of `salus smtp`; empty when it is to listen nowhere. `SALUS_SMTP...` wins.

        Raises `BadInput` without a certificate and its key: programs sign in there, in TLS only.
        """
        chosen = {
            "--listen": environment.get("SALUS_SMTP") or self.smtp,
            "--listen-tls": environment.get("SALUS_SMTP_TLS") or self.smtp_tls,
            "--host": environment.get("SALUS_SMTP_HOST") or self.smtp_host,
            "--certificate": environment.get("SALUS_SMTP_CERTIFICATE") or self.smtp_certificate,
            "--key": environment.get("SALUS_SMTP_KEY") or self.smtp_key,
        }
        if not chosen["--listen"] and not chosen["--listen-tls"]:
            return {}
        if not chosen["--certificate"] or not chosen["--key"]:
            raise BadInput(
                "SMTP submission needs a certificate and its key.",
                place="SALUS_SMTP",
                next_step="Name the files in SALUS_SMTP_CERTIFICATE and SALUS_SMTP_KEY.",
            )
        return {name: value for name, value in chosen.items() if value}

    def listeners(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return where it listens for mail: "ADDRESS:PORT", by the word of the environment for it."""
        mail, programs = self.taking(environment), self.submission(environment)
        found = {
            "SALUS_INBOUND": mail.get("--listen", ""),
            "SALUS_SMTP": programs.get("--listen", ""),
            "SALUS_SMTP_TLS": programs.get("--listen-tls", ""),
        }
        return {place: listen for place, listen in found.items() if listen}


def read(home: Path) -> Installed:
    """Return what was chosen; nothing before the set-up. Raises `BadInput` for a file that is not ours."""
    path = home / NAME
    try:
        found = json.loads(path.read_text())
        return Installed(**{str(name): str(value) for name, value in found.items()})
    except FileNotFoundError:
        return Installed()
    except (ValueError, TypeError, AttributeError) as fault:
        raise BadInput(
            "This is not what salus setup writes.",
            place=str(path),
            next_step="Mend or remove it, then run salus setup again; nothing else is lost.",
        ) from fault


def write(home: Path, chosen: Installed) -> None:
    """Keep the choices, whole or not at all."""
    write_whole(home / NAME, json.dumps(dataclasses.asdict(chosen), indent=1) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file that only we can read, in place of the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
