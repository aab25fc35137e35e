"""Verifies what others signed, JSON (JWS) and XML (XML-DSig); it holds no key of ours and seals nothing (ADR 0107)."""

from __future__ import annotations

import base64
import binascii
import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from salus.identity.sign_on_rules import Refusal, Refused
from salus.kernel.errors import BadInput

JWS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key whose other half we do not have: "none" and shared secrets are not among them."""
LONGEST = 512 * 1024
"""Octets of what a provider sends us through the browser."""
_DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
_M, _D = SignatureMethod, DigestAlgorithm
_CONFIG = SignatureConfiguration(
    location="./",
    expect_references=1,
    signature_methods=frozenset(
        {_M.RSA_SHA256, _M.RSA_SHA384, _M.RSA_SHA512, _M.ECDSA_SHA256, _M.ECDSA_SHA384, _M.ECDSA_SHA512}
    ),
    digest_algorithms=frozenset({_D.SHA256, _D.SHA384, _D.SHA512}),
    default_reference_c14n_method=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ignore_ambiguous_key_info=True,
)


class UnknownKey(Exception):
    """No key of the set fits: the provider may have rotated."""


def verified_claims(token: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a JWS that a key of the set signed; raises `UnknownKey`, `Refused`.

    Only the signature is looked at. The algorithm must fit the key, so that a public key is never taken for
    a shared secret.
    """
    if len(token) > LONGEST:
        raise Refused(Refusal.UNREADABLE)
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in JWS or "crit" in header:
            raise Refused(Refusal.SIGNATURE)
        fitting = [key for key in _keys(jwks) if _fits(key, header)]
        if not fitting:
            raise UnknownKey
        for key in fitting:
            try:
                decoded = jwt.api_jws.decode_complete(token, key.key, algorithms=[header["alg"]])
            except (jwt.InvalidSignatureError, jwt.InvalidKeyError, TypeError, ValueError):
                continue
            claims = json.loads(decoded["payload"])
            if isinstance(claims, dict):
                return claims
            raise Refused(Refusal.UNREADABLE)
    except (jwt.PyJWTError, ValueError) as wrong:
        raise Refused(Refusal.UNREADABLE) from wrong
    raise Refused(Refusal.SIGNATURE)


def _keys(jwks: Mapping[str, Any]) -> list[jwt.PyJWK]:
    found = []
    for each in jwks.get("keys", ()):
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") == "oct":
            continue
        try:
            found.append(jwt.PyJWK(each))
        except jwt.PyJWTError:  # a kind of key that we do not know: others of the set may do
            continue
    return found


def _fits(key: jwt.PyJWK, header: Mapping[str, Any]) -> bool:
    if header.get("kid") is not None and key.key_id != header["kid"]:
        return False
    kinds = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    return kinds[header["alg"][:2]] == key.key_type


def parsed(text: bytes) -> etree._Element:
    """Return the root of XML from outside: no document type, no entity, nothing fetched. Raises `BadInput`."""
    if len(text) > LONGEST:
        raise BadInput("This is longer than such a document can be.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BadInput("This is no XML.") from None
    if root.getroottree().docinfo.doctype:
        raise BadInput("XML from outside may not declare a document type.")
    return root


def signed_part(element: etree._Element, certificates: Sequence[str]) -> etree._Element | None:
    """Return what one of the certificates (PEM) really signed of `element`, None when it has no signature.

    What comes back is built anew from the octets that were signed: whatever was wrapped around, or put
    beside, is not in it. It must be all of `element`. Raises `Refused`.
    """
    if element.find(f"{_DSIG}Signature") is None:
        return None
    alone = copy.deepcopy(element)
    for certificate in certificates:
        try:
            found = XMLVerifier().verify(
                alone, x509_cert=certificate, id_attribute="ID", expect_config=_CONFIG, validate_schema=True
            )
        except (SignXMLException, etree.LxmlError, ValueError, TypeError, KeyError, binascii.Error):
            continue
        signed = None if isinstance(found, list) else found.signed_xml
        if signed is not None and signed.tag == element.tag and signed.get("ID") == element.get("ID"):
            return signed
    raise Refused(Refusal.SIGNATURE)


def decoded(text: str) -> bytes:
    """Return what is in base64, spaces and line ends between allowed; raises `Refused`."""
    if len(text) > LONGEST:
        raise Refused(Refusal.UNREADABLE)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(Refusal.UNREADABLE) from None
