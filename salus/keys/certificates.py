"""When certificates that others gave us end."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from salus.kernel.errors import BadInput


def certificate_ends(pem: str) -> datetime:
    """Return the end of a certificate (PEM), in UTC; raises `BadInput` for what is none."""
    try:
        return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except ValueError:
        raise BadInput("This is no certificate.", place="certificate") from None
