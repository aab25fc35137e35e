"""Postfix from Debian as a relay on loopback: an ordinary child process with its own folders and a verified certificate."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from salus.delivery.laboratory import Authority

DAEMONS = Path("/usr/lib/postfix/sbin")
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.clinic.example
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
maillog_file_prefixes = {folder}
maillog_file = {folder}/mail.log
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
smtpd_tls_received_header = yes
virtual_mailbox_domains = clinic.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Relay:
    """A running Postfix: where it listens, the authority to trust, where its mail is."""

    port: int
    authority: Path
    folder: Path

    def mails(self) -> list[str]:
        """Return the mails that were delivered, as they stand in the mailbox."""
        return [each.read_text() for each in sorted((self.folder / "mail" / "inbox" / "new").glob("*"))]

    def wait_for_mail(self, seconds: float = 15.0) -> str:
        """Return the first mail as soon as it is there; fails with the relay's own log."""
        deadline = time.monotonic() + seconds
        while not (found := self.mails()):
            assert time.monotonic() < deadline, f"no mail came: {self.log()}"
            time.sleep(0.05)
        return found[0]

    def log(self) -> str:
        """Return what the relay says of itself."""
        path = self.folder / "mail.log"
        return path.read_text() if path.exists() else "it wrote no log"


def require_postfix() -> str:
    """Return the program; fails, and says how to get it, where it is not there or may not be started."""
    program = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "This test needs Postfix: apt install postfix (./test does it where it may)."
    assert os.geteuid() == 0, "Postfix starts as root only: run this test as root, as a container does."
    return program


@contextmanager
def running_relay(folder: Path, *, name: str = "127.0.0.1") -> Iterator[Relay]:
    """Run Postfix below `folder` until the block ends; its certificate is for `name`."""
    program = require_postfix()
    for part in ("spool", "data", "mail"):
        (folder / part).mkdir()
    postfix = pwd.getpwnam("postfix")
    os.chown(folder / "data", postfix.pw_uid, -1)
    os.chown(folder / "mail", postfix.pw_uid, postfix.pw_gid)
    authority = Authority(datetime.now(UTC))
    issued = authority.issue([name])
    (folder / "authority.pem").write_text(authority.pem)
    (folder / "certificate.pem").write_bytes(issued.certificate)
    (folder / "key.pem").write_bytes(issued.key)
    (folder / "key.pem").chmod(0o600)
    port = _free_port()
    facts = {"folder": folder, "daemons": DAEMONS, "port": port, "uid": postfix.pw_uid, "gid": postfix.pw_gid}
    (folder / "main.cf").write_text(MAIN.format(**facts))
    (folder / "master.cf").write_text(MASTER.format(**facts))
    subprocess.run([program, "-c", str(folder), "check"], check=True, capture_output=True)
    child = subprocess.Popen([str(DAEMONS / "master"), "-c", str(folder), "-d"], stdin=subprocess.DEVNULL)
    relay = Relay(port, folder / "authority.pem", folder)
    try:
        _await(relay, child)
        yield relay
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def _await(relay: Relay, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", relay.port)) == 0:
                return
        assert child.poll() is None, f"Postfix did not start: {relay.log()}"
        assert time.monotonic() < deadline, f"Postfix does not answer: {relay.log()}"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
