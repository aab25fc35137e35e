"""Which codes and words belong to a specially protected category: the data, and three questions.

`law.md` 1.3: S2 substance use (42 CFR Part 2), S3 HIV, S4 reproductive, S5 genetic, S7 mental health.
Codes cannot name every product or local service, so words in a record's text count as well. Both
lists lean to the strict side: what is marked too much goes to the portal, what is missed leaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from salus.contacts.contracts import AttributeType
from salus.contacts.dictionary import DICTIONARY
from salus.contacts.special_words import WORDS
from salus.contacts.value_sets import CodePatterns, patterns
from salus.kernel.vocabulary import Special

STRICTEST_FIRST = (
    Special.PSYCHOTHERAPY_NOTES,
    Special.PART2_SUD,
    Special.HIV,
    Special.REPRODUCTIVE,
    Special.GENETIC,
    Special.MENTAL_HEALTH,
    Special.SENSITIVE_DEMOGRAPHIC,
)
"""When one answer is wanted and several apply, the first of these is given."""

_ICD10: Mapping[Special, str] = {
    # F17 (tobacco) is not here: 42 CFR 2.11 leaves tobacco and caffeine out of "substance use disorder".
    Special.PART2_SUD: (
        "F10 F11 F12 F13 F14 F15 F16 F18 F19 K70 K29.2 K85.2 K86.0 I42.6 G31.2 G62.1 G72.1 E24.4 Z71.4 Z71.5 "
        "O99.31 O99.32 T40.0 T40.1 T40.2 T40.3 T40.4 T40.5 T40.6 T40.7 T40.8 T40.9 R78.0 R78.1 R78.2 R78.3 "
        "Y90 Z81.1 Z81.3 Z81.4 P04.4 P96.1"
    ),
    Special.HIV: "B20 Z21 B97.35 O98.7 R75 Z11.4 Z20.6 Z71.7 Z83.0 D84.821",
    Special.REPRODUCTIVE: (
        "O Z30 Z31 Z32 Z33 Z34 Z36 Z37 Z39 Z3A Z64.0 Z64.1 Z79.3 Z97.5 Z98.51 Z98.52 N46 N96 N97 Z87.42 Z87.59"
    ),
    Special.GENETIC: "Z13.7 Z14 Z15 Z31.43 Z31.44 Z84.81 Q90 Q91 Q92 Q93 Q95 Q96 Q97 Q98 Q99",
    Special.MENTAL_HEALTH: (
        "F01 F02 F03 F04 F05 F06 F07 F09 F2 F3 F4 F5 F6 F7 F8 F9 R45.85 R45.88 T14.91 X71 X72 X73 X74 X75 X76 "
        "X77 X78 X79 X80 X81 X82 X83 Z91.5 Z13.3 Z81.8 O90.6 O99.34 Z86.5"
    ),
}
_EXACT: Mapping[Special, str] = {
    Special.PART2_SUD: (
        "66214007 7200002 66590003 15167005 26416006 191816009 75544000 5602001 6525002 361055000 55680006 "
        "10939881000119105 110281001 "  # SNOMED CT
        "1819 6813 7243 3554 82819 "  # RxNorm ingredients: buprenorphine, methadone, naltrexone...
        "H0001 H0004 H0005 H0010 H0015 H0020 80305 80306 80307"
    ),
    Special.HIV: (
        "86406008 62479008 165816005 91947003 40780007 79019005 31676001 171121004 "
        "75622-1 56888-1 7918-6 20447-9 25836-8 48345-3 68961-2 5221-7 24467-3 "
        "86701 86702 86703 87389 87390 87391 87535 87536 G0432 G0433 G0435 G0475 80387"
    ),
    Special.REPRODUCTIVE: (
        "77386006 72892002 47200007 237238006 199246003 19169002 156073000 398254007 35999006 79586000 198992004 "
        "11466000 177157003 236974004 66348005 65200003 68254000 169553002 301807007 287664005 22523008 386639001 "
        "386394001 10383002 424441002 424619006 169762003 183460006 225158009 274804006 169230002 252160004 "
        "275833003 271442007 2106-3 2118-8 21198-7 55250 58300 58301 11981 11982 11983 58600 58605 58611 58615 "
        "58661 58670 58671 S0190 S0191 S0199 81025 84702 84703 58970 58974 58976"
    ),
    Special.GENETIC: (
        "412734009 412738007 412739004 315058005 443529005 55233-1 51968-6 96040 96041 S0265 88245 88248 88261 "
        "88262 88263 88267 88269 88271"
    ),
    Special.MENTAL_HEALTH: (
        "35489007 370143000 36923009 66344007 78667006 48694002 197480006 21897009 371631005 13746004 58214004 "
        "47505003 191736004 406506008 225444004 6471006 82313006 72366004 56882008 78004001 35919005 408856003 "
        "75516001 44261-6 55758-7 70274-6 73831-0 96130 96131 96136"
    ),
}
_CPT_PREFIX: Mapping[Special, tuple[str, ...]] = {
    Special.REPRODUCTIVE: ("590", "591", "592", "593", "594", "595", "596", "597", "598", "768"),
    Special.GENETIC: ("811", "812", "813", "814", "815"),
    Special.MENTAL_HEALTH: ("908",),
}
"""Sections of CPT: maternity care, obstetric ultrasound, molecular pathology, psychiatry."""

_NOT_768 = frozenset(
    {"76830", "76831", "76856", "76857", "76870", "76872", "76873", "76881", "76882", "76883"}
)

_CODED = {AttributeType.RECORDS, AttributeType.CODES}
_DOTTED: Mapping[Special, CodePatterns] = {
    special: CodePatterns(frozenset(_EXACT[special].split()), tuple(_ICD10[special].split()))
    for special in _ICD10
}
_WORDS = {special: re.compile("|".join(words), re.IGNORECASE) for special, words in WORDS.items()}


_SCREENING = re.compile(r"\bscreening\b|\bassessment\b|\btest - consumption\b", re.IGNORECASE)
_SCREENED = frozenset({Special.PART2_SUD, Special.MENTAL_HEALTH})
"""Primary care asks everybody about mood, drink and drugs: having been asked tells nothing. (An HIV
test and a prenatal screening do tell.)"""


def _in_cpt_section(special: Special, code: str) -> bool:
    prefixes = _CPT_PREFIX.get(special)
    if not prefixes or len(code) != 5 or code in _NOT_768:
        return False
    return code[:4].isdigit() and code.startswith(prefixes)


@lru_cache(maxsize=16384)
def specials_of_code(system: str, code: str) -> frozenset[Special]:
    """Return the categories that one record's code belongs to; an empty `system` tries them all."""
    found = set()
    for special, known in _DOTTED.items():
        prefixed = system in {"icd10", ""} and code.startswith(known.prefixes)
        in_section = system in {"cpt", ""} and _in_cpt_section(special, code)
        if code in known.exact or prefixed or in_section:
            found.add(special)
    return frozenset(found)


@lru_cache(maxsize=4096)
def specials_of_text(text: str) -> frozenset[Special]:
    """Return the categories that words in `text` tell of ("Prenatal visit", "Suboxone 8 MG")."""
    found = {special for special, words in _WORDS.items() if words.search(text)}
    if found & _SCREENED and _SCREENING.search(text):
        found -= _SCREENED
    return frozenset(found)


@lru_cache(maxsize=4096)
def specials_asked(field: str, asked: str | None) -> frozenset[Special]:
    """Return the categories that a question for `asked` in `field` can reveal.

    `asked` is a code, an ICD-10 prefix, a value set ("vs:hiv"), or None: any code, so every category.
    """
    attribute = DICTIONARY.get(field)
    own = {attribute.special} if attribute is not None and attribute.special is not None else set()
    if attribute is None or attribute.type not in _CODED or own:
        return frozenset(own)
    if asked is None:
        return frozenset(_DOTTED)
    wanted = patterns(asked)
    found = {s for code in wanted.exact for s in specials_of_code("", code)}
    for prefix in wanted.prefixes:
        for special, known in _DOTTED.items():
            # A short prefix ("F") reveals what stands below it, a long one ("F11.20") what it stands below.
            below = any(one.startswith(prefix) for one in known.prefixes)
            if below or prefix.startswith(known.prefixes):
                found.add(special)
    if attribute.type is AttributeType.CODES:
        found |= specials_of_text(asked.replace("_", " "))
    return frozenset(found)


def strictest(found: Iterable[Special]) -> Special | None:
    """Return the one of `found` that law protects most, or None."""
    present = set(found)
    return next((special for special in STRICTEST_FIRST if special in present), None)


def special_of(field: str, system: str, code: str | None) -> Special | None:
    """Return the strictest special category that `code` in `field` reveals, or None.

    `system` narrows a record's code; leave it empty for a code, prefix or value set that is asked for.
    """
    attribute = DICTIONARY.get(field)
    if system and code is not None and attribute is not None and attribute.special is None:
        return strictest(specials_of_code(system, code))
    return strictest(specials_asked(field, code))


def specials_of_record(record: Mapping[str, Any]) -> frozenset[Special]:
    """Return the categories that one dated record reveals by its code or its words."""
    by_code = (
        specials_of_code(record.get("system", ""), record["code"]) if record.get("code") else frozenset()
    )
    text = record.get("text")
    return by_code | specials_of_text(text) if text else by_code


def specials_of(document: Mapping[str, Any]) -> frozenset[Special]:
    """Return the health categories that occur anywhere in a sealed document (S2 to S5, S7).

    Sensitive demographics (S10) are not counted: nearly everyone has some; see `Attribute.special`.
    """
    found: set[Special] = set()
    for key, value in document.items():
        attribute = DICTIONARY.get(key)
        if attribute is None:
            continue
        if attribute.special is Special.REPRODUCTIVE and value:
            found.add(Special.REPRODUCTIVE)
        elif attribute.type is AttributeType.RECORDS:
            for record in value:
                found |= specials_of_record(record)
        elif attribute.type is AttributeType.CODES and attribute.special is None:
            for code in value:
                found |= specials_of_text(code.replace("_", " ")) | specials_of_code("", code)
        elif key in {"department", "physician"}:
            found |= specials_of_text(value)
    return frozenset(found)
