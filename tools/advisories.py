"""Asks OSV (https://osv.dev) for known vulnerabilities of everything that is locked; needs the network.

    python tools/advisories.py [--at URL]     0: none known; 1: some, one a line; 3: could not look, so nothing is known

Not part of ./check: an answer of today must not make the same commit fail tomorrow, and a machine without a way out
must not pass for a clean one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tools.dependencies import bill

OSV = "https://api.osv.dev"
_PATIENCE = 20
_BATCH = 500


class NotLooked(Exception):
    """The service did not answer, or not with what it promises."""


def known(purls: Sequence[str], at: str = OSV) -> dict[str, list[str]]:
    """Return the advisories of packages by their package URL; raises `NotLooked`."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(purls), _BATCH):
        some = purls[start : start + _BATCH]
        results = _asked(f"{at}/v1/querybatch", {"queries": [{"package": {"purl": purl}} for purl in some]})
        if not isinstance(results, list) or len(results) != len(some):
            raise NotLooked("the answer is not one result for each package")
        for purl, result in zip(some, results, strict=True):
            if not isinstance(result, dict) or result.get("next_page_token"):
                raise NotLooked(f"the answer for {purl} is not whole")
            if result.get("vulns"):
                found[purl] = [str(each["id"]) for each in result["vulns"]]
    return found


def _asked(url: str, body: dict[str, Any]) -> Any:
    if urlsplit(url).scheme not in {"https", "http"}:
        raise NotLooked("that is no web address")
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=_PATIENCE) as answer:
            return json.load(answer)["results"]
    except (URLError, OSError, ValueError, KeyError, TypeError) as fault:
        raise NotLooked(f"{url} did not answer ({type(fault).__name__})") from None


def main(arguments: Sequence[str]) -> int:
    """Look, and say what was found."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--at", default=OSV, help="another OSV service (https://osv.dev by default)")
    purls = [str(each["purl"]) for each in bill()["components"]]
    try:
        found = known(purls, options.parse_args(arguments).at)
    except NotLooked as fault:
        print(f"Could not look, so nothing is known: {fault}.", file=sys.stderr)
        return 3
    for purl, ids in found.items():
        print(f"{purl}: {', '.join(ids)}")
    print(f"{len(purls)} packages, {len(found)} with known vulnerabilities.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
