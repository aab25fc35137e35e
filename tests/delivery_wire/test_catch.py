"""The development relay: its server, its inbox, and that no mail ever reaches the disk."""

from __future__ import annotations

import asyncio
import json
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from salus.delivery.addresses import Mailbox as Box
from salus.delivery.laboratory import read_routes
from salus.delivery.mime import Letter, build
from salus.delivery.transports.courier import Courier, still_stands
from salus.delivery.transports.handover import Fate
from salus.wiring.catch.behaviors import BEHAVIORS, Behavior
from salus.wiring.catch.mailbox import Mail, Mailbox
from salus.wiring.catch.pages import Pages
from salus.wiring.catch.relay import Relay
from tests.delivery_wire.peers import hand_over, settings

T = TypeVar("T")
COMMAND = "from salus.wiring.cli import main; raise SystemExit(main())"
CANARY = "Ysolde-Canary-4711"
LETTER = build(
    Letter(
        date=datetime(2026, 3, 1, tzinfo=UTC),
        message_id="m@clinic.example",
        boundary="b0undary1234",
        sender=Box("care@clinic.example", "Clínica <b>"),
        to=Box("ana@mail.example.test"),
        subject=f"Your visit <script>alert(1)</script> {CANARY}",
        text=f"Hello {CANARY} <b>, read http://localhost:8000/m/abc?x=1&y=2 now.",
        html=f'<p onclick="alert(1)">Hello {CANARY}</p><script>alert(2)</script><img src="http://localhost/o.gif">',
    )
)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(coroutine)


@asynccontextmanager
async def relay(folder: Path, mailbox: Mailbox | None = None) -> AsyncIterator[Relay]:
    found = Relay(folder, mailbox=mailbox or Mailbox())
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


async def talk(port: int, *said: bytes) -> bytes:
    """Say lines in clear, one after the other, and return all that was answered until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for each in said:
        writer.write(each)
        await writer.drain()
    writer.write_eof()
    heard = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return heard


async def get(
    port: int, path: str, host: str = "localhost", method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    writer.close()
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


async def send(found: Relay, *addresses: str, data: bytes = LETTER) -> list[Fate]:
    routes, policies = read_routes(found.routes_file)
    courier = Courier(settings(), routes, policies, still_stands)
    outcomes = [await courier.send(hand_over(each, data=data)) for each in addresses]
    await courier.close()
    return [outcome.fate for outcome in outcomes]


# ---- the SMTP server


def test_another_client_can_speak_to_it_as_well(tmp_path: Path) -> None:
    async def go() -> list[Mail]:
        async with relay(tmp_path) as found:
            await asyncio.to_thread(with_smtplib, found)
            return list(found.mailbox.newest())

    (mail,) = run(go())
    assert mail.sender == "a@b.example"
    assert mail.recipients == ("ana@mail.example.test", "bo@mail.example.test")
    assert mail.data == b"Subject: x\r\n\r\n.dot\r\n..two\r\n"


def with_smtplib(found: Relay) -> None:
    context = ssl.create_default_context(cafile=str(found.directory / "authority.pem"))
    client = smtplib.SMTP("127.0.0.1", found.ports["mail"], timeout=5)
    client._host = "mx.mail.example.test"  # type: ignore[attr-defined]
    client.starttls(context=context)
    client.sendmail(
        "a@b.example", ["ana@mail.example.test", "bo@mail.example.test"], "Subject: x\n\n.dot\n..two\n"
    )
    client.quit()


def test_the_host_of_tls_1_0_serves_a_client_that_allows_it(tmp_path: Path) -> None:
    """Otherwise it would prove nothing that our client refuses it."""

    def old_client(port: int) -> str | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
        client = smtplib.SMTP("127.0.0.1", port, timeout=5)
        client.starttls(context=context)
        client.sendmail("a@b.example", ["ana@tls10.example.test"], "Subject: x\n\nold\n")
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.version()

    async def go() -> tuple[str | None, list[Mail]]:
        async with relay(tmp_path) as found:
            with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
                version = await asyncio.to_thread(old_client, found.ports["tls10"])
            return version, list(found.mailbox.newest())

    version, (mail,) = run(go())
    assert version == mail.tls_version == "TLSv1"


def test_commands_out_of_order_and_nonsense_are_answered_not_obeyed(tmp_path: Path) -> None:
    async def go() -> bytes:
        async with relay(tmp_path) as found:
            heard = await talk(
                found.ports["no-starttls"],
                b"RCPT TO:<a@b.example>\r\nDATA\r\nMAIL FROM:a@b\r\nWHAT\r\nSTARTTLS\r\nNOOP\r\nRSET\r\nQUIT\r\n",
            )
            assert found.mailbox.received == 0
            return heard

    codes = [line[:3] for line in run(go()).split(b"\r\n") if line]
    assert codes == [b"220", b"503", b"503", b"501", b"500", b"503", b"250", b"250", b"221"]


@pytest.mark.parametrize("flood", [b"x" * 3_000_000, b"MAIL FROM:<" + b"a" * 100_000 + b">\r\n"])
def test_a_line_without_end_ends_the_connection(tmp_path: Path, flood: bytes) -> None:
    async def go() -> bytes:
        async with relay(tmp_path) as found:
            try:
                return await talk(found.ports["no-starttls"], flood)
            except ConnectionError:
                return b"500"

    assert b"500" in run(go())


def test_a_message_above_the_size_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    small = (Behavior("mail", "", size=100),)

    async def go() -> list[Fate]:
        found = Relay(tmp_path, behaviors=small)
        await found.start()
        try:
            return await send(found, "ana@mail.example.test", data=b"x" * 95 + b"\r\n")
        finally:
            await found.stop()

    assert run(go()) == [Fate.ACCEPTED]


def test_only_so_many_mails_and_octets_are_kept() -> None:
    box = Mailbox(most=3, octets=25)
    for number in range(1, 6):
        box.count("mail", 10)
        box.keep(Mail(number, datetime.now(UTC), "mail", "a@b", (f"r{number}@x",), data=b"0123456789"))
    assert [mail.number for mail in box.newest()] == [5, 4]
    assert box.received == 5
    assert [mail.number for mail in box.newest(recipient="r4@x")] == [4]
    assert box.get(1) is None


def test_a_sink_counts_and_keeps_nothing(tmp_path: Path) -> None:
    async def go() -> tuple[int, int]:
        async with relay(tmp_path, Mailbox(0)) as found:
            assert await send(found, *["ana@mail.example.test"] * 5) == [Fate.ACCEPTED] * 5
            return found.mailbox.received, len(list(found.mailbox.newest()))

    assert run(go()) == (5, 0)


def test_a_relay_that_stops_takes_its_routes_away(tmp_path: Path) -> None:
    async def go() -> None:
        async with relay(tmp_path) as found:
            assert found.routes_file.exists()
            reader, _ = await asyncio.open_connection("127.0.0.1", found.ports["mail"])
            await reader.readline()
        assert not found.routes_file.exists()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert (tmp_path / "authority.pem").exists()
        assert b"PRIVATE" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())

    run(go())


# ---- the inbox


def test_the_inbox_lists_mails_and_shows_one_without_running_what_is_in_it(tmp_path: Path) -> None:
    async def go() -> None:
        async with relay(tmp_path) as found:
            await send(found, "ana@mail.example.test", "bo@partner.example.test")
            port = found.inbox_port
            status, headers, body = await get(port, "/")
            assert status == 200
            assert CANARY.encode() in body
            assert b"<script>" not in body
            assert "script-src" not in headers["content-security-policy"]
            assert "default-src 'none'" in headers["content-security-policy"]
            _, _, filtered = await get(port, "/?host=partner")
            assert b"bo@partner.example.test" in filtered
            assert b"ana@mail.example.test" not in filtered

            _, _, page = await get(port, "/mail/1")
            assert b"TLSv1.3 TLS_AES_256_GCM_SHA384" in page
            assert b'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
            assert b"&lt;script&gt;" in page
            assert b'<a href="http://localhost:8000/m/abc?x=1&amp;y=2" target="_blank"' in page

            _, headers, html = await get(port, "/mail/1/html")
            assert b"<script>" in html, "the mail is shown as it is"
            policy = headers["content-security-policy"]
            assert policy.startswith("sandbox allow-popups")
            assert "allow-scripts" not in policy
            assert "allow-same-origin" not in policy
            assert "img-src data:;" in policy
            _, headers, _ = await get(port, "/mail/1/html?pictures=1")
            assert "img-src data: https: http://localhost:*" in headers["content-security-policy"]

            _, headers, raw = await get(port, "/mail/1/raw")
            assert raw == LETTER
            assert headers["content-type"].startswith("text/plain")
            _, _, found_mails = await get(port, "/mails.json?to=bo@partner.example.test")
            (mail,) = json.loads(found_mails)
            assert (mail["host"], mail["number"]) == ("partner", 2)
            _, _, stats = await get(port, "/stats.json")
            assert json.loads(stats)["received"] == 2

    run(go())


@pytest.mark.parametrize(
    "path", ["/mail/7", "/mail/x", "/mail/1/html/..", "/etc/passwd", "/mail/1%0d%0a", "//evil"]
)
def test_what_is_not_there_is_not_found(tmp_path: Path, path: str) -> None:
    async def go() -> int:
        async with relay(tmp_path) as found:
            return (await get(found.inbox_port, path))[0]

    assert run(go()) == 404


def test_a_page_of_somebody_else_cannot_read_the_inbox_by_a_name_that_points_here(tmp_path: Path) -> None:
    async def go() -> list[int]:
        async with relay(tmp_path) as found:
            hosts = [
                "localhost",
                f"127.0.0.1:{found.inbox_port}",
                "[::1]:80",
                "evil.example",
                "localhost.evil.example",
                "",
            ]
            statuses = [(await get(found.inbox_port, "/", host=host))[0] for host in hosts]
            statuses.append((await get(found.inbox_port, "/", method="POST"))[0])
            return statuses

    assert run(go()) == [200, 200, 200, 421, 421, 421, 405]


def test_every_host_is_explained(tmp_path: Path) -> None:
    pages = Pages(Mailbox())
    body = pages.answer("/hosts", {}).body.decode()
    for behavior in BEHAVIORS:
        assert behavior.domain in body
        assert behavior.sentence in body
    assert b"No mail yet" in pages.answer("/", {}).body
    for sheet in ("/salus.css", "/catch.css"):
        assert pages.answer(sheet, {}).kind.startswith("text/css")


@pytest.mark.parametrize(
    "request_head", [b"GET / HTTP/1.1\r\nX: " + b"y" * 60_000, b"\x16\x03\x01\r\n\r\n", b"\r\n\r\n"]
)
def test_a_request_that_is_none_is_dropped(tmp_path: Path, request_head: bytes) -> None:
    async def go() -> None:
        async with relay(tmp_path) as found:
            try:
                heard = await talk(found.inbox_port, request_head)
            except ConnectionError:
                heard = b""
            assert not heard or heard.startswith(b"HTTP/1.1 4")
            assert (await get(found.inbox_port, "/"))[0] == 200

    run(go())


# ---- the command


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `salus catch` in a folder of its own and wait until it has written its routes."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "catch", "--directory", str(tmp_path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        end = time.monotonic() + 30
        while not (tmp_path / "routes.json").exists() and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.02)  # another process: there is nothing to wait on but the file
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_the_command_runs_until_it_is_told_to_stop_and_leaves_no_mail_behind(
    tmp_path: Path, command: Callable[..., subprocess.Popen[str]]
) -> None:
    process = command()
    routes, policies = read_routes(tmp_path / "routes.json")

    async def go() -> Any:
        courier = Courier(settings(), routes, policies, still_stands)
        outcome = await courier.send(hand_over("ana@mail.example.test", data=LETTER))
        await courier.close()
        return outcome

    assert run(go()).fate is Fate.ACCEPTED
    opened = [path.readlink() for path in Path(f"/proc/{process.pid}/fd").iterdir()]
    assert not [path for path in opened if path.is_relative_to(tmp_path)]
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert said.startswith("Inbox at http://localhost:")
    assert CANARY not in said
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["authority.pem"]
    assert CANARY not in left[0].read_text()


def test_the_command_says_which_port_is_taken(
    tmp_path: Path, command: Callable[..., subprocess.Popen[str]]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = command("--inbox-port", str(taken.getsockname()[1]))
        said, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "cannot listen" in said


def test_numbers_out_of_range_are_a_usage_fault(command: Callable[..., subprocess.Popen[str]]) -> None:
    process = command("--keep", "-1")
    process.communicate(timeout=10)
    assert process.returncode == 2
