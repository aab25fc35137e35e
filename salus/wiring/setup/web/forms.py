"""The questions of the set-up as forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from salus.kernel.errors import BadInput
from salus.wiring.setup.questions import SECTIONS, Answers, Question, Section, Sort, asked, check


class Questions(forms.Form):
    """Some questions, each a field; what is wrong with an answer is said in the words of the set-up."""

    def __init__(self, questions: Iterable[Question], known: Answers, data: QueryDict | None = None) -> None:
        initial = {each.key: known.get(each.key, each.default(known)) for each in questions}
        super().__init__(data, initial=initial)
        self._questions = {each.key: each for each in questions}
        for key, question in self._questions.items():
            self.fields[key] = _field(question)

    def clean(self) -> dict[str, Any]:
        """Check every answer as the terminal does."""
        found: dict[str, Any] = super().clean() or {}
        for key, question in self._questions.items():
            try:
                found[key] = check(question, str(found.get(key, "")))
            except BadInput as fault:
                if key not in self.errors:
                    self.add_error(key, f"{fault.what} {fault.next_step}".strip())
        return found


def of_section(section: Section, known: Answers, data: QueryDict | None = None) -> Questions:
    """Return the form of a section, with the questions that its own answers lead to."""
    told: Mapping[str, str] = {**known, **({key: str(data[key]) for key in data} if data else {})}
    questions = [
        each for each in asked(section, _with_defaults(section, told)) if each.sort is not Sort.SECRET
    ]
    if data is not None:  # an empty answer is the default, as Enter is on the terminal
        data = data.copy()
        for each in questions:
            if each.key in data and not str(data[each.key]).strip():
                data[each.key] = each.default({**known, **told})
    fresh = [each.key for each in questions if data is not None and each.key not in data]
    if fresh:  # the answers opened more questions: show them before anything is refused for their lack
        return Questions(questions, told)
    return Questions(questions, known, data)


def of_secrets(known: Answers, data: QueryDict | None = None) -> Questions:
    """Return the form of the secrets that are needed: they are asked last, and kept nowhere here."""
    secret = [each for section in SECTIONS for each in asked(section, known) if each.sort is Sort.SECRET]
    return Questions(secret, known, data)


def _with_defaults(section: Section, told: Answers) -> Answers:
    known = dict(told)
    for each in section.questions:
        if each.when(known):
            known.setdefault(each.key, each.default(known))
    return known


def _field(question: Question) -> forms.Field:
    facts: dict[str, Any] = {
        "label": question.label,
        "help_text": question.help,
        "required": question.required,
        "error_messages": {"required": "This is needed."},
    }
    if question.choices:
        return forms.ChoiceField(choices=question.choices, widget=forms.RadioSelect, **facts)
    widget: forms.Widget = forms.TextInput()
    if question.sort is Sort.DATE:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    if question.sort is Sort.SECRET:
        widget = forms.PasswordInput()
    return forms.CharField(max_length=500, widget=widget, **facts)
