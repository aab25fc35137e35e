"""Finds links between packages that leave no import edge: string foreign keys, get_model, import_module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

STOREYS = (
    "kernel",
    "platform",
    "audit",
    "keys",
    "identity",
    "contacts vendors",
    "timeline permissions",
    "audiences content intake",
    "gate",
    "delivery",
    "campaigns patients inbox",
    "journeys portal forms privacy duplicates",
    "reports recovery",
    "connect",
    "wiring",
)
RANK = {name: number for number, storey in enumerate(STOREYS) for name in storey.split()}
RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}
HIDING = {"get_model", "import_module", "__import__"}


def hidden_links(root: Path) -> list[str]:
    """Return one line for each hidden or upward link below `root`."""
    found: list[str] = []
    for path in sorted(root.glob("*/**/*.py")):
        if "migrations" in path.parts:
            continue
        package = path.relative_to(root).parts[0]
        found += [f"{path}:{line}: {what}" for line, what in _in_file(path, package)]
    return found


def _in_file(path: Path, package: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in HIDING and package != "wiring":
            yield node.lineno, f"{name}() hides an import edge"
        first = node.args[0] if node.args else None
        if name in RELATIONS and isinstance(first, ast.Constant) and "." in str(first.value):
            target = str(first.value).split(".")[0]
            named = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            if target != package and RANK.get(target, 99) >= RANK[package]:
                yield node.lineno, f"{package} points up or sideways at {target}"
            elif target != package and named.get("related_name") != "+":
                yield node.lineno, "a key to another package needs related_name='+'"


if __name__ == "__main__":
    lines = hidden_links(Path("salus"))
    print("\n".join(lines))
    sys.exit(bool(lines))
