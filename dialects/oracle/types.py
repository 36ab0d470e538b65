"""Oracle's type tables: what its types mean, and how 12.2 and later (strings of up to 4000 bytes) declare neutral types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from migrator.adapter import Lacking, TypeRule, of_types
from migrator.model import types as t
from migrator.model.misfits import Misfit

DIALECT = "oracle"

# --- from Oracle ----------------------------------------------------------------------------------------------------

LONGEST_NUMBER = 38
"""The digits of ``NUMBER(*, s)``."""
LENGTH_SEMANTICS: Literal["char", "byte"] = "byte"
"""What a length counts that does not say so (NLS_LENGTH_SEMANTICS, unless its owner changed it)."""


@dataclass(frozen=True)
class NativeRule:
    """One row: what a declaration means that is one of ``words``, given what stands in its parentheses."""

    words: tuple[str, ...]
    type: Callable[[tuple[str, ...]], t.Type]


def _number(arguments: tuple[str, ...]) -> t.Type:
    if not arguments:
        return t.Decimal()
    precision = LONGEST_NUMBER if arguments[0] == "*" else int(arguments[0])
    return t.Decimal(precision, int(arguments[1]) if len(arguments) > 1 else 0)


def _ansi_decimal(arguments: tuple[str, ...]) -> t.Type:
    return _number(arguments or ("*", "0"))


def _text(arguments: tuple[str, ...], *, fixed: bool, national: bool) -> t.Type:
    length, _, unit = (arguments[0] if arguments else "1").partition(" ")
    said: Literal["char", "byte"] = "char" if unit.strip() == "CHAR" else "byte" if unit else LENGTH_SEMANTICS
    return t.String(int(length), fixed=fixed, unit="char" if national else said)


def _digits(arguments: tuple[str, ...], default: int = 6) -> int:
    return int(arguments[-1]) if arguments else default


NATIVE: tuple[NativeRule, ...] = (
    NativeRule(("CHAR", "CHARACTER"), lambda a: _text(a, fixed=True, national=False)),
    NativeRule(
        ("VARCHAR2", "VARCHAR", "CHARACTER VARYING", "CHAR VARYING"), lambda a: _text(a, fixed=False, national=False)
    ),
    NativeRule(("NCHAR", "NATIONAL CHARACTER", "NATIONAL CHAR"), lambda a: _text(a, fixed=True, national=True)),
    NativeRule(
        (
            *("NVARCHAR2", "NATIONAL CHARACTER VARYING", "NATIONAL CHAR VARYING", "NCHAR VARYING"),
            *("NATIONAL VARCHAR", "NVARCHAR"),
        ),
        lambda a: _text(a, fixed=False, national=True),
    ),
    NativeRule(("NUMBER",), _number),
    NativeRule(("NUMERIC", "DECIMAL", "DEC", "INTEGER", "INT", "SMALLINT"), _ansi_decimal),
    NativeRule(("FLOAT", "DOUBLE PRECISION", "REAL"), lambda _: t.Decimal()),
    NativeRule(("BINARY_FLOAT",), lambda _: t.Float(32)),
    NativeRule(("BINARY_DOUBLE",), lambda _: t.Float(64)),
    NativeRule(("LONG", "CLOB", "NCLOB"), lambda _: t.String(lob=True)),
    NativeRule(("LONG RAW", "BLOB"), lambda _: t.Binary(lob=True)),
    NativeRule(("RAW",), lambda a: t.Binary(int(a[0]))),
    NativeRule(("DATE",), lambda _: t.Timestamp(0)),
    NativeRule(("TIMESTAMP",), lambda a: t.Timestamp(_digits(a))),
    NativeRule(("TIMESTAMP WITH TIME ZONE",), lambda a: t.Timestamp(_digits(a), zoned=True)),
    NativeRule(("TIMESTAMP WITH LOCAL TIME ZONE",), lambda a: t.Timestamp(_digits(a), zoned=True)),
    NativeRule(("INTERVAL YEAR TO MONTH",), lambda _: t.Interval("year_month")),
    NativeRule(("BOOLEAN", "BOOL"), lambda _: t.Boolean()),
    NativeRule(("JSON",), lambda _: t.Json(binary=True)),
    NativeRule(("XMLTYPE", "SYS.XMLTYPE"), lambda _: t.Xml()),
)
"""Types with a neutral meaning; every other type is :class:`~migrator.model.types.Native`."""

_PRINTED = re.compile(r"U?ROWID\b.*|VECTOR\b.*")
"""The other types that Oracle has a text form of; those without one (BFILE, SDO_GEOMETRY, object types …) are opaque."""

_NATIVE = {word: rule.type for rule in NATIVE for word in rule.words}
_ARGUMENTS = re.compile(r"\s*\(([^()]*)\)")
_DAY_SECOND = re.compile(r"INTERVAL DAY\s*(?:\(\d\))? TO SECOND\s*(?:\((?P<digits>\d)\))?", re.IGNORECASE)


def neutral(declaration: str) -> t.Type:
    """What a declaration means, as a column has it or as the dictionary's views tell it."""
    declaration = " ".join(declaration.split())
    if found := _DAY_SECOND.fullmatch(declaration):
        return t.Interval("day_second", _digits((found["digits"],) if found["digits"] else ()))
    arguments = _ARGUMENTS.search(declaration)
    make = _NATIVE.get(_ARGUMENTS.sub("", declaration, count=1).upper())
    if make is None:
        return t.Native(DIALECT, declaration, opaque=_PRINTED.fullmatch(declaration.upper()) is None)
    return make(tuple(word.strip().upper() for word in arguments[1].split(",")) if arguments else ())


UNSAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"FLOAT\b.*|REAL|DOUBLE PRECISION"), "values are not rounded to binary digits"),
    (re.compile(r"TIMESTAMP.* WITH LOCAL TIME ZONE"), "an instant, shown in another time zone than the session's"),
    (re.compile(r"TIMESTAMP.* WITH TIME ZONE"), "the instant is kept, the offset or region it was written with is not"),
)
"""What declarations say that their neutral types do not; the first row that matches is taken."""


def unsaid(declaration: str) -> str:
    """What a declaration says that its neutral type does not."""
    return next((said for pattern, said in UNSAID if pattern.fullmatch(" ".join(declaration.upper().split()))), "")


# --- to Oracle ------------------------------------------------------------------------------------------------------

STRING_BYTES = 4000
"""The longest VARCHAR2 with MAX_STRING_SIZE=STANDARD, which every database has unless its owner changed it."""
FIXED_BYTES = 2000
"""The longest CHAR, and the longest RAW."""
WIDEST_CHARACTER = 4
"""Bytes of the longest UTF-8 character."""
LOBS = ("CLOB", "BLOB", "XMLTYPE")
"""How the declarations of types begin that are not compared."""
NUMBER_DIGITS = 38
"""The most digits that a NUMBER is sure to keep."""
NUMBER_SCALES = range(-84, 128)
"""The scales that a NUMBER can be declared with."""

_INTEGER_DIGITS = {
    (8, False): 3,
    (16, False): 5,
    (24, False): 7,
    (32, False): 10,
    (64, False): 19,
    (8, True): 3,
    (16, True): 5,
    (24, True): 8,
    (32, True): 10,
    (64, True): 20,
}
"""Decimal digits of the largest integer, by its bits and whether it is unsigned."""


def text_literal(text: str) -> str:
    """A character literal."""
    return "'" + text.replace("'", "''") + "'"


def _integer(type_: t.Integer) -> str:
    return f"NUMBER({_INTEGER_DIGITS[type_.bits, type_.unsigned]})"


def _decimal(type_: t.Decimal) -> str:
    return f"NUMBER({type_.precision}, {type_.scale})" if type_.scale else f"NUMBER({type_.precision})"


def _is_number(type_: t.Decimal) -> bool:
    return type_.precision is not None and type_.precision <= NUMBER_DIGITS and (type_.scale or 0) in NUMBER_SCALES


def _length(type_: t.String | t.Binary | t.Bit) -> int:
    return max(1, type_.length or 0)  # MySQL and PostgreSQL have columns of length 0, Oracle has not


def _string(type_: t.String) -> str:
    name = "CHAR" if type_.fixed else "VARCHAR2"
    return f"{name}({_length(type_)} {type_.unit.upper()})"


def _string_limit(type_: t.String) -> int:
    return FIXED_BYTES if type_.fixed else STRING_BYTES


def _always_fits(type_: t.String) -> bool:
    widest = WIDEST_CHARACTER if type_.unit == "char" else 1
    return not type_.lob and type_.length is not None and type_.length * widest <= _string_limit(type_)


def _may_fit(type_: t.String) -> bool:
    return not type_.lob and type_.length is not None and type_.length <= _string_limit(type_)


def _labels(type_: t.Enum) -> str:
    return f"VARCHAR2({max(len(label) for label in (*type_.labels, '-'))} CHAR)"


def _one_of(type_: t.Enum, column: str) -> str:
    labels = ", ".join(text_literal(label) for label in type_.labels if label)  # '' is NULL
    return f"{column} IN ({labels})" if labels else f"{column} IS NULL"


def _members(type_: t.SetOf) -> str:
    return f"VARCHAR2({max(1, len(','.join(type_.labels)))} CHAR)"


TYPES: tuple[TypeRule, ...] = (
    TypeRule(
        t.Boolean,
        "NUMBER(1)",
        check="{column} IN (0, 1)",
        reason="Tables have no BOOLEAN before 23ai; NUMBER(1) sorts and counts as truth values do.",
    ),
    TypeRule(t.Integer, _integer, lambda x: x.unsigned, check="{column} >= 0"),
    TypeRule(t.Integer, _integer, reason="Every value of that many bits has as many decimal digits, or fewer."),
    TypeRule(t.Decimal, _decimal, _is_number),
    TypeRule(
        t.Decimal,
        "NUMBER",
        loss="NUMBER keeps 38 digits (40 for some values) between 1E-130 and 1E126, and no NaN",
        reason="A NUMBER without a precision is the widest decimal there is.",
    ),
    TypeRule(t.Float, "BINARY_FLOAT", lambda x: x.bits == 32),
    TypeRule(
        t.Float, "BINARY_DOUBLE", reason="FLOAT and DOUBLE PRECISION are decimal NUMBERs here, without NaN and infinity."
    ),
    TypeRule(t.String, _string, lambda x: _always_fits(x) and (not x.fixed or _length(x) == 1)),
    TypeRule(
        t.String,
        _string,
        lambda x: x.fixed and _always_fits(x),
        loss="values are padded with blanks to the full length, and read back so",
    ),
    TypeRule(
        t.String,
        _string,
        lambda x: x.fixed and _may_fit(x),
        loss="CHAR holds 2000 bytes, fewer characters when they take several bytes; values are padded with blanks",
    ),
    TypeRule(
        t.String,
        _string,
        _may_fit,
        loss="VARCHAR2 holds 4000 bytes, fewer characters than declared when they take several bytes",
        reason="A CLOB could be no key and could not be compared; the loader refuses a value that is too long.",
    ),
    TypeRule(t.String, "CLOB"),
    TypeRule(
        t.Binary,
        lambda x: f"RAW({_length(x)})",
        lambda x: not x.lob and x.length is not None and x.length <= FIXED_BYTES,
    ),
    TypeRule(t.Binary, "BLOB"),
    TypeRule(t.Date, "DATE", reason="A DATE at midnight: Oracle has no type for the day alone."),
    TypeRule(
        t.Time,
        "VARCHAR2(21)",
        lambda x: x.zoned,
        loss="kept as text: Oracle has no time of day with an offset",
    ),
    TypeRule(
        t.Time,
        "INTERVAL DAY(1) TO SECOND({precision})",
        loss="becomes the span since midnight: Oracle has no time of day",
        reason="A span compares, sorts and adds as a time does, and holds 24:00:00.",
    ),
    TypeRule(
        t.Timestamp,
        "TIMESTAMP({precision}) WITH TIME ZONE",
        lambda x: x.zoned,
        reason="WITH LOCAL TIME ZONE would show each session another text; the instant is the same.",
    ),
    TypeRule(t.Timestamp, "TIMESTAMP({precision})"),
    TypeRule(t.Interval, "INTERVAL YEAR(9) TO MONTH", lambda x: x.kind == "year_month"),
    TypeRule(t.Interval, "INTERVAL DAY(9) TO SECOND({precision})", lambda x: x.kind == "day_second"),
    TypeRule(
        t.Interval,
        "VARCHAR2(100)",
        loss="kept as text: Oracle has no span of both months and days",
    ),
    TypeRule(t.Year, "NUMBER(4)"),
    TypeRule(
        t.Json,
        "CLOB",
        loss="kept as text that must be JSON; before Oracle 21c that is an object or an array, no bare value",
        check="{column} IS JSON",
        reason="The JSON type came with 21c.",
    ),
    TypeRule(
        t.Uuid, "RAW(16)", reason="16 bytes in the order of the digits: sorts alike, half the index, what SYS_GUID() gives."
    ),
    TypeRule(t.Xml, "XMLTYPE", loss="the document is kept, not its text as written (white space, declaration)"),
    TypeRule(
        t.Bit,
        lambda x: f"VARCHAR2({_length(x)})",
        lambda x: x.length is not None and x.length <= STRING_BYTES,
        loss="written with the digits 0 and 1",
        check="REGEXP_LIKE({column}, '^[01]*$')",
        reason="RAW would lose the length and the leading zeros that are part of the value.",
    ),
    TypeRule(t.Bit, "CLOB", loss="written with the digits 0 and 1"),
    TypeRule(
        t.Enum,
        _labels,
        loss="text with a check; it sorts by its letters, not in the order of the labels",
        check=_one_of,
    ),
    TypeRule(
        t.SetOf,
        _members,
        lambda x: len(",".join(x.labels)) * WIDEST_CHARACTER <= STRING_BYTES,
        loss="the members joined with commas; that they are members is not checked",
    ),
    TypeRule(t.SetOf, "CLOB", loss="the members joined with commas; that they are members is not checked"),
    TypeRule(t.Array, "CLOB", loss="kept as the source's text form of the array"),
    TypeRule(t.Native, "{declaration}", lambda x: x.dialect == DIALECT),
    TypeRule(
        t.Native,
        "CLOB",
        lambda x: not x.opaque,
        loss="kept as the source's text form: Oracle has no such type",
    ),
)
"""The type table; the first row that matches is taken."""

LACKS: Mapping[Misfit, Lacking] = {
    Misfit.ZERO_DATE: of_types(t.Date, t.Timestamp),
    Misfit.PARTIAL_DATE: of_types(t.Date, t.Timestamp),
    Misfit.INFINITY: of_types(t.Date, t.Timestamp, t.Integer, t.Decimal),
    Misfit.NAN: of_types(t.Integer, t.Decimal),
    Misfit.EMPTY_TEXT: of_types(t.String, t.Enum, t.SetOf),
}
"""Which columns have no place for values of a kind."""
