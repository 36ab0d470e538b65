"""SQLite's default clauses as neutral defaults."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

from migrator.model import types as t
from migrator.model.objects import Default, Expression, Literal, Now

from .declaration import Token, bare, literal_default, tokens
from .types import DIALECT, affinity

_NOW: dict[str, Now] = {
    "current_timestamp": Now("timestamp", 0, utc=True),
    "current_date": Now("date", utc=True),
    "current_time": Now("time", 0, utc=True),
    "datetime()": Now("timestamp", 0, utc=True),
    "datetime('now')": Now("timestamp", 0, utc=True),
    "datetime('now','localtime')": Now("timestamp", 0),
    "strftime('%Y-%m-%d %H:%M:%S','now')": Now("timestamp", 0, utc=True),
    "strftime('%Y-%m-%d %H:%M:%S','now','localtime')": Now("timestamp", 0),
    "strftime('%Y-%m-%d %H:%M:%f','now')": Now("timestamp", 3, utc=True),
    "strftime('%Y-%m-%d %H:%M:%f','now','localtime')": Now("timestamp", 3),
    "date('now')": Now("date", utc=True),
    "date('now','localtime')": Now("date"),
    "time('now')": Now("time", 0, utc=True),
    "time('now','localtime')": Now("time", 0),
    "strftime('%H:%M:%f','now')": Now("time", 3, utc=True),
    "strftime('%H:%M:%f','now','localtime')": Now("time", 3),
    "substr(strftime('%Y-%m-%d %H:%M:%f','now'),1,21)": Now("timestamp", 1, utc=True),
    "substr(strftime('%Y-%m-%d %H:%M:%f','now'),1,22)": Now("timestamp", 2, utc=True),
    "substr(strftime('%Y-%m-%d %H:%M:%f','now','localtime'),1,21)": Now("timestamp", 1),
    "substr(strftime('%Y-%m-%d %H:%M:%f','now','localtime'),1,22)": Now("timestamp", 2),
    "substr(strftime('%H:%M:%f','now'),1,10)": Now("time", 1, utc=True),
    "substr(strftime('%H:%M:%f','now'),1,11)": Now("time", 2, utc=True),
    "substr(strftime('%H:%M:%f','now','localtime'),1,10)": Now("time", 1),
    "substr(strftime('%H:%M:%f','now','localtime'),1,11)": Now("time", 2),
}
"""Ways to say "now", words in lower case, without blanks between tokens; in formats, capitals mean something else."""

_NOW_IN_UTC: dict[str, Now] = {
    "strftime('%Y-%m-%d %H:%M:%S+00:00','now')": Now("timestamp", 0, utc=True),
    "strftime('%Y-%m-%d %H:%M:%f+00:00','now')": Now("timestamp", 3, utc=True),
    "strftime('%Y-%m-%dT%H:%M:%fZ','now')": Now("timestamp", 3, utc=True),
    "substr(strftime('%Y-%m-%d %H:%M:%f','now'),1,21)||'+00:00'": Now("timestamp", 1, utc=True),
    "substr(strftime('%Y-%m-%d %H:%M:%f','now'),1,22)||'+00:00'": Now("timestamp", 2, utc=True),
}
"""Ways that name the zone: an instant where the column has instants, and a text of this very form where it has texts."""

_HEXADECIMAL = re.compile(r"(?P<sign>-?)0[xX](?P<digits>[0-9a-fA-F]{1,16})")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def default_of(sql: str | None, type_: t.Type) -> Default | None:
    """A column's default from its text in the dictionary; None: no default.

    :raises ValueError: it is a constant that the column's type does not hold.
    """
    if sql is None or sql.strip().upper() == "NULL":
        return None
    words = _normal(sql)
    said = _NOW.get(words) or (None if isinstance(type_, t.String) else _NOW_IN_UTC.get(words))
    if said is not None:
        return said
    token = _decimal(literal_default(sql))
    if token is None:
        return Expression(sql, DIALECT)
    return _constant(token, type_, sql)


def as_stored(sql: str | None, declared: str) -> Literal | None:
    """A default that is a number, in a column that stores it as one though its type may be another; None: it is none."""
    token = None if sql is None or affinity(declared) != "BLOB" else _decimal(literal_default(sql))
    if token is None:
        return None
    if token.kind == "word" and token.upper in {"TRUE", "FALSE"}:
        return Literal("1" if token.upper == "TRUE" else "0", "number")
    return Literal(token.name, "number") if token.kind == "number" else None


def _decimal(token: Token | None) -> Token | None:
    """A constant, its digits decimal: hexadecimal ones are 64 bits with a sign."""
    found = _HEXADECIMAL.fullmatch(token.text) if token is not None and token.kind == "number" else None
    if token is None or found is None:
        return token
    bits = int(found["digits"], 16)
    value = bits - (1 << 64) if bits >> 63 else bits
    return replace(token, text=str(-value if found["sign"] else value))


def _normal(sql: str) -> str:
    return "".join(item.text.lower() if item.kind == "word" else item.text for item in bare(tokens(sql)))


def _constant(token: Token, type_: t.Type, sql: str) -> Default:
    if token.kind == "string" and token.text[0] in "xX":
        return Literal(token.text[2:-1].upper(), "binary")
    if token.kind == "word" and token.upper in {"TRUE", "FALSE"}:
        return _typed("1" if token.upper == "TRUE" else "0", type_, sql)
    if token.kind == "number" and isinstance(type_, t.String):
        return Literal(_as_text(token.name))
    if token.kind in {"string", "quoted", "number", "word"}:  # a bare word that is no keyword is a text
        return _typed(token.name, type_, sql)
    return Expression(sql, DIALECT)


def _as_text(number: str) -> str:
    """A number as SQLite writes it into a column of texts."""
    with closing(sqlite3.connect(":memory:")) as connection:
        (text,) = connection.execute(f"SELECT CAST({number} AS TEXT)").fetchone()
    return str(text)


def _typed(value: str, type_: t.Type, sql: str) -> Literal:
    """A constant in the kind of the column's type: SQLite's affinity converts it when it is stored."""
    match type_:
        case t.Boolean() if value in {"0", "1"}:
            return Literal(value, "boolean")
        case t.Bit() if re.fullmatch("[01]*", value):
            return Literal(value, "bit")
        case t.Integer() | t.Decimal() | t.Float() | t.Year() if _NUMBER.fullmatch(value):
            return Literal(value, "number")
        case t.Boolean() | t.Integer() | t.Decimal() | t.Float() | t.Year():
            raise ValueError(f"{sql} is no value of the column's type")
        case t.Date() | t.Time() | t.Timestamp() | t.Binary() if _NUMBER.fullmatch(value):
            raise ValueError(f"{sql} is no value of the column's type")
        case _:
            return Literal(value)
