"""Defaults as Oracle writes them, typed as their columns: a text would be read by the session's formats."""

from __future__ import annotations

import re
from datetime import date

from migrator.expressions import Untranslatable
from migrator.expressions.constants import bits, value_of
from migrator.model import types as t
from migrator.model.objects import Literal, Now

from .types import text_literal

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TIMESTAMP = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[ T](?P<time>(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?))?"
    r"(?P<offset>[+-]\d\d(?::?\d\d)?)?"
)
_TIME = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d(?:\.\d{1,9})?)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_FORMATS = {"date": "YYYY-MM-DD", "time": "HH24:MI:SS", "timestamp": "YYYY-MM-DD HH24:MI:SS"}
_TRUE = {"1", "t", "true", "y", "yes", "on"}


def constant(value: Literal, type_: t.Type) -> str:
    """A constant for a column of ``type_``.

    :raises Untranslatable: Oracle has no such value.
    """
    text = value.value
    match type_:
        case t.Boolean():
            return _truth(text)
        case t.Integer() | t.Decimal() | t.Float() | t.Year():
            value_of(value, type_)  # Oracle would round what has more digits
            return _number(value)
        case t.Date() | t.Timestamp():
            return _point_in_time(text, type_)
        case t.Time(zoned=False):
            return _time_of_day(text)
        case t.Uuid():
            if not _UUID.fullmatch(text):
                raise Untranslatable(f"{text} is no UUID")
            return f"HEXTORAW('{text.replace('-', '')}')"
        case t.Binary():
            return _bytes(text if value.kind == "binary" else text.encode().hex())
        case t.Interval(kind="year_month" | "day_second") | t.Xml():
            raise Untranslatable("it would be read by the session's settings")
    if isinstance(type_, t.Bit) and value.kind in {"bit", "number"}:
        text = bits(value, type_)
    if value.kind == "binary":
        raise Untranslatable("it is bytes, and the column text")
    if not text:
        raise Untranslatable("'' is NULL in Oracle")
    return text_literal(text)


def _number(value: Literal) -> str:
    if value.kind == "bit":
        return str(int(value.value, 2))
    if value.kind == "boolean":
        return _truth(value.value)
    if not _NUMBER.fullmatch(value.value):
        raise Untranslatable(f"'{value.value}' is no number")
    return value.value


def _point_in_time(text: str, type_: t.Date | t.Timestamp) -> str:
    match = _TIMESTAMP.fullmatch(text)
    if match is None or not _is_day(match["day"]):
        raise Untranslatable(f"'{text}' is no date of Oracle's calendar")
    if isinstance(type_, t.Date):
        return f"DATE '{match['day']}'"
    if type_.zoned != bool(match["offset"]):
        raise Untranslatable(f"'{text}' has {'no' if type_.zoned else 'an'} offset from UTC")
    offset = ""
    if match["offset"]:
        digits = match["offset"].replace(":", "")
        offset = f" {digits[:3]}:{digits[3:] or '00'}"
    return f"TIMESTAMP '{match['day']} {match['time'] or '00:00:00'}{offset}'"


def _time_of_day(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        raise Untranslatable(f"'{text}' is no time of day")
    return f"INTERVAL '0 {match[1]}{match[2] or ':00'}' DAY TO SECOND"


def _bytes(digits: str) -> str:
    if not digits:
        raise Untranslatable("no bytes are NULL in Oracle")
    return f"HEXTORAW('{digits}')"


def now(value: Now, type_: t.Type) -> str:
    """The current time as a column of ``type_`` takes it.

    :raises Untranslatable: it has no form there.
    """
    clock = _clock(value, getattr(type_, "precision", None))
    match type_:
        case t.Date():
            return f"TRUNC({clock})"
        case t.Timestamp() if value.kind == "date" and not type_.zoned:
            return f"CAST(TRUNC({clock}) AS TIMESTAMP)"
        case t.Timestamp(zoned=True, precision=precision):
            return f"CURRENT_TIMESTAMP({_digits(value, precision)})"
        case t.Timestamp():
            return clock
        case t.Time(zoned=False):
            return f"{clock} - CAST(TRUNC({clock}) AS TIMESTAMP)"
        case t.String() if value.utc:
            shown = _FORMATS[value.kind] + (f".FF{value.precision}" if value.precision and value.kind != "date" else "")
            return f"TO_CHAR({clock}, '{shown}')"
    raise Untranslatable("the current time has no fixed form as text")


def _clock(value: Now, digits: int | None) -> str:
    """Date and time by UTC's clock or by the session's, with so many digits after the second; None: it does not matter."""
    places = f"({_digits(value, digits)})" if digits is not None and value.kind != "date" else ""
    return f"SYS_EXTRACT_UTC(CURRENT_TIMESTAMP{places})" if value.utc else f"LOCALTIMESTAMP{places}"


def _digits(value: Now, of: int) -> int:
    return of if value.precision is None else min(of, value.precision)


def _truth(text: str) -> str:
    return "1" if text.lower() in _TRUE else "0"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
