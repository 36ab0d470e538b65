"""Values compared by what they mean, whatever type and form they were read in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from migrator import arrow
from migrator.model import types as t


def values_of(array: pa.Array, actual: t.Type, wanted: t.Type) -> list[Any]:
    """Values of type ``actual`` as ``wanted`` means them, as Python values that compare by meaning."""
    column = arrow.convert(array, "value", actual, wanted)
    if arrow.escaped(column, wanted):
        column = arrow.parse(column, wanted)
    meaning = _MEANINGS.get(type(t.base_of(wanted)), _itself)
    return [None if value is None else meaning(value, t.base_of(wanted)) for value in column.to_pylist()]


def _itself(value: Any, _: t.Type) -> Any:
    return value


def _number(value: Any, _: t.Type) -> Any:
    return Decimal(str(value))


def _exact_float(value: Any, _: t.Type) -> str:
    return repr(value)  # tells -0.0 from 0.0, holds NaN equal to NaN


def _unpadded(value: str, type_: t.Type) -> str:
    return value.rstrip(" ") if isinstance(type_, t.String) and type_.fixed else value


def _document(value: str, type_: t.Type) -> Any:
    if isinstance(type_, t.Json) and not type_.binary:
        return value
    return json.loads(value, parse_float=Decimal, parse_int=Decimal)


_UNITS = {"year": 12, "mon": 1, "day": 1, "P": 0}


def _span(value: str, _: t.Type) -> tuple[int, int, timedelta]:
    """Months, days and the rest; from PostgreSQL's form, from ISO 8601 or from hours, minutes and seconds."""
    iso = re.fullmatch(r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?)?", value)
    if iso:
        years, months, days, hours, minutes = (int(part or 0) for part in iso.groups()[:5])
        return 12 * years + months, days, timedelta(hours=hours, minutes=minutes, seconds=float(iso[6] or 0))
    totals = {"mon": 0, "day": 0}
    for count, unit in re.findall(r"([+-]?\d+) (year|mon|day)s?", value):
        totals["day" if unit == "day" else "mon"] += int(count) * _UNITS[unit]
    clock = re.search(r"([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?)$", value)
    rest = timedelta()
    if clock:
        rest = timedelta(hours=int(clock[2]), minutes=int(clock[3]), seconds=float(clock[4]))
    return totals["mon"], totals["day"], -rest if clock and clock[1] == "-" else rest


_MEANINGS: dict[type[t.Type], Callable[[Any, t.Type], Any]] = {
    t.Decimal: _number,
    t.Float: _exact_float,
    t.String: _unpadded,
    t.Json: _document,
    t.Interval: _span,
}
