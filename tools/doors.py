"""An import-linter contract: a package may be entered only through its doors."""

from __future__ import annotations

from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """From outside `root.X` only `root.X.<door>` may be imported; wiring may use `wiring_doors` too."""

    root = fields.StringField()
    doors = fields.SetField(subfield=fields.StringField())
    open_packages = fields.SetField(subfield=fields.StringField(), required=False, default=set())
    wiring = fields.StringField()
    wiring_doors = fields.SetField(subfield=fields.StringField())

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Collect every import that goes through a wall."""
        through_walls: list[Any] = []
        given: Any = self  # declared as fields, but plain values at run time
        root, wiring = str(given.root), str(given.wiring)
        depth = root.count(".") + 1
        for imported in sorted(graph.modules):
            parts = imported.split(".")
            if not imported.startswith(f"{root}.") or parts[depth] in given.open_packages:
                continue
            package = ".".join(parts[: depth + 1])
            room = parts[depth + 1] if len(parts) > depth + 1 else ""
            for importer in sorted(graph.find_modules_that_directly_import(imported)):
                if importer == package or importer.startswith(f"{package}."):
                    continue
                allowed = set(given.doors)
                if importer == wiring or importer.startswith(f"{wiring}."):
                    allowed |= set(given.wiring_doors)
                if room not in allowed:
                    through_walls += graph.get_import_details(importer=importer, imported=imported)
        return ContractCheck(kept=not through_walls, metadata={"through_walls": through_walls})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import with its place."""
        for found in check.metadata["through_walls"]:
            output.print_error(f"{found['importer']}:{found['line_number']}: {found['line_contents']}")
