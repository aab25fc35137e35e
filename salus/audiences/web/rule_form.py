"""The form of one rule: what is asked about, how, and with which values; and the rule that was typed.

A rule that says more than its form can show is edited as JSON, so that nothing of it is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from salus.audiences import api
from salus.audiences.web.parts import AT, VALUE, WHEN, Part, Rule, codes_of, listed, part_of, plain
from salus.audiences.web.rule_shown import JSON, describe
from salus.contacts import api as contacts
from salus.contacts.contracts import AttributeType
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel, PhiClass
from salus.timeline.contracts import EventKind

PREFIX = "rule"
_CHANNELS = [
    (one.value, {"email": "E-mail", "sms": "Text message", "portal": "Portal"}[one.value]) for one in Channel
]
_CONSENTS = [
    ("opted_in", "Opted in to a topic"),
    ("opted_out", "Opted out of a topic"),
    ("authorized", "Has a valid authorization"),
    ("suppressed", "Has an address that must not be used"),
    ("restricted", "Has an agreed restriction"),
    ("fundraising_opted_out", "Opted out of fundraising"),
    ("deceased", "Recorded as deceased"),
]


def subjects() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what a rule can be about, in groups, as the choices of a select."""
    by_class: dict[str, list[tuple[str, str]]] = {"Person": [("field:age", "Age")], "Reach": []}
    for one in contacts.dictionary().values():
        if one.type is AttributeType.RECORDS:
            continue
        named = "Person" if one.phi_class in (PhiClass.DEMOGRAPHIC, PhiClass.CONTACT) else "Care"
        by_class.setdefault(named, []).append((f"field:{one.key}", one.label))
    records = [one for one in contacts.dictionary().values() if one.type is AttributeType.RECORDS]
    by_class["Care"] += [(f"record:{one.key}", f"{one.label}: any") for one in records]
    by_class["Care"] += [(f"latest:{one.key}", f"{one.label}: the latest") for one in records]
    by_class["Reach"] += [("field:email", "E-mail address"), ("field:phone", "Phone"), ("consent", "Consent")]
    more = [("stage", "Journey stage"), ("did", "It happened"), ("did_not", "It did not happen")]
    more += [("segment", "Another segment"), ("near", "Distance from a ZIP code"), (JSON, "A rule as JSON")]
    return [(name, by_class[name]) for name in ("Person", "Care", "Reach")] + [("More", more)]


class RuleForm(forms.Form):
    """The fields of the rule that is edited now; which there are follows from what was chosen so far."""

    def __init__(
        self,
        data: Any = None,
        *,
        rule: Rule | None = None,
        initial: Mapping[str, Any] | None = None,
        segment_id: Any = None,
    ) -> None:
        shown = dict(initial or {})
        if rule is not None:
            subject, shown = describe(rule)
            shown["subject"] = subject
        super().__init__(data, prefix=PREFIX, initial=shown)
        subject = shown.get("subject", "field:age")
        chosen = str(self._raw("subject") or subject)
        names = {one for _, some in subjects() for one, _ in some}
        self.subject = chosen if chosen in names else subject
        self.fields["subject"] = forms.ChoiceField(label="About", choices=subjects())
        self._maker = _MAKERS[self.subject.partition(":")[0]]
        self._maker(self, self.subject.partition(":")[2], segment_id)

    def _raw(self, name: str) -> Any:
        return self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)

    def add(self, fields: Mapping[str, forms.Field]) -> None:
        """Add fields at the end."""
        self.fields.update(fields)

    def add_part(self, part: Part, choices: list[tuple[str, str]] | None = None) -> None:
        """Add the fields of a test for the operator that is chosen now."""
        operator = str(self._raw(f"{part.name}_op") or "")
        if operator not in {word for word, _ in part.operators}:
            operator = "" if part.optional else part.operators[0][0]
            self.initial[f"{part.name}_op"] = operator
        self.add(part.fields(operator, choices))

    def rule(self) -> Rule:
        """Return the rule that was typed; raises `BadInput`. The form must be valid."""
        head, _, key = self.subject.partition(":")
        return _RULES[head](key, self.cleaned_data)


def _field_fields(form: RuleForm, key: str, _: Any) -> None:
    part = part_of(key)
    if part is None:
        form.add({"codes": _code_field(key, required=False)})
        form.fields["codes"].help_text = "Empty: any at all."
    else:
        form.add_part(part, codes_of(key))


def _code_field(key: str, *, required: bool) -> forms.CharField:
    sets = "; ".join(f"vs:{one.name}" for one in contacts.VALUE_SETS.values() if one.field == key)
    help_text = "Several with a semicolon between; E11 covers E11.9."
    return forms.CharField(
        label="Codes", required=required, max_length=2_000,
        help_text=f"{help_text} Groups: {sets}." if sets else help_text,
    )  # fmt: skip


def _record_fields(form: RuleForm, key: str, _: Any) -> None:
    form.add(
        {"codes": _code_field(key, required=False), "status": forms.CharField(label="Status", required=False)}
    )
    form.fields["status"].help_text = "Empty: any. Several with a semicolon between."
    form.add_part(WHEN)
    form.add_part(VALUE)
    if form.subject.startswith("record"):
        form.add({"at_least": forms.IntegerField(label="At least", min_value=1, max_value=1_000, initial=1)})


def _event_fields(form: RuleForm, _: str, __: Any) -> None:
    kinds = [(one.value, one.value.replace("_", " ").capitalize()) for one in EventKind]
    form.add(
        {"kinds": forms.MultipleChoiceField(label="What", choices=kinds, widget=forms.CheckboxSelectMultiple)}
    )
    form.add(
        {
            "at_least": forms.IntegerField(
                label="At least so many times", min_value=1, max_value=1_000, initial=1
            )
        }
    )
    form.add_part(AT)


def _stage_fields(form: RuleForm, _: str, __: Any) -> None:
    form.add(
        {
            "stages": forms.MultipleChoiceField(
                label="Stage", choices=list(api.stage_names().items()), widget=forms.CheckboxSelectMultiple
            )
        }
    )


def _segment_fields(form: RuleForm, _: str, segment_id: Any) -> None:
    others = [(str(one.id), one.name.reveal()) for one in api.segments() if one.id != segment_id]
    form.add({"segment": forms.ChoiceField(label="Segment", choices=others)})


def _consent_fields(form: RuleForm, _: str, __: Any) -> None:
    form.add({"consent": forms.ChoiceField(label="Consent", choices=_CONSENTS)})
    chosen = str(form._raw("consent") or _CONSENTS[0][0])  # noqa: SLF001 - the form of this module
    if chosen in ("opted_in", "opted_out"):
        form.add({"topic": forms.CharField(label="Topic", max_length=100)})
    if chosen in ("opted_in", "opted_out", "suppressed"):
        form.add({"channel": forms.ChoiceField(label="By", choices=_CHANNELS)})


def _near_fields(form: RuleForm, _: str, __: Any) -> None:
    form.add(
        {
            "postal_code": forms.CharField(label="ZIP code", max_length=5, min_length=5),
            "miles": forms.FloatField(label="Within miles", min_value=0.1, max_value=10_000),
        }
    )


def _json_fields(form: RuleForm, _: str, __: Any) -> None:
    area = forms.Textarea({"rows": 8, "spellcheck": "false", "class": "mono"})
    form.add({"json": forms.CharField(label="Rule as JSON", widget=area, max_length=100_000)})


def _field_rule(key: str, cleaned: Mapping[str, Any]) -> Rule:
    part = part_of(key)
    if part is None:
        return {
            "field": key,
            **({"has": listed(cleaned["codes"])} if cleaned["codes"].strip() else {"exists": True}),
        }
    return {"field": key, **(part.test(cleaned) or {})}


def _record_rule(head: str) -> Callable[[str, Mapping[str, Any]], Rule]:
    def build(key: str, cleaned: Mapping[str, Any]) -> Rule:
        rule: Rule = {head: key}
        for name, word in (("codes", "code"), ("status", "status")):
            if cleaned[name].strip():
                rule[word] = listed(cleaned[name])
        for part in (WHEN, VALUE):
            test = part.test(cleaned)
            if test is not None:
                rule[part.name] = test
        if cleaned.get("at_least", 1) > 1:
            rule["at_least"] = cleaned["at_least"]
        return rule

    return build


def _event_rule(head: str) -> Callable[[str, Mapping[str, Any]], Rule]:
    def build(_: str, cleaned: Mapping[str, Any]) -> Rule:
        rule: Rule = {head: cleaned["kinds"]}
        if cleaned["at_least"] > 1:
            rule["at_least"] = cleaned["at_least"]
        test = AT.test(cleaned)
        return rule if test is None else rule | {"at": test}

    return build


def _json_rule(_: str, cleaned: Mapping[str, Any]) -> Rule:
    try:
        found = json.loads(cleaned["json"])
    except (ValueError, RecursionError):
        raise BadInput("this is not JSON", place="json") from None
    if not isinstance(found, dict):
        raise BadInput("a rule is a JSON object", place="json")
    return found


_MAKERS: Mapping[str, Callable[[RuleForm, str, Any], None]] = {
    "field": _field_fields,
    "record": _record_fields,
    "latest": _record_fields,
    "did": _event_fields,
    "did_not": _event_fields,
    "stage": _stage_fields,
    "segment": _segment_fields,
    "consent": _consent_fields,
    "near": _near_fields,
    JSON: _json_fields,
}
_RULES: Mapping[str, Callable[[str, Mapping[str, Any]], Rule]] = {
    "field": _field_rule,
    "record": _record_rule("record"),
    "latest": _record_rule("latest"),
    "did": _event_rule("did"),
    "did_not": _event_rule("did_not"),
    "stage": lambda _, cleaned: {"stage": cleaned["stages"]},
    "segment": lambda _, cleaned: {"segment": cleaned["segment"]},
    "consent": lambda _, cleaned: {
        name: cleaned[name] for name in ("consent", "topic", "channel") if cleaned.get(name)
    },
    "near": lambda _, cleaned: {
        "near": {"postal_code": cleaned["postal_code"]},
        "miles": plain(cleaned["miles"]),
    },
    JSON: _json_rule,
}
