"""A segment while it is edited: what the page sends back with every act, and what the act makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import QueryDict

from salus.audiences import api
from salus.audiences.contracts import Tree
from salus.audiences.web import outline
from salus.audiences.web.rule_form import RuleForm
from salus.kernel.errors import BadInput
from salus.platform.web.given import number_given

NEW_RULE = {"field": "age", "at_least": 18}
LARGEST = 300_000


@dataclass(slots=True)
class Draft:
    """Name, rules and which of them is open. `fault` is about the segment, the form's errors about the rule."""

    name: str = ""
    version: int = 0
    where: outline.Node = field(default_factory=lambda: {"all": []})
    editing: str = ""
    form: RuleForm | None = None
    fault: BadInput | None = None
    view: str = "rules"
    json_text: str | None = None
    segment_id: UUID | None = None

    @property
    def tree(self) -> Tree:
        """Return the segment tree as it stands."""
        return outline.whole(self.where)

    @property
    def as_json(self) -> str:
        """Return what the JSON view shows: what was typed there, or the tree."""
        return self.json_text or json.dumps(self.tree, indent=2, ensure_ascii=False)

    @property
    def hidden(self) -> str:
        """Return the tree for the page to send back."""
        return json.dumps(self.tree, ensure_ascii=False)


def of_segment(segment: api.Segment) -> Draft:
    """Return the draft that a saved segment begins with."""
    where = outline.normal(segment.tree["where"])
    view = "rules" if outline.depth(where) <= outline.DEEPEST else "json"
    return Draft(segment.name.reveal(), segment.version, where, view=view, segment_id=segment.id)


def posted(data: QueryDict, segment_id: UUID | None) -> Draft:
    """Return the draft that a page sent; the open rule is put into the tree when it is complete."""
    view = data.get("view", "rules")
    draft = Draft(
        name=data.get("name", ""),
        version=number_given(str(data.get("version", "")), most_digits=9) or 0,
        where=outline.normal(_json(data.get("tree", ""))["where"]),
        editing=data.get("editing", ""),
        view=view if view in ("rules", "words", "json") else "rules",
        segment_id=segment_id,
    )
    for name in data:
        if name.startswith("join-"):
            path, join = name.removeprefix("join-"), str(data[name])
            if outline.join_of(outline.at(draft.where, path)) != join:
                draft.where = outline.joined(draft.where, path, join)
    if data.get("json"):
        _take_json(draft, str(data["json"]))
    if draft.editing:
        _take_rule(draft, data)
    return draft


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("where"), dict):
        raise BadInput("this is no segment in JSON", place="json")
    return found


def _take_json(draft: Draft, text: str) -> None:
    try:
        found = _json(text)
        api.check(found, segment_id=draft.segment_id)
    except BadInput as fault:
        draft.json_text, draft.fault = text, fault
    else:
        draft.where = outline.normal(found["where"])


def _take_rule(draft: Draft, data: QueryDict) -> None:
    draft.form = RuleForm(data, segment_id=draft.segment_id)
    if not draft.form.is_valid():
        return
    try:
        rule = draft.form.rule()
        api.check(outline.whole(rule), segment_id=draft.segment_id)
    except BadInput as fault:
        draft.form.add_error(None, f"{fault.what[0].upper()}{fault.what[1:]}. {fault.next_step}".strip())
    else:
        draft.where = outline.replaced(draft.where, draft.editing, rule)


def act(draft: Draft, word: str, data: QueryDict) -> None:
    """Do one act of the page ("edit:0.1", "add:", "up:2"...); an open rule that is not complete stays open."""
    name, _, path = word.partition(":")
    incomplete = draft.form is not None and bool(draft.form.errors)
    if name == "refresh":
        draft.form = RuleForm(initial=_typed(data), segment_id=draft.segment_id)
    elif name == "remove":
        draft.where, draft.editing, draft.form = outline.removed(draft.where, path), "", None
    elif incomplete:
        return
    elif name in ("done", "view"):
        draft.editing, draft.form = "", None
        draft.view = path if path in ("rules", "words", "json") else draft.view
    elif name in ("up", "down"):
        draft.where, moved = outline.moved(draft.where, path, -1 if name == "up" else 1)
        _open(draft, moved)
    elif name == "edit":
        _open(draft, path)
    elif name in ("add", "group"):
        new = dict(NEW_RULE) if name == "add" else {"any": []}
        draft.where, added = outline.added(draft.where, path, new)
        _open(draft, added if name == "add" else "")


def _open(draft: Draft, path: str) -> None:
    draft.editing, draft.form = path, None
    if path:
        node = outline.at(draft.where, path)
        if outline.join_of(node):
            draft.editing = ""
        else:
            draft.form = RuleForm(rule=node, segment_id=draft.segment_id)


def _typed(data: QueryDict) -> dict[str, Any]:
    """Return what was typed into the rule's form, as initial values: nobody has said yet that it is complete."""
    found: dict[str, Any] = {}
    for name in data:
        if name.startswith("rule-"):
            some = data.getlist(name)
            found[name.removeprefix("rule-")] = some if len(some) > 1 else some[0]
    return found
