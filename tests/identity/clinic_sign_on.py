"""A clinic whose staff sign on by a provider: registered, described, and switched on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.test import Client

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity import providers
from salus.identity.contracts import Organization, Role
from salus.identity.providers import Protocol
from salus.kernel.acting import system
from salus.kernel.outbound import ServiceKind
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Relation
from tests.identity.idp import Idp
from tests.registered import attest

HOME = "http://localhost:8480"
"""The public address in tests."""
SECRET = "a-client-secret-of-a-test"
ROLES = {Role.CARE_COORDINATOR: ["clinic-nurses"], Role.PRIVACY_OFFICER: ["clinic-privacy"]}


def register(organization: Organization, address: str) -> UUID:
    """Put the provider into the vendor register; return the service's id."""
    actor, at = system(organization.id, "test"), datetime.now(UTC)
    vendor_id = vendors.create_vendor("Harbor Identity", relation=Relation.NO_PHI, actor=actor, at=at)
    service_id = vendors.create_service(
        vendor_id,
        kind=ServiceKind.IDENTITY_PROVIDER,
        name="Sign-on",
        address=address,
        may_carry=(),
        actor=actor,
        at=at,
    )
    attest(service_id, actor=actor, at=at)
    return service_id


def described(idp: Idp, protocol: Protocol, **changes: Any) -> dict[str, Any]:
    """Return what an administrator says of the provider."""
    return {
        "name": "Harbor",
        "domains": ["cedar-row.example"],
        "role_claim": "groups",
        "strong": providers.STRONG,
        "just_in_time": True,
        **(
            {"address": idp.origin, "client_id": "salus", "client_secret": SECRET}
            if protocol is Protocol.OIDC
            else {"metadata": idp.metadata()}
        ),
        **changes,
    }


@dataclass
class Clinic:
    """The clinic, its provider, and its service in the register."""

    organization: Organization
    idp: Idp
    provider_id: UUID
    service_id: UUID
    protocol: Protocol
    home: str = HOME

    @property
    def start(self) -> str:
        return f"/sign-on/{self.organization.slug}/{self.provider_id}"

    def change(self, **changes: Any) -> None:
        with acting_for(self.organization.id):
            lines = changes.pop("roles", ROLES)
            providers.save(
                described(self.idp, self.protocol, **changes),
                lines,
                protocol=self.protocol,
                actor=system(self.organization.id, "test"),
                provider_id=self.provider_id,
            )

    def client(self) -> Client:
        return Client(headers={"host": "localhost"})

    def sign_on(self, client: Client | None = None, **person: Any) -> Any:
        """Walk all the way as `person`; return our last answer, the client in `client`."""
        if person:
            self.idp.say(person=person)
        client = client or self.client()
        begun = client.get(self.start + "?next=/account")
        if begun.status_code != 302:
            return begun
        if self.protocol is Protocol.OIDC:
            back = self.idp.walk(begun["Location"], self.home)
            return client.get(back.removeprefix(self.home))
        return client.post("/sign-on/saml", {"SAMLResponse": self.idp.answer(begun["Location"])})

    def refusals(self) -> list[str]:
        with acting_for(self.organization.id):
            found = audit.entries(Filters(action="identity:staff:sign_on", outcome="refused"))
            return [entry.reason for entry in found]


def open_clinic(
    organization: Organization, idp: Idp, protocol: Protocol, *, home: str = HOME, registered: bool = True
) -> Clinic:
    """Return a clinic that signs on by the provider."""
    address = idp.origin if protocol is Protocol.OIDC else f"{idp.origin}/saml"
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        service_id = register(organization, address) if registered else UUID(int=0)
        provider_id = providers.save(described(idp, protocol), ROLES, protocol=protocol, actor=actor)
        providers.switch(provider_id, True, actor=actor)
    idp.say(
        client={
            "id": "salus",
            "secret": SECRET,
            "redirect": f"{home}/sign-on/oidc",
            "out": f"{home}/sign-in",
            "ended": f"{home}/sign-on/{organization.slug}/{provider_id}/ended",
        },
        saml={},
    )
    return Clinic(organization, idp, provider_id, service_id, protocol, home)
