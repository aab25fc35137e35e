"""What wiring gives to patients: the post that carries codes."""

from __future__ import annotations

from salus.kernel.errors import Unavailable
from salus.patients.contracts import Post

_post: Post | None = None


def use_post(post: Post) -> None:
    """Carry codes and look messages up with `post`, in this process."""
    global _post
    _post = post


def post() -> Post:
    """Return the post; raises `Unavailable` before wiring has set one."""
    if _post is None:
        raise Unavailable(
            "Nothing carries messages in this process.", next_step="Call patients.api.use_post first."
        )
    return _post
