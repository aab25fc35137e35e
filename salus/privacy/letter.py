"""An accounting as the person reads it: plain text in English or Spanish. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo

from salus.privacy.contracts import Accounting, Ground, Sent, To

LANGUAGES = ("en", "es")

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Who was told about you",
        "period": "From {since} to {until}",
        "none": "Nobody else was told about you in this time.",
        "to": "To",
        "address": "Address",
        "what": "What",
        "why": "Why",
        "unsure": "We tried to send this. We do not know if it arrived.",
        "representative": "Your personal representative",
        "nothing": "That you are in our records",
        "message": "A message about your care or our services",
        "call": "To do a task for us",
        "own": "Messages that we sent to you: {count}. The law does not ask us to list them. You have them yourself.",
        "other": "Others that are not listed: {count}. The law does not ask us to list them. They were for your care, "
        "for bills or our work, or you agreed to them.",
        "law": "45 CFR 164.528",
    },
    "es": {
        "title": "A quién se le dio información sobre usted",
        "period": "Del {since} al {until}",
        "none": "No se le dio información sobre usted a nadie más en este tiempo.",
        "to": "A",
        "address": "Dirección",
        "what": "Qué",
        "why": "Por qué",
        "unsure": "Intentamos enviar esto. No sabemos si llegó.",
        "representative": "Su representante personal",
        "nothing": "Que usted está en nuestros registros",
        "message": "Un mensaje sobre su atención o nuestros servicios",
        "call": "Para hacer una tarea por nosotros",
        "own": "Mensajes que le enviamos a usted: {count}. La ley no nos pide hacer una lista. Usted los tiene.",
        "other": "Otros que no aparecen: {count}. La ley no nos pide hacer una lista. Fueron para su atención, "
        "para cobros o nuestro trabajo, o usted estuvo de acuerdo.",
        "law": "45 CFR 164.528",
    },
}  # fmt: skip


def letter(found: Accounting, language: str, zone: tzinfo) -> str:
    """Return an accounting as text with line ends; days are those of `zone`. Plaintext PHI."""
    return "\n".join(_lines(found, _WORDS[language], zone)) + "\n"


def _lines(found: Accounting, words: Mapping[str, str], zone: tzinfo) -> Iterator[str]:
    yield words["title"]
    yield words["period"].format(since=_day(found.since, zone), until=_day(found.until, zone))
    yield ""
    made: list[tuple[datetime, list[str]]] = []
    for one in found.told:
        facts = one.facts
        told = (facts.recipient, facts.address, facts.what, facts.purpose)
        made.append((facts.at, [each.reveal() for each in told]))
    made += [(each.at, _sent(each, words)) for each in found.sent]
    for at, (to, address, what, why) in sorted(made, key=lambda each: each[0]):
        yield _day(at, zone)
        for label, text in (("to", to), ("address", address), ("what", what), ("why", why)):
            if text:
                yield f"  {words[label]}: {' '.join(text.split())}"
        yield ""
    if not made:
        yield words["none"]
        yield ""
    own = found.exempt.get(Ground.TO_THE_PERSON, 0)
    others = sum(found.exempt.values()) - own
    for key, count in (("own", own), ("other", others)):
        if count:
            yield f"{words[key].format(count=count)} ({words['law']})"


def _sent(one: Sent, words: Mapping[str, str]) -> list[str]:
    to = words["representative"] if one.to is To.REPRESENTATIVE else one.name.reveal()
    what = ", ".join(each.replace("_", " ") for each in one.what) or words["nothing"]
    why = words["message"] if one.to is To.REPRESENTATIVE else words["call"]
    return [to, one.address, what, why if one.sure else f"{why}. {words['unsure']}"]


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()
