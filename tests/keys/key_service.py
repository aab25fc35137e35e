"""AWS KMS for tests: moto's server as a child process on loopback, behind a door that can answer as AWS does when it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, system
from salus.kernel.outbound import ServiceKind
from salus.keys import api as keys
from salus.keys.models import KeyRow
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Relation
from tests.registered import attest

SECRET = b"canary-0bd7"
REGION = "eu-central-1"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class KeyService:
    """A KMS at `url`. `refuse` makes the door answer an error, `silent` makes it say nothing; both to `times` calls."""

    def __init__(self, port: int) -> None:
        self.port, self.refuse, self.silent, self.times = port, "", False, 0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.hang = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def failing(self, code: str = "", *, silent: bool = False, times: int = 10**6) -> None:
        """Answer the next `times` calls with this error, or with silence."""
        self.refuse, self.silent, self.times = code, silent, times

    def working(self) -> None:
        """Let calls through to moto."""
        self.refuse, self.silent, self.times = "", False, 0

    def new_key(self, region: str = REGION) -> str:
        """Make a symmetric key and return its ARN."""
        import botocore.session

        client = botocore.session.Session().create_client(
            "kms",
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        return str(client.create_key()["KeyMetadata"]["Arn"])

    def cut(self) -> None:
        """Cut the way to it: nobody listens any more."""
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


def _handler(service: KeyService) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.asked.append((self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body)))
            if service.times > 0:
                service.times -= 1
                if service.silent:
                    service.hang.wait(10)
                    return
                self._answer(400, json.dumps({"__type": service.refuse, "message": "canary-kms-7d"}).encode())
                return
            inner = HTTPConnection("127.0.0.1", service.port, timeout=10)
            inner.request("POST", "/", body, dict(self.headers.items()))
            answer = inner.getresponse()
            self._answer(answer.status, answer.read())
            inner.close()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_: Any) -> None:
            """Say nothing."""

    return Door


@contextmanager
def moto_server() -> Iterator[int]:
    """Run moto's server; yields its port."""
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        found = None
        while found is None:
            line = server.stdout.readline()
            assert line, "moto did not start"
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield int(found[1])
    finally:
        server.terminate()
        server.wait(10)


def actor(clinic: Organization) -> Actor:
    return system(clinic.id, "test")


def register(clinic: Organization, address: str) -> UUID:
    """Put the key service into the clinic's register: it is told no PHI, and its set-up is attested."""
    made: dict[str, Any] = {"actor": actor(clinic), "at": datetime.now(UTC)}
    with acting_for(clinic.id):
        vendor = vendors.create_vendor("Key keeper", relation=Relation.NO_PHI, **made)
        found = vendors.create_service(
            vendor, kind=ServiceKind.KMS, name="Keys", address=address, may_carry=[], **made
        )
        attest(found, **made)
    return found


def move(clinic: Organization, to: str, tell: Callable[[int, int], object] = lambda _a, _b: None) -> int:
    return keys.move(clinic.id, to, actor=actor(clinic), tell=tell)


def wrapped_by(clinic: Organization) -> set[str]:
    with acting_for(clinic.id):
        return set(KeyRow.objects.exclude(status="destroyed").values_list("wrapped_by", flat=True))


def sealed_by(clinic: Organization) -> bytes:
    with acting_for(clinic.id):
        return keys.sealer().seal(SECRET, b"place")


def opens(clinic: Organization, sealed: bytes) -> bool:
    keys.forget_cached()
    with acting_for(clinic.id):
        return keys.sealer().open(sealed, b"place") == SECRET
