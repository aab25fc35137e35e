"""AWS KMS wraps an organization's keys: bound to it, refused clearly, and moved there and back without a gap."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from salus.kernel.ids import new_id
from salus.kernel.outbound import OutOfScope
from salus.keys import api as keys
from salus.keys import kms, local
from salus.keys.keyring import context
from salus.keys.kms import KmsKeyProvider
from salus.keys.models import KeyRow
from salus.keys.provider import KEY_FILE, file_provider
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from tests.keys.key_service import (
    ENVIRONMENT,
    SECRET,
    KeyService,
    actor,
    moto_server,
    move,
    opens,
    register,
    sealed_by,
    wrapped_by,
)

MakeClinic = Callable[..., Organization]


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    with moto_server() as port:
        yield port


@pytest.fixture
def service(moto: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyService]:
    found = KeyService(moto)
    for name, value in {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL_KMS": found.url,
        "AWS_CONFIG_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    kms.provider.cache_clear()
    yield found
    kms.provider.cache_clear()
    keys.forget_cached()
    if not found.hang.is_set():
        found.cut()


@pytest.fixture
def clinic(make_clinic: MakeClinic) -> Organization:
    return make_clinic()


def test_keys_move_to_the_service_and_back_and_nothing_stops_opening(
    clinic: Organization, service: KeyService
) -> None:
    register(clinic, service.url)
    arn = service.new_key()
    with acting_for(clinic.id):
        keys.dkim_keys("kms.example")
    sealed = sealed_by(clinic)
    assert move(clinic, f"aws-kms:{arn}") == 7
    assert wrapped_by(clinic) == {f"aws-kms:{arn}"}
    assert opens(clinic, sealed)
    with acting_for(clinic.id):  # what is made from now on goes there too
        keys.rotate("data", actor=actor(clinic))
        keys.rotate("token", actor=actor(clinic))
        keys.rotate_dkim("kms.example", actor=actor(clinic))
    assert wrapped_by(clinic) == {f"aws-kms:{arn}"}
    assert opens(clinic, sealed)
    assert move(clinic, f"aws-kms:{arn}") == 0
    assert move(clinic, "file") == 11
    assert wrapped_by(clinic) == {local.ports().provider.name()}
    service.cut()
    assert opens(clinic, sealed)
    assert audit_says(clinic) == 18


def audit_says(clinic: Organization) -> int:
    with acting_for(clinic.id):
        return len(audit.entries(Filters(action="keys:key:move")))


def test_every_call_tells_the_organization_and_a_key_opens_only_in_its_place(
    clinic: Organization, service: KeyService, make_clinic: MakeClinic
) -> None:
    register(clinic, service.url)
    provider = KmsKeyProvider(service.new_key())
    place = context(clinic.id, "data", "", 1)
    with acting_for(clinic.id):
        wrapped = provider.wrap(SECRET, place)
    assert SECRET not in wrapped
    assert provider.unwrap(wrapped, place) == SECRET
    for act, told in service.asked:
        assert act in {"Encrypt", "Decrypt"}
        assert told["EncryptionContext"] == {"organization": str(clinic.id), "salus": place.decode()}
    for bent, elsewhere in (
        (wrapped, context(clinic.id, "data", "", 2)),
        (wrapped, context(make_clinic().id, "data", "", 1)),
        (wrapped[:-1] + b"x", place),
        (b"short", place),
        (b"", place),
    ):
        with pytest.raises(BadInput):
            provider.unwrap(bent, elsewhere)
    with pytest.raises((BadInput, Unavailable)):
        KmsKeyProvider(service.new_key()).unwrap(wrapped, place)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("DisabledException", "switched off"),
        ("KMSInvalidStateException", "cancel that today"),
        ("NotFoundException", "region and account"),
        ("AccessDeniedException", "kms:Decrypt"),
        ("InvalidKeyUsageException", "not made for encryption"),
        ("ThrottlingException", "too many"),
        ("ExpiredTokenException", "credentials"),
        ("UnrecognizedClientException", "credentials"),
        ("DependencyTimeoutException", "DependencyTimeoutException"),
        ("<script>", "no reason that we know"),
    ],
)
def test_a_refusal_closes_and_says_what_to_do(
    clinic: Organization, service: KeyService, code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    register(clinic, service.url)
    arn = service.new_key()
    move(clinic, f"aws-kms:{arn}")
    sealed = sealed_by(clinic)
    service.failing(code)
    with pytest.raises(Unavailable, match=words) as refusal:
        opens(clinic, sealed)
    with acting_for(clinic.id), pytest.raises(Unavailable, match=words):
        keys.rotate("token", actor=actor(clinic))
    assert "canary-kms-7d" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    service.working()
    assert opens(clinic, sealed)


def test_a_moment_of_throttling_is_waited_out(
    clinic: Organization, service: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    register(clinic, service.url)
    move(clinic, f"aws-kms:{service.new_key()}")
    sealed = sealed_by(clinic)
    service.failing("ThrottlingException", times=2)
    assert opens(clinic, sealed)


def test_a_cut_network_and_a_silent_service_close_and_heal(
    clinic: Organization, service: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    register(clinic, service.url)
    provider = KmsKeyProvider(service.new_key(), patience=0.1)
    place = context(clinic.id, "data", "", 1)
    with acting_for(clinic.id):
        wrapped = provider.wrap(SECRET, place)
    service.failing(silent=True, times=3)
    with pytest.raises(Unavailable, match="cannot be reached"):
        provider.unwrap(wrapped, place)
    assert provider.unwrap(wrapped, place) == SECRET
    service.cut()
    with pytest.raises(Unavailable, match="cannot be reached"):
        provider.unwrap(wrapped, place)


def test_a_key_of_another_region_or_one_that_is_not_there_is_said(
    clinic: Organization, service: KeyService
) -> None:
    register(clinic, service.url)
    arn = service.new_key("us-east-1")
    for wrong in (arn.replace("us-east-1", "eu-west-1"), arn[:-4] + "0000"):
        with pytest.raises(Unavailable, match="no such key"):
            move(clinic, f"aws-kms:{wrong}")
    assert wrapped_by(clinic) == {local.ports().provider.name()}


@pytest.mark.parametrize(
    "to",
    [
        "",
        "vault",
        "aws-kms:",
        "aws-kms:alias/salus",
        "aws-kms:arn:aws:kms:us-east-1:111122223333:alias/salus",
        "aws-kms:arn:aws:s3:us-east-1:111122223333:key/1",
        "aws-kms:arn:aws:kms:../..:111122223333:key/1",
        "aws-kms:arn:aws:kms:us-east-1:111122223333:key/1\nx",
    ],
)
def test_what_is_no_provider_is_refused(clinic: Organization, to: str) -> None:
    with pytest.raises(BadInput):
        move(clinic, to)


def test_an_endpoint_without_tls_is_refused(service: KeyService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://kms.example.org")
    with pytest.raises(BadInput, match="https"):
        KmsKeyProvider("arn:aws:kms:us-east-1:111122223333:key/1")


def test_a_machine_without_credentials_is_told_so(
    clinic: Organization, service: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    provider = KmsKeyProvider("arn:aws:kms:us-east-1:111122223333:key/1")
    with pytest.raises(Unavailable, match="no credentials"):
        provider.unwrap(b"wrapped", b"place")


def test_nothing_is_wrapped_by_a_service_that_is_not_in_the_register_and_what_is_wrapped_still_opens(
    clinic: Organization, service: KeyService
) -> None:
    arn = service.new_key()
    with pytest.raises(OutOfScope):
        move(clinic, f"aws-kms:{arn}")
    assert [act for act, _ in service.asked] == []
    found = register(clinic, service.url)
    sealed = sealed_by(clinic)
    move(clinic, f"aws-kms:{arn}")
    with acting_for(clinic.id):
        vendors.switch_service(found, active=False, actor=actor(clinic), at=datetime.now(UTC))
        with pytest.raises(OutOfScope):
            keys.rotate("data", actor=actor(clinic))
    assert opens(clinic, sealed)
    assert move(clinic, "file") == 5


def test_a_move_that_is_ended_at_any_key_is_taken_up_again(clinic: Organization, service: KeyService) -> None:
    register(clinic, service.url)
    arn = service.new_key()
    sealed = sealed_by(clinic)

    class Ended(Exception):
        pass

    def end(_moved: int, _left: int) -> None:
        raise Ended

    for left in (4, 3, 2):
        with pytest.raises(Ended):
            move(clinic, f"aws-kms:{arn}", tell=end)
        with acting_for(clinic.id):
            by_file = KeyRow.objects.filter(wrapped_by__startswith="file:")
            assert by_file.count() == left
            assert not by_file.filter(kind="data").exists()
        assert opens(clinic, sealed)
    told: list[tuple[int, int]] = []
    assert move(clinic, f"aws-kms:{arn}", tell=lambda moved, left: told.append((moved, left))) == 2
    assert told == [(1, 1), (2, 0)]


def test_a_key_that_the_service_does_not_give_back_stays_where_it_is(
    clinic: Organization, service: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(clinic, service.url)
    monkeypatch.setattr(KmsKeyProvider, "unwrap", lambda *_: b"another")
    with pytest.raises(Unavailable, match="does not give a key back"):
        move(clinic, f"aws-kms:{service.new_key()}")
    assert wrapped_by(clinic) == {local.ports().provider.name()}


def test_an_organization_without_keys_has_nothing_to_move(database: object) -> None:
    nobody = new_id()
    with pytest.raises(NotFound, match="no keys"):
        keys.move(nobody, "file", actor=system(nobody, "test"))


def test_destroyed_keys_are_gone_from_the_service_too(clinic: Organization, service: KeyService) -> None:
    register(clinic, service.url)
    sealed = sealed_by(clinic)
    move(clinic, f"aws-kms:{service.new_key()}")
    keys.destroy_organization_keys(clinic.id, actor=actor(clinic))
    with pytest.raises(NotFound):
        opens(clinic, sealed)
    assert move(clinic, "file") == 1  # the log's signature alone is left


def test_a_lost_key_file_loses_nothing_of_a_clinic_in_the_service(
    clinic: Organization, service: KeyService, tmp_path: Path
) -> None:
    register(clinic, service.url)
    sealed = sealed_by(clinic)
    move(clinic, f"aws-kms:{service.new_key()}")
    before = local.ports()
    folder = tmp_path / "keys"
    shutil.copytree(before.directory, folder)
    (folder / KEY_FILE).unlink()
    try:
        if not list(folder.glob("*.sealed")):
            (folder / "engine.sealed").write_bytes(b"sealed with the lost key")
        with pytest.raises(Unavailable, match=r"move the \.sealed files away"):
            file_provider(folder)
        for each in folder.glob("*.sealed"):
            each.unlink()
        local.configure(file_provider(folder), folder)
        assert opens(clinic, sealed)
        with acting_for(clinic.id):
            assert len(keys.audience_file_key()) == 32
    finally:
        local.configure(before.provider, before.directory)


def test_a_kit_is_of_the_key_file_and_says_so(tmp_path: Path, service: KeyService) -> None:
    before = local.ports()
    try:
        local.configure(KmsKeyProvider(service.new_key()), tmp_path)
        with pytest.raises(Conflict, match="its own recovery"):
            keys.make_recovery_kit(shares=3, threshold=2)
    finally:
        local.configure(before.provider, before.directory)


def test_the_command_moves_and_shows_who_wraps(
    clinic: Organization,
    service: KeyService,
    settings: Any,
    database: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from salus.wiring.cli import main

    settings.HOME = database.home
    register(clinic, service.url)
    arn = service.new_key()
    words = ["keys", "move", "--organization", clinic.slug, "--to"]
    assert main([*words, "aws-kms"]) == 2
    assert main([*words, "file", "--key", arn]) == 2
    assert main([*words, "aws-kms", "--key", arn]) == 0
    told = capsys.readouterr()
    assert "5 keys were moved" in told.out
    assert "Left: 0" in told.err
    assert main(["keys", "list", "--organization", clinic.slug]) == 0
    told = capsys.readouterr()
    assert told.out.count(arn) == 5
    assert told.err == ""
    assert main([*words, "file"]) == 0
    assert identity.find_organization(clinic.slug).id == clinic.id
