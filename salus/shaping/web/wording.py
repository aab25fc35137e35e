"""How measures, limits and days of warming up are said on pages and at the terminal."""

from __future__ import annotations

from salus.shaping.contracts import Act, Limits, Measure, Volume, Whose

NAMES = {
    "google": "Google",
    "microsoft": "Microsoft",
    "yahoo": "Yahoo",
    "apple": "Apple",
    "gmx": "GMX, web.de, mail.com",
    "other": "All others",
}


def destination(name: str) -> str:
    """Return what people call a destination; a host stays as it is."""
    return NAMES.get(name, name if "." in name else name.capitalize())


def what(measure: Measure) -> str:
    """Return what a measure does, in words."""
    if measure.act is Act.SUSPEND:
        return "Nothing goes there"
    if measure.relay:
        return f"Mail goes by your relay {measure.relay}"
    if measure.act is Act.SWITCH:
        return f"Mail leaves from the pool {measure.to}"
    parts = []
    if measure.messages:
        parts.append(f"at most {measure.messages.count:,} a {_UNITS[int(measure.messages.seconds)]}")
    if measure.connections:
        parts.append(f"{measure.connections} connection{'s' if measure.connections > 1 else ''} at once")
    return ", ".join(parts).capitalize()


_UNITS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


def whose(measure: Measure) -> str:
    """Return whose mail it is for."""
    return "all organizations here" if measure.whose is Whose.EVERYBODY else "your mail"


def gets(limits: Limits) -> str:
    """Return the limits of a destination in words."""
    parts = [
        f"up to {limits.connections} connections",
        f"{limits.messages_per_connection:,} messages in each",
    ]
    for rate, of in ((limits.message_rate, "messages"), (limits.connection_rate, "new connections")):
        if rate:
            parts.append(f"{rate.count:,} {of} a {_UNITS[int(rate.seconds)]}")
    return ", ".join(parts)


def today(volume: Volume) -> str:
    """Return how far a day's volume is."""
    return "warm" if volume.most is None else f"{volume.used:,} of {volume.most:,}"
