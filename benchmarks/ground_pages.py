"""How long the sign-in page and a contact's page take while 50 requests come in each second."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable
from queue import Queue
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

Say = Callable[[str], None]
RATE, SECONDS, WARM = 50, 20, 3
CONNECTIONS = 24
"""Requests that may be under way at once: more would wait for each other, and the wait is counted."""
TARGETS: dict[str, tuple[float, Callable[[float, float], bool]]] = {
    "sign-in page p99 ms": (250, float.__le__),
    "contact page p99 ms": (500, float.__le__),
    "pages that failed": (0, float.__le__),
}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def measure(organization: Any, address: str, say: Say) -> dict[str, Any]:
    """Ask for both pages at `address` ("host:port") at a steady rate; return percentiles in milliseconds."""
    cookies = _sign_in(organization, address)
    contact = _somebody(organization.id)
    found = {}
    for name, path, jar in (
        ("sign_in", "/sign-in", {}),
        ("contact", f"/contacts/{contact}", cookies),
    ):
        _load(address, path, jar, WARM)
        times, failed = _load(address, path, jar, SECONDS)
        found[name] = {
            "requests": len(times) + failed,
            "failed": failed,
            **{f"p{part}_ms": _percentile(times, part) for part in (50, 95, 99)},
        }
        say(
            f"  {path.split('/')[1]}: p50 {found[name]['p50_ms']} ms, p99 {found[name]['p99_ms']} ms at {RATE} requests/s"
        )
    return {"rate": RATE, "seconds": SECONDS, **found}


def _percentile(times: list[float], part: int) -> float:
    return (
        round(sorted(times)[min(len(times) - 1, len(times) * part // 100)] * 1e3, 1)
        if times
        else float("inf")
    )


def _load(address: str, path: str, cookies: dict[str, str], seconds: int) -> tuple[list[float], int]:
    """Ask at a steady rate; a request's time begins when it was due, not when somebody was free to send it."""
    due: Queue[float | None] = Queue()
    times: list[float] = []
    failed = [0]

    def ask() -> None:
        connection = http.client.HTTPConnection(address, timeout=30)
        while (at := due.get()) is not None:
            try:
                connection.request("GET", path, headers=_headers(cookies))
                answer = connection.getresponse()
                answer.read()
                good = answer.status == 200
            except (OSError, http.client.HTTPException):
                connection.close()
                good = False
            if good:
                times.append(time.perf_counter() - at)
            else:
                failed[0] += 1
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for each in threads:
        each.start()
    began = time.perf_counter()
    for number in range(RATE * seconds):
        at = began + number / RATE
        time.sleep(max(0.0, at - time.perf_counter()))
        due.put(at)
    for _ in threads:
        due.put(None)
    for each in threads:
        each.join()
    return times, failed[0]


def _headers(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}


def _sign_in(organization: Any, address: str) -> dict[str, str]:
    """Sign a nurse in as a browser does, and return the cookies."""
    from salus.identity import api as identity
    from salus.identity.contracts import Role

    who = next(each for each in identity.demo_sign_ins(organization) if each.role is Role.CARE_COORDINATOR)
    cookies: dict[str, str] = {}
    for path, form in (
        ("/sign-in", {"email": who.email, "password": who.password}),
        ("/sign-in/code", {"code": who.code}),
    ):
        page = _exchange(address, path, cookies, None)
        token = _TOKEN.search(page)
        _exchange(address, path, cookies, {**form, "csrfmiddlewaretoken": token[1] if token else ""})
    return cookies


def _exchange(address: str, path: str, cookies: dict[str, str], form: dict[str, str] | None) -> str:
    """Get a page, or post its form; keep the cookies that come back."""
    connection = http.client.HTTPConnection(address, timeout=30)
    headers = _headers(cookies) | {"Content-Type": "application/x-www-form-urlencoded"}
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    for line in answer.headers.get_all("Set-Cookie") or []:
        name, _, rest = line.partition("=")
        cookies[name] = rest.partition(";")[0]
    connection.close()
    return text


def _somebody(organization_id: UUID) -> UUID:
    from salus.contacts import api as contacts
    from salus.platform.tenancy import acting_for

    with acting_for(organization_id):
        return contacts.recent(1)[0][0]
