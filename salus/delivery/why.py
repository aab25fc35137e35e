"""Says in sentences why a message is protected as it is: who asked for what, what holds, what was reached."""

from __future__ import annotations

from collections.abc import Iterable

from salus.delivery.contracts import Receipt, State
from salus.delivery.plainly import plain_reason
from salus.delivery.rules import IN_PORTAL
from salus.kernel.vocabulary import Protection
from salus.safeguards.contracts import Asked, By

_LEVELS = {
    Protection.NAMED: "TLS to a mail host whose certificate is for its name",
    Protection.VERIFIED: "TLS to a mail host that the recipient's domain itself vouches for",
    Protection.KEY: "encryption to the reader's own key",
    Protection.PORTAL: "the portal, where the reader signs in",
}


def protected_so(found: Receipt) -> Iterable[str]:
    """Yield the reasons for a message's protection, from the law to what became of it."""
    classes = ", ".join(word.replace("_", " ") for word in found.disclosed) or "nothing about the person"
    if found.law:
        yield f"The law asks for at least {_level(found.law)}: the message discloses {classes}."
    else:
        yield f"The message discloses {classes}."
    yield from map(_asked, found.asked)
    if found.floor:
        strictest = "The strictest holds" if found.asked else "So it needs at least this"
        yield f"{strictest}: {_level(found.floor)}."
    yield _became(found)


def _asked(each: Asked) -> str:
    level = _LEVELS[each.level]
    match each.by:
        case By.POLICY:
            return f"The rule “{each.name}” of your protection policy asks for at least {level}."
        case By.MARK:
            return f"The mark [{each.name}] in the subject asks for at least {level}."
        case By.PERSON:
            return f"The person asked for at least {level}."


def _became(found: Receipt) -> str:
    if found.state is State.REFUSED:
        return "It may not be sent at all, so nothing left."
    if found.state in IN_PORTAL:
        reason = plain_reason(found.reason)
        return f"It is in the portal: {_small(reason)}." if reason else "It is in the portal."
    if found.state is State.DEFERRED and found.relay:
        return (
            f"Its destination refuses our mail for a while, and it does not go by your relay {found.relay['name']}: "
            f"{_small(plain_reason(found.reason))}. So it waits, and is asked about again."
        )
    if found.reached:
        facts = ", ".join(
            str(found.tls[name]) for name in ("version", "cipher", "host") if found.tls.get(name)
        )
        by = (
            f" It went by your relay {found.relay['name']}, because its destination refused our mail for a while."
            if found.relay
            else ""
        )
        return f"It reached {_level(found.reached)}{f' ({facts})' if facts else ''}.{by}"
    return "It has not been handed over."


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _level(name: str) -> str:
    return _LEVELS[Protection[name.upper()]]
