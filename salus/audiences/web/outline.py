"""A segment as the editor shows it: groups of rules, each found by a path of places ("0.2.1").

Every group is one of {"all": [...]}, {"any": [...]} and {"not": {"any": [...]}} ("none"). `normal`
brings any tree into that form without changing whom it means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from salus.kernel.errors import BadInput
from salus.platform.web.given import number_given

JOINS = {"all": "All", "any": "Any", "none": "None"}
VERSION = 1
DEEPEST = 12
"""Groups that the editor draws inside each other; a deeper tree is edited as JSON."""

Node = dict[str, Any]


def whole(where: Node) -> Node:
    """Return the segment tree around its first group."""
    return {"version": VERSION, "where": where}


def normal(node: Any) -> Node:
    """Return a rule tree in the editor's form; its outermost node is a group."""
    found = _normal(node)
    return found if join_of(found) else {"all": [found]}


def _normal(node: Any) -> Node:
    if isinstance(node, Mapping):
        for join in ("all", "any"):
            if isinstance(node.get(join), list):
                return {join: [_normal(one) for one in node[join]]}
        inner = node.get("not")
        if isinstance(inner, Mapping):
            some = inner["any"] if isinstance(inner.get("any"), list) else [inner]
            return {"not": {"any": [_normal(one) for one in some]}}
        return dict(node)
    return {}


def join_of(node: Node) -> str:
    """Return how a group joins its rules ("all", "any", "none"), "" for a rule."""
    if "not" in node:
        return "none"
    return next((join for join in ("all", "any") if join in node), "")


def children(node: Node) -> list[Node]:
    """Return the rules and groups of a group."""
    join = join_of(node)
    found: list[Node] = node["not"]["any"] if join == "none" else node[join]
    return found


def group(join: str, nodes: list[Node]) -> Node:
    """Return a group; raises `BadInput` for an unknown way to join."""
    if join not in JOINS:
        raise BadInput("is not a way to join rules", place="join")
    return {"not": {"any": nodes}} if join == "none" else {join: nodes}


def json_path(root: Node, path: str) -> str:
    """Return the JSON path of the node at `path` ("$.where.all[0]")."""
    found, node = "$.where", root
    for index in _indexes(path):
        join = join_of(node)
        found += f"{'.not.any' if join == 'none' else '.' + join}[{index}]"
        node = children(node)[index]
    return found


def at(root: Node, path: str) -> Node:
    """Return the node at `path`; raises `BadInput` when there is none."""
    node = root
    for index in _indexes(path):
        if not join_of(node) or index >= len(children(node)):
            raise BadInput("there is no such rule any more", place="rule")
        node = children(node)[index]
    return node


def replaced(root: Node, path: str, new: Node) -> Node:
    """Return the tree with another node at `path`."""
    if not path:
        return new
    return _with_children(root, _parent(path), lambda some, i: [*some[:i], new, *some[i + 1 :]], _last(path))


def removed(root: Node, path: str) -> Node:
    """Return the tree without the node at `path`; the outermost group cannot go."""
    if not path:
        raise BadInput("the outermost group stays", place="rule")
    return _with_children(root, _parent(path), lambda some, i: [*some[:i], *some[i + 1 :]], _last(path))


def moved(root: Node, path: str, by: int) -> tuple[Node, str]:
    """Return the tree with the node one place up (-1) or down (1) in its group, and its new path."""
    siblings = children(at(root, _parent(path)))
    target = _last(path) + by
    if not path or not 0 <= target < len(siblings):
        return root, path

    def swap(some: list[Node], index: int) -> list[Node]:
        ordered = list(some)
        ordered[index], ordered[target] = ordered[target], ordered[index]
        return ordered

    parent = _parent(path)
    return _with_children(root, parent, swap, _last(path)), _join(parent, target)


def added(root: Node, path: str, new: Node) -> tuple[Node, str]:
    """Return the tree with `new` at the end of the group at `path`, and the path of `new`."""
    place = len(children(at(root, path)))
    return _with_children(root, path, lambda some, _: [*some, new], 0), _join(path, place)


def joined(root: Node, path: str, join: str) -> Node:
    """Return the tree with the group at `path` joined in another way."""
    return replaced(root, path, group(join, children(at(root, path))))


def depth(root: Node) -> int:
    """Return how many groups are inside each other."""
    if not join_of(root):
        return 0
    return 1 + max((depth(one) for one in children(root)), default=0)


def _with_children(
    root: Node, path: str, change: Callable[[list[Node], int], list[Node]], index: int
) -> Node:
    node = at(root, path)
    if not join_of(node) or (index and index >= len(children(node))):
        raise BadInput("there is no such rule any more", place="rule")
    new = group(join_of(node), change(children(node), index))
    return new if not path else replaced(root, path, new)


def _indexes(path: str) -> list[int]:
    parts = path.split(".") if path else []
    indexes = [index for part in parts if (index := number_given(part, most_digits=4)) is not None]
    if len(parts) > DEEPEST + 1 or len(indexes) < len(parts):
        raise BadInput("is not the place of a rule", place="rule")
    return indexes


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _last(path: str) -> int:
    return _indexes(path)[-1] if path else 0


def _join(path: str, index: int) -> str:
    return f"{path}.{index}" if path else str(index)
