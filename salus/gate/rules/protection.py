"""The least protection that a message may travel with, from what it discloses (engine page, part 3)."""

from __future__ import annotations

from collections.abc import Iterable

from salus.kernel.vocabulary import PhiClass, Profile, Protection, Special

MAY_GO_NAMED = frozenset({PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.DATES_OF_CARE})
"""All other classes need a verified peer in the strict profile."""


def floor_of(
    profile: Profile,
    classes: frozenset[PhiClass],
    specials: frozenset[Special],
    asked: Iterable[Protection | None],
) -> Protection:
    """Return the least protection: what the classes need, or more where a rule asks for more.

    No profile goes below `NAMED`: nothing travels in clear. A special category of health never goes
    below `KEY`; the overlays ask for `PORTAL` where law says so.
    """
    least = Protection.NAMED
    if profile is Profile.STRICT and not classes <= MAY_GO_NAMED:
        least = Protection.VERIFIED
    if specials - {Special.SENSITIVE_DEMOGRAPHIC}:
        least = Protection.KEY
    return max([least, *(one for one in asked if one is not None)])
