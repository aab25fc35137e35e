"""The lines of an explanation: one for each rule, with the rules that count before it."""

from __future__ import annotations

from salus.audiences.nodes import All, AnyOf, Node, Not

Line = tuple[int, Node, list[Node], bool]
"""Depth, node, the nodes that hold as well, and whether the number is of people left (or on its own)."""


def lines(node: Node) -> list[Line]:
    """Return the lines of an explanation of `node`, in the order of the tree.

    Below an `all`, each line counts the people left after it and those before it; below `any` and
    `not`, each line counts on its own. What stages and other segments are made of is not opened up.
    """
    found: list[Line] = []

    def walk(one: Node, depth: int, before: list[Node], left: bool) -> None:
        found.append((depth, one, before, left))
        if isinstance(one, All):
            for i, child in enumerate(one.nodes):
                walk(child, depth + 1, [*before, *one.nodes[:i]], left)
        elif isinstance(one, AnyOf):
            for child in one.nodes:
                walk(child, depth + 1, [], False)
        elif isinstance(one, Not):
            # "None of these": the any below the not is the same line.
            for child in one.node.nodes if isinstance(one.node, AnyOf) else (one.node,):
                walk(child, depth + 1, [], False)

    walk(node, 0, [], True)
    return found
