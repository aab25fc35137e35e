"""What wiring tells domains: what this installation is."""

from __future__ import annotations

from collections.abc import Callable

from salus.domains.contracts import Installation

Describe = Callable[[], Installation]
_describe: Describe = Installation


def use_installation(describe: Describe) -> None:
    """Set who knows this installation, for the organization in context; wiring calls it once."""
    global _describe
    _describe = describe


def installation() -> Installation:
    """Return what this installation is now."""
    return _describe()
