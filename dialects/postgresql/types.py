"""PostgreSQL's type tables: what its types mean, and how it declares what others have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from migrator.adapter import Lacking, TypeRule, of_types
from migrator.model import types as t
from migrator.model.misfits import Misfit
from migrator.model.objects import Column

DIALECT = "postgresql"
USUAL_SEQUENCE = "{table}_{column}_seq"
"""How the sequence of an identity is called by default; the server cuts a longer name."""

_KEYWORDS = frozenset(  # every keyword that is not unreserved in some version
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
    cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default
    deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant
    greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join
    json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national
    natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
    placing position precision primary real references returning right row select session_user setof similar
    smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true
    union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
    xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905
)

NAME_BYTES = 63
"""The longest name; PostgreSQL cuts off what is beyond."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*", re.ASCII)


def quote(name: str) -> str:
    """An identifier, quoted unless it reads back the same without quotes in every version."""
    if _PLAIN.fullmatch(name) and name not in _KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A character literal (``standard_conforming_strings`` is on in our sessions and scripts)."""
    return "'" + text.replace("'", "''") + "'"


# --- from PostgreSQL ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NativeRule:
    """One row: what the type ``name`` of pg_catalog means, given its modifier (-1: none)."""

    name: str
    type: Callable[[int], t.Type]


def _numeric(modifier: int) -> t.Type:
    if modifier < 0:
        return t.Decimal()
    packed = modifier - 4
    scale = packed & 0x7FF
    return t.Decimal((packed >> 16) & 0xFFFF, (scale ^ 1024) - 1024)


def _length(modifier: int) -> int | None:
    return None if modifier < 0 else modifier - 4


def _bits(modifier: int) -> int | None:
    return None if modifier < 0 else modifier


def _precision(modifier: int) -> int:
    return 6 if modifier < 0 else modifier


_YEAR, _MONTH, _ALL_FIELDS, _ANY_PRECISION = 1 << 2, 1 << 1, 0x7FFF, 0xFFFF


def _interval(modifier: int) -> t.Type:
    if modifier < 0:
        return t.Interval()
    fields, precision = (modifier >> 16) & 0x7FFF, modifier & 0xFFFF
    months_only = fields != _ALL_FIELDS and not fields & ~(_YEAR | _MONTH)
    return t.Interval("year_month" if months_only else "mixed", 6 if precision == _ANY_PRECISION else precision)


NATIVE: tuple[NativeRule, ...] = (
    NativeRule("bool", lambda _: t.Boolean()),
    NativeRule("int2", lambda _: t.Integer(16)),
    NativeRule("int4", lambda _: t.Integer(32)),
    NativeRule("int8", lambda _: t.Integer(64)),
    NativeRule("numeric", _numeric),
    NativeRule("float4", lambda _: t.Float(32)),
    NativeRule("float8", lambda _: t.Float(64)),
    NativeRule("text", lambda _: t.String()),
    NativeRule("varchar", lambda modifier: t.String(_length(modifier))),
    NativeRule("bpchar", lambda modifier: t.String(_length(modifier), fixed=modifier >= 0)),
    NativeRule("bytea", lambda _: t.Binary()),
    NativeRule("date", lambda _: t.Date()),
    NativeRule("time", lambda modifier: t.Time(_precision(modifier))),
    NativeRule("timetz", lambda modifier: t.Time(_precision(modifier), zoned=True)),
    NativeRule("timestamp", lambda modifier: t.Timestamp(_precision(modifier))),
    NativeRule("timestamptz", lambda modifier: t.Timestamp(_precision(modifier), zoned=True)),
    NativeRule("interval", _interval),
    NativeRule("json", lambda _: t.Json()),
    NativeRule("jsonb", lambda _: t.Json(binary=True)),
    NativeRule("uuid", lambda _: t.Uuid()),
    NativeRule("xml", lambda _: t.Xml()),
    NativeRule("bit", lambda modifier: t.Bit(_bits(modifier))),
    NativeRule("varbit", lambda modifier: t.Bit(_bits(modifier), varying=True)),
)
"""Types of pg_catalog with a neutral meaning; every other base type is :class:`~migrator.model.types.Native`."""

_NATIVE = {rule.name: rule.type for rule in NATIVE}


def neutral(name: str, modifier: int, declaration: str) -> t.Type:
    """What a base type of pg_catalog means; ``declaration`` as ``format_type`` writes it."""
    rule = _NATIVE.get(name)
    return t.Native(DIALECT, declaration) if rule is None else rule(modifier)


SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"character varying(\[\])?"), "varchar without a length is text; an array of it has another element type"),
    (re.compile(r"bpchar(\[\])?"), "an unlimited char compares without trailing blanks"),
    (re.compile(r"(time|timestamp)\(6\) with(out)? time zone(\[\])?"), "the precision is the default one, written out"),
    (re.compile(r"interval [a-z ]+(\(\d\))?(\[\])?"), "an interval restricted to some fields"),
)
"""Declarations that a neutral type does not tell from another of the same meaning; kept within PostgreSQL."""


_FIELDS = re.compile(r"interval (?P<fields>year|month|day|hour|minute|second)( to \w+)?(\(\d\))?(\[\])?")


def unsaid(declaration: str) -> str:
    """What a declaration says that its neutral type does not."""
    if declaration == "bpchar":
        return "blanks at the end count"
    return f"spans of other fields are let in: at the source it is {declaration}" if has_fields(declaration) else ""


def has_fields(declaration: str) -> bool:
    """Whether a declaration restricts spans of time to some fields, which their neutral type does not say."""
    return bool(_FIELDS.fullmatch(declaration)) and not declaration.startswith("interval year to month")


def is_spelling(declaration: str) -> bool:
    """Whether a column's own declaration says more than its neutral type does."""
    return any(pattern.fullmatch(declaration) for pattern, _ in SPELLINGS)


STREAMED_NATIVE = frozenset(
    """
    inet cidr macaddr macaddr8 point line lseg box path polygon circle money tsvector tsquery pg_lsn name
    int4range int8range numrange tsrange tstzrange daterange
    """.split()  # noqa: SIM905
)
"""Native types whose binary form is the same on every server (those with object identifiers inside are not)."""

# --- to PostgreSQL --------------------------------------------------------------------------------------------------

MAX_CHARACTERS = 10_485_760
"""The longest length that varchar(n) and char(n) may declare."""


def _labels(enum: t.Enum, column: str) -> str:
    labels = dict.fromkeys((*enum.labels, ""))
    return f"{column} IN ({', '.join(literal(label) for label in labels)})"


def _named(type_: t.Enum | t.Domain) -> str:
    return f"{quote(type_.schema)}.{quote(type_.name)}" if type_.schema and type_.name else quote(type_.name or "")


def _element(array: t.Array) -> str:
    for rule in TYPES:
        if rule.matches(array.element):
            return f"{rule.declare(array.element)}[]"
    raise LookupError(array)


def _has_element(array: t.Array) -> bool:
    return any(rule.matches(array.element) for rule in TYPES)


def _interval_words(interval: t.Interval) -> str:
    fields = " year to month" if interval.kind == "year_month" else ""
    return f"interval{fields}" + (f"({interval.precision})" if interval.precision < 6 and not fields else "")


_FINER = "digits after the sixth of a second's fraction have no place: a value that has them makes the load fail"


def _time(word: str, zone: str) -> Callable[[Any], str]:
    return lambda type_: f"{word}({type_.precision}) {zone}" if type_.precision < 6 else f"{word} {zone}"


TYPES: tuple[TypeRule, ...] = (
    TypeRule(t.Boolean, "boolean"),
    TypeRule(t.Integer, "smallint", lambda i: i.unsigned and i.bits == 8, check="{column} >= 0 AND {column} <= 255",
             reason="no unsigned types: the next wider one, its range restored"),
    TypeRule(t.Integer, "integer", lambda i: i.unsigned and i.bits == 16, check="{column} >= 0 AND {column} <= 65535",
             reason="as above"),
    TypeRule(t.Integer, "integer", lambda i: i.unsigned and i.bits == 24, check="{column} >= 0 AND {column} <= 16777215",
             reason="as above"),
    TypeRule(t.Integer, "bigint", lambda i: i.unsigned and i.bits == 32, check="{column} >= 0 AND {column} <= 4294967295",
             reason="as above"),
    TypeRule(t.Integer, "numeric(20,0)", lambda i: i.unsigned,
             check="{column} >= 0 AND {column} <= 18446744073709551615", reason="no wider integer"),
    TypeRule(t.Integer, "smallint", lambda i: i.bits <= 16, reason="8 bits: a wider type keeps every value"),
    TypeRule(t.Integer, "integer", lambda i: i.bits <= 32, reason="24 bits: a wider type keeps every value"),
    TypeRule(t.Integer, "bigint"),
    TypeRule(t.Decimal, "numeric", lambda d: d.precision is None),
    TypeRule(t.Decimal, "numeric", lambda d: d.precision > 1000 or not -1000 <= (d.scale or 0) <= 1000,
             loss="precision and scale exceed 1000 digits and are not enforced"),
    TypeRule(t.Decimal, lambda d: f"numeric({d.precision},{d.scale or 0})"),
    TypeRule(t.Float, "real", lambda f: f.bits == 32),
    TypeRule(t.Float, "double precision"),
    TypeRule(t.String, "character varying(1)", lambda s: s.length == 0, check="{column} = ''",
             reason="no length of 0 here"),
    TypeRule(t.String, "text", lambda s: s.length is None or s.lob),
    TypeRule(t.String, "text", lambda s: s.length > MAX_CHARACTERS,
             loss="lengths over 10485760 characters cannot be declared: any length is let in"),
    TypeRule(t.String, "character({length})", lambda s: s.fixed and s.unit == "byte",
             check="octet_length({column}) <= {length}", reason="lengths count characters here"),
    TypeRule(t.String, "character varying({length})", lambda s: s.unit == "byte",
             check="octet_length({column}) <= {length}", reason="lengths count characters here"),
    TypeRule(t.String, "character({length})", lambda s: s.fixed),
    TypeRule(t.String, "character varying({length})"),
    TypeRule(t.Binary, "bytea", lambda b: b.length is None or b.lob),
    TypeRule(t.Binary, "bytea", lambda b: b.fixed, check="octet_length({column}) = {length}",
             reason="bytea declares no length"),
    TypeRule(t.Binary, "bytea", check="octet_length({column}) <= {length}", reason="bytea declares no length"),
    TypeRule(t.Date, "date"),
    TypeRule(t.Time, _time("time", "with time zone"), lambda x: x.zoned and x.precision <= 6),
    TypeRule(t.Time, _time("time", "with time zone"), lambda x: x.zoned, loss=_FINER),
    TypeRule(t.Time, _time("time", "without time zone"), lambda x: x.precision <= 6),
    TypeRule(t.Time, _time("time", "without time zone"), loss=_FINER),
    TypeRule(t.Timestamp, _time("timestamp", "with time zone"), lambda x: x.zoned and x.precision <= 6),
    TypeRule(t.Timestamp, _time("timestamp", "with time zone"), lambda x: x.zoned, loss=_FINER),
    TypeRule(t.Timestamp, _time("timestamp", "without time zone"), lambda x: x.precision <= 6),
    TypeRule(t.Timestamp, _time("timestamp", "without time zone"), loss=_FINER),
    TypeRule(t.Interval, _interval_words, lambda i: i.precision <= 6),
    TypeRule(t.Interval, _interval_words, loss=_FINER),
    TypeRule(t.Year, "smallint", check="{column} = 0 OR {column} >= 1901 AND {column} <= 2155"),
    TypeRule(t.Json, "jsonb", lambda j: j.binary),
    TypeRule(t.Json, "json", reason="json keeps the text as it was written"),
    TypeRule(t.Uuid, "uuid"),
    TypeRule(t.Xml, "xml"),
    TypeRule(t.Bit, "bit varying", lambda b: b.length is None),
    TypeRule(t.Bit, "bit varying({length})", lambda b: b.varying),
    TypeRule(t.Bit, "bit({length})"),
    TypeRule(t.Enum, _named, lambda e: e.name is not None),
    TypeRule(t.Enum, "text", check=_labels, loss="sorts by its letters, not in the order of the labels",
             reason="an enum without a name of its own: the labels, and '', which MySQL stores for a wrong label"),
    TypeRule(t.SetOf, "text", loss="any text is let in, not only comma-joined labels of the set"),
    TypeRule(t.Array, _element, _has_element),
    TypeRule(t.Domain, _named),
    TypeRule(t.Native, "{declaration}", lambda n: n.dialect == DIALECT),
    TypeRule(t.Native, "text", lambda n: not n.opaque, loss="is kept as the text its database prints", each=True),
)  # fmt: skip
"""How neutral types are declared; the first row that matches is taken."""

NUMERIC_SCALE_BEFORE_15 = TypeRule(
    t.Decimal,
    "numeric",
    lambda d: d.precision is not None and not 0 <= (d.scale or 0) <= d.precision,
    loss="a scale that is negative or exceeds the precision can be declared from PostgreSQL 15 on: nothing is rounded here",
)


def _has_bounds(column: Column) -> bool:
    type_ = t.base_of(column.type)
    return isinstance(type_, t.Integer) or (isinstance(type_, t.Decimal) and type_.precision is not None)


LACKS: Mapping[Misfit, Lacking] = {
    Misfit.ZERO_DATE: of_types(t.Date, t.Timestamp),
    Misfit.PARTIAL_DATE: of_types(t.Date, t.Timestamp),
    Misfit.NUL_BYTE: of_types(t.String, t.Enum, t.SetOf, t.Json, t.Xml),
    Misfit.INVALID_BYTES: of_types(t.String, t.Enum, t.Json, t.Xml),
    Misfit.INFINITY: _has_bounds,
    Misfit.NAN: of_types(t.Integer),
}
"""Which columns have no place for values of a kind."""

NO_DATES = r"^0000-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
"""Dates out of range: there is no year 0, the one before 1 is 1 BC."""


def as_text(type_: t.Type, value: str) -> str:
    """An expression of a type as the text that the server prints for it.

    A cast says otherwise of two: it takes the blanks at the end of a char(n) away, and gives an address the width that goes
    without saying.
    """
    base = t.base_of(type_)
    if isinstance(base, t.String) and base.fixed:
        return f"pg_catalog.textin(pg_catalog.bpcharout({value}))"
    if base == t.Native(DIALECT, "inet"):
        return f"pg_catalog.textin(pg_catalog.inet_out({value}))"
    return f"{value}::text"
