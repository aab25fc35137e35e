"""An organization's keys from creation to destruction, in the real database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from salus.audit import api as audit
from salus.audit.contracts import Filters, Signer
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock, SystemClock
from salus.keys import api as keys
from salus.keys import keyring, local
from salus.keys.models import KeyRow
from salus.keys.provider import file_provider
from salus.platform.tenancy import NoTenant, acting_for

SECRET = b"canary-51c2"


def officer(organization: UUID) -> Actor:
    return system(organization, "test")


def test_an_organization_seals_blinds_and_signs_from_its_first_moment(tenant: UUID) -> None:
    place = keys.binding(tenant, "contacts_contact", new_id())
    assert keys.sealer().open(keys.sealer().seal(SECRET, place), place) == SECRET
    assert len(keys.blinder().blind("email", "ana@example.org")) == 16
    assert len(keys.audience_file_key()) == 32
    signer: Signer = keys.checkpoint_signer()
    signature = signer.sign(tenant, b"message")
    assert signer.verify(tenant, signature, b"message")
    assert not signer.verify(tenant, signature, b"another")
    assert not signer.verify(tenant, b"short", b"message")
    assert len(signer.public_key(tenant)) == 32
    assert " " not in signer.name(tenant)
    assert "+" not in signer.name(tenant)


def test_keys_are_made_once(tenant: UUID) -> None:
    with pytest.raises(Conflict):
        keys.create_organization_keys(tenant)


def test_without_an_organization_there_are_no_keys(database: object) -> None:
    for ask in (keys.sealer, keys.blinder, keys.audience_file_key, lambda: keys.dkim_keys("clinic.example")):
        with pytest.raises(NoTenant):
            ask()


def test_an_organization_without_keys_is_told_so(database: object) -> None:
    with acting_for(new_id()):
        for ask in (
            keys.sealer,
            keys.blinder,
            keys.audience_file_key,
            lambda: keys.dkim_keys("clinic.example"),
        ):
            with pytest.raises(NotFound, match="no keys"):
                ask()
        assert KeyRow.objects.count() == 0


def test_one_organization_cannot_open_what_another_sealed(
    organization: UUID, other_organization: UUID
) -> None:
    with acting_for(organization):
        sealed = keys.sealer().seal(SECRET, b"place")
        index = keys.blinder().blind("email", "ana@example.org")
    with acting_for(other_organization):
        with pytest.raises(BadInput):
            keys.sealer().open(sealed, b"place")
        assert keys.blinder().blind("email", "ana@example.org") != index


def test_the_table_holds_no_key_in_clear(organization: UUID, database: Any) -> None:
    with acting_for(organization):
        secret = keys.audience_file_key()
        material = [keys.dkim_keys("clinic.example")[0].private_der, secret]
        rows = list(KeyRow.objects.all())
    assert len(rows) == 7
    for row in rows:
        assert all(clear not in bytes(row.wrapped) for clear in material)
        assert row.wrapped_by.startswith("file:")


def test_a_wrapped_key_that_was_moved_to_another_organization_does_not_unwrap(
    organization: UUID, other_organization: UUID, database: Any
) -> None:
    with psycopg.connect(database.superuser_dsn, autocommit=True) as thief:
        thief.execute(
            "UPDATE keys_key SET wrapped = (SELECT wrapped FROM keys_key WHERE organization_id = %s AND kind = 'data') "
            "WHERE organization_id = %s AND kind = 'data'",
            [other_organization, organization],
        )
    keys.forget_cached()
    with acting_for(organization), pytest.raises(Unavailable, match="was changed"):
        keys.sealer()


def test_another_key_file_is_told_from_a_damaged_row(organization: UUID, tmp_path: Path) -> None:
    keys.forget_cached()
    before = local.ports()
    try:
        local.configure(file_provider(tmp_path / "other"), tmp_path)
        with acting_for(organization), pytest.raises(Unavailable, match="Bring the key file"):
            keys.sealer()
    finally:
        local.configure(before.provider, before.directory)


def test_keys_are_cached_when_they_are_committed_and_not_before(
    organization: UUID, django_assert_num_queries: Any
) -> None:
    with acting_for(organization):
        keys.sealer()
        with django_assert_num_queries(0):
            keys.sealer()
            keys.blinder()
            keys.checkpoint_signer().sign(organization, b"x")


def test_keys_of_a_transaction_that_was_undone_are_gone_from_memory_too(database: object) -> None:
    organization_id = new_id()
    with acting_for(organization_id):
        keys.create_organization_keys(organization_id)
        sealed = keys.sealer().seal(SECRET, b"")
        assert keys.sealer().open(sealed, b"") == SECRET
        transaction.set_rollback(True)
    with acting_for(organization_id), pytest.raises(NotFound):
        keys.sealer()


def test_a_rotation_seals_anew_opens_the_old_and_can_be_finished(organization: UUID) -> None:
    with acting_for(organization):
        old, index = keys.sealer().seal(SECRET, b""), keys.blinder().blind("mrn", "1")
    with acting_for(organization):
        assert keys.rotate("data", actor=officer(organization)) == 2
        assert keys.rotate("blind", actor=officer(organization)) == 2
    with acting_for(organization):
        new = keys.sealer().seal(SECRET, b"")
        assert old[:5] != new[:5]
        assert keys.sealer().open(old, b"") == keys.sealer().open(new, b"") == SECRET
        assert keys.blinder().candidates("mrn", "1")[1] == index
        assert keys.blinder().blind("mrn", "1") != index
        assert keys.destroy_retired("data", actor=officer(organization)) == 0
        later = FakeClock(SystemClock().now() + timedelta(days=2))
        assert keys.destroy_retired("data", actor=officer(organization), clock=later) == 1
        assert keys.destroy_retired("data", actor=officer(organization), clock=later) == 0
    with acting_for(organization):
        assert keys.sealer().open(new, b"") == SECRET
        with pytest.raises(BadInput):
            keys.sealer().open(old, b"")
        assert len(keys.blinder().candidates("mrn", "1")) == 2


def test_a_process_that_missed_a_rotation_learns_of_it_from_the_first_new_ciphertext(
    organization: UUID,
) -> None:
    elsewhere = keyring.Keyring()
    stale = elsewhere.of(organization).data
    with acting_for(organization):
        keys.rotate("data", actor=officer(organization))
    with acting_for(organization):
        new = keys.sealer().seal(SECRET, b"")
    assert stale.open(new, b"") == SECRET


def test_a_process_forgets_within_a_minute_what_another_destroyed(organization: UUID) -> None:
    now = [0.0]
    elsewhere = keyring.Keyring(lambda: now[0])
    elsewhere.of(organization)
    keys.destroy_organization_keys(organization, actor=officer(organization))
    assert elsewhere.of(organization).rows
    now[0] = keyring.FRESH
    with pytest.raises(NotFound):
        _ = elsewhere.of(organization).data


def test_checkpoints_signed_before_a_rotation_still_verify(organization: UUID) -> None:
    with acting_for(organization):
        audit.integrate()
        audit.checkpoint()
    with acting_for(organization):
        before = audit.verifier_key()
        keys.rotate("checkpoint", actor=officer(organization))
    with acting_for(organization):
        assert audit.verifier_key() != before
        audit.integrate()
        audit.checkpoint()
        verdict = audit.verify()
    assert (verdict.verified, verdict.faults) == (True, ())


def test_the_log_leads_from_key_to_key_and_whoever_verifies_knows_all(
    organization: UUID, tmp_path: Path
) -> None:
    from salus.audit import ports

    before = ports.witness_directory()
    ports.use_witness_directory(tmp_path)
    try:
        with acting_for(organization):
            audit.integrate()
            first = audit.checkpoint()
            old = audit.verifier_key()
        with acting_for(organization):
            keys.rotate("checkpoint", actor=officer(organization))
            (entry,) = audit.entries(Filters(action="keys:key:rotate"))
            assert audit.verifier_key(first.note) == old != audit.verifier_key()
            new = audit.verifier_key()
            assert audit.verifier_keys() == (new, old)
            signer = keys.checkpoint_signer()
            assert entry.details["public"] == signer.public_key(organization).hex()
        with acting_for(organization):
            (made,) = audit.entries(Filters(action="keys:organization:create"))
            evidence = audit.evidence_for(made.id)
            assert evidence is not None
            assert evidence.verifier_key == old  # the checkpoint that proves it is under the old key still
            assert audit.faults(evidence) == ()
            audit.integrate()
            audit.checkpoint()
        assert (tmp_path / f"{organization}.vkey").read_text().splitlines() == [old, new]
        with acting_for(organization):
            verdict = audit.verify((tmp_path / f"{organization}.checkpoints").read_text())
        assert (verdict.verified, verdict.checkpoints) == (True, 6)
    finally:
        ports._witness_directory = before


@pytest.mark.parametrize("kind", ["audience", "dkim-rsa", "nothing", ""])
def test_what_does_not_rotate_is_bad_input(tenant: UUID, kind: str) -> None:
    with pytest.raises(BadInput) as refusal:
        keys.rotate(kind, actor=officer(tenant))
    assert refusal.value.place == "kind"


def test_checkpoint_keys_are_never_destroyed(tenant: UUID) -> None:
    keys.rotate("checkpoint", actor=officer(tenant))
    with pytest.raises(BadInput):
        keys.destroy_retired("checkpoint", actor=officer(tenant))


def test_after_destruction_nothing_opens_and_the_log_still_proves_it(organization: UUID) -> None:
    with acting_for(organization):
        sealed = keys.sealer().seal(SECRET, b"")
        token = keys.seal_token("click", b"1", lifetime=timedelta(hours=1))
        keys.dkim_keys("clinic.example")
    assert keys.destroy_organization_keys(organization, actor=officer(organization)) == 6
    with acting_for(organization):
        for ask in (
            keys.sealer,
            keys.blinder,
            keys.audience_file_key,
            lambda: keys.dkim_keys("clinic.example"),
        ):
            with pytest.raises(NotFound, match="destroyed"):
                ask()
        assert {bytes(row.wrapped) for row in KeyRow.objects.filter(status="destroyed")} == {b""}
        with pytest.raises(NotFound):
            keys.rotate("data", actor=officer(organization))
        with pytest.raises(Conflict):
            keys.create_organization_keys(organization)
    with pytest.raises(BadInput):
        keys.open_token(token, "click", SystemClock().now())
    assert sealed  # it is still there, and means nothing
    with acting_for(organization):
        audit.integrate()
        audit.checkpoint()
        (entry,) = audit.entries(Filters(action="keys:organization:destroy"))
        assert entry.details == {"keys": 6}
        assert audit.prove(entry.id).entry_id == entry.id
        assert audit.verify().verified


def test_a_destruction_that_was_undone_destroyed_nothing(organization: UUID) -> None:
    with acting_for(organization):
        sealed = keys.sealer().seal(SECRET, b"")
    with acting_for(organization):
        keys.destroy_organization_keys(organization, actor=officer(organization))
        with pytest.raises(NotFound):
            keys.sealer()
        transaction.set_rollback(True)
    with acting_for(organization):
        assert keys.sealer().open(sealed, b"") == SECRET


def test_creation_rotation_and_destruction_are_in_the_audit_log(tenant: UUID) -> None:
    keys.rotate("token", actor=officer(tenant))
    ended = FakeClock(SystemClock().now() + timedelta(days=401))
    assert keys.destroy_retired("token", actor=officer(tenant)) == 0
    assert keys.destroy_retired("token", actor=officer(tenant), clock=ended) == 1
    actions = [entry.action for entry in audit.entries(Filters(action="keys:"))]
    assert actions == ["keys:key:destroy", "keys:key:rotate", "keys:organization:create"]


def test_row_level_security_alone_shows_no_key_of_another(
    organization: UUID, other_organization: UUID
) -> None:
    with acting_for(other_organization), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM keys_key WHERE organization_id = %s", [organization])
        assert cursor.fetchone() == (0,)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM keys_key")
        assert cursor.fetchone() == (0,)


def test_a_destroyed_key_is_empty_and_a_living_one_is_not(organization: UUID) -> None:
    for statement in (
        "UPDATE keys_key SET status = 'destroyed' WHERE kind = 'data'",
        "UPDATE keys_key SET wrapped = '' WHERE kind = 'data'",
    ):
        with pytest.raises(DatabaseError), acting_for(organization), connection.cursor() as cursor:
            cursor.execute(statement)
