"""Codes of places and languages: USPS states, ISO 3166 countries, BCP 47 languages, IANA time zones."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

_STATE_NAMES = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|"
    "KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|"
    "MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|"
    "NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|"
    "PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|"
    "VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming|AS American Samoa|"
    "GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI U.S. Virgin Islands|AA Armed Forces Americas|"
    "AE Armed Forces Europe|AP Armed Forces Pacific"
)
STATES = {entry[:2]: entry[3:] for entry in _STATE_NAMES.split("|")}
"""USPS code -> name, territories and military post included."""

_STATE_OF = {name.lower(): code for code, name in STATES.items()} | {code.lower(): code for code in STATES}

_COUNTRY_WORDS = {
    "usa": "US",
    "united states": "US",
    "united states of america": "US",
    "u.s.": "US",
    "u.s.a.": "US",
    "estados unidos": "US",
    "can": "CA",
    "canada": "CA",
    "mex": "MX",
    "mexico": "MX",
    "méxico": "MX",
    "gbr": "GB",
    "uk": "GB",
    "united kingdom": "GB",
    "pri": "PR",
    "deu": "DE",
    "germany": "DE",
}
_COUNTRY = re.compile(r"[A-Za-z]{2}")

LANGUAGES = {
    "en": ("English", "inglés"),
    "es": ("Spanish", "español"),
    "zh": ("Chinese", "chino"),
    "vi": ("Vietnamese", "vietnamita"),
    "tl": ("Tagalog", "tagalo"),
    "ko": ("Korean", "coreano"),
    "ar": ("Arabic", "árabe"),
    "fr": ("French", "francés"),
    "ht": ("Haitian Creole", "criollo haitiano"),
    "pt": ("Portuguese", "portugués"),
    "ru": ("Russian", "ruso"),
    "de": ("German", "alemán"),
    "hi": ("Hindi", "hindi"),
    "pl": ("Polish", "polaco"),
    "it": ("Italian", "italiano"),
    "ja": ("Japanese", "japonés"),
    "fa": ("Persian", "persa"),
    "ur": ("Urdu", "urdu"),
    "so": ("Somali", "somalí"),
    "am": ("Amharic", "amárico"),
    "hmn": ("Hmong", "hmong"),
    "ase": ("American Sign Language", "lengua de señas americana"),
}
"""Languages with a label; any other BCP 47 primary subtag is accepted too."""

_LANGUAGE_OF = {label.lower(): code for code, pair in LANGUAGES.items() for label in pair} | {
    "eng": "en",
    "spa": "es",
    "castellano": "es",
}
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")

_ONE_ZONE = {
    "America/New_York": "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL LA MN MO MS OK WI",
    "America/Denver": "CO MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV WA",
    "Pacific/Honolulu": "HI",
    "America/Puerto_Rico": "PR VI",
    "Pacific/Guam": "GU MP",
    "Pacific/Pago_Pago": "AS",
}
_ZONE_OF_STATE = {state: zone for zone, states in _ONE_ZONE.items() for state in states.split()}


def state_code(text: str) -> str | None:
    """Return the USPS code that `text` (code or English name) means, or None."""
    return _STATE_OF.get(text.strip().lower())


def country_code(text: str) -> str | None:
    """Return the ISO 3166 alpha-2 code that `text` means, or None."""
    word = text.strip()
    known = _COUNTRY_WORDS.get(word.lower())
    if known:
        return known
    return word.upper() if _COUNTRY.fullmatch(word) else None


def language_code(text: str) -> str | None:
    """Return the BCP 47 primary subtag that `text` ("es-MX", "Spanish") means, or None."""
    word = text.strip()
    named = _LANGUAGE_OF.get(word.lower())
    if named:
        return named
    match = _LANGUAGE_TAG.fullmatch(word)
    return match.group(1).lower() if match else None


_zones: frozenset[str] = frozenset()


def time_zone(text: str) -> str | None:
    """Return `text` when it is the name of an IANA time zone, else None."""
    global _zones
    _zones = _zones or frozenset(available_timezones())
    word = text.strip()
    return word if word in _zones else None


def zone_of_state(state: str) -> str | None:
    """Return the time zone of a state that (practically) lies in one, else None: never guess."""
    return _ZONE_OF_STATE.get(state)
