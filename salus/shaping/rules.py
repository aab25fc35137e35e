"""Pure decisions of shaping: which destination hosts are, what holds there now, what a reply sets off, warming up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from salus.shaping import patterns
from salus.shaping.contracts import OTHER, Act, Curve, Limits, Measure, Plan, Rate, Rule, Site, Source, Whose


def destination(plan: Plan, name: str, hosts: Sequence[str]) -> tuple[Site, bool]:
    """Return what the plan says of a destination, and whether it has a name there.

    `name` is what `delivery.site` calls it, `hosts` its best mail hosts: all of them have to belong to it.
    """
    if found := plan.sites.get(name):
        return found, True
    for site in plan.sites.values():
        if site.hosts and all(_below(host, site.hosts) for host in hosts):
            return site, True
    return plan.default, False


def _below(host: str, ends: Iterable[str]) -> bool:
    return any(f".{host}".endswith(f".{end}") for end in ends)


def rule_for(rules: Iterable[Rule], code: int, enhanced: str, text: str) -> Rule | None:
    """Return the first rule that a refusal fits."""
    return next((each for each in rules if _fits(each, code, enhanced, text)), None)


def _fits(rule: Rule, code: int, enhanced: str, text: str) -> bool:
    if rule.codes and code not in rule.codes:
        return False
    if (
        rule.enhanced
        and enhanced != rule.enhanced
        and not (rule.enhanced.endswith(".") and enhanced.startswith(rule.enhanced))
    ):
        return False
    return patterns.fits(rule.match, text)


def often_enough(rule: Rule, times: Sequence[datetime], at: datetime) -> bool:
    """Tell whether refusals at these moments, the one of `at` among them, set the rule off."""
    return sum(each > at - rule.within for each in times) >= rule.after


@dataclass(frozen=True, slots=True)
class Standing:
    """What measures make of a destination for one organization now."""

    limits: Limits
    suspended: Measure | None = None
    switched: Measure | None = None
    is_own: bool = False
    """A measure of the organization alone narrows the limits: its mail is counted apart."""


def standing(limits: Limits, measures: Iterable[Measure], at: datetime) -> Standing:
    """Return what holds: every throttle narrows, the suspension that ends last counts, the newest switch."""
    found = Standing(limits)
    for each in measures:
        if each.until <= at:
            continue
        if each.act is Act.SUSPEND and (found.suspended is None or each.until > found.suspended.until):
            found = replace(found, suspended=each)
        elif each.act is Act.SWITCH:
            found = replace(found, switched=each)
        elif each.act is Act.THROTTLE:
            own = found.is_own or each.whose is Whose.ORGANIZATION
            found = replace(found, limits=narrowed(found.limits, each), is_own=own)
    return found


def narrowed(limits: Limits, measure: Measure) -> Limits:
    """Return limits with a throttle on them: it never widens."""
    connections = min(limits.connections, measure.connections or limits.connections)
    return replace(
        limits,
        connections=connections,
        connections_at_first=min(limits.connections_at_first, connections),
        message_rate=slower(limits.message_rate, measure.messages),
    )


def slower(one: Rate | None, other: Rate | None) -> Rate | None:
    """Return the stricter of two rates."""
    given = [each for each in (one, other) if each]
    return max(given, key=lambda each: each.interval, default=None)


def most_of(curve: Curve, site: str, day: int) -> int | None:
    """Return the most messages on the day numbered `day` (the first is 0) of a warm-up; None: it is over."""
    volumes = curve.volumes.get(site) or curve.volumes[OTHER]
    if day < 0:
        return 0  # it has not begun
    return volumes[day] if day < len(volumes) else None


def day_of(source: Source, today: date) -> int:
    """Return the number of a source's day of warming up; the first is 0."""
    assert source.since
    return (today - source.since).days


def tomorrow(at: datetime) -> datetime:
    """Return when the next day of a warm-up begins (UTC)."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
