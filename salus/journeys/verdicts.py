"""Why a step could never do what it says, whoever comes to it: the gate's and the vendor register's own decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.content import api as content
from salus.content.contracts import TemplateVersion
from salus.gate import api as gate
from salus.gate.contracts import Decision
from salus.identity import api as identity
from salus.journeys import specifying
from salus.journeys.contracts import Call, Graph, Send, Step, Tree
from salus.journeys.rules.known import Verdict
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import PhiClass
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Label, OutOfScope


class Language:
    """The language of segments, asked each expression once: one expression may lie on the way to many steps."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[Read, ...] | BadInput] = {}

    def reads(self, tree: Tree) -> tuple[Read, ...]:
        """Return what an expression reads; raises `BadInput`."""
        found = self._answer(tree)
        if isinstance(found, BadInput):
            raise found
        return found

    def fault(self, tree: Tree) -> str:
        """Return what is wrong with an expression, "" when nothing is."""
        found = self._answer(tree)
        return str(found) if isinstance(found, BadInput) else ""

    def _answer(self, tree: Tree) -> tuple[Read, ...] | BadInput:
        key = repr(tree)
        if key not in self._asked:
            try:
                self._asked[key] = audiences.check(tree)
            except BadInput as fault:
                self._asked[key] = fault
        return self._asked[key]


def verdicts(
    graph: Graph,
    letters: Mapping[UUID, TemplateVersion],
    language: Language,
    at: datetime,
    before: Sequence[Tree] = (),
) -> Mapping[str, Verdict]:
    """Return why sends and calls could never be done at `at`, by step.

    `letters` are the versions that are here, `before` is what was asked of people who come from other journeys.
    """
    return dict(_Verdicts(graph, letters, language, at, before))


class _Verdicts:
    """Why steps could never do what they say, by step: the gate's and the vendor register's own decisions."""

    def __init__(
        self,
        graph: Graph,
        letters: Mapping[UUID, TemplateVersion],
        language: Language,
        at: datetime,
        before: Sequence[Tree],
    ) -> None:
        self._graph, self._letters, self._language, self._at = graph, letters, language, at
        self._before = before
        self._organization = identity.organization()

    def __iter__(self) -> Iterator[tuple[str, Verdict]]:
        for key, step in self._graph.steps.items():
            verdict = None
            if isinstance(step.does, Send):
                verdict = self._of_gate(step, step.does)
            elif isinstance(step.does, Call):
                verdict = self._of_vendors(step, step.does)
            if verdict is not None:
                yield key, verdict

    def _of_gate(self, step: Step, does: Send) -> Verdict | None:
        """Return why the gate would refuse a send for everyone; one that is not confirmed is taken for confirmed.

        What keeps its facts from being told (no template, no classification, a bad condition) is found
        elsewhere.
        """
        for problem in content.check_sender_name(self._organization.name):
            return Verdict("sender_name", problem.what, problem.next_step)
        if not all(id in self._letters for id in does.versions.values()):
            return None
        try:
            facts = specifying.facts_of(
                self._graph,
                step,
                self._organization,
                version=self._letters.__getitem__,
                asks=self._language.reads,
                before=self._before,
            )
            decision = gate.best_case(replace(facts, classification_confirmed=True), self._at)
        except BadInput:
            return None
        return None if decision.allowed else _refused(decision)

    def _of_vendors(self, step: Step, does: Call) -> Verdict | None:
        """Return why a service may not be told what a call says: its fields, and what it tells to be here."""
        try:
            told = specifying.labels_of(self._graph, step, self._language.reads, self._before)
            told |= _labels(does.fields)
        except BadInput:
            return None
        try:
            service = vendors.service_in_scope(does.service_id, told, self._at)
        except OutOfScope as refused:
            return Verdict(refused.why.value, refused.what, refused.next_step)
        if service.kind is not Kind.WEBHOOK:
            return Verdict("no_webhook", "This service takes no calls.", "Choose a service that does.")
        return None


def _refused(decision: Decision) -> Verdict:
    assert decision.reason is not None
    explained = gate.explain(decision.reason)
    what = f"The gate would refuse it for everyone. {explained.sentence}"
    mend = explained.next_step or "Change what the message is for, or who comes here."
    return Verdict(decision.reason.value, what, mend)


def _labels(fields: Collection[str]) -> frozenset[Label]:
    found: set[Label] = set()
    for name in fields:
        attribute = contacts.dictionary().get(name)
        found.add(attribute.phi_class if attribute else PhiClass.CONTACT)
        if attribute is not None and attribute.special is not None:
            found.add(attribute.special)
    return frozenset(found)
