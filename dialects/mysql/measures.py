"""What a profile asks, as MySQL's aggregates. Texts are compared by their bytes, whatever their collation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.model import types as t
from migrator.model.measures import JSON_DEPTH, UUID, Ask, Measure, outside
from migrator.model.misfits import Misfit

from .names import quote

_NUMBERS = (t.Integer, t.Decimal, t.Float)
_ESCAPED_NUL, _ESCAPED_BACKSLASH = "X'5C7530303030'", "X'5C5C'"
_ZERO = "'0000-00-00'"
_FLOAT_BITS = 24
"""How many binary digits a FLOAT has."""

_STRING = r"""'"(?:[^"\\\\]++|\\\\.)*+"'"""
_DOCUMENT = r"'^[ \\t\\r\\n]*[\\[{]'"
_NO_NUMBER = "'[0-9][.](?![0-9])|[0-9][eE](?![-+]?[0-9])|-(?![0-9])'"
_ESCAPES = (
    r"""'^(?:[^\\\\]|\\\\["\\\\/bfnrt]|\\\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"""
    r"""|\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2})*+$'"""
)
"""What MariaDB takes for JSON and nobody else: numbers that stop after their point, exponent or sign, and any escape."""

Expression = Callable[[Ask, str], str | None]
"""The aggregate, given the quoted column; None: there is none."""


def _counted(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def _day(column: str) -> str:
    return f"LEFT(CAST({column} AS CHAR), 10)"


def _zero(column: str) -> str:
    """Whether a date is 0000-00-00, with no time of day but midnight; a partial date is none."""
    return f"({_day(column)} = {_ZERO} AND NOT {_timed(column)})"


def _partial(column: str) -> str:
    year, month, day = (f"SUBSTRING({_day(column)}, {at}, {length})" for at, length in ((1, 4), (6, 2), (9, 2)))
    leap = f"({year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0))"
    days = f"CASE WHEN {month} = 2 THEN IF({leap}, 29, 28) WHEN {month} IN (4, 6, 9, 11) THEN 30 ELSE 31 END"
    return f"(NOT {_zero(column)} AND ({month} = 0 OR {day} = 0 OR {day} > {days}))"


def _timed(column: str) -> str:
    return f"(HOUR({column}) + MINUTE({column}) + SECOND({column}) + MICROSECOND({column}) > 0)"


def _binary(column: str) -> str:
    """A text as the bytes of UTF-8; unlike CAST, CONVERT gives no NULL for long ones."""
    return f"CONVERT(CONVERT({column} USING utf8mb4) USING binary)"


def _length(ask: Ask, column: str, *, in_bytes: bool) -> str:
    if isinstance(t.base_of(ask.column.type), t.Binary):
        return f"LENGTH({column})"
    return f"LENGTH(CONVERT({column} USING utf8mb4))" if in_bytes else f"CHAR_LENGTH({column})"


def _extreme(function: str) -> Expression:
    def aggregate(ask: Ask, column: str) -> str:
        match t.base_of(ask.column.type):
            case t.Float():  # a FLOAT is printed with 6 digits
                value = f"{column} * 1e0"
            case t.Date() | t.Timestamp():
                value = f"CASE WHEN NOT {_zero(column)} AND NOT {_partial(column)} THEN {column} END"
            case _:
                value = column
        return f"CAST({function}({value}) AS CHAR)"

    return aggregate


def _no_number(ask: Ask, column: str) -> str:
    """There are no infinities here and no NaN, but dates that are none elsewhere."""
    dated = isinstance(t.base_of(ask.column.type), t.Timestamp)
    return _counted(f"{_day(column)} < '0001-01-01' OR {_partial(column)}") if dated else "0"


def _scale(ask: Ask, column: str) -> str:
    type_ = t.base_of(ask.column.type)
    if not (isinstance(type_, t.Decimal) and type_.scale):
        return "0"  # there is no point in their texts
    return f"MAX(LENGTH(TRIM(TRAILING '0' FROM SUBSTRING_INDEX(CAST({column} AS CHAR), '.', -1))))"


def _not_uuid(ask: Ask, column: str) -> str:
    text = f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin"
    return _counted(f"CHAR_LENGTH({column}) <> 36 OR {text} NOT REGEXP '{UUID}'")


def _not_json(ask: Ask, column: str) -> str:
    text = f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin"
    document = isinstance(t.base_of(ask.column.type), t.Json)
    wrong = (
        *(() if document else (f"{text} NOT REGEXP {_DOCUMENT}",)),
        f"NOT JSON_VALID({column})",
        f"JSON_DEPTH({column}) > {JSON_DEPTH}",  # to it a number in a bracket is as deep as a bracket
        f"REGEXP_REPLACE({text}, {_STRING}, '') REGEXP {_NO_NUMBER}",
        f"{text} NOT REGEXP {_ESCAPES}",
    )
    cases = " ".join(
        f"WHEN {condition} THEN 1" for condition in wrong
    )  # one after the other: few texts are looked at by all
    return f"COUNT(CASE WHEN {column} IS NULL THEN NULL {cases} END)"


def _nul(ask: Ask, column: str) -> str:
    found = f"LOCATE(X'00', {_binary(column)}) > 0"
    if ask.escapes:
        found += f" OR LOCATE({_ESCAPED_NUL}, REPLACE({_binary(column)}, {_ESCAPED_BACKSLASH}, X'')) > 0"
    return _counted(found)


def _fraction(ask: Ask, column: str) -> str | None:
    if ask.digits is None:
        return None
    match t.base_of(ask.column.type):
        case t.Decimal():
            return _counted(f"{column} <> TRUNCATE({column}, {ask.digits})")
        case t.Float(bits=bits) if ask.digits >= 0:
            return _counted((_finer_double if bits > 32 else _finer_float)(column, ask.digits))
        case t.Time() | t.Timestamp() | t.Interval():
            return _counted(f"MICROSECOND({column}) % {10 ** (6 - ask.digits)} <> 0")
    return None


def _finer_double(column: str, digits: int) -> str:
    """Whether a DOUBLE has more digits after the point than so many, in the shortest text that says it."""
    text = f"CAST({column} * 1e0 AS CHAR)"  # DOUBLE(9,2) is printed with two digits
    mantissa = f"SUBSTRING_INDEX({text}, 'e', 1)"
    written = f"IF(LOCATE('.', {mantissa}), LENGTH(SUBSTRING_INDEX({mantissa}, '.', -1)), 0)"
    exponent = f"IF(LOCATE('e', {text}), CAST(SUBSTRING_INDEX({text}, 'e', -1) AS SIGNED), 0)"
    return f"{written} - {exponent} > {digits}"


def _finer_float(column: str, digits: int) -> str:
    """Whether no number of so few digits has a FLOAT as its nearest: six digits are all that is printed of one."""
    value = f"{column} * 1e0"
    half_a_step = f"POW(2, FLOOR(LOG2(ABS({value}))) - {_FLOAT_BITS})"
    return f"ABS({value} - ROUND({value}, {digits})) >= {half_a_step}"


def _out_of_range(ask: Ask, column: str) -> str | None:
    type_ = t.base_of(ask.column.type)
    if isinstance(type_, t.Date | t.Timestamp):  # the year 0: no other is one elsewhere
        year = f"LEFT({_day(column)}, 4)"
        return _counted(f"{year} = '0000' AND NOT {_zero(column)} AND NOT {_partial(column)}")
    if ask.limits is None or not isinstance(type_, _NUMBERS):
        return None
    return _counted(outside(column, ask.limits, floats=isinstance(type_, t.Float)))


def _empty(_: Ask, column: str) -> str:
    return _counted(f"LENGTH({column}) = 0")


AGGREGATES: Mapping[Measure | Misfit, Expression] = {
    Measure.NULLS: lambda _, c: _counted(f"{c} IS NULL"),
    Measure.LEAST: _extreme("MIN"),
    Measure.MOST: _extreme("MAX"),
    Measure.NO_NUMBER: _no_number,
    Measure.SCALE: _scale,
    Measure.NOT_BOOLEAN: lambda _, c: _counted(f"{c} NOT IN (0, 1)"),
    Measure.TIMED: lambda _, c: _counted(_timed(c)),
    Measure.EMPTY: _empty,
    Measure.CHARACTERS: lambda ask, c: f"MAX({_length(ask, c, in_bytes=False)})",
    Measure.BYTES: lambda ask, c: f"MAX({_length(ask, c, in_bytes=True)})",
    Measure.NOT_UUID: _not_uuid,
    Measure.NOT_16_BYTES: lambda _, c: _counted(f"LENGTH({c}) <> 16"),
    Measure.NOT_JSON: _not_json,
    Misfit.NUL_BYTE: _nul,
    Misfit.ZERO_DATE: lambda _, c: _counted(_zero(c)),
    Misfit.PARTIAL_DATE: lambda _, c: _counted(_partial(c)),
    Misfit.FRACTION: _fraction,
    Misfit.OUT_OF_RANGE: _out_of_range,
    Misfit.EMPTY_TEXT: _empty,
    Misfit.TOO_LONG: lambda ask, c: _counted(f"{_length(ask, c, in_bytes=ask.in_bytes)} > {ask.length}"),
}
"""How each measure and each misfit is asked. There is no expression for wrong bytes."""


def aggregate(ask: Ask) -> str | None:
    """See :meth:`migrator.adapter.Adapter.aggregate`."""
    make = AGGREGATES.get(ask.what)
    return None if make is None else make(ask, quote(ask.column.name))
