"""A clinic whose posture is looked at for real, and what goes wrong in it: for each check a way from good to bad."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings

from salus.audit import api as audit
from salus.delivery import api as delivery
from salus.delivery.contracts import PolicyFile
from salus.domains import api as domains
from salus.domains.contracts import Purpose
from salus.identity import api as identity
from salus.identity import break_glass
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import ApiKey
from salus.kernel.acting import Actor, system
from salus.kernel.time import SystemClock
from salus.keys import api as keys
from salus.platform.presence import Roll
from salus.privacy import api as privacy
from salus.privacy.contracts import Finding, Ruleset
from salus.recovery.contracts import Event
from salus.recovery.models import RunRow
from salus.reports import copies, log
from salus.reports.models import LogCopyRow
from salus.sealedmail import api as sealedmail
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind
from tests.files.scanner import clamd
from tests.identity.people import acting, person
from tests.registered import attest
from tests.sealedmail.holders import MailAuthority

Fault = Callable[["Scene"], Iterator[None]]
"""Makes things good, yields, and lets one thing go wrong."""
FAULTS: dict[str, Fault] = {}
"""By the name of the check that has to see it."""
HOST = "mx.harbor.example.org"
DAY = timedelta(days=1)


@dataclass
class Scene:
    """A clinic, its home folder, what DNS says of its domain, and the moment at which it is looked at."""

    organization: Organization
    home: Path
    patch: pytest.MonkeyPatch
    world: Any
    at: datetime
    zone: dict[str, list[str]] = field(default_factory=dict)
    until_the_end: ExitStack = field(default_factory=ExitStack)
    """What runs while it is looked at."""

    @property
    def actor(self) -> Actor:
        """Return the machine's own hand, which may change settings."""
        may = frozenset({Permission.ORGANIZATION_SETTINGS_EDIT.value})
        return Actor(
            system(self.organization.id, "test").kind, self.organization.id, name="test", permissions=may
        )

    @property
    def given(self) -> dict[str, Any]:
        """Return who does it and when."""
        return {"actor": self.actor, "at": self.at}

    def found(self) -> dict[str, Finding]:
        """Look as the page and `salus doctor` do; return what is found, by check."""
        return {each.check: each for each in privacy.posture(self.at, Ruleset.PROPOSED).findings}

    def setting(self, name: str, value: object) -> None:
        """Change a setting of the installation until the test ends."""
        self.patch.setattr(settings, name, value)

    def service(self, kind: Kind, address: str, **agreement: Any) -> UUID:
        """Register a service in use that is attested; without an agreement when none is given."""
        vendor_id = vendors.create_vendor(f"Vendor of {address}", **self.given)
        if agreement:
            said = {
                "signed_on": self.at.date() - DAY,
                "report_hours": 24,
                "clauses": frozenset(Clause),
                **agreement,
            }
            vendors.record_agreement(vendor_id, **said, **self.given)
        service_id = vendors.create_service(
            vendor_id, kind=kind, name="It", address=address, may_carry=["contact"], **self.given
        )
        attest(service_id, **self.given)
        return service_id

    def run(self, event: Event, ago: timedelta, *, passed: bool = True) -> None:
        """Note a backup or a drill of so long ago."""
        RunRow(event=event.value, at=self.at - ago, passed=passed, facts={}).save(force_insert=True)


def fault(check: str) -> Callable[[Fault], Fault]:
    """Note how something goes wrong that the check of this name has to see."""

    def note(made: Fault) -> Fault:
        assert check not in FAULTS, check
        FAULTS[check] = made
        return made

    return note


@fault("public-https")
def _plain_http(scene: Scene) -> Iterator[None]:
    scene.setting("SALUS_PUBLIC_URL", "https://messages.clinic.example")
    yield
    scene.setting("SALUS_PUBLIC_URL", "http://messages.clinic.example")


@fault("database-tls")
def _unverified_database(scene: Scene) -> Iterator[None]:
    scene.patch.setenv("DATABASE_URL", "postgresql://db.clinic.example/salus?sslmode=verify-full")
    yield
    scene.patch.setenv("DATABASE_URL", "postgresql://db.clinic.example/salus?sslmode=require")


@fault("key-files")
def _open_file(scene: Scene) -> Iterator[None]:
    folder = scene.home / "keys"
    folder.mkdir(mode=0o700)
    key = folder / "django-secret"
    key.touch(mode=0o600)
    yield
    key.chmod(0o640)


@fault("recovery-kit")
def _kit_of_another_key(scene: Scene) -> Iterator[None]:
    scene.patch.setattr(keys, "recovery_kit", lambda: SimpleNamespace(shares=5))
    yield
    scene.patch.undo()  # nobody made one of the key that wraps now


@fault("disk-space")
def _full_disk(scene: Scene) -> Iterator[None]:
    yield
    scene.patch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=900_000_000))


@fault("processes")
def _dead_sender(scene: Scene) -> Iterator[None]:
    worker, sender = (Roll(scene.home / name) for name in ("workers", "senders"))
    worker.enter()
    sender.enter()
    yield
    sender.leave()


@fault("real-mail")
def _laboratory(scene: Scene) -> Iterator[None]:
    scene.setting("SALUS_LABORATORY_ROUTES", "")
    yield
    scene.setting("SALUS_LABORATORY_ROUTES", "/srv/salus/routes.json")


@fault("shaping-plan")
def _plan_that_cannot_be(scene: Scene) -> Iterator[None]:
    yield
    (scene.home / "shaping.toml").write_text(
        '[[site.google.on]]\nid = "x"\nmatch = "(x"\ndo = "suspend"\nfor = "1 h"\n'
    )


@fault("source-addresses")
def _address_that_is_away(scene: Scene) -> Iterator[None]:
    plan = '[pool.main]\n[[pool.main.source]]\nname = "a.example"\naddresses = ["{}"]\n'
    (scene.home / "shaping.toml").write_text(plan.format("127.0.0.2"))
    yield
    (scene.home / "shaping.toml").write_text(plan.format("203.0.113.9"))


@fault("virus-scanner")
def _scanner_that_is_not_set(scene: Scene) -> Iterator[None]:
    with clamd(scene.home) as path:
        scene.setting("SALUS_CLAMD", str(path))
        yield
        scene.setting("SALUS_CLAMD", "")


@fault("virus-scanner-answers")
def _scanner_that_ended(scene: Scene) -> Iterator[None]:
    with clamd(scene.home) as path:
        scene.setting("SALUS_CLAMD", str(path))
        yield


@fault("virus-signatures")
def _signatures_that_grow_old(scene: Scene) -> Iterator[None]:
    path = scene.until_the_end.enter_context(clamd(scene.home, daily=scene.at - DAY))
    scene.setting("SALUS_CLAMD", str(path))
    yield
    scene.at += 7 * DAY


@fault("log-copies")
def _witness_beside_it(scene: Scene) -> Iterator[None]:
    scene.patch.setenv("SALUS_WITNESS", "/proc")  # another file system, on any machine
    yield
    (scene.home / "witness").mkdir()
    scene.patch.delenv("SALUS_WITNESS")


def _gone(role: Role) -> Fault:
    def leave(scene: Scene) -> Iterator[None]:
        yield
        identity.change_staff(person(scene.organization, role).pk, actor=scene.actor, active=False)

    return leave


FAULTS["privacy-officer"] = _gone(Role.PRIVACY_OFFICER)
FAULTS["security-officer"] = _gone(Role.SECURITY_OFFICER)


@fault("administrators")
def _only_one(scene: Scene) -> Iterator[None]:
    second = person(scene.organization, Role.SECURITY_OFFICER)
    identity.change_staff(second.pk, actor=scene.actor, roles=[Role.SECURITY_OFFICER, Role.ADMINISTRATOR])
    yield
    identity.change_staff(second.pk, actor=scene.actor, roles=[Role.SECURITY_OFFICER])


@fault("second-factor")
def _invitation_that_is_over(scene: Scene) -> Iterator[None]:
    email = f"nora@{scene.organization.slug}.example"
    nora = identity.create_staff(name="Nora New", email=email, roles=[Role.ANALYST], actor=scene.actor)
    identity.invite_staff(nora.id, actor=scene.actor)
    yield
    scene.at += 4 * DAY


@fault("api-keys")
def _key_without_end(scene: Scene) -> Iterator[None]:
    made: dict[str, Any] = {"actor": scene.actor, "allowed": Permission}
    identity.create_api_key("A program", ["timeline:event:write"], expires_at=scene.at + 90 * DAY, **made)
    yield
    identity.create_api_key("An old one", ["timeline:event:write"], **made)


@fault("sign-on")
def _provider_that_nobody_registered(scene: Scene) -> Iterator[None]:
    told = {
        "name": "Harbor",
        "domains": ["harbor.example"],
        "role_claim": "groups",
        "address": "https://id.harbor.example",
        "client_id": "salus",
    }
    provider_id = identity.save_provider("oidc", told, {"marketer": ["writers"]}, actor=scene.actor)
    yield
    identity.turn_provider(provider_id, "on", actor=scene.actor)


@fault("sign-on-certificate")
def _certificate_that_ends(scene: Scene) -> Iterator[None]:
    certificate = base64.b64encode(MailAuthority().issue("idp@harbor.example", lasts=200 * DAY).der).decode()
    metadata = (
        '<m:EntityDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://id.harbor.example">'
        '<m:IDPSSODescriptor><m:KeyDescriptor><X509Certificate xmlns="http://www.w3.org/2000/09/xmldsig#">'
        f"{certificate}</X509Certificate></m:KeyDescriptor>"
        '<m:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        'Location="https://id.harbor.example/sso"/></m:IDPSSODescriptor></m:EntityDescriptor>'
    )
    told = {"name": "Harbor", "domains": ["harbor.example"], "role_claim": "groups", "metadata": metadata}
    provider_id = identity.save_provider("saml", told, {"marketer": ["writers"]}, actor=scene.actor)
    identity.turn_provider(provider_id, "on", actor=scene.actor)
    yield
    scene.at += 180 * DAY


def _directory(scene: Scene) -> None:
    identity.create_api_key(
        "Directory",
        [Permission.IDENTITY_SCIM_PROVISION],
        actor=scene.actor,
        allowed=Permission,
        expires_at=scene.at + 300 * DAY,
    )


@fault("directory-key")
def _directory_key_that_ends(scene: Scene) -> Iterator[None]:
    _directory(scene)
    yield
    scene.at += 280 * DAY


@fault("directory-silent")
def _directory_that_is_silent(scene: Scene) -> Iterator[None]:
    _directory(scene)
    yield
    ApiKey.objects.update(created_at=scene.at - 40 * DAY)


@fault("access-review")
def _nobody_examines(scene: Scene) -> Iterator[None]:
    yield
    scene.at += 50 * DAY


@fault("emergency-review")
def _nobody_reviews(scene: Scene) -> Iterator[None]:
    marketer = acting(scene.organization, Role.MARKETER)
    break_glass.open_glass(
        Permission.CONTACTS_PHI_REVEAL, "Dana is ill and a patient calls now", 15, actor=marketer
    )
    yield
    scene.at += 8 * DAY


@fault("data-key")
def _old_key(scene: Scene) -> Iterator[None]:
    yield
    scene.at += 400 * DAY


@fault("log-verified")
def _nobody_verifies(scene: Scene) -> Iterator[None]:
    log.verify(actor=scene.actor, at=scene.at)
    yield
    scene.at += 2 * DAY


@fault("log-sound")
def _changed_log(scene: Scene) -> Iterator[None]:
    audit.integrate()
    audit.checkpoint(SystemClock())
    log.verify(actor=scene.actor, at=scene.at)
    yield
    with psycopg.connect(scene.world.superuser_dsn) as thief:
        thief.execute("SET session_replication_role = replica")
        changed = "UPDATE audit_entry SET outcome = 'refused' WHERE organization_id = %s"
        assert thief.execute(changed, [scene.organization.id]).rowcount
    log.verify(actor=scene.actor, at=scene.at)


@fault("log-outside")
def _witness_that_gets_nothing(scene: Scene) -> Iterator[None]:
    service_id = scene.service(
        Kind.WITNESS, "mailto:witness@harbor.example", valid_until=scene.at.date() + 300 * DAY
    )
    row = LogCopyRow(service_id=service_id)
    row.save(force_insert=True)
    yield
    row.tries, row.reason = copies.FAILING, "no_starttls"
    row.save()


@fault("vendors")
def _service_without_agreement(scene: Scene) -> Iterator[None]:
    yield
    scene.service(Kind.WEBHOOK, "https://hooks.harbor.example/salus")


@fault("agreements")
def _agreement_that_ends(scene: Scene) -> Iterator[None]:
    until = scene.at.date() + 100 * DAY
    scene.service(Kind.WEBHOOK, "https://hooks.harbor.example/salus", valid_until=until)
    yield
    scene.at += 80 * DAY


@fault("mail-signing")
def _signing_that_ends(scene: Scene) -> Iterator[None]:
    sealedmail.make_certificate(**scene.given)
    (own,) = sealedmail.own()
    assert own.not_after
    yield
    scene.at = own.not_after - 10 * DAY


@fault("mail-signing-vouched")
def _signing_that_nobody_vouches_for(scene: Scene) -> Iterator[None]:
    yield
    sealedmail.make_certificate(**scene.given)


@fault("mail-goes")
def _relay_whose_agreement_ended(scene: Scene) -> Iterator[None]:
    until = scene.at.date() + 100 * DAY
    service_id = scene.service(Kind.SMTP_ROUTE, "smtps://relay.example:465", valid_until=until)
    delivery.set_route(service_id, **scene.given)
    yield
    scene.at += 120 * DAY


@fault("test-message")
def _another_way_since(scene: Scene) -> Iterator[None]:
    delivery.confirm_trial(actor=scene.actor)
    yield
    service_id = scene.service(Kind.SMTP_ROUTE, "smtps://relay.example:465")
    delivery.set_route(service_id, actor=scene.actor, at=scene.at + timedelta(minutes=1))


def _publish(scene: Scene) -> None:
    """Let DNS say everything that is wanted of the clinic's domain."""
    domain = scene.organization.sending_domain
    for each in domains.records():
        if each.kind == "TXT":
            scene.zone[each.name] = [each.value]
    scene.zone[f"{domain} MX"] = [f"10 {HOST}."]
    scene.zone[f"{HOST} A"] = ["192.0.2.7"]
    scene.zone["7.2.0.192.in-addr.arpa PTR"] = [f"{HOST}."]
    served = PolicyFile("enforce", 604_800, (HOST,))
    scene.patch.setattr(delivery, "fetch_policy", lambda *_, **__: served)


def _unpublished(name: str) -> Fault:
    def go(scene: Scene) -> Iterator[None]:
        _publish(scene)
        yield
        found = [each for each in scene.zone if name in each]
        assert found, name
        for each in found:
            del scene.zone[each]

    return go


for _check, _name in {
    "spf": "mail.harbor",
    "dkim": "_domainkey",
    "dmarc": "_dmarc",
    "mx": " MX",
    "mta-sts": "_mta-sts",
    "tls-rpt": "_smtp._tls",
    "ptr": " PTR",
}.items():
    FAULTS[_check] = _unpublished(_name)


@fault("dmarc-strict")
def _watching_only(scene: Scene) -> Iterator[None]:
    _publish(scene)
    yield
    (name,) = [each.name for each in domains.records() if each.purpose is Purpose.DMARC]
    scene.zone[name] = [scene.zone[name][0].replace("p=reject", "p=none")]


@fault("dns-answers")
def _dns_that_is_silent(scene: Scene) -> Iterator[None]:
    _publish(scene)
    yield
    scene.setting("SALUS_NAMESERVER", "127.0.0.1:9")


@fault("backup")
def _no_backup(scene: Scene) -> Iterator[None]:
    scene.run(Event.BACKUP, DAY)
    yield
    scene.at += 7 * DAY


@fault("backup-48h")
def _backup_of_three_days(scene: Scene) -> Iterator[None]:
    scene.run(Event.BACKUP, DAY)
    yield
    scene.at += 2 * DAY


@fault("restore-drill")
def _drill_that_failed(scene: Scene) -> Iterator[None]:
    scene.run(Event.DRILL, 2 * DAY)
    yield
    scene.run(Event.DRILL, DAY, passed=False)


@fault("drill-month")
def _drill_of_last_month(scene: Scene) -> Iterator[None]:
    scene.run(Event.DRILL, DAY)
    yield
    scene.at += 40 * DAY
