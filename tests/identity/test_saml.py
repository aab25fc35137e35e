"""What a forged, wrapped, foreign or old SAML answer comes to: nobody in. The assertions are real, signed by signxml."""

from __future__ import annotations

import base64
import copy
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from salus.identity import saml
from salus.identity.saml import Partner
from salus.identity.sign_on_rules import Refusal, Refused
from salus.kernel.errors import BadInput
from tests.identity.idp import certificate

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
US, PLACE, THEM = "https://salus.example/us", "https://salus.example/acs", "https://id.harbor.example"
KEY, CERT = certificate()
STRANGER_KEY, STRANGER_CERT = certificate()
PARTNER = Partner(THEM, THEM + "/sso", (CERT,), US, PLACE, "groups")
A, P = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{urn:oasis:names:tc:SAML:2.0:protocol}"
FACTS = {
    "issuer": THEM, "audience": US, "recipient": PLACE, "request": "_r1", "subject": "u-1", "group": "nurses",
    "begins": NOW - timedelta(seconds=5), "ends": NOW + timedelta(minutes=5), "id": "_a1", "method": "bearer",
    "email": "nadia@cedar-row.example",
}  # fmt: skip


def assertion(**changes: Any) -> etree._Element:
    f = {**FACTS, **changes}
    return etree.fromstring(
        f"""<saml:Assertion xmlns:saml="{A[1:-1]}" ID="{f["id"]}" Version="2.0" IssueInstant="{NOW.isoformat()}">
<saml:Issuer>{f["issuer"]}</saml:Issuer><saml:Subject><saml:NameID>{f["subject"]}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:{f["method"]}"><saml:SubjectConfirmationData
 InResponseTo="{f["request"]}" Recipient="{f["recipient"]}" NotOnOrAfter="{f["ends"].isoformat()}"/>
</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{f["begins"].isoformat()}"
 NotOnOrAfter="{f["ends"].isoformat()}"><saml:AudienceRestriction><saml:Audience>{f["audience"]}</saml:Audience>
</saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{NOW.isoformat()}"><saml:AuthnContext>
<saml:AuthnContextClassRef>mfa</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>{f["email"]}</saml:AttributeValue>
</saml:Attribute><saml:Attribute Name="groups"><saml:AttributeValue>{f["group"]}</saml:AttributeValue></saml:Attribute>
</saml:AttributeStatement></saml:Assertion>"""
    )


def response(*inside: etree._Element, **changes: str) -> etree._Element:
    f = {"id": "_p1", "request": "_r1", "place": PLACE, "status": "Success", "issuer": THEM, **changes}
    root = etree.fromstring(
        f"""<samlp:Response xmlns:samlp="{P[1:-1]}" xmlns:saml="{A[1:-1]}" ID="{f["id"]}" Version="2.0"
 InResponseTo="{f["request"]}" Destination="{f["place"]}"><saml:Issuer>{f["issuer"]}</saml:Issuer><samlp:Status>
<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{f["status"]}"/></samlp:Status></samlp:Response>"""
    )
    root.extend(inside)
    return root


def signed(element: etree._Element, key: str = KEY, cert: str = CERT, **options: Any) -> etree._Element:
    signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#", **options)
    return signer.sign(element, key=key, cert=cert, reference_uri=element.get("ID"), id_attribute="ID")


def read(root: etree._Element | bytes, partner: Partner = PARTNER) -> saml.Answer:
    text = root if isinstance(root, bytes) else etree.tostring(root)
    return saml.read(partner, base64.b64encode(text).decode(), "_r1", NOW)


def refusal(root: etree._Element | bytes, partner: Partner = PARTNER) -> Refusal:
    with pytest.raises(Refused) as refused:
        read(root, partner)
    return refused.value.reason


@pytest.mark.parametrize(
    "root",
    [response(signed(assertion())), signed(response(assertion())), signed(response(signed(assertion())))],
)
def test_a_signed_assertion_or_response_says_who_it_is(root: etree._Element) -> None:
    said = read(root).said
    assert (said.subject, said.email) == ("u-1", "nadia@cedar-row.example")
    assert (set(said.groups), set(said.strength)) == ({"nurses"}, {"mfa"})


def test_both_keys_of_a_provider_that_changes_them_are_good() -> None:
    both = Partner(THEM, THEM, (STRANGER_CERT, CERT), US, PLACE, "groups")
    assert read(response(signed(assertion())), both).id == "_a1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://id.evil.example"}, Refusal.ISSUER),
        ({"audience": "https://another.example"}, Refusal.AUDIENCE),
        ({"recipient": "https://another.example/acs"}, Refusal.PLACE),
        ({"request": "_another"}, Refusal.REQUEST),
        ({"ends": NOW - timedelta(seconds=61)}, Refusal.EXPIRED),
        ({"begins": NOW + timedelta(seconds=61)}, Refusal.TOO_EARLY),
        ({"method": "holder-of-key"}, Refusal.SUBJECT),
        ({"subject": ""}, Refusal.SUBJECT),
        ({"subject": "x" * 256}, Refusal.SUBJECT),
    ],
)
def test_an_assertion_that_is_not_for_us_or_not_of_now_is_refused(
    changes: dict[str, Any], reason: Refusal
) -> None:
    assert refusal(response(signed(assertion(**changes)))) is reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "AuthnFailed"}, Refusal.PROVIDER_SAYS_NO),
        ({"request": "_another"}, Refusal.REQUEST),
        ({"place": "https://another.example/acs"}, Refusal.PLACE),
        ({"issuer": "https://id.evil.example"}, Refusal.ISSUER),
    ],
)
def test_a_response_that_is_not_ours_is_refused(changes: dict[str, str], reason: Refusal) -> None:
    assert refusal(response(signed(assertion()), **changes)) is reason


def test_what_nobody_or_a_stranger_signed_is_refused() -> None:
    assert refusal(response(assertion())) is Refusal.SIGNATURE
    assert refusal(response(signed(assertion(), STRANGER_KEY, STRANGER_CERT))) is Refusal.SIGNATURE
    changed = response(signed(assertion()))
    changed.find(f".//{A}NameID").text = "u-2"
    assert refusal(changed) is Refusal.SIGNATURE


def test_an_old_digest_is_refused() -> None:
    class Old(XMLSigner):
        def check_deprecated_methods(self) -> None:
            """Sign as of old."""

    old = Old(
        signature_algorithm=SignatureMethod.RSA_SHA1,
        digest_algorithm=DigestAlgorithm.SHA1,
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    ).sign(assertion(), key=KEY, cert=CERT, reference_uri="_a1", id_attribute="ID")
    assert refusal(response(old)) is Refusal.SIGNATURE


def beside(real: etree._Element, evil: etree._Element) -> etree._Element:
    return response(evil, real)


def after(real: etree._Element, evil: etree._Element) -> etree._Element:
    return response(real, evil)


def in_the_signature(real: etree._Element, evil: etree._Element) -> etree._Element:
    """Let the evil one carry the real one's signature, with the real one inside it as an object."""
    signature = real.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    carried = copy.deepcopy(signature)
    real.remove(signature)
    kept = etree.SubElement(carried, "{http://www.w3.org/2000/09/xmldsig#}Object")
    kept.append(real)
    evil.insert(1, carried)
    return response(evil)


def inside(real: etree._Element, evil: etree._Element) -> etree._Element:
    """Put the real one into the evil one, and the real one's signature on top."""
    evil.insert(1, copy.deepcopy(real.find("{http://www.w3.org/2000/09/xmldsig#}Signature")))
    evil.append(real)
    return response(evil)


def in_extensions(real: etree._Element, evil: etree._Element) -> etree._Element:
    root = response(evil)
    etree.SubElement(root, f"{P}Extensions").append(real)
    return root


def in_a_response(real: etree._Element, evil: etree._Element) -> etree._Element:
    """Let an outer response carry the signature of an inner one that is whole."""
    inner = signed(response(real))
    outer = response(evil, id="_p2")
    outer.insert(1, copy.deepcopy(inner.find("{http://www.w3.org/2000/09/xmldsig#}Signature")))
    etree.SubElement(outer, f"{P}Extensions").append(inner)
    return outer


WRAPPINGS = [beside, after, in_the_signature, inside, in_extensions, in_a_response]


@pytest.mark.parametrize("evil_id", ["_a1", "_evil"])
@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_wrapping_a_signature_lets_nobody_in_as_somebody_else(
    wrap: Callable[[etree._Element, etree._Element], etree._Element], evil_id: str
) -> None:
    root = wrap(signed(assertion()), assertion(subject="u-chief", group="chiefs", id=evil_id))
    try:
        said = read(root).said
    except Refused:
        return
    assert (said.subject, set(said.groups)) == ("u-1", {"nurses"}), "only what was signed is read"


def test_a_comment_does_not_shorten_a_name() -> None:
    name = "u-1<!-- -->.evil"
    assert read(response(signed(assertion(subject=name)))).said.subject == "u-1.evil"


def test_two_addresses_are_none() -> None:
    two = "a@cedar-row.example</saml:AttributeValue><saml:AttributeValue>b@cedar-row.example"
    assert read(response(signed(assertion(email=two)))).said.email == ""


def test_an_encrypted_assertion_is_refused_by_name() -> None:
    root = response()
    etree.SubElement(root, f"{A}EncryptedAssertion")
    assert refusal(root) is Refusal.ENCRYPTED


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no XML",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">]><a/>',
        b"<a>" * 100_000,
    ],
)
def test_what_is_no_answer_is_refused(text: bytes) -> None:
    assert refusal(text) is Refusal.UNREADABLE


def test_what_is_no_base64_or_far_too_long_is_refused() -> None:
    for text in ("%%%", "A" * 600_000):
        with pytest.raises(Refused) as refused:
            saml.read(PARTNER, text, "_r1", NOW)
        assert refused.value.reason is Refusal.UNREADABLE


def test_our_request_is_one_that_a_provider_can_read() -> None:
    query = parse_qs(urlsplit(saml.address(PARTNER, "_r1", NOW)).query)
    root = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
    assert root.get("ID") == "_r1"
    assert root.get("AssertionConsumerServiceURL") == PLACE
    assert root.findtext(f"{A}Issuer") == US
    assert saml.fresh() != saml.fresh()


MD = "urn:oasis:names:tc:SAML:2.0:metadata"


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("", "no identity provider"),
        ("<m:IDPSSODescriptor/>", "no address"),
        ('<m:IDPSSODescriptor><m:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
         'Location="https://id.example/sso"/></m:IDPSSODescriptor>', "no certificate"),
        ('<m:IDPSSODescriptor><m:KeyDescriptor><X509Certificate xmlns="http://www.w3.org/2000/09/xmldsig#">%%%'
         '</X509Certificate></m:KeyDescriptor><m:SingleSignOnService Location="http://id.example/sso" '
         'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"/></m:IDPSSODescriptor>', "https://"),
    ],
)  # fmt: skip
def test_metadata_that_will_not_do_say_what_is_missing(inside: str, what: str) -> None:
    text = f'<m:EntityDescriptor xmlns:m="{MD}" entityID="x">{inside}</m:EntityDescriptor>'
    with pytest.raises(BadInput, match=what):
        saml.described(text.encode(), laboratory=False)


def test_our_metadata_are_XML_that_names_us() -> None:
    root = etree.fromstring(saml.our_metadata(US + "?a&b", PLACE).encode())
    assert root.get("entityID") == US + "?a&b"
