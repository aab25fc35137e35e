"""A name server on loopback: it answers over UDP from what a test wrote down."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Texts = Mapping[str, Sequence[str]]


@contextmanager
def name_server(texts: Texts) -> Iterator[str]:
    """Serve these records; yield "127.0.0.1:port".

    A key is a name without the last dot, for TXT, or like "clinic.example MX" for another kind. A text longer than 255 bytes is cut into strings, as real servers do. A name that holds "broken" gets SERVFAIL.
    """

    class Asked(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            socket.sendto(_answer(dns.message.from_wire(data), texts), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _answer(query: dns.message.Message, texts: Texts) -> bytes:
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    if "broken" in name:
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif name not in {each.partition(" ")[0] for each in texts}:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        kind = dns.rdatatype.to_text(question.rdtype)
        found = texts.get(name if kind == "TXT" else f"{name} {kind}", ())
        if found:
            values = [_strings(each) if kind == "TXT" else each for each in found]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
    return answer.to_wire()


def _strings(text: str) -> str:
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
