"""Pure: lays files over each other (ours, the installation's, an organization's part of it) to one plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from salus.kernel.errors import BadInput
from salus.shaping.contracts import Act, Curve, Limits, Mail, Plan, Pool, Rule, Site, Source, relay_of
from salus.shaping.document import Document, Section, Sections

DEFAULT = "default"


def plan(documents: Sequence[Document], organization: str = "") -> Plan:
    """Return what holds for an organization (its slug); later files win, setting by setting.

    Rules of later files are asked first; one with the id of an earlier one takes its place. Raises
    `BadInput` where something is named that is not there, or limits contradict each other.
    """
    layers = [(each.everybody, False) for each in documents]
    layers += [
        (each.organizations[organization], True) for each in documents if organization in each.organizations
    ]
    pools = tuple(pool for each in documents for pool in each.pools)
    curves = {name: curve for each in documents for name, curve in each.curves.items()}
    names = sorted({name for sections, _ in layers for name in sections.sites})
    made = Plan(
        _site(DEFAULT, layers),
        {name: _site(name, layers) for name in names},
        pools,
        curves,
    )
    _check(made, documents)
    return made


def relays(made: Plan) -> set[str]:
    """Return the names of the relays that rules switch to: the organization has to have them."""
    rules = (rule for site in (made.default, *made.sites.values()) for rule in site.rules)
    return {relay for rule in rules if (relay := relay_of(rule.to))}


def organizations(documents: Iterable[Document]) -> set[str]:
    """Return the slugs that files speak of, so that a name nobody has is found."""
    own = {slug for each in documents for slug in each.organizations}
    return own | {slug for each in documents for pool in each.pools for slug in pool.organizations}


def _site(name: str, layers: Sequence[tuple[Sections, bool]]) -> Site:
    # What is said of the destination itself wins over what is said of all, whichever file says it.
    said = [(sections.default, is_own) for sections, is_own in layers]
    if name != DEFAULT:
        said += [(sections.sites.get(name, Section()), is_own) for sections, is_own in layers]
    limits: dict[str, Any] = {}
    rules: tuple[Rule, ...] = ()
    hosts: tuple[str, ...] = ()
    for section, _ in said:
        limits |= section.limits
        rules = _over(section.rules, rules)
        hosts = section.hosts or hosts
    made = replace(Limits(), **limits)
    return Site(
        name,
        replace(made, connections_at_first=min(made.connections_at_first, made.connections)),
        tuple(each for each in rules if each.act is not Act.NOTHING),
        hosts,
        any(is_own and section.limits for section, is_own in said),
    )


def _over(new: tuple[Rule, ...], old: tuple[Rule, ...]) -> tuple[Rule, ...]:
    taken = {each.id for each in new}
    return (*new, *(each for each in old if each.id not in taken))


def _check(made: Plan, documents: Sequence[Document]) -> None:
    seen: set[str] = set()
    names: set[str] = set()
    for document in documents:
        for pool in document.pools:
            place = f"{document.file}: pool.{pool.name}"
            if pool.name in names:
                raise BadInput("Another file has a pool of this name.", place=place)
            names.add(pool.name)
            for source in pool.sources:
                _check_source(source, made.curves, seen, place)
    for site in (made.default, *made.sites.values()):
        for rule in site.rules:
            if rule.act is Act.SWITCH and not relay_of(rule.to) and rule.to not in names:
                raise BadInput(f'There is no pool "{rule.to}".', place=f"site.{site.name}: rule {rule.id}")


def _check_source(source: Source, curves: Mapping[str, Curve], seen: set[str], place: str) -> None:
    if source.curve and source.curve not in curves:
        raise BadInput(f'There is no curve "{source.curve}".', place=f"{place}: {source.name}")
    for word in (source.name, *source.addresses):
        if word in seen:
            raise BadInput(f"{word} is used twice.", place=place)
        seen.add(word)


def pools_of(made: Plan, slug: str) -> tuple[Pool, ...]:
    """Return the pools that an organization's mail may leave from, also those that rules switch to."""
    targets = {rule.to for site in (made.default, *made.sites.values()) for rule in site.rules}
    return tuple(
        each
        for each in made.pools
        if not each.organizations or slug in each.organizations or each.name in targets
    )


def pool_for(made: Plan, slug: str, mail: Mail) -> Pool | None:
    """Return the first pool for this organization and kind of mail; None: whatever address the machine takes."""
    fits = (
        each
        for each in made.pools
        if mail in each.carries and (not each.organizations or slug in each.organizations)
    )
    return next(fits, None)
