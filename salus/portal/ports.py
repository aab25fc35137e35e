"""What wiring gives to the portal: the mailbox that holds the messages."""

from __future__ import annotations

from salus.kernel.errors import Unavailable
from salus.portal.contracts import Mailbox

_mailbox: Mailbox | None = None


def use_mailbox(mailbox: Mailbox) -> None:
    """Read messages from `mailbox`, in this process."""
    global _mailbox
    _mailbox = mailbox


def mailbox() -> Mailbox:
    """Return the mailbox; raises `Unavailable` before wiring has set one."""
    if _mailbox is None:
        raise Unavailable(
            "Nothing holds messages in this process.", next_step="Call portal.api.use_mailbox first."
        )
    return _mailbox
