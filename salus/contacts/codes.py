"""Normal forms of clinical codes, so that one code is spelled one way everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

SYSTEMS = ("icd10", "snomed", "rxnorm", "cvx", "loinc", "cpt")
"""The code systems that a record may name; HCPCS level II codes count as "cpt"."""

SYSTEM_OF_URI: Mapping[str, str] = MappingProxyType(
    {
        "http://hl7.org/fhir/sid/icd-10-cm": "icd10",
        "http://hl7.org/fhir/sid/icd-10": "icd10",
        "urn:oid:2.16.840.1.113883.6.90": "icd10",
        "urn:oid:2.16.840.1.113883.6.3": "icd10",
        "http://snomed.info/sct": "snomed",
        "urn:oid:2.16.840.1.113883.6.96": "snomed",
        "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
        "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
        "http://hl7.org/fhir/sid/cvx": "cvx",
        "urn:oid:2.16.840.1.113883.12.292": "cvx",
        "http://loinc.org": "loinc",
        "urn:oid:2.16.840.1.113883.6.1": "loinc",
        "http://www.ama-assn.org/go/cpt": "cpt",
        "urn:oid:2.16.840.1.113883.6.12": "cpt",
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "cpt",
        "urn:oid:2.16.840.1.113883.6.285": "cpt",
    }
)
"""The URIs by which FHIR names the systems."""

_SHAPES: Mapping[str, re.Pattern[str]] = {
    "icd10": re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
    "snomed": re.compile(r"[1-9][0-9]{5,17}"),
    "rxnorm": re.compile(r"[1-9][0-9]{0,7}"),
    "cvx": re.compile(r"[0-9]{2,3}"),
    "loinc": re.compile(r"[0-9]{1,7}-[0-9]"),
    "cpt": re.compile(r"[0-9A-Z][0-9]{3}[0-9A-Z]"),
}
ICD10_PREFIX = re.compile(r"[A-Z](?:[0-9](?:[0-9A-Z](?:\.?[0-9A-Z]{0,4})?)?)?", re.IGNORECASE)
"""What an ICD-10-CM code or the beginning of one looks like, with or without its dot."""


def icd10(code: str) -> str:
    """Return an ICD-10-CM code or prefix in capitals with its dot ("e119" -> "E11.9")."""
    bare = code.strip().upper().replace(".", "")
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare


@lru_cache(maxsize=16384)
def normal_code(system: str, code: str) -> str | None:
    """Return `code` as it is spelled in `system`, or None when it is no code of that system.

    `system` is one of `SYSTEMS`; another name gives None.
    """
    shape = _SHAPES.get(system)
    if shape is None:
        return None
    if system == "icd10":
        text = icd10(code)
    elif system == "cvx":
        text = code.strip().zfill(2)
    else:
        text = code.strip().upper()
    return text if shape.fullmatch(text) else None
