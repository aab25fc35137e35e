"""Invented names, e-mail addresses and phone numbers: none is a word, each can be searched for."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_HEADS = [
    "Brun",
    "Cald",
    "Dorv",
    "Elsw",
    "Farn",
    "Galth",
    "Hest",
    "Irval",
    "Jorv",
    "Kelm",
    "Lund",
    "Marv",
    "Nolth",
    "Orvin",
    "Pelth",
    "Quand",
    "Rosk",
    "Selv",
    "Tarn",
    "Ulv",
    "Vand",
    "Welk",
    "Yorv",
    "Zeld",
    "Bask",
    "Crav",
    "Drem",
    "Frost",
    "Grav",
    "Hulm",
    "Jask",
    "Klav",
    "Lorv",
    "Mels",
    "Nesk",
    "Plav",
    "Rund",
    "Skel",
    "Tolv",
    "Vesk",
]
_MIDDLES = ["a", "e", "i", "o", "u", "ae", "io"]
_WOMEN = [
    "linda",
    "velle",
    "mirath",
    "sindra",
    "wynna",
    "rethia",
    "gretta",
    "lisbeth",
    "narisse",
    "thilda",
    "vanka",
    "dorea",
    "keshna",
    "pellia",
    "runa",
    "shella",
    "tavra",
    "zinde",
    "brithe",
    "cordra",
]
_MEN = [
    "bert",
    "dric",
    "gard",
    "hold",
    "lund",
    "mund",
    "nath",
    "rick",
    "stan",
    "thorn",
    "vald",
    "wick",
    "zander",
    "brok",
    "dorf",
    "fric",
    "kart",
    "mar",
    "trem",
    "vont",
]
_FAMILY = [
    "berg",
    "crest",
    "dale",
    "fjord",
    "gaard",
    "holm",
    "kirk",
    "lund",
    "moor",
    "ness",
    "quist",
    "roth",
    "skov",
    "stad",
    "strand",
    "thwaite",
    "vale",
    "wold",
    "worth",
    "zweig",
    "bruck",
    "grave",
    "marsh",
    "stroem",
    "tarn",
    "vik",
]
_SPANISH = ["ández", "illo", "ovar", "eñas", "uéz", "arro", "onda", "úrez", "iñán", "alda", "erro", "óñez"]

AREA_CODES = {
    "CA": ("209", "213", "310", "323", "408", "415", "510", "530", "559", "619", "626", "650", "707", "714"),
    "TX": ("210", "214", "254", "281", "325", "361", "409", "432", "512", "713", "806", "817", "830", "903"),
    "NY": ("212", "315", "347", "516", "518", "585", "607", "631", "646", "716", "718", "845", "914", "917"),
    "WA": ("206", "253", "360", "425", "509", "564"),
    "IL": ("217", "309", "312", "331", "618", "630", "708", "773", "815", "847"),
    "MA": ("339", "351", "413", "508", "617", "774", "781", "857", "978"),
}
_ANY_AREA = ("702", "775", "203", "860", "303", "720", "503", "541", "480", "602", "305", "407", "813", "904")
_PLAIN = str.maketrans("áéíóúñ", "aeioun")


def given_name(random: Random, *, female: bool) -> str:
    """Return an invented given name of at least seven letters."""
    tails = _WOMEN if female else _MEN
    return random.choice(_HEADS) + random.choice(_MIDDLES) + random.choice(tails)


def family_name(random: Random, *, spanish: bool) -> str:
    """Return an invented family name; some have letters outside ASCII."""
    tails: Sequence[str] = _SPANISH if spanish else _FAMILY
    return random.choice(_HEADS) + random.choice(_MIDDLES[:5]) + random.choice(tails)


def local_part(given: str, family: str, index: int) -> str:
    """Return the part of an e-mail address before the @; different for each person."""
    return f"{given}.{family}".lower().translate(_PLAIN) + f"{index:03d}"


def phone(state: str, index: int) -> str:
    """Return a phone number in an exchange that is not given out, as people write it."""
    areas = AREA_CODES.get(state, _ANY_AREA)
    return f"({areas[index % len(areas)]}) 555-{index // len(areas) % 10000:04d}"
