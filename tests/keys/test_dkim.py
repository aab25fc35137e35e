"""DKIM keys are what RFC 6376 and RFC 8463 ask for."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.time import FakeClock, SystemClock
from salus.keys import api as keys
from salus.keys.contracts import DkimKey
from salus.keys.models import KeyRow
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


def test_new_selectors_are_published_first_then_active_and_the_old_ones_kept_for_a_week(
    organization: UUID,
) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        present = keys.dkim_keys("clinic.example")
        waiting = keys.rotate_dkim("clinic.example", actor=actor)
        assert keys.rotate_dkim("Clinic.Example.", actor=actor) == waiting
    asked: list[DkimKey] = []

    def only_the_first(key: DkimKey) -> bool:
        asked.append(key)
        return key == waiting[0]

    with acting_for(organization):
        assert keys.dkim_keys("clinic.example") == present
        assert keys.waiting_dkim_keys("clinic.example") == waiting
        assert not {key.selector for key in present} & {key.selector for key in waiting}
        with pytest.raises(Conflict, match="not seen in DNS"):
            keys.activate_dkim("clinic.example", only_the_first, actor=actor)
        assert keys.dkim_keys("clinic.example") == present
    assert asked == list(waiting)
    with acting_for(organization):
        keys.activate_dkim("clinic.example", lambda key: True, actor=actor)
    with acting_for(organization):
        assert keys.dkim_keys("clinic.example") == waiting
        assert keys.waiting_dkim_keys("clinic.example") == ()
        with pytest.raises(NotFound, match="wait"):
            keys.activate_dkim("clinic.example", lambda key: True, actor=actor)
        keys.age_dkim_keys()
        statuses = KeyRow.objects.filter(name="clinic.example").values_list("kind", "version", "status")
        assert sorted(statuses) == [
            ("dkim-ed25519", 1, "retired"),
            ("dkim-ed25519", 2, "active"),
            ("dkim-rsa", 1, "retired"),
            ("dkim-rsa", 2, "active"),
        ]
        keys.age_dkim_keys(clock=FakeClock(SystemClock().now() + timedelta(days=8)))
        assert KeyRow.objects.filter(name="clinic.example", status="destroyed").count() == 2
    with acting_for(organization):
        assert keys.dkim_keys("clinic.example") == waiting
        acts = [entry.action for entry in audit.entries(Filters(object_kind="key"))]
    assert acts.count("keys:key:rotate") == acts.count("keys:key:destroy") == 2


def test_a_domain_without_keys_has_none_to_rotate(tenant: UUID) -> None:
    with pytest.raises(NotFound, match="salus keys dkim"):
        keys.rotate_dkim("clinic.example", actor=system(tenant, "test"))


def test_keys_that_wait_are_destroyed_with_the_organization(organization: UUID) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        keys.dkim_keys("clinic.example")
        keys.rotate_dkim("clinic.example", actor=actor)
    keys.destroy_organization_keys(organization, actor=actor)
    with acting_for(organization):
        assert keys.waiting_dkim_keys("clinic.example") == ()
        with pytest.raises(NotFound):
            keys.rotate_dkim("clinic.example", actor=actor)
