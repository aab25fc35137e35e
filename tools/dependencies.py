"""What is locked and installed: its audit without a network, and its bill of materials (CycloneDX 1.6).

python tools/dependencies.py audit            one line for each fault; exit code 1 when there is any
python tools/dependencies.py bill FILE        writes the bill of what Salus is made of and built with
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).parents[1]
ALLOWED = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "PostgreSQL",
        "Unlicense",
        "Zlib",
    ]
)
"""Allowed without a question (docs/adr/0002)."""
WEAK = frozenset({"MPL-2.0", "LGPL-3.0-only", "LGPL-2.0-or-later"})
"""Allowed as unmodified libraries that whoever runs Salus can replace (docs/adr/0002)."""
WORDS = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""How packages of before SPDX say it."""
LOOKED_UP = {
    "axe-playwright-python": "MIT",  # its repository; axe-core inside is MPL-2.0
    "dkimpy": "Zlib",  # "BSD-like" in its metadata, zlib's words in its LICENSE
    "fido2": "BSD-2-Clause",  # its own code; what it vendors is Apache-2.0 and MPL-2.0
    "mrml": "MIT",  # its repository: the wheel has no text
    "pysequoia": "Apache-2.0 AND LGPL-2.0-or-later",  # its own code, and Sequoia in its wheel
    "python-dateutil": "BSD-3-Clause OR Apache-2.0",  # "Dual License"
    "qrcode": "BSD-3-Clause",  # its LICENSE; the other classifier is about a word mark
}
"""What the metadata do not say clearly; a person has read it."""
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,_-]+\])?==([^ ;\\]+)(?: ;[^\\]*)?( \\)?$")
_HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})( \\)?$")


@dataclass(frozen=True)
class Locked:
    """One package of a lock: `ships` when Salus runs with it, else it only builds or tests."""

    kind: str
    name: str
    version: str
    licence: str
    ships: bool
    digest: str = ""
    needs: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Return its package URL."""
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"


def audit() -> Iterator[str]:
    """Yield what is wrong with the locks or what is installed of them."""
    for name in ("base", "test", "node"):
        yield from faults_of_lock(
            f"requirements/{name}.txt", (ROOT / "requirements" / f"{name}.txt").read_text()
        )
    yield from faults_of_modules(json.loads((ROOT / "web" / "package-lock.json").read_text()))
    for each in python():
        if not each.licence:
            yield f"{each.name} is not installed as it is locked ({each.version})"
        else:
            yield from faults_of_licence(each.name, each.licence)
            if _is_inactive(each.name):
                yield f"{each.name} says of itself that nobody maintains it"


def faults_of_lock(place: str, text: str) -> Iterator[str]:
    """Yield the lines of a lock that pin nothing, or a package without a hash."""
    name, hashes = "", 0
    for line in [*text.splitlines(), "#"]:
        if _HASH.match(line):
            hashes += 1
        elif line.startswith("    #"):
            continue
        else:
            if name and not hashes:
                yield f"{place}: {name} has no hash"
            pin = _PIN.match(line)
            name, hashes = (pin[1] if pin else ""), 0
            if not pin and not line.startswith("#"):
                yield f"{place}: this pins nothing: {line.strip()[:80]}"


def faults_of_modules(lock: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the lock of the canvas: no digest, a licence that does not fit, given up by its maker."""
    for path, each in lock["packages"].items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        if not str(each.get("integrity", "")).startswith("sha512-"):
            yield f"{name} has no digest"
        if each.get("deprecated"):
            yield f"{name} was given up by its maker: {each['deprecated']}"
        yield from faults_of_licence(name, str(each.get("license", "")))


def faults_of_licence(name: str, licence: str) -> Iterator[str]:
    """Yield why a licence does not fit; of alternatives one is enough, of what is joined all must fit."""
    for part in licence.replace("(", "").replace(")", "").split(" AND "):
        choices = {each.strip() for each in part.split(" OR ")}
        if not choices & (ALLOWED | WEAK):
            yield f"{name} is under {part or 'no licence that we know'}: see docs/adr/0002-dependencies.md"


def python() -> list[Locked]:
    """Return the Python packages of the product and of its tests."""
    product = dict(_pins("base"))
    return [_installed(name, version, name in product) for name, version in _pins("test")]


def modules() -> list[Locked]:
    """Return the packages of the canvas; what its browser runs is built into one file."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    found = []
    for path, each in lock.items():
        if path:
            name, digest = path.rpartition("node_modules/")[2], str(each["integrity"]).removeprefix("sha512-")
            ships = not (each.get("dev") or each.get("optional"))
            found.append(
                Locked("npm", name, each["version"], each["license"], ships, base64.b64decode(digest).hex())
            )
    return found


def bill() -> dict[str, Any]:
    """Return the bill of materials: the same for the same locks, so that two bills can be compared."""
    version = (ROOT / "salus" / "__init__.py").read_text().partition('__version__ = "')[2].partition('"')[0]
    everything = sorted(
        {each.purl: each for each in (*python(), *modules(), *_carried())}.values(),
        key=lambda each: each.purl,
    )
    known = {each.name: each.purl for each in everything if each.kind == "pypi"}
    root = f"pkg:generic/salus@{version}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join(each.purl for each in everything))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "salus",
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": [_component(each) for each in everything],
        "dependencies": [
            {"ref": root, "dependsOn": sorted(each.purl for each in everything if each.ships)},
            *(
                {"ref": each.purl, "dependsOn": sorted({known[name] for name in each.needs if name in known})}
                for each in everything
            ),
        ],
    }


def _component(each: Locked) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": each.purl,
        "name": each.name,
        "version": each.version,
        "purl": each.purl,
        "scope": "required" if each.ships else "excluded",
        "licenses": [{"license": {"name": "BSD"}} if each.licence == "BSD" else {"expression": each.licence}],
    }
    return found | ({"hashes": [{"alg": "SHA-512", "content": each.digest}]} if each.digest else {})


def _carried() -> Iterator[Locked]:
    """Yield what is carried in the tree."""
    for path in (ROOT / "salus" / "platform" / "web" / "static" / "vendor").glob("htmx-*.min.js"):
        yield Locked("npm", "htmx.org", path.name.removeprefix("htmx-").removesuffix(".min.js"), "0BSD", True)


def _pins(name: str) -> Iterator[tuple[str, str]]:
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if pin := _PIN.match(line):
            yield pin[1], pin[2]


def _installed(name: str, version: str, ships: bool) -> Locked:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return Locked("pypi", name, version, "", ships)
    licence = _licence(name, found.metadata) if found.version == version else ""
    needs = {
        re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")
        for one in found.requires or ()
        if "extra ==" not in one
    }
    return Locked("pypi", name, version, licence, ships, needs=tuple(sorted(needs)))


def _licence(name: str, about: metadata.PackageMetadata) -> str:
    if name in LOOKED_UP:
        return LOOKED_UP[name]
    if "License-Expression" in about:
        return str(about["License-Expression"])
    said = [
        one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License")
    ]
    short = about["License"].splitlines()[:1] if "License" in about else []
    for one in (*short, *said):
        if one in ALLOWED | WEAK or one in WORDS:
            return str(WORDS.get(one, one))
    return " ".join(said) or " ".join(short) or "UNKNOWN"


def _is_inactive(name: str) -> bool:
    about = metadata.distribution(name).metadata.get_all("Classifier") or ()
    return any(one.startswith("Development Status :: 7") for one in about)


def main(arguments: list[str]) -> int:
    """Do what was asked."""
    if arguments == ["audit"]:
        faults = list(audit())
        print("\n".join(faults), end="\n" if faults else "")
        return 1 if faults else 0
    if len(arguments) == 2 and arguments[0] == "bill":
        target = Path(arguments[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(bill(), indent=1) + "\n")
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
