"""SQLite's type tables: what a declared type means, and how neutral types are declared so that values stay as they are.

A declaration only gives a column an *affinity*, chosen by substring (https://www.sqlite.org/datatype3.html). INTEGER, REAL
and NUMERIC affinity turn text that looks like a number into one, and a number keeps 64 bits or 15 decimal digits. So
types whose text could look like a number (long decimals, JSON scalars, bits) get names with TEXT in them; dates, times and
UUIDs never look like one, and keep their usual names.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from migrator.adapter import Lacking, TypeRule, of_types
from migrator.model import types as t
from migrator.model.equality import EXACT, Equality
from migrator.model.misfits import Misfit
from migrator.model.objects import Column

DIALECT = "sqlite"

EXACT_DIGITS = 15
"""How many decimal digits a REAL keeps."""

Affinity = Literal["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"]

_AFFINITIES: tuple[tuple[tuple[str, ...], Affinity], ...] = (
    (("INT",), "INTEGER"),
    (("CHAR", "CLOB", "TEXT"), "TEXT"),
    (("BLOB",), "BLOB"),
    (("REAL", "FLOA", "DOUB"), "REAL"),
)


def affinity(declared: str) -> Affinity:
    """The affinity of a declared type, by SQLite's rules: the first substring found decides, no type at all is BLOB."""
    upper = declared.upper()
    if not upper:
        return "BLOB"
    for words, found in _AFFINITIES:
        if any(word in upper for word in words):
            return found
    return "NUMERIC"


EQUALITIES: Mapping[str, Equality] = {"BINARY": EXACT, "NOCASE": Equality(case=True), "RTRIM": Equality(blanks=True)}
"""What SQLite's collations hold for equal."""

# --- from SQLite ----------------------------------------------------------------------------------------------------

Arguments = tuple[int, ...]


@dataclass(frozen=True)
class DeclaredRule:
    """One row: what columns declared by one of these names are meant to hold, given the numbers in parentheses."""

    names: tuple[str, ...]
    type: Callable[[Arguments], t.Type]


def _string(arguments: Arguments) -> t.Type:
    return t.String(arguments[0] if arguments else None)


def _decimal(arguments: Arguments) -> t.Type:
    """A decimal that is kept as a number; without a precision, or with a scale outside of it, any number."""
    precision, scale = (*arguments, 0, 0)[:2]
    return t.Decimal(precision, scale) if arguments and 0 <= scale <= precision else t.Float()


def _decimal_text(arguments: Arguments) -> t.Type:
    """A decimal that is kept as text, of any scale."""
    return t.Decimal(arguments[0], (*arguments, 0)[1]) if arguments else t.Decimal()


def _bits(arguments: Arguments) -> t.Type:
    return t.Bit(arguments[0] if arguments else 1)


def _varying_bits(arguments: Arguments) -> t.Type:
    return t.Bit(arguments[0] if arguments else None, varying=True)


def _timestamp(arguments: Arguments) -> t.Type:
    return t.Timestamp(arguments[0] if arguments else 6)


DECLARED = (
    DeclaredRule(("TINYINT",), lambda a: t.Integer(8, display=1 if a == (1,) else None)),
    DeclaredRule(("SMALLINT", "INT2"), lambda _: t.Integer(16)),
    DeclaredRule(("MEDIUMINT", "INT3"), lambda _: t.Integer(24)),
    DeclaredRule(("INT", "INT4"), lambda _: t.Integer(32)),
    DeclaredRule(("INTEGER", "BIGINT", "INT8", "BIG INT"), lambda _: t.Integer(64)),
    DeclaredRule(("TINYINT UNSIGNED",), lambda _: t.Integer(8, unsigned=True)),
    DeclaredRule(("SMALLINT UNSIGNED",), lambda _: t.Integer(16, unsigned=True)),
    DeclaredRule(("MEDIUMINT UNSIGNED",), lambda _: t.Integer(24, unsigned=True)),
    DeclaredRule(("INT UNSIGNED", "INTEGER UNSIGNED"), lambda _: t.Integer(32, unsigned=True)),
    DeclaredRule(("BIGINT UNSIGNED", "UNSIGNED BIG INT"), lambda _: t.Integer(64, unsigned=True)),
    DeclaredRule(
        ("VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "CHARACTER", "VARYING CHARACTER", "NATIVE CHARACTER", "VARCHAR2"), _string
    ),
    DeclaredRule(("CHARACTER VARYING", "TEXT", "NTEXT", "STRING"), _string),
    DeclaredRule(("CLOB", "NCLOB"), lambda _: t.String(lob=True)),
    DeclaredRule(("BLOB",), lambda _: t.Binary()),
    DeclaredRule(("LONGBLOB",), lambda _: t.Binary(lob=True)),
    DeclaredRule(("VARBINARY",), lambda a: t.Binary(a[0] if a else None)),
    DeclaredRule(("BINARY",), lambda a: t.Binary(a[0] if a else None, fixed=bool(a))),
    DeclaredRule(("REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT"), lambda _: t.Float()),
    DeclaredRule(("FLOAT4",), lambda _: t.Float(32)),
    DeclaredRule(("NUMERIC", "DECIMAL", "NUMBER"), _decimal),
    DeclaredRule(("DECIMAL_TEXT",), _decimal_text),
    DeclaredRule(("BOOLEAN", "BOOL"), lambda _: t.Boolean()),
    DeclaredRule(("DATE",), lambda _: t.Date()),
    DeclaredRule(("DATETIME", "TIMESTAMP"), _timestamp),
    DeclaredRule(("TIMESTAMPTZ",), lambda a: t.Timestamp(a[0] if a else 6, zoned=True)),
    DeclaredRule(("TIME",), lambda a: t.Time(a[0] if a else 6)),
    DeclaredRule(("TIMETZ",), lambda a: t.Time(a[0] if a else 6, zoned=True)),
    DeclaredRule(("YEAR",), lambda _: t.Year()),
    DeclaredRule(("JSON", "JSON_TEXT"), lambda _: t.Json()),
    DeclaredRule(("UUID",), lambda _: t.Uuid()),
    DeclaredRule(("XML_TEXT",), lambda _: t.Xml()),
    DeclaredRule(("BIT_TEXT",), _bits),
    DeclaredRule(("VARBIT_TEXT",), _varying_bits),
)

_BY_NAME = {name: rule for rule in DECLARED for name in rule.names}

_BY_AFFINITY: dict[Affinity, t.Type] = {
    "INTEGER": t.Integer(64),
    "TEXT": t.String(),
    "BLOB": t.String(),
    "REAL": t.Float(),
    "NUMERIC": t.Float(),
}

_DECLARATION = re.compile(r"(?P<name>[^()]*?)\s*(?:\((?P<arguments>[\s\d,+]*(?:,\s*-\d+\s*)?)\))?(?P<rest>[^()]*)")
"""A name and numbers, of which the last may be a negative scale."""


def neutral(declared: str) -> t.Type:
    """What a declared type means: by its exact name, else by its affinity. A column without a type holds text unless
    its values say otherwise (see :mod:`.proof`).
    """
    rule, arguments = _rule_of(declared)
    return rule.type(arguments) if rule is not None else _BY_AFFINITY[affinity(declared)]


def _rule_of(declared: str) -> tuple[DeclaredRule | None, Arguments]:
    match = _DECLARATION.fullmatch(declared.strip())
    if match is None:
        return None, ()
    name = " ".join(f"{match['name']} {match['rest']}".upper().split())
    return _BY_NAME.get(name), tuple(int(word) for word in re.findall(r"-?\d+", match["arguments"] or ""))


def unsaid(declared: str) -> str:
    """What a declaration leaves open: which values it is for."""
    if declared in {"", "ANY"}:
        return "values of any type are let in at the source"
    if _rule_of(declared)[0] is not None or affinity(declared) != "NUMERIC":  # else a word in it says what it is for
        return ""
    return f"{declared} is no type that is known: it is for numbers, unless its values say otherwise"


@lru_cache(maxsize=1024)
def as_declared(declared: str) -> str:
    """A declared type as CREATE TABLE takes it: in quotes where its words would mean something else, or nothing."""
    quoted = '"' + declared.replace('"', '""') + '"'
    return declared if not declared or _is_read_as(declared, declared) else quoted


def _is_read_as(written: str, declared: str) -> bool:
    with closing(sqlite3.connect(":memory:")) as connection, suppress(sqlite3.Error):
        connection.execute(f"CREATE TABLE t (c {written})")
        rows = connection.execute("PRAGMA table_xinfo(t)").fetchall()
        return rows == [(0, "c", declared, 0, None, 0, 0)]
    return False


# --- to SQLite ------------------------------------------------------------------------------------------------------


def _labels(type_: t.Enum, column: str) -> str:
    quoted = ", ".join("'" + label.replace("'", "''") + "'" for label in type_.labels)
    return f"{column} IN ({quoted})"


def _fits_real(type_: t.Decimal) -> bool:
    return type_.precision is not None and type_.precision <= EXACT_DIGITS and 0 <= (type_.scale or 0) <= type_.precision


def _decimal_declaration(type_: t.Decimal) -> str:
    if type_.precision is None:
        return "DECIMAL_TEXT"
    return f"DECIMAL_TEXT({type_.precision},{type_.scale or 0})"


_UNSIGNED = "values above 9223372036854775807 are refused: SQLite's integers have 64 bits and a sign"
_AS_TEXT = "is kept as text"
_BLANKS = "blanks at the end count: 'a' and 'a ' are two texts here, and one at the source"

TYPES = (
    TypeRule(t.Boolean, "BOOLEAN", reason="0 and 1"),
    TypeRule(t.Integer, "BIGINT UNSIGNED", lambda i: i.unsigned and i.bits == 64, loss=_UNSIGNED),
    TypeRule(t.Integer, "TINYINT(1)", lambda i: i.bits == 8 and i.display == 1 and not i.unsigned),
    TypeRule(t.Integer, lambda i: "TINYINT UNSIGNED" if i.unsigned else "TINYINT", lambda i: i.bits == 8),
    TypeRule(t.Integer, lambda i: "SMALLINT UNSIGNED" if i.unsigned else "SMALLINT", lambda i: i.bits == 16),
    TypeRule(t.Integer, lambda i: "MEDIUMINT UNSIGNED" if i.unsigned else "MEDIUMINT", lambda i: i.bits == 24),
    TypeRule(t.Integer, lambda i: "INT UNSIGNED" if i.unsigned else "INT", lambda i: i.bits == 32),
    TypeRule(t.Integer, "INTEGER"),
    TypeRule(t.Decimal, lambda d: f"DECIMAL({d.precision},{d.scale or 0})", _fits_real, reason="a REAL keeps 15 digits"),
    TypeRule(
        t.Decimal,
        _decimal_declaration,
        loss="is kept as text, and sorts as text: SQLite's numbers hold 15 digits",
        each=True,
    ),
    TypeRule(t.Float, "FLOAT4", lambda f: f.bits == 32, reason="a REAL, read as one of 32 bits again; FLOAT is any REAL"),
    TypeRule(t.Float, "DOUBLE"),
    TypeRule(t.String, "CLOB", lambda s: s.lob),
    TypeRule(t.String, "TEXT", lambda s: s.length is None),
    TypeRule(
        t.String,
        "CHAR({length})",
        lambda s: s.fixed and s.length,
        loss=_BLANKS,
        reason="no declaration fills a text up, or strips it",
    ),
    TypeRule(t.String, "CHAR({length})", lambda s: s.fixed),
    TypeRule(t.String, "VARCHAR({length})"),
    TypeRule(t.Binary, "LONGBLOB", lambda b: b.lob),
    TypeRule(t.Binary, "BLOB", lambda b: b.length is None),
    TypeRule(t.Binary, "BINARY({length})", lambda b: b.fixed),
    TypeRule(t.Binary, "VARBINARY({length})"),
    TypeRule(t.Date, "DATE", reason="ISO text is no number"),
    TypeRule(t.Time, lambda x: f"TIMETZ({x.precision})" if x.zoned else f"TIME({x.precision})"),
    TypeRule(t.Timestamp, "TIMESTAMPTZ({precision})", lambda x: x.zoned, reason="ISO text in UTC"),
    TypeRule(t.Timestamp, "DATETIME({precision})"),
    TypeRule(t.Interval, "TEXT", loss=_AS_TEXT, each=True, reason="the word INTERVAL would give INTEGER affinity"),
    TypeRule(t.Year, "YEAR"),
    TypeRule(t.Json, "JSON_TEXT", lambda j: j.binary, loss="is kept as its text, and compared as one"),
    TypeRule(t.Json, "JSON_TEXT", reason="JSON alone has NUMERIC affinity, which rewrites a document that is a number"),
    TypeRule(t.Uuid, "UUID", reason="its text has hyphens and is no number"),
    TypeRule(t.Xml, "XML_TEXT"),
    TypeRule(t.Bit, lambda b: "BIT_TEXT" if b.length is None else f"BIT_TEXT({b.length})", lambda b: not b.varying),
    TypeRule(t.Bit, lambda b: "VARBIT_TEXT" if b.length is None else f"VARBIT_TEXT({b.length})"),
    TypeRule(t.Enum, "TEXT", loss="becomes text with a check: the labels' order is lost", check=_labels),
    TypeRule(t.SetOf, "TEXT", loss="becomes text: any combination is let in"),
    TypeRule(t.Array, "TEXT", loss="is kept as the source's text form", each=True),
    TypeRule(t.Native, "TEXT", lambda n: not n.opaque, loss="is kept as the source's text form", each=True),
)
"""How neutral types are declared; a later read of the declaration gives the same neutral type where none has a loss."""


def _is_number(column: Column) -> bool:
    """Whether values are whole numbers, or decimals that are kept as SQLite's numbers rather than as text."""
    type_ = t.base_of(column.type)
    return isinstance(type_, t.Integer) or (isinstance(type_, t.Decimal) and affinity(column.native) != "TEXT")


_is_float = of_types(t.Float)

LACKS: Mapping[Misfit, Lacking] = {
    Misfit.INFINITY: _is_number,
    Misfit.NAN: lambda column: _is_float(column) or _is_number(column),
}
"""Which columns have no place for values of a kind. Dates are text, of any kind."""
