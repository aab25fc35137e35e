"""The six segments of the audience benchmark, each in the language and as SQL on a JSONB column.

The SQL is what somebody who knows PostgreSQL would write: SQL/JSON paths, no self-made functions, one
pass over the table; it gets parallel workers. Both must count the same people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One segment: its name, its tree, and the condition on `doc` with named parameters."""

    name: str
    where: dict[str, Any]
    sql: str
    parameters: dict[str, Any]


def cases(at: datetime, today: date) -> list[Case]:
    """Return the six segments as of `at`; `today` is the date in the zone where people live."""

    def ago(days: int) -> str:
        return (today - timedelta(days)).isoformat()

    def years(count: int) -> str:
        return today.replace(year=today.year - count, day=min(today.day, 28)).isoformat()

    older_40 = {"field": "birth_date", "before": years(40)}
    diabetes = {"record": "conditions", "code": "E11", "date": {"before": today.isoformat()}}
    diabetes_sql = "doc @@ ('exists($.conditions[*] ? (@.code starts with \"E11\" && @.date < \"' || %(today)s || '\"))')::jsonpath"
    high = {"latest": "labs", "code": "4548-4", "value": {"above": 9}}
    high_sql = """(SELECT bool_or((lab->>'value')::float8 > 9) FROM (
        SELECT lab, rank() OVER (ORDER BY lab->>'date' DESC) AS place
        FROM jsonb_array_elements(doc->'labs') AS lab WHERE lab->>'code' = '4548-4') AS ranked WHERE place = 1)"""
    none = {"not": {"record": "labs", "code": "4548-4"}}
    none_sql = """NOT doc @? '$.labs[*] ? (@.code == "4548-4")'"""
    booked = {"record": "appointments", "status": "booked", "date": {"within_next": {"days": 60}}}
    booked_sql = (
        'doc @@ (\'exists($.appointments[*] ? (@.status == "booked" && @.date >= "\' || %(today)s || '
        "'\" && @.date <= \"' || %(in_60)s || '\"))')::jsonpath"
    )
    opened = {"did": "message_opened", "at_least": 2, "at": {"within_last": {"days": 90}}}
    opened_sql = """(SELECT count(*) FROM jsonb_array_elements(doc->'events') AS event
        WHERE event->>'kind' = 'message_opened' AND (event->>'at')::timestamptz BETWEEN %(since)s AND %(now)s) >= 2"""
    parameters = {"today": today.isoformat(), "in_60": ago(-60), "since": at - timedelta(days=90), "now": at}
    return [
        Case("one term", {"field": "gender", "equal": "female"}, "doc->>'gender' = 'female'", {}),
        Case(
            "a code and all below it",
            {"record": "conditions", "code": "E11"},
            """doc @? '$.conditions[*] ? (@.code starts with "E11")'""",
            {},
        ),
        Case(
            "seven terms",
            {
                "all": [
                    {"field": "gender", "equal": "female"},
                    older_40,
                    {"field": "state", "in": ["WA", "OR", "CA"]},
                    {"field": "language", "equal": "en"},
                    {"field": "insurance_type", "in": ["commercial", "medicare"]},
                    diabetes,
                    {"record": "encounters", "date": {"within_last": {"days": 365}}},
                ]
            },
            f"""doc->>'gender' = 'female' AND doc->>'birth_date' < %(age_40)s
            AND doc->>'state' IN ('WA', 'OR', 'CA') AND doc->>'language' = 'en'
            AND doc->>'insurance_type' IN ('commercial', 'medicare') AND {diabetes_sql}
            AND doc @@ ('exists($.encounters[*] ? (@.date >= "' || %(year_ago)s || '" && @.date <= "' || %(today)s
            || '"))')::jsonpath""",
            {"age_40": years(40), "year_ago": ago(365), "today": today.isoformat()},
        ),
        Case("the latest value", {"all": [older_40, high]}, f"doc->>'birth_date' < %(age_40)s AND {high_sql}",
             {"age_40": years(40)}),
        Case(
            "nested",
            {"all": [diabetes, {"any": [high, none]}, {"not": booked}]},
            f"{diabetes_sql} AND (coalesce({high_sql}, false) OR {none_sql}) AND NOT {booked_sql}",
            parameters,
        ),
        Case(
            "nested, with events",
            {
                "any": [
                    {"all": [diabetes, {"not": booked}, {"not": opened}]},
                    {"all": [opened, {"any": [high, {"field": "city", "starts_with": "S"}]}]},
                ]
            },
            f"""({diabetes_sql} AND NOT {booked_sql} AND NOT {opened_sql})
            OR ({opened_sql} AND (coalesce({high_sql}, false) OR lower(doc->>'city') LIKE 's%%'))""",
            parameters,
        ),
    ]  # fmt: skip
