"""The audit of what is locked finds what is wrong, the bill of materials keeps its schema, and who could not look says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from tools import advisories, dependencies

GOOD = """package==1.0 \\
    --hash=sha256:{0} \\
    --hash=sha256:{0}
    # via something
""".format("0" * 64)


def test_what_is_locked_and_installed_holds() -> None:
    assert list(dependencies.audit()) == []


def test_a_lock_pins_everything_by_its_digest() -> None:
    assert list(dependencies.faults_of_lock("lock", GOOD)) == []
    for bad, what in (
        ("package==1.0\n", "no hash"),
        (GOOD.replace("==1.0", ">=1.0"), "pins nothing"),
        (GOOD.replace("package==1.0", "package @ https://example.org/package.whl"), "pins nothing"),
        (GOOD.replace("package==1.0", "-e ../package"), "pins nothing"),
        (GOOD.replace("sha256:", "md5:"), "pins nothing"),
        ("--index-url https://example.org\n" + GOOD, "pins nothing"),
        (GOOD + "another==2.0\n", "another has no hash"),
    ):
        assert what in "\n".join(dependencies.faults_of_lock("lock", bad)), bad


@pytest.mark.parametrize(
    ("licence", "fits"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("BUSL-1.1", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_of_alternatives_one_licence_fits_and_of_what_is_joined_all(licence: str, fits: bool) -> None:
    assert (list(dependencies.faults_of_licence("package", licence)) == []) is fits


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"integrity": ""}, "no digest"),
        ({"integrity": "sha1-AAAA"}, "no digest"),
        ({"deprecated": "use another"}, "given up"),
        ({"license": "GPL-3.0"}, "GPL-3.0"),
    ],
)
def test_a_module_has_a_digest_a_licence_and_a_maker(change: dict[str, str], what: str) -> None:
    good = {"integrity": "sha512-AAAA", "license": "MIT", "version": "1.0.0"}
    assert list(dependencies.faults_of_modules({"packages": {"": {}, "node_modules/@a/b": good}})) == []
    bad = {"packages": {"node_modules/@a/b": good | change}}
    assert what in "\n".join(dependencies.faults_of_modules(bad))


def test_the_bill_keeps_the_published_schema_and_names_everything_once() -> None:
    bill = dependencies.bill()
    folder = files("cyclonedx") / "schema" / "_res"
    schema, *others = (
        json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    )
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(other))
        for other, name in zip(
            others,
            (
                "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json",
                "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json",
            ),
            strict=True,
        )
    )
    faults = [each.message[:200] for each in Draft7Validator(schema, registry=registry).iter_errors(bill)]
    assert faults == []
    named = [each["purl"] for each in bill["components"]]
    assert len(named) == len(set(named))
    shipped = {each["name"] for each in bill["components"] if each["scope"] == "required"}
    assert {"django", "cryptography", "botocore", "react", "htmx.org"} <= shipped
    assert not {"pytest", "moto", "vite"} & shipped
    wants = {each["ref"].partition("@")[0]: each["dependsOn"] for each in bill["dependencies"]}
    assert any(each.startswith("pkg:pypi/sqlparse@") for each in wants["pkg:pypi/django"])
    assert dependencies.bill() == bill


class Osv:
    """A service that knows of one vulnerability, or misbehaves."""

    def __init__(self) -> None:
        self.answer: Any = None
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
                vulnerable = [
                    {"vulns": [{"id": "GHSA-test"}]} if "/django@" in each["package"]["purl"] else {}
                    for each in asked
                ]
                body = json.dumps({"results": vulnerable} if service.answer is None else service.answer)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_request(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def osv() -> Iterator[Osv]:
    found = Osv()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_a_known_vulnerability_is_told(osv: Osv, capsys: pytest.CaptureFixture[str]) -> None:
    assert advisories.main(["--at", osv.url]) == 1
    assert "pkg:pypi/django@" in (out := capsys.readouterr().out)
    assert "GHSA-test" in out
    assert advisories.known(["pkg:pypi/flask@1"], osv.url) == {}


@pytest.mark.parametrize(
    "answer", [[], {}, {"results": []}, {"results": None}, "no", {"results": [{"next_page_token": "x"}]}]
)
def test_who_could_not_look_says_so(osv: Osv, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    osv.answer = answer
    with pytest.raises(advisories.NotLooked):
        advisories.known(["pkg:pypi/flask@1"], osv.url)
    assert advisories.main(["--at", osv.url]) == 3
    assert "Could not look" in capsys.readouterr().err


def test_a_service_that_is_not_there_is_no_clean_answer(osv: Osv) -> None:
    osv.server.shutdown()
    osv.server.server_close()
    assert advisories.main(["--at", osv.url]) == 3
