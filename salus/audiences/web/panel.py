"""What stands beside the rules: how many, who can be reached, what is told of them, what the gate asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from salus.audiences import api
from salus.audiences.contracts import Explanation, Step
from salus.audiences.web import outline
from salus.audiences.web.draft import Draft
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.kernel.errors import BadInput, SalusError, Unavailable
from salus.kernel.vocabulary import CLINICAL, PhiClass, Special

REACHED = ({"field": "email", "exists": True}, {"not": {"consent": "suppressed", "channel": "email"}})
BREAKDOWNS = {
    "age": "Age", "language": "Language", "insurance_type": "Coverage", "state": "Place", "gender": "Gender",
}  # fmt: skip


SPECIALS: Mapping[Special, str] = {
    Special.PSYCHOTHERAPY_NOTES: "psychotherapy notes",
    Special.PART2_SUD: "substance use treatment (42 CFR Part 2)",
    Special.HIV: "HIV",
    Special.REPRODUCTIVE: "reproductive care",
    Special.GENETIC: "genetic information",
    Special.MENTAL_HEALTH: "mental health",
    Special.SENSITIVE_DEMOGRAPHIC: "origin, religion, income, marriage or family",
}


@dataclass(slots=True)
class Result:
    """The numbers and what is told, as far as there are any; `fault` says why not."""

    steps: Mapping[str, Step] = field(default_factory=dict)
    total: int | None = None
    everybody: int = 0
    milliseconds: int = 0
    reached: int | None = None
    reads: tuple[Read, ...] = ()
    fault: SalusError | None = None
    incomplete: bool = False

    @property
    def not_reached(self) -> int:
        """Return how many have no e-mail address that may be used."""
        return (self.total or 0) - (self.reached or 0)

    @property
    def classes(self) -> list[str]:
        """Return the PHI classes that are read, once each."""
        return list(dict.fromkeys(one.phi_class.value for one in self.reads))

    @property
    def specials(self) -> list[str]:
        """Return the special categories that it tells of, in words, once each."""
        return list(dict.fromkeys(SPECIALS[one.special] for one in self.reads if one.special))

    @property
    def tells(self) -> str:
        """Return what being in the segment tells in plain words, "" for nothing of health."""
        named = [_label(one.code) for one in self.reads if one.phi_class is PhiClass.DIAGNOSIS and one.code]
        if named:
            return f"whether they have {_joined(dict.fromkeys(named))}"
        clinical = [one.phi_class.value for one in self.reads if one.phi_class in CLINICAL]
        return (
            f"something of their {_joined(dict.fromkeys(word.replace('_', ' ') for word in clinical))}"
            if clinical
            else ""
        )

    @property
    def asked(self) -> Any:
        """Return what the gate would ask."""
        return api.gate_preview(self.reads)


def result(draft: Draft) -> Result:
    """Ask the engine about the draft; without an engine there are words and no numbers."""
    found = Result(incomplete=draft.form is not None and bool(draft.form.errors))
    try:
        api.check(draft.tree, segment_id=draft.segment_id)
    except BadInput as fault:
        found.fault = fault
        return found
    try:
        counted = api.count(draft.tree)
        explained = api.explain(draft.tree)
        found.reached = api.count(outline.whole({"all": [draft.where, *REACHED]})).people
        found.total, found.milliseconds = explained.total, round(counted.seconds * 1000)
        found.everybody = api.engine_status().people
    except Unavailable as fault:
        found.fault = fault
        steps = api.steps(draft.tree)
        explained = Explanation(steps, -1, steps[0].reads)
    found.steps = {one.path: one for one in explained.steps}
    found.reads = explained.reads
    return found


@dataclass(slots=True)
class Row:
    """One rule or group as the page draws it."""

    path: str
    join: str
    step: Step | None
    rows: list[Row] = field(default_factory=list)
    open: bool = False
    first: bool = False
    last: bool = False

    @property
    def classes(self) -> list[str]:
        """Return the PHI classes of this rule."""
        return list(dict.fromkeys(one.phi_class.value for one in self.step.reads)) if self.step else []

    @property
    def shows_number(self) -> bool:
        """Return whether there is a number for it."""
        return self.step is not None and self.step.people >= 0


def rows(draft: Draft, found: Result) -> Row:
    """Return the outermost group with everything in it."""

    def row(node: outline.Node, path: str, first: bool, last: bool) -> Row:
        join = outline.join_of(node)
        step = found.steps.get(outline.json_path(draft.where, path))
        one = Row(path, join, step, open=bool(path) and path == draft.editing, first=first, last=last)
        if join:
            inside = outline.children(node)
            one.rows = [
                row(child, f"{path}.{i}" if path else str(i), i == 0, i == len(inside) - 1)
                for i, child in enumerate(inside)
            ]
        return one

    return row(draft.where, "", True, True)


def breakdown(draft: Draft, by: str, actor: Any) -> list[tuple[str, int]]:
    """Return how the people of a segment divide by one attribute, with labels."""
    labels = _labels(by)
    return [
        (_group(one.value.reveal(), labels), one.people) for one in api.breakdown(draft.tree, by, actor=actor)
    ]


def _labels(by: str) -> Mapping[str, str]:
    if by == "language":
        return {code: pair[0] for code, pair in contacts.LANGUAGES.items()}
    if by == "state":
        return contacts.STATES
    found = contacts.CODE_LISTS.get(by)
    return {code: pair[0] for code, pair in found.labels.items()} if found else {}


def _group(value: str, labels: Mapping[str, str]) -> str:
    return {"": "Not known", "*": "All others"}.get(value) or labels.get(value, value.replace("-", " to "))


def _label(code: str) -> str:
    if code.startswith("vs:"):
        found = contacts.VALUE_SETS.get(code.removeprefix("vs:"))
        return found.label if found else code
    return code


def _joined(words: Iterable[str]) -> str:
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} or {found[-1]}"
