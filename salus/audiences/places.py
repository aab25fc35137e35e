"""The table of places: the middle of each ZIP code area, which the organization loads from a file.

Salus ships no such table. The Census Bureau publishes one (Gazetteer, ZIP Code Tabulation Areas):
tab-separated, with the columns GEOID, INTPTLAT and INTPTLONG. A CSV with the columns postal_code,
latitude and longitude is read as well. Without a table a segment cannot ask for distances.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from salus.kernel.errors import BadInput

_NAMES = (("postal_code", "latitude", "longitude"), ("GEOID", "INTPTLAT", "INTPTLONG"))


def load_places(path: Path) -> Mapping[str, tuple[float, float]]:
    """Return latitude and longitude by five-digit postal code; raises `BadInput` with the line at fault."""
    found: dict[str, tuple[float, float]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        head = file.readline()
        separator = "\t" if "\t" in head else ","
        titles = [one.strip() for one in head.split(separator)]
        names = next((trio for trio in _NAMES if set(trio) <= set(titles)), None)
        if names is None:
            raise BadInput("has no columns postal_code, latitude and longitude", place=f"{path.name} line 1")
        where = [titles.index(name) for name in names]
        for line, row in enumerate(csv.reader(file, delimiter=separator), start=2):
            if row:
                code, point = _place(row, where, f"{path.name} line {line}")
                found[code] = point
    return found


def _place(row: list[str], where: list[int], place: str) -> tuple[str, tuple[float, float]]:
    try:
        code, latitude, longitude = (row[i].strip() for i in where)
        point = float(latitude), float(longitude)
    except (IndexError, ValueError):
        raise BadInput("is not a postal code with latitude and longitude", place=place) from None
    if not abs(point[0]) <= 90 or not abs(point[1]) <= 180 or len(code) != 5:
        raise BadInput("is not a postal code with latitude and longitude", place=place)
    return code, point
