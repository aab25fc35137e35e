"""TLS as the relay's hosts speak it, well or badly, with certificates of a throw-away authority."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from pathlib import Path

from salus.delivery.laboratory import Authority, Issued
from salus.wiring.catch.behaviors import Behavior, Certificates, Tls


def issue(authority: Authority, behavior: Behavior) -> Issued:
    """Return the certificate of a host, as good or bad as its behavior says."""
    names = [behavior.host, behavior.domain]
    match behavior.certificate:
        case Certificates.EXPIRED:
            return authority.issue(names, expired=True)
        case Certificates.WRONG_NAME:
            return authority.issue(["somebody-else.example.test"])
        case Certificates.SELF_SIGNED:
            return authority.self_signed(names)
        case _:
            return authority.issue(names, rsa_key=behavior.tls is Tls.OLD)


def server_context(behavior: Behavior, issued: Issued) -> ssl.SSLContext:
    """Return the context of a host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if behavior.tls is Tls.OLD:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # to be outdated is what it is for
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
    elif behavior.tls is Tls.WEAK:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256")
    # The library reads certificates from files only: they exist for as long as that takes.
    with tempfile.TemporaryDirectory(prefix="salus-catch-") as folder:
        certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        certificate.write_bytes(issued.certificate)
        key.write_bytes(issued.key)
        context.load_cert_chain(certificate, key)
    return context
