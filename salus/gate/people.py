"""From an opened contact and their standing to the facts that the rules read; nothing is guessed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from salus.contacts.contracts import Address, Opened
from salus.gate import addresses
from salus.gate.contracts import MessageFacts, PersonFacts, Treatment
from salus.gate.rules.codes import Codes
from salus.gate.rules.moment import Moment
from salus.kernel.vocabulary import AddressSource, Channel, Purpose, Relation, Special
from salus.permissions.contracts import Barred, Standing, Suppression

ABOUT_THE_PERSON = ("relation", "birth_date", "deceased_date", "state", "care_state")
WHERE_THEY_ARE = ("time_zone",)
CARE = ("conditions", "encounters", "hospitalizations", "procedures")
"""Where the proof of active treatment is; opened only for a message that names conditions."""
DRUGS = ("medications",)

_VISITS = ("encounters", "hospitalizations")
_OVER = frozenset({"resolved", "inactive", "remission", "refuted", "entered-in-error", "unconfirmed"})
_NOT_HELD = frozenset(
    {"planned", "cancelled", "entered-in-error", "not-done", "preparation", "noshow", "draft"}
)
_STOPPED = frozenset({"stopped", "cancelled", "entered-in-error", "draft", "on-hold"})


EVERY_FIELD = tuple(dict.fromkeys((*ABOUT_THE_PERSON, "email", "phone", *WHERE_THEY_ARE, *CARE, *DRUGS)))
"""All that the gate may ever read of its own accord."""


def fields_of(facts: MessageFacts, any_code_fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields to open for a message: only those that its rules read.

    `any_code_fields` are those that it reads without a code, whose special categories are the
    person's own.
    """
    by_text = facts.channel is Channel.SMS
    drugs = facts.purpose is Purpose.REFILL
    wanted = (
        *ABOUT_THE_PERSON,
        "phone" if by_text else "email",
        *(WHERE_THEY_ARE if by_text else ()),
        *(DRUGS if drugs else CARE if facts.conditions else ()),
        *any_code_fields,
    )
    return tuple(dict.fromkeys(wanted))


@dataclass(frozen=True, slots=True)
class Ports:
    """What the assembly asks of others: codes, blind indexes, categories, the zone of a state."""

    codes: Codes
    blind: Callable[[Channel, str], bytes | None]
    specials: Callable[[Mapping[str, Any]], frozenset[Special]]
    zone_of_state: Callable[[str], str | None]
    barred: Mapping[bytes, Barred] = dataclasses.field(default_factory=dict)
    """Addresses of people who were erased, by blind index."""
    blinds: Callable[[Channel, str], Sequence[bytes]] = lambda channel, value: ()
    """Every blind index under which an address may have been kept, also of keys that retired."""


class Assembler:
    """Assembles the facts of many people for one message."""

    def __init__(
        self, facts: MessageFacts, any_code_fields: tuple[str, ...], ports: Ports, now: Moment
    ) -> None:
        self._facts = facts
        self._fields = any_code_fields
        self._ports = ports
        self._now = now
        self._drugs = facts.purpose is Purpose.REFILL
        self._named: dict[str, bool] = {}

    def facts_of(self, opened: Opened, standing: Standing) -> PersonFacts:
        """Return the facts of one person."""
        values = {name: phi.reveal() for name, phi in opened.values.items()}
        born = _day(values.get("birth_date"))
        states = frozenset(state for state in (values.get("state"), values.get("care_state")) if state)
        minor = born is not None and born > self._now.adult_if_born_by
        address = addresses.choose(opened.addresses, standing, self._facts.channel, minor=minor)
        source = addresses.source_of(address, opened.addresses)
        standing = standing.at_address(self._facts.channel, address.value if address else None)
        standing = self._bar(address, standing)
        any_code = {name: values[name] for name in self._fields if name in values}
        return PersonFacts(
            contact_id=opened.id,
            version=opened.version,
            address=address,
            address_blind=self._blind(address, standing),
            address_source=source,
            relation=_relation(values.get("relation"), source),
            birth_date=born,
            states=states,
            treatments=self._treatments(values) if self._facts.conditions and not self._drugs else (),
            specials=self._ports.specials(any_code) if any_code else frozenset(),
            standing=standing,
            prescriptions=self._prescriptions(values) if self._drugs else (),
            time_zone=self._zone(values, states),
            recorded_deceased="deceased_date" in values,
        )

    def _bar(self, address: Address | None, standing: Standing) -> Standing:
        """Suppress the address of somebody who was erased, unless they asked for messages on it after that."""
        if address is None or not self._ports.barred:
            return standing
        for blind in self._ports.blinds(address.channel, address.value.reveal()):
            found = self._ports.barred.get(blind)
            asked = [one for one in standing.opt_ins if one.channel is address.channel]
            if found is not None and not any(one.at > found.since for one in asked):
                more = Suppression(found.id, address.channel, "erased")
                return replace(standing, suppressions=(*standing.suppressions, more))
        return standing

    def _blind(self, address: Address | None, standing: Standing) -> bytes | None:
        """Blind the address only when there is a suppression to compare it with."""
        if address is None or not any(one.address_blind is not None for one in standing.suppressions):
            return None
        return self._ports.blind(address.channel, address.value.reveal())

    def _zone(self, values: Mapping[str, Any], states: frozenset[str]) -> str:
        if self._facts.channel is not Channel.SMS:
            return ""
        if values.get("time_zone"):
            return str(values["time_zone"])
        home = values.get("state")
        return self._ports.zone_of_state(home) or "" if home and len(states) == 1 else ""

    def _is_named(self, code: str) -> bool:
        known = self._named.get(code)
        if known is None:
            known = self._named[code] = any(
                asked == code or self._ports.codes.covers(asked, code) for asked in self._facts.conditions
            )
        return known

    def _treatments(self, values: Mapping[str, Any]) -> tuple[Treatment, ...]:
        """Return the care that the record proves for the conditions that the message names.

        A condition that is on the record and not over is cared for at every visit, for the sender's
        own record is what it treats by; any other record proves it by its own code.
        """
        visits = [_held(record) for field in _VISITS for record in values.get(field, ())]
        visit = max((day for day in visits if day <= self._now.today), default=date.min)
        found = []
        for record in values.get("conditions", ()):
            code = record.get("code")
            if not code or not self._is_named(code) or record.get("status", "") in _OVER or record.get("end"):
                continue
            last = max(_day(record.get("date")) or date.min, visit)
            if last > date.min:
                found.append(Treatment(code, last))
        for field in (*_VISITS, "procedures"):
            for record in values.get(field, ()):
                code, day = record.get("code"), _held(record)
                if code and day > date.min and self._is_named(code):
                    found.append(Treatment(code, day))
        return tuple(found)

    def _prescriptions(self, values: Mapping[str, Any]) -> tuple[Treatment, ...]:
        """Return drugs with the end of their supply: today for one that has no end and is active."""
        found = []
        for record in values.get("medications", ()):
            code, status = record.get("code"), record.get("status", "")
            if not code or status in _STOPPED:
                continue
            end = _day(record.get("end"))
            if end is None and status in {"", "active"}:
                end = self._now.today
            day = end or _day(record.get("date"))
            if day is not None:
                found.append(Treatment(code, day))
        return tuple(found)


def _held(record: Mapping[str, Any]) -> date:
    """Return when a visit or procedure took place, or the first day of all when it did not."""
    if record.get("status", "") in _NOT_HELD:
        return date.min
    return _day(record.get("date")) or date.min


def _day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


_RELATION_OF_SOURCE = {
    AddressSource.CLINICAL_ENCOUNTER: Relation.PATIENT,
    AddressSource.PLAN_ENROLLMENT: Relation.ENROLLED,
    AddressSource.WEBSITE_SIGNUP: Relation.PROSPECT,
    AddressSource.EVENT_OR_SCREENING: Relation.PROSPECT,
}


def _relation(word: object, source: AddressSource) -> Relation | None:
    """Return what the record says the person is, else what the declared source of the address says."""
    return Relation(word) if isinstance(word, str) else _RELATION_OF_SOURCE.get(source)
