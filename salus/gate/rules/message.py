"""What follows from a message's facts for everybody: its classes, its special categories."""

from __future__ import annotations

from salus.gate.contracts import MessageFacts
from salus.gate.rules.cases import Message
from salus.gate.rules.codes import Codes, covers, is_chronic
from salus.kernel.vocabulary import PhiClass, Purpose, Special


def message_of(facts: MessageFacts, codes: Codes) -> Message:
    """Return the message as rules see it.

    Segment and template are joined (implicit disclosure): who gets a message for people with
    diabetes is told to have diabetes, whatever its text says. A message that names conditions
    discloses a diagnosis (a refill reminder: a medication) even if nothing reads one.
    """
    classes = {read.phi_class for read in facts.reads} | {PhiClass.CONTACT}
    specials = {read.special for read in facts.reads if read.special is not None}
    about = "medications" if facts.purpose is Purpose.REFILL else "conditions"
    if facts.conditions:
        classes.add(PhiClass.MEDICATION if about == "medications" else PhiClass.DIAGNOSIS)
        specials.update(*(codes.specials_of(about, code) for code in facts.conditions))
    for read in facts.reads:
        if read.code is not None:
            specials |= codes.specials_of(read.field, read.code)
    return Message(
        facts,
        frozenset(classes),
        frozenset(specials),
        _names_only_its_conditions(facts, codes),
        bool(facts.conditions) and all(is_chronic(codes, code) for code in facts.conditions),
    )


def _names_only_its_conditions(facts: MessageFacts, codes: Codes) -> bool:
    """Say no when a diagnosis is read without a code: it may be any diagnosis."""
    return bool(facts.conditions) and all(
        read.code is not None and any(covers(codes, named, read.code) for named in facts.conditions)
        for read in facts.reads
        if read.phi_class is PhiClass.DIAGNOSIS
    )


def disclosed(message: Message, specials: frozenset[Special]) -> tuple[str, ...]:
    """Return the sorted PHI classes and special categories that the message discloses."""
    return tuple(sorted({word.value for word in message.classes} | {word.value for word in specials}))
