"""Explains every code the gate uses, in plain English, with its citation and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from salus.gate.contracts import Explained, Reason, RuleView
from salus.gate.rules.elements import SAID
from salus.gate.rules.reasons import REASONS
from salus.gate.rules.rule import Demand, Rule
from salus.gate.rules.rulings import RULINGS
from salus.gate.rules.state_register import NOT_SEND_TIME
from salus.gate.rules.table import RULES
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import Gate

GATES: Mapping[Gate, tuple[str, Reason | None]] = MappingProxyType(
    {
        Gate.OPT_IN: ("The person said yes to this topic on this channel.", Reason.NO_OPT_IN),
        Gate.AUTH: ("The person signed a HIPAA authorization that covers this use.", Reason.NO_AUTHORIZATION),
        Gate.AUTH_REMUN: (
            "The person signed an authorization that says somebody pays for it.",
            Reason.NO_AUTHORIZATION_REMUNERATION,
        ),
        Gate.FUND: ("The person did not ask to be left out of fundraising.", Reason.FUNDRAISING_OPTED_OUT),
        Gate.PART2: ("The patient gave a Part 2 consent for this use.", Reason.NO_PART2_CONSENT),
        Gate.SPECIAL_AUTH: (
            "The person signed an authorization that names the special category.",
            Reason.NO_SPECIAL_AUTHORIZATION,
        ),
        Gate.E_NOTICE: ("The person agreed to electronic notice.", Reason.NO_E_NOTICE),
        Gate.RESTRICTION_OK: ("No agreed restriction covers it.", Reason.RESTRICTED),
        Gate.CONFIDENTIAL_ADDR: ("It goes where the person asked to be reached.", Reason.CONFIDENTIAL_MEANS),
        Gate.SUPPRESSION_OK: ("The address did not bounce or complain.", Reason.SUPPRESSED),
        Gate.NOT_OPTED_OUT: ("The person did not opt out of it.", Reason.OPTED_OUT),
        Gate.WAIVER_ID: ("An IRB or privacy board waived the authorization.", Reason.NO_WAIVER),
        Gate.SAFETY_FLAG: ("Somebody in charge flagged it as a matter of safety.", None),
        Gate.CLINICIAN_SIGN_OFF: ("A clinician signed the recommendation off.", Reason.NO_AUTHORIZATION),
        Gate.COMPLIANCE_APPROVAL: ("Compliance approved it with its purpose.", Reason.NO_COMPLIANCE_APPROVAL),
        Gate.REPRESENTATIVE: (
            "It goes to the minor's representative, or the minor's own lawful address.",
            Reason.MINOR_WITHOUT_REPRESENTATIVE,
        ),
        Gate.BAA_OK: ("The service that carries it is under an agreement.", Reason.SERVICE_OUT_OF_SCOPE),
        Gate.ENCRYPT: ("It is protected on its way.", Reason.NOT_ENCRYPTED),
        Gate.BLOCK: ("Nothing opens this gate.", Reason.BLOCKED_BY_RULE),
    }
)


def explain(code: str) -> Explained:
    """Return what `code` means: a reason, a rule or a row of the law tables, a gate, an element, a ruling.

    Raises `NotFound` for any other.
    """
    word = code.strip()
    for known in (_reason, _rules, _gate, _element, _ruling, _register):
        found = known(word)
        if found is not None:
            return found
    raise NotFound(
        f"The gate has no code {word[:40]!r}: ask for a reason, a rule (D08), a state rule (TX:marketing), a gate or "
        "a ruling (X1)."
    )


def _reason(word: str) -> Explained | None:
    return REASONS[Reason(word)] if word in Reason.__members__.values() else None


def _rules(word: str) -> Explained | None:
    found = [rule for rule in RULES if word.casefold() in {rule.id.casefold(), rule.row.casefold()}]
    if not found:
        return None
    sentences = [rule.sentence if len(found) == 1 else f"{rule.id}: {rule.sentence}" for rule in found]
    steps = dict.fromkeys(
        REASONS[demand.reason].next_step for rule in found for demand in rule.strict or rule.floor or ()
    )
    citations = dict.fromkeys(rule.citation for rule in found)
    return Explained(
        found[0].id if len(found) == 1 else word, " ".join(sentences), tuple(citations), " ".join(steps)
    )


def _gate(word: str) -> Explained | None:
    for gate, (sentence, reason) in GATES.items():
        if word.casefold() == gate.value.casefold():
            citations = REASONS[reason].citations if reason else ("our policy",)
            return Explained(gate.value, sentence, citations, REASONS[reason].next_step if reason else "")
    return None


def _element(word: str) -> Explained | None:
    for element, said in SAID.items():
        if word == element.value:
            return Explained(word, said.sentence, (said.citation,))
    return None


def _ruling(word: str) -> Explained | None:
    for ruling in RULINGS:
        if word.casefold() == ruling.id.casefold():
            sentence = (
                f"The brief says: {ruling.brief} The law says: {ruling.law} The gate: {ruling.decision}"
            )
            return Explained(ruling.id, sentence, (ruling.citation,))
    return None


def _register(word: str) -> Explained | None:
    for row, why in NOT_SEND_TIME.items():
        if word.casefold() == row.casefold():
            return Explained(row, f"Not a rule of the gate: {why}.", ("state_rules.csv",))
    return None


def view(rule: Rule) -> RuleView:
    """Return a rule as people read it."""
    return RuleView(
        id=rule.id,
        row=rule.row,
        layer=rule.layer.value,
        purposes=tuple(sorted(rule.purposes)),
        sentence=rule.sentence,
        strict=_gates(rule.strict),
        federal_floor=_gates(rule.floor),
        footer=rule.footer.value if rule.footer else "",
        citation=rule.citation,
        effective=rule.effective,
        verified=rule.mark.value,
        rulings=rule.rulings,
        version=rule.version,
    )


def _gates(demands: tuple[Demand, ...] | None) -> tuple[str, ...]:
    if demands is None:
        return ("no rule",)
    return tuple(_words(demand) for demand in demands) or ("none",)


def _words(demand: Demand) -> str:
    """Return a gate with what narrows it: "SPECIAL_AUTH(hiv)", "OPT_IN(double)"."""
    narrowed = (
        demand.special.value if demand.special else "",
        demand.consent,
        demand.topic,
        "double" if demand.confirmed else "",
        "sale" if demand.sale else "",
        f"form {demand.form}" if demand.form else "",
        f"{demand.max_days} days" if demand.max_days else "",
    )
    inner = ", ".join(filter(None, narrowed))
    return f"{demand.gate.value}({inner})" if inner else demand.gate.value
