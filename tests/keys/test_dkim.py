"""DKIM keys are what RFC 6376 and RFC 8463 ask for."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.kernel.errors import BadInput
from salus.keys import api as keys
from salus.platform.tenancy import acting_for


def record(txt: str) -> dict[str, str]:
    return dict(tag.strip().split("=", 1) for tag in txt.split(";"))


def test_both_keys_sign_what_their_dns_records_verify(tenant: UUID) -> None:
    first, second = keys.dkim_keys("clinic.example")
    assert (first.algorithm, second.algorithm) == ("rsa-sha256", "ed25519-sha256")
    rsa_private = load_der_private_key(first.private_der, None)
    assert isinstance(rsa_private, rsa.RSAPrivateKey)
    assert rsa_private.key_size == 2048
    published = record(first.txt)
    assert (published["v"], published["k"]) == ("DKIM1", "rsa")
    rsa_public = load_der_public_key(base64.b64decode(published["p"]))
    assert isinstance(rsa_public, rsa.RSAPublicKey)
    rsa_public.verify(
        rsa_private.sign(b"mail", padding.PKCS1v15(), SHA256()), b"mail", padding.PKCS1v15(), SHA256()
    )
    ed_private = load_der_private_key(second.private_der, None)
    assert isinstance(ed_private, ed25519.Ed25519PrivateKey)
    published = record(second.txt)
    assert (published["v"], published["k"]) == ("DKIM1", "ed25519")
    ed_public = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(published["p"]))
    ed_public.verify(ed_private.sign(b"mail"), b"mail")


def test_keys_are_stable_per_domain_and_their_names_never_clash(tenant: UUID) -> None:
    first = keys.dkim_keys("clinic.example")
    assert keys.dkim_keys(" Clinic.Example. ") == first
    other = keys.dkim_keys("news.clinic.example")
    selectors = [key.selector for key in (*first, *other)]
    assert len(set(selectors)) == 4
    assert all(len(selector) <= 63 and selector.isascii() for selector in selectors)


def test_a_domain_with_other_letters_is_taken_in_its_ascii_form(tenant: UUID) -> None:
    assert keys.dkim_keys("clínica.example") == keys.dkim_keys("xn--clnica-4va.example")


@pytest.mark.parametrize(
    "domain", ["", "clinic", "-a.example", "a..example", "a b.example", "x" * 300 + ".example", "@"]
)
def test_what_is_no_domain_gets_no_keys(tenant: UUID, domain: str) -> None:
    with pytest.raises(BadInput) as refusal:
        keys.dkim_keys(domain)
    assert refusal.value.place == "domain"


def test_a_private_key_is_not_in_its_description(tenant: UUID) -> None:
    for key in keys.dkim_keys("clinic.example"):
        assert repr(key.private_der) not in repr(key)
        assert "private_der" not in repr(key)


def test_their_making_is_in_the_audit_log(tenant: UUID) -> None:
    keys.dkim_keys("clinic.example")
    made = audit.entries(Filters(action="keys:key:create"))
    assert sorted(str(entry.details["kind"]) for entry in made) == ["dkim-ed25519", "dkim-rsa"]


def test_of_many_that_ask_first_at_once_all_get_the_same_keys(
    organization: UUID, django_db_blocker: Any
) -> None:
    def ask() -> tuple[str, ...]:
        with django_db_blocker.unblock():
            try:
                with acting_for(organization):
                    return tuple(key.selector for key in keys.dkim_keys("clinic.example"))
            finally:
                connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = {future.result(30) for future in [pool.submit(ask) for _ in range(4)]}
    assert len(found) == 1
