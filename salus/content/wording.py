"""Says dates, numbers and lists in words, in the two languages of the messages. No locale, no clock."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime

_MONTHS = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "es": (
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
}
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_YES_NO = {"en": ("yes", "no"), "es": ("sí", "no")}
_DROPPED = frozenset({"Cc", "Cs", "Co"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def clean(value: object) -> str:
    """Return `value` as one line of text: no control, private or direction-changing signs."""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if char in "\n\r\t" else char
        for char in text
        if char in "\n\r\t" or (char not in _TURNING and unicodedata.category(char) not in _DROPPED)
    )


def day(value: date, language: str) -> str:
    """Return a day in words: "March 3, 2026", "3 de marzo de 2026"."""
    month = _MONTHS[language][value.month - 1]
    if language == "es":
        return f"{value.day} de {month} de {value.year}"
    return f"{month} {value.day}, {value.year}"


def moment(value: datetime, language: str) -> str:
    """Return a moment in words, in the zone it is given in: "Tuesday, March 3, 2026 at 2:30 PM"."""
    weekday = _DAYS[language][value.weekday()]
    hour, half = value.hour % 12 or 12, "AM" if value.hour < 12 else "PM"
    if language == "es":
        suffix = "a. m." if half == "AM" else "p. m."
        article = "la" if hour == 1 else "las"
        return f"{weekday} {day(value, language)} a {article} {hour}:{value.minute:02d} {suffix}"
    return f"{weekday}, {day(value, language)} at {hour}:{value.minute:02d} {half}"


def when(text: str, language: str) -> str:
    """Return an ISO date or moment in words, or the text itself (cleaned) if it is neither."""
    try:
        if len(text) == 10:
            return day(date.fromisoformat(text), language)
        return moment(datetime.fromisoformat(text), language)
    except ValueError:
        return clean(text)


def number(value: float, language: str) -> str:
    """Return a number as people in the United States write it, in both languages: "1,250", "8.2"."""
    del language
    if isinstance(value, bool):
        raise TypeError("A truth value is not a number")
    if isinstance(value, int) or value.is_integer():
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    whole, _, rest = f"{value:.4f}".rstrip("0").partition(".")
    return f"{int(whole):,}.{rest}" if abs(value) >= 10_000 else f"{whole}.{rest}"


def yes_no(value: bool, language: str) -> str:
    """Return "yes" or "no" in the language."""
    return _YES_NO[language][0 if value else 1]


def listed(words: Sequence[str], language: str) -> str:
    """Return "a, b and c"; in Spanish "y" becomes "e" before the sound of i."""
    if len(words) < 2:
        return "".join(words)
    last = words[-1]
    if language == "es":
        sound = last.casefold()
        joint = (
            "e" if sound.startswith(("i", "í", "hi")) and not sound.startswith(("hie", "ia", "io")) else "y"
        )
    else:
        joint = "and"
    return f"{', '.join(words[:-1])} {joint} {last}"


def age_on(birth: str, at: date) -> int | None:
    """Return the age in whole years on the day `at`; None if the birth date cannot be read.

    Who is born on February 29 is a year older on March 1 of common years.
    """
    try:
        born = date.fromisoformat(birth[:10])
    except ValueError:
        return None
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return years if years >= 0 else None
