"""What a profile asks, as SQLite's aggregates. Each looks at values of the storage classes that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.adapter import Read
from migrator.model import types as t
from migrator.model.measures import JSON_DEPTH, Ask, Measure, outside
from migrator.model.misfits import Misfit

from .names import qualified, quote
from .proof import UUID, uncarried

_SURROGATE = r"*\u[dD][89a-fA-F]*"
"""An escape in JSON that may be half a character."""
_DIGITS = 15
"""The digits after the point that are looked at where a declaration names none: as many as a number's text has."""

Expression = Callable[[Ask, str], str | None]
"""The aggregate, given the quoted column; None: there is none."""


def _counted(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _texts(column: str) -> str:
    return f"typeof({column}) = 'text'"


def _whole(column: str) -> str:
    """Whether there is no NUL in a text, at which SQLite's functions stop."""
    return f"instr(CAST({column} AS BLOB), x'00') = 0"


def _numbers(column: str) -> str:
    return f"typeof({column}) IN ('integer', 'real')"


def _finite(column: str) -> str:
    return f"({_numbers(column)} AND {column} NOT IN (9e999, -9e999))"


def _extreme(function: str) -> Expression:
    def aggregate(ask: Ask, column: str) -> str:
        if isinstance(t.base_of(ask.column.type), t.Date | t.Timestamp):
            dated = f"{_texts(column)} AND {column} NOT GLOB '*[^-0-9T:.+ ]*'"
            return f"{function}(CASE WHEN {dated} THEN {column} END)"
        return f"nullif(quote({function}(CASE WHEN {_finite(column)} THEN {column} END)), 'NULL')"

    return aggregate


def _timed(ask: Ask, column: str) -> str:
    type_ = t.base_of(ask.column.type)
    if isinstance(type_, t.Timestamp) and type_.zoned:  # by a time's fraction, which its functions round, and the rest of it
        fraction = f"trim(substr({column}, 20, length({column}) - 25), '0.')"
        return _counted(f"{_texts(column)} AND (time({column}) <> '00:00:00' OR {fraction} <> '')")
    return _counted(f"{_texts(column)} AND trim(substr({column}, 12), '0:.') <> ''")


def _scale(ask: Ask, column: str) -> str:
    type_ = t.base_of(ask.column.type)
    declared = type_.scale if isinstance(type_, t.Decimal) and type_.precision is not None else _DIGITS
    fixed = f"printf('%.{declared or 0}f', {column})"
    text = "CASE WHEN instr({0}, '.') > 0 THEN length(rtrim({0}, '0')) - instr({0}, '.') ELSE 0 END"
    return (
        f"max(CASE typeof({column}) WHEN 'integer' THEN 0 WHEN 'real' THEN {text.format(fixed)}"
        f" WHEN 'text' THEN {text.format(column)} END)"
    )


def _longest(in_bytes: bool) -> Expression:
    def aggregate(ask: Ask, column: str) -> str:
        return f"max({_length(ask, column, in_bytes=in_bytes)})"

    return aggregate


def _length(ask: Ask, column: str, *, in_bytes: bool) -> str:
    """Of a text with NUL, characters are counted up to the first."""
    if isinstance(t.base_of(ask.column.type), t.Binary):
        return f"CASE WHEN typeof({column}) = 'blob' THEN length({column}) END"
    length = f"length(CAST({column} AS BLOB))" if in_bytes else f"length({column})"
    return f"CASE WHEN {_texts(column)} THEN {length} END"


def _not_json(ask: Ask, column: str) -> str:
    known = f"{_texts(column)} AND {_whole(column)} AND json_valid({column}) AND {column} NOT GLOB '{_SURROGATE}'"
    if not isinstance(t.base_of(ask.column.type), t.Json):
        known += f" AND substr(ltrim({column}, ' ' || char(9, 10, 13)), 1, 1) IN ('{{', '[')"
    deep = f"CASE WHEN {known} THEN {_too_deep(column)} ELSE 1 END"
    return _counted(f"{column} IS NOT NULL AND {deep}")


def _too_deep(column: str) -> str:
    """Whether a document has more brackets around one another than every database takes; odd keys may make it seem so.

    The document has a name of its own, since json_tree has columns that may be called as the column is.
    """
    opened = f"length(replace(replace({column}, '[', ''), '{{', ''))"
    around = "length(j.fullkey) - length(replace(replace(j.fullkey, '.', ''), '[', ''))"
    depth = f"max(CASE WHEN j.type IN ('array', 'object') THEN {around} ELSE 0 END)"
    deepest = f"SELECT {depth} FROM (SELECT {column} AS document) AS d, json_tree(d.document) AS j"
    too_deep = f"coalesce(({deepest}) >= {JSON_DEPTH}, 1)"
    return f"CASE WHEN length({column}) - {opened} > {JSON_DEPTH} THEN {too_deep} ELSE 0 END"


def _not_uuid(ask: Ask, column: str) -> str:
    uuid = f"{_texts(column)} AND {_whole(column)} AND {column} GLOB '{UUID}'"
    return _counted(f"{column} IS NOT NULL AND NOT ({uuid})")


def _no_number(ask: Ask, column: str) -> str:
    type_ = t.base_of(ask.column.type)
    if not isinstance(type_, t.Timestamp):
        return _counted(f"{column} IS NOT NULL AND NOT {_finite(column)}")
    wrong = f"({uncarried(type_, 'TEXT').format(c=column)} OR {column} < '0001')"
    return _counted(f"{column} IS NOT NULL AND NOT ({_texts(column)} AND {_whole(column)} AND NOT {wrong})")


def _nul(ask: Ask, column: str) -> str:
    found = f"instr(CAST({column} AS BLOB), x'00') > 0"
    if ask.escapes:
        found = rf"({found} OR instr(replace({column}, '\\', ''), '\u0000') > 0)"
    return _counted(f"{_texts(column)} AND {found}")


def _finer(column: str, digits: int) -> str:
    """Whether no number of so few digits has a real as its nearest; round() looks at 16 digits of it."""
    text = f"printf('%!.{digits}f', {column})"
    return f"({column} <> round({column}, {digits}) AND {column} <> CAST({text} AS REAL))"


def _fraction(ask: Ask, column: str) -> str | None:
    if ask.digits is None:
        return None
    match t.base_of(ask.column.type):
        case t.Decimal() | t.Float() if ask.digits >= 0:
            return _counted(f"typeof({column}) = 'real' AND {_finite(column)} AND {_finer(column, ask.digits)}")
        case t.Timestamp(zoned=False):
            return _counted(f"{_texts(column)} AND length(rtrim(substr({column}, 21), '0')) > {ask.digits}")
    return None


def _out_of_range(ask: Ask, column: str) -> str | None:
    if ask.limits is None or not isinstance(t.base_of(ask.column.type), t.Integer | t.Decimal | t.Float):
        return None
    return _counted(f"{_finite(column)} AND {outside(column, ask.limits, floats=True)}")


def _stored(kind: str) -> Expression:
    return lambda _, column: _counted(f"typeof({column}) = '{kind}'")


def _empty(_: Ask, column: str) -> str:
    return _counted(f"{_texts(column)} AND {column} = ''")


AGGREGATES: Mapping[Measure | Misfit, Expression] = {
    Measure.NULLS: lambda _, c: _counted(f"{c} IS NULL"),
    Measure.LEAST: _extreme("min"),
    Measure.MOST: _extreme("max"),
    Measure.NO_NUMBER: _no_number,
    Measure.SCALE: _scale,
    Measure.NOT_BOOLEAN: lambda _, c: _counted(f"{c} NOT IN (0, 1)"),
    Measure.TIMED: _timed,
    Measure.EMPTY: _empty,
    Measure.CHARACTERS: _longest(in_bytes=False),
    Measure.BYTES: _longest(in_bytes=True),
    Measure.NOT_UUID: _not_uuid,
    Measure.NOT_16_BYTES: lambda _, c: _counted(f"{c} IS NOT NULL AND NOT (typeof({c}) = 'blob' AND length({c}) = 16)"),
    Measure.NOT_JSON: _not_json,
    Measure.INTEGERS: _stored("integer"),
    Measure.REALS: _stored("real"),
    Measure.TEXTS: _stored("text"),
    Measure.BLOBS: _stored("blob"),
    Misfit.NUL_BYTE: _nul,
    Misfit.INFINITY: lambda _, c: _counted(f"{c} IN (9e999, -9e999)"),
    Misfit.NAN: lambda _ask, _: "0",  # SQLite stores NULL for it
    Misfit.FRACTION: _fraction,
    Misfit.OUT_OF_RANGE: _out_of_range,
    Misfit.EMPTY_TEXT: _empty,
    Misfit.TOO_LONG: lambda ask, c: _counted(f"{_length(ask, c, in_bytes=ask.in_bytes)} > {ask.length}"),
}
"""How each measure and each misfit is asked. There is no expression for bytes that are no UTF-8."""


def aggregate(ask: Ask) -> str | None:
    """See :meth:`migrator.adapter.Adapter.aggregate`."""
    make = AGGREGATES.get(ask.what)
    return None if make is None else make(ask, quote(ask.column.name))


def rows_of(read: Read) -> str:
    """What follows FROM in a query about the rows of a read."""
    condition = f" WHERE {read.condition}" if read.condition else ""
    return f"{qualified(read.table)}{condition}"
