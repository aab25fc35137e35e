"""SAML 2.0 sign-on (Web Browser SSO profile): our request by redirect, the answer by POST, only what was signed is read.

An answer that nobody asked for, an encrypted one and SHA-1 are refused; logout is OpenID Connect's (ADR 0108).
"""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from salus.identity import foreign, sign_on_rules
from salus.identity.sign_on_rules import Refusal, Refused, Said
from salus.kernel.errors import BadInput

_P = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_A = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
EMAILS = (
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
NAMES = (
    "displayName",
    "name",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
)
"""Names under which providers tell e-mail address and name."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A provider, and who we are to it: `ours` is our entity id, `place` where its answers come."""

    entity_id: str
    sign_on: str
    certificates: tuple[str, ...]
    """PEM: more than one while the provider changes its key."""
    ours: str
    place: str
    role_claim: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says, the assertion's id, and until when that id must be remembered."""

    said: Said
    id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Described:
    """What a provider's metadata say: entity id, address of sign-on by redirect, certificates (PEM)."""

    entity_id: str
    sign_on: str
    certificates: tuple[str, ...] = field(repr=False)


def fresh() -> str:
    """Return the id of a request that nobody has used."""
    return "_" + secrets.token_hex(20)


def address(partner: Partner, request_id: str, now: datetime) -> str:
    """Return where to send the browser with our request (Bindings, 3.4)."""
    request = (
        f'<samlp:AuthnRequest xmlns:samlp="{_P[1:-1]}" xmlns:saml="{_A[1:-1]}" ID="{request_id}" Version="2.0" '
        f'IssueInstant="{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" Destination={quoteattr(partner.sign_on)} '
        f'AssertionConsumerServiceURL={quoteattr(partner.place)} ProtocolBinding="{_POST}">'
        f"<saml:Issuer>{escape(partner.ours)}</saml:Issuer></samlp:AuthnRequest>"
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(request.encode()) + packer.flush()
    query = urlencode({"SAMLRequest": base64.b64encode(packed).decode()})
    return partner.sign_on + ("&" if urlsplit(partner.sign_on).query else "?") + query


def read(partner: Partner, response: str, request_id: str, now: datetime) -> Answer:
    """Return what a response says, when it answers `request_id`, is signed, ours, and of now; raises `Refused`.

    Profiles, 4.1.4.2 and 4.1.4.3. Whether the assertion was used before is the caller's to remember.
    """
    try:
        root = foreign.parsed(foreign.decoded(response))
    except BadInput:
        raise Refused(Refusal.UNREADABLE) from None
    if root.tag != f"{_P}Response":
        raise Refused(Refusal.UNREADABLE)
    whole = foreign.signed_part(root, partner.certificates)
    root = root if whole is None else whole
    _check_response(partner, root, request_id)
    if root.find(f"{_A}EncryptedAssertion") is not None:
        raise Refused(Refusal.ENCRYPTED)
    assertions = root.findall(f"{_A}Assertion")
    if len(assertions) != 1:
        raise Refused(Refusal.UNREADABLE)
    part = foreign.signed_part(assertions[0], partner.certificates)
    if part is None and whole is None:
        raise Refused(Refusal.SIGNATURE)
    return _answer(partner, assertions[0] if part is None else part, request_id, now)


def _check_response(partner: Partner, root: etree._Element, request_id: str) -> None:
    status = root.find(f"{_P}Status/{_P}StatusCode")
    if status is None or status.get("Value") != _SUCCESS:
        raise Refused(Refusal.PROVIDER_SAYS_NO)
    if root.get("InResponseTo") != request_id:
        raise Refused(Refusal.REQUEST)
    if root.get("Destination") not in {None, partner.place}:
        raise Refused(Refusal.PLACE)
    if root.find(f"{_A}Issuer") is not None and _text(root, f"{_A}Issuer") != partner.entity_id:
        raise Refused(Refusal.ISSUER)


def _answer(partner: Partner, assertion: etree._Element, request_id: str, now: datetime) -> Answer:
    if _text(assertion, f"{_A}Issuer") != partner.entity_id:
        raise Refused(Refusal.ISSUER)
    conditions = assertion.find(f"{_A}Conditions")
    if conditions is None:
        raise Refused(Refusal.AUDIENCE)
    restrictions = conditions.findall(f"{_A}AudienceRestriction")
    if not restrictions or any(partner.ours not in _texts(each, f"{_A}Audience") for each in restrictions):
        raise Refused(Refusal.AUDIENCE)
    ends = _confirmed(partner, assertion, request_id, now)
    limit = _moment(conditions.get("NotOnOrAfter")) or ends
    sign_on_rules.check_times(begins=_moment(conditions.get("NotBefore")), ends=min(limit, ends), now=now)
    statement = assertion.find(f"{_A}AuthnStatement")
    subject = _text(assertion, f"{_A}Subject/{_A}NameID")
    if statement is None or not subject or len(subject) > 255 or not assertion.get("ID"):
        raise Refused(Refusal.SUBJECT)
    told = _attributes(assertion)
    said = Said(
        subject=subject,
        email=_first(told, EMAILS) or (subject if "@" in subject else ""),
        vouched=True,
        name=_first(told, NAMES),
        groups=told.get(partner.role_claim, frozenset()),
        strength=_texts(statement, f"{_A}AuthnContext/{_A}AuthnContextClassRef")
        | told.get("http://schemas.microsoft.com/claims/authnmethodsreferences", frozenset()),
    )
    return Answer(said, str(assertion.get("ID")), ends + sign_on_rules.SKEW)


def _confirmed(partner: Partner, assertion: etree._Element, request_id: str, now: datetime) -> datetime:
    """Return until when a bearer may bring this assertion to us; raises the refusal of the last that does not fit."""
    reason = Refusal.SUBJECT
    for confirmation in assertion.findall(f"{_A}Subject/{_A}SubjectConfirmation"):
        data = confirmation.find(f"{_A}SubjectConfirmationData")
        if confirmation.get("Method") != _BEARER or data is None or data.get("NotBefore") is not None:
            continue
        ends = _moment(data.get("NotOnOrAfter"))
        if data.get("InResponseTo") != request_id:
            reason = Refusal.REQUEST
        elif data.get("Recipient") != partner.place:
            reason = Refusal.PLACE
        elif ends is None or now >= ends + sign_on_rules.SKEW:
            reason = Refusal.EXPIRED
        else:
            return min(ends, now + sign_on_rules.OLDEST)
    raise Refused(reason)


def _attributes(assertion: etree._Element) -> Mapping[str, frozenset[str]]:
    return {
        str(attribute.get("Name")): _texts(attribute, f"{_A}AttributeValue")
        for attribute in assertion.findall(f"{_A}AttributeStatement/{_A}Attribute")
    }


def _first(told: Mapping[str, frozenset[str]], names: tuple[str, ...]) -> str:
    """Return the value under the first of `names` that has exactly one: two addresses are none."""
    return next((next(iter(told[name])) for name in names if len(told.get(name, ())) == 1), "")


def _text(element: etree._Element, path: str) -> str:
    """Return the text at `path`, all of it: what stands between comments and elements counts as one."""
    found = element.find(path)
    return "" if found is None else "".join(str(each) for each in found.itertext()).strip()


def _texts(element: etree._Element, path: str) -> frozenset[str]:
    found = ("".join(str(part) for part in each.itertext()).strip() for each in element.findall(path))
    return frozenset(filter(None, found))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(Refusal.UNREADABLE) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def described(metadata: bytes, *, laboratory: bool) -> Described:
    """Return what an administrator's copy of a provider's metadata says; raises `BadInput` with what is missing."""
    root = foreign.parsed(metadata)
    entities = [root] if root.tag == f"{_MD}EntityDescriptor" else root.findall(f"{_MD}EntityDescriptor")
    found = [each for each in entities if each.find(f"{_MD}IDPSSODescriptor") is not None]
    if len(found) != 1:
        raise BadInput("These metadata describe no identity provider, or more than one.", place="metadata")
    provider = found[0].find(f"{_MD}IDPSSODescriptor")
    assert provider is not None
    places = [
        each.get("Location", "")
        for each in provider.findall(f"{_MD}SingleSignOnService")
        if each.get("Binding") == _REDIRECT
    ]
    if not places or not found[0].get("entityID"):
        raise BadInput("The provider names no address for sign-on by redirect.", place="metadata")
    keys = [
        each for each in provider.findall(f"{_MD}KeyDescriptor") if each.get("use", "signing") == "signing"
    ]
    certificates = [
        "".join("".join(str(part) for part in each.itertext()).split())
        for key in keys
        for each in key.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    ]
    if not certificates:
        raise BadInput("The provider names no certificate to check its signatures with.", place="metadata")
    return Described(
        entity_id=str(found[0].get("entityID")),
        sign_on=sign_on_rules.check_address(places[0], laboratory=laboratory, place="metadata"),
        certificates=tuple(dict.fromkeys(_pem(each) for each in certificates)),
    )


def _pem(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise BadInput("A certificate of the provider cannot be read.", place="metadata") from None
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def our_metadata(ours: str, place: str) -> str:
    """Return our metadata, for the provider's administrator: who we are and where answers come."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<md:EntityDescriptor xmlns:md="{_MD[1:-1]}" entityID={quoteattr(ours)}>'
        f'<md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" '
        f'protocolSupportEnumeration="{_P[1:-1]}">'
        f'<md:AssertionConsumerService Binding="{_POST}" Location={quoteattr(place)} index="0" isDefault="true"/>'
        "</md:SPSSODescriptor></md:EntityDescriptor>\n"
    )
