"""The files of the plan: ours in the package, and `shaping.toml` in the home folder, if there is one."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path

from salus.kernel.errors import BadInput
from salus.shaping import layers
from salus.shaping.document import Document, read

NAME = "shaping.toml"


def documents(home: Path) -> tuple[Document, ...]:
    """Return what holds in an installation, ours first.

    Raises `BadInput` with file and place for a plan that cannot be: then nothing is sent by half of it.
    """
    path = home / NAME
    try:
        found: tuple[Document, ...] = (ours(), read(path.read_text(encoding="utf-8"), str(path)))
    except FileNotFoundError:
        return (ours(),)
    except UnicodeDecodeError:
        raise BadInput("This is not text in UTF-8.", place=str(path)) from None
    for slug in ("", *sorted(layers.organizations(found))):
        layers.plan(found, slug)
    return found


@lru_cache(maxsize=1)
def ours() -> Document:
    """Return what the package says of the large providers."""
    text = (resources.files("salus.shaping") / "data" / NAME).read_text(encoding="utf-8")
    return read(text, f"salus/shaping/{NAME}")
