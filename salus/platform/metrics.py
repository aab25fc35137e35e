"""Figures for whoever watches over an installation, in the text format of Prometheus; never about a tenant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-z][a-z0-9_]*")

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Family:
    """One figure with its samples; `help` says what it counts, the labels are words of ours."""

    name: str
    help: str
    samples: Sequence[Sample]
    kind: str = "gauge"


Collector = Callable[[], Iterable[Family]]


def jobs() -> Iterable[Family]:
    """Return the background jobs that wait, run, or failed for good, by queue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, status::text, count(*) FROM procrastinate_jobs "
            "WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2 ORDER BY 1, 2"
        )
        found = cursor.fetchall()
    samples = [({"queue": queue, "status": status}, count) for queue, status, count in found]
    yield Family("salus_jobs", "Background jobs by queue and status.", samples)


def collect() -> list[Family]:
    """Return every figure: the platform's own, then those of the collectors that `SALUS_METRICS` names."""
    path: str = getattr(settings, "SALUS_METRICS", "")
    collectors: Sequence[Collector] = import_string(path) if path else ()
    return [family for collector in (jobs, *collectors) for family in collector()]


def exposition(families: Iterable[Family]) -> str:
    """Return the figures as text; raises `ValueError` for a name that the format does not allow."""
    lines = []
    for family in families:
        if not _NAME.fullmatch(family.name):
            raise ValueError(f"not a name of a figure: {family.name}")
        lines += [f"# HELP {family.name} {_help(family.help)}", f"# TYPE {family.name} {family.kind}"]
        lines += [f"{family.name}{_labels(labels)} {value:g}" for labels, value in family.samples]
    return "".join(f"{line}\n" for line in lines)


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return _help(value).replace('"', r"\"")
