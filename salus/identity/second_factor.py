"""The second factor: TOTP (RFC 6238) and recovery codes, kept in django-allauth's table, sealed by our keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

import qrcode
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html
from django.utils.safestring import SafeString

from salus.identity import rules
from salus.identity.models import User
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

ISSUER = "Salus"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What is a second factor by itself; recovery codes only stand in for one."""
_person: ContextVar[UUID] = ContextVar("salus_second_factor_of")


class SealingAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals what allauth would store in clear, bound to the organization and the person."""

    def encrypt(self, text: str) -> str:
        """Return `text` sealed, as hexadecimal digits."""
        return keys.sealer().seal(text.encode(), _binding()).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """Return what `encrypt` was given."""
        return keys.sealer().open(bytes.fromhex(encrypted_text), _binding()).decode()


def _binding() -> bytes:
    return keys.binding(current_organization(), "mfa_authenticator", _person.get())


@contextmanager
def _of(user: User) -> Iterator[None]:
    token = _person.set(user.pk)
    try:
        yield
    finally:
        _person.reset(token)


def new_secret() -> str:
    """Return a fresh TOTP secret: 160 random bits in base 32."""
    return str(totp.generate_totp_secret())


def code_at(secret: str, step: int) -> str:
    """Return the six digits of one time step."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, step)))


def code_now(secret: str, now: datetime) -> str:
    """Return the six digits of this moment."""
    return code_at(secret, int(now.timestamp()) // rules.TOTP_PERIOD)


def matching_step(secret: str, code: str, now: datetime, last_used: int) -> int | None:
    """Return the time step that `code` belongs to, None when it is wrong, too old or used before.

    Every candidate is compared, so that the time it takes tells nothing.
    """
    found = None
    for step in rules.totp_steps(now, last_used):
        if constant_time_compare(code_at(secret, step), code):
            found = step
    return found


def is_set_up(user: User) -> bool:
    """Return whether this person has a second factor."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists())


def has_app(user: User) -> bool:
    """Return whether this person has an authenticator app."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists())


def has_passkey(user_id: UUID) -> bool:
    """Return whether this person has a passkey."""
    return bool(Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN).exists())


def set_up(user: User, secret: str) -> tuple[str, ...]:
    """Make `secret` this person's second factor; return their recovery codes, to be shown once."""
    with _of(user):
        Authenticator.objects.filter(user_id=user.pk).delete()
        totp.TOTP.activate(user, secret)
        return tuple(RecoveryCodes.activate(user).generate_codes())


def renew_recovery_codes(user: User) -> tuple[str, ...]:
    """Make new recovery codes; the old ones stop working."""
    with _of(user):
        Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES).delete()
        return tuple(RecoveryCodes.activate(user).generate_codes())


def remove(user: User) -> None:
    """Take the second factor away: the person must set up a new one before anything else."""
    Authenticator.objects.filter(user_id=user.pk).delete()


def spend(user: User, code: str, now: datetime) -> str | None:
    """Check and use up a code; return "totp" or "recovery_code", None when it does not fit.

    `user` must be locked (`select_for_update`): then no code works twice, in any process.
    """
    with _of(user):
        own = {row.type: row for row in Authenticator.objects.filter(user_id=user.pk)}
        device = own.get(Authenticator.Type.TOTP)
        step = None
        if device is not None:
            secret = SealingAdapter().decrypt(device.data["secret"])
            step = matching_step(secret, code, now, user.totp_step)
        if step is not None:
            user.totp_step = step
            user.save(update_fields=["totp_step"])
            return "totp"
        codes = own.get(Authenticator.Type.RECOVERY_CODES)
        if codes is not None and RecoveryCodes(codes).validate_code(code):
            return "recovery_code"
    return None


def recovery_codes_left(user: User) -> int:
    """Return how many recovery codes are not used yet."""
    row = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES).first()
    if row is None:
        return 0
    with _of(user):
        return len(RecoveryCodes(row).get_unused_codes())


_SEALED = ("secret", "seed")
"""Where allauth keeps what `SealingAdapter` sealed: of TOTP, of recovery codes."""


def stale() -> int:
    """Return how many secrets of the current organization's staff are not sealed with the present key."""
    return sum(1 for _ in _stale())


def seal_anew() -> int:
    """Seal every such secret with the present key; return how many."""
    adapter, count = SealingAdapter(), 0
    for row, name in list(_stale()):
        token = _person.set(row.user_id)
        try:
            row.data[name] = adapter.encrypt(adapter.decrypt(row.data[name]))
        finally:
            _person.reset(token)
        row.save(update_fields=["data"])
        count += 1
    return count


def _stale() -> Iterator[tuple[Authenticator, str]]:
    for row in Authenticator.objects.select_for_update():
        for name in _SEALED:
            if name in row.data and keys.is_stale(bytes.fromhex(row.data[name])):
                yield row, name


def otpauth(secret: str, email: str) -> str:
    """Return the address that an authenticator app reads from the QR code."""
    query = urlencode({"secret": secret, "issuer": ISSUER, "digits": 6, "period": rules.TOTP_PERIOD})
    return f"otpauth://totp/{ISSUER}:{quote(email)}?{query}"


def qr_svg(text: str) -> SafeString:
    """Return `text` as a QR code: one SVG path, no style, made here and not by a service."""
    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return format_html(
        '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="QR code for your authenticator app">'
        '<path d="{1}"/></svg>',
        len(rows),
        path,
    )
