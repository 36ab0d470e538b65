"""What a profile asks, as PostgreSQL's aggregates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.model import types as t
from migrator.model.measures import JSON_DEPTH, UUID, Ask, Measure, outside
from migrator.model.misfits import Misfit

from .types import as_text, quote

_PAIR, _HALF = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}", r"\\u[dD][89a-fA-F]"
"""The two escapes of a character outside of the first 65536, and one of them: alone, it is no character."""
_DOCUMENT = r"^[ \t\r\n]*[\[{]"
_NO_BRACKETS = r'"([^"\\]|\\.)*"|[^][{}]'
"""All of a document but the brackets that nest it."""
_JSON_SINCE = 16
"""The first version that tells whether a text is JSON; before, there is only a cast that fails."""
_INFINITE_NUMERIC_SINCE = 14
_NUMBERS = (t.Integer, t.Decimal, t.Float)
_DAYS = (t.Date, t.Timestamp)

Version = tuple[int, ...]
Expression = Callable[[Ask, str, Version], str | None]
"""The aggregate, given the quoted column and the server's version; None: there is none."""


def _counted(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


def _finite(ask: Ask, column: str, version: Version) -> str:
    """The condition for values that are neither infinite nor NaN."""
    match t.base_of(ask.column.type):
        case t.Date() | t.Timestamp():
            return f"isfinite({column})"
        case t.Float():
            return f"{column} NOT IN ('NaN', 'Infinity', '-Infinity')"
        case t.Decimal(precision=None):
            more = "" if version[0] < _INFINITE_NUMERIC_SINCE else ", 'Infinity', '-Infinity'"
            return f"{column} NOT IN ('NaN'{more})"
        case t.Decimal():
            return f"{column} <> 'NaN'"
        case _:
            return f"{column} IS NOT NULL"


def _no_number(ask: Ask, column: str, version: Version) -> str:
    if isinstance(t.base_of(ask.column.type), t.Timestamp):
        return _counted(f"NOT ({column} >= '0001-01-01' AND {column} < '10000-01-01')")
    return _counted(f"NOT ({_finite(ask, column, version)})")


def _extreme(function: str) -> Expression:
    def aggregate(ask: Ask, column: str, version: Version) -> str:
        return f"({function}({column}) FILTER (WHERE {_finite(ask, column, version)}))::text"

    return aggregate


def _bytes(ask: Ask, column: str, _: Version) -> str:
    return f"max({_length(ask, column, in_bytes=True)})"


def _length(ask: Ask, column: str, *, in_bytes: bool) -> str:
    if isinstance(t.base_of(ask.column.type), t.Binary):
        return f"octet_length({column})"
    text = as_text(ask.column.type, column)
    return f"octet_length(convert_to({text}, 'UTF8'))" if in_bytes else f"char_length({text})"


def _matches(column: str, pattern: str) -> str:
    """A text compared with a pattern by its characters: a collation of its own may know no patterns."""
    return f"""({column} COLLATE pg_catalog."C" ~ '{pattern}')"""


def _not_json(ask: Ask, column: str, version: Version) -> str | None:
    if version[0] < _JSON_SINCE:
        return None
    cases = [f"WHEN {column} IS NULL THEN false"]
    text = column
    if isinstance(t.base_of(ask.column.type), t.Json):
        text = f"({column}::text)"
    else:
        cases.append(f"WHEN NOT {_matches(text, _DOCUMENT)} THEN true")
    cases.append(f"WHEN {_too_deep(text)} THEN true")  # first: so deep that reading it fails
    paired = f"""regexp_replace({text} COLLATE pg_catalog."C", '{_PAIR}', '', 'g')"""
    return _counted(f"CASE {' '.join(cases)} ELSE NOT ({text} IS JSON AND {paired} !~ '{_HALF}') END")


def _too_deep(text: str) -> str:
    """Whether a document has more brackets around one another than every database takes, or some without another half."""
    left = f"""translate(regexp_replace({text} COLLATE pg_catalog."C", '{_NO_BRACKETS}', '', 'g'), '{{}}', '[]')"""
    for _ in range(JSON_DEPTH):  # each takes the innermost away
        left = f"replace({left}, '[]', '')"
    many = f"length({text}) - length(translate({text}, '[{{', '')) > {JSON_DEPTH}"
    return f"CASE WHEN {many} THEN {left} <> '' ELSE false END"


def _infinity(ask: Ask, column: str, version: Version) -> str | None:
    match t.base_of(ask.column.type):
        case t.Date() | t.Timestamp():
            return _counted(f"NOT isfinite({column})")
        case t.Float():
            return _counted(f"{column} IN ('Infinity', '-Infinity')")
        case t.Decimal(precision=None) if version[0] >= _INFINITE_NUMERIC_SINCE:
            return _counted(f"{column} IN ('Infinity', '-Infinity')")
        case t.Decimal():
            return "0"
    return None


def _nan(ask: Ask, column: str, _: Version) -> str | None:
    numbers = isinstance(t.base_of(ask.column.type), t.Decimal | t.Float)
    return _counted(f"{column} = 'NaN'") if numbers else None


def _fraction(ask: Ask, column: str, version: Version) -> str | None:
    match t.base_of(ask.column.type):
        case t.Decimal() | t.Float() if ask.digits is not None:
            number = f"{column}::text::numeric"  # a cast of a floating-point number rounds it to 15 digits, or 6
            differs = f"{number} <> round({number}, {ask.digits})"
            return _counted(f"CASE WHEN {_finite(ask, column, version)} THEN {differs} END")
        case t.Time() | t.Timestamp() if ask.digits is not None:
            return _counted(f"extract(microseconds FROM {column})::bigint % {10 ** (6 - ask.digits)} <> 0")
    return None


def _out_of_range(ask: Ask, column: str, version: Version) -> str | None:
    type_ = t.base_of(ask.column.type)
    if isinstance(type_, _DAYS):
        return _counted(f"isfinite({column}) AND ({column} < '0001-01-01' OR {column} >= '10000-01-01')")
    if ask.limits is None or not isinstance(type_, _NUMBERS):
        return None
    beyond = outside(column, ask.limits, floats=isinstance(type_, t.Float))
    return _counted(f"{beyond} AND {_finite(ask, column, version)}")


def _too_long(ask: Ask, column: str, _: Version) -> str | None:
    return _counted(f"{_length(ask, column, in_bytes=ask.in_bytes)} > {ask.length}")


def _empty(ask: Ask, column: str, _: Version) -> str:
    is_string = isinstance(t.base_of(ask.column.type), t.String)
    text = column if is_string else f"{column}::text"  # which has no blanks of char(n)
    return _counted(f"octet_length({text}) = 0")


AGGREGATES: Mapping[Measure | Misfit, Expression] = {
    Measure.NULLS: lambda _ask, c, _: _counted(f"{c} IS NULL"),
    Measure.LEAST: _extreme("min"),
    Measure.MOST: _extreme("max"),
    Measure.NO_NUMBER: _no_number,
    Measure.SCALE: lambda _ask, c, _: f"max(length(rtrim(split_part({c}::text, '.', 2), '0')))",
    Measure.NOT_BOOLEAN: lambda _ask, c, _: _counted(f"{c} NOT IN (0, 1)"),
    Measure.TIMED: lambda _ask, c, _: _counted(f"{c} <> date_trunc('day', {c})"),
    Measure.EMPTY: _empty,
    Measure.CHARACTERS: lambda ask, c, _: f"max({_length(ask, c, in_bytes=False)})",
    Measure.BYTES: _bytes,
    Measure.NOT_UUID: lambda _ask, c, _: _counted(f"NOT {_matches(c, UUID)}"),
    Measure.NOT_16_BYTES: lambda _ask, c, _: _counted(f"octet_length({c}) <> 16"),
    Measure.NOT_JSON: _not_json,
    Misfit.INFINITY: _infinity,
    Misfit.NAN: _nan,
    Misfit.FRACTION: _fraction,
    Misfit.OUT_OF_RANGE: _out_of_range,
    Misfit.TOO_LONG: _too_long,
    Misfit.EMPTY_TEXT: _empty,
}
"""How each measure and each misfit is asked. There are no zero dates here, no NUL in a text and no wrong bytes."""


def aggregate(ask: Ask, version: Version) -> str | None:
    """See :meth:`migrator.adapter.Adapter.aggregate`."""
    make = AGGREGATES.get(ask.what)
    return None if make is None else make(ask, quote(ask.column.name), version)
