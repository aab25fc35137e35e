"""Who does what about a vendor's services: the duties of the Security Rule, and which of them nobody has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from salus.vendors.contracts import Duty, Owner, Responsibility
from salus.vendors.rules import Asked

DUTIES: Mapping[Duty, Asked] = MappingProxyType(
    {
        Duty.RISK_ANALYSIS: Asked("Analyzes the risks of the service", "45 CFR 164.308(a)(1)(ii)(A)"),
        Duty.PEOPLE: Asked(
            "Gives and takes away people's access", "45 CFR 164.308(a)(3)(ii)(C), (a)(4)(ii)(B)-(C)"
        ),
        Duty.SIGN_IN: Asked("Checks who signs in, with a second factor", "45 CFR 164.312(d)"),
        Duty.IN_TRANSIT: Asked("Encrypts on the way", "45 CFR 164.312(e)(2)(ii)"),
        Duty.AT_REST: Asked("Encrypts what is kept", "45 CFR 164.312(a)(2)(iv)"),
        Duty.KEYS: Asked("Keeps and rotates the keys", "45 CFR 164.312(a)(2)(iv)"),
        Duty.LOGGING: Asked("Records who did what", "45 CFR 164.312(b)"),
        Duty.LOG_REVIEW: Asked("Reads the records regularly", "45 CFR 164.308(a)(1)(ii)(D)"),
        Duty.PATCHES: Asked("Mends what is found to be weak", "45 CFR 164.308(a)(1)(ii)(B), (a)(5)(ii)(B)"),
        Duty.BACKUPS: Asked("Makes copies that can be restored", "45 CFR 164.308(a)(7)(ii)(A)"),
        Duty.RECOVERY: Asked("Restores, and works on meanwhile", "45 CFR 164.308(a)(7)(ii)(B)-(C)"),
        Duty.INCIDENTS: Asked("Finds incidents and answers them", "45 CFR 164.308(a)(6)(ii)"),
        Duty.BREACH_NOTICE: Asked(
            "Tells of a breach: the vendor us, we the people", "45 CFR 164.410, 164.404"
        ),
        Duty.PREMISES: Asked("Guards buildings and devices", "45 CFR 164.310"),
        Duty.RIGHTS: Asked(
            "Answers for access, amendment and accounting", "45 CFR 164.524, 164.526, 164.528"
        ),
        Duty.DISPOSAL: Asked(
            "Returns or destroys at the end", "45 CFR 164.310(d)(2)(i), 164.504(e)(2)(ii)(J)"
        ),
    }
)
"""In the order in which they are shown."""


def gaps(responsibilities: Mapping[Duty, Responsibility]) -> tuple[Duty, ...]:
    """Return the duties that nobody has: not assigned, or ours (also in part) without anybody named."""
    return tuple(
        duty
        for duty in DUTIES
        if (found := responsibilities.get(duty)) is None
        or (found.owner is not Owner.VENDOR and not found.who.reveal())
    )
