"""What a default's deparsed SQL means."""

from __future__ import annotations

import re

from migrator.model.objects import Default, Expression, Literal, NewUuid, NextValue, Now, QName

from .types import DIALECT

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TYPE = r"[a-z_\"][\w\". ,()\[\]]*"
_NUMERIC = r"(?:smallint|integer|bigint|numeric(?:\(\d+,-?\d+\))?|real|double precision)"
_PLAIN_NUMBER = re.compile(rf"\(?({_NUMBER})\)?(?:::{_NUMERIC})?")
_QUOTED_NUMBER = re.compile(rf"'({_NUMBER})'::{_NUMERIC}")
_STRING = re.compile(rf"(E?)'((?:[^']|'')*)'::({_TYPE})")
_NULL = re.compile(rf"NULL(?:::{_TYPE})?")
_NEXT_VALUE = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
_NAME = re.compile(r'(?:"((?:[^"]|"")+)"|([^".]+))\.(?:"((?:[^"]|"")+)"|([^".]+))')
_UTC = {
    "timezone('utc'::text, now())": Now("timestamp", utc=True),
    "(timezone('utc'::text, now()))::date": Now("date", utc=True),
    "(timezone('utc'::text, now()))::time without time zone": Now("time", utc=True),
}
_NOW = re.compile(r"(CURRENT_TIMESTAMP|LOCALTIMESTAMP|CURRENT_TIME|LOCALTIME)(?:\((\d)\))?")


def parse(sql: str) -> Default:
    """The default in the model's words, or as an expression of PostgreSQL where it has none."""
    if sql in {"true", "false"}:
        return Literal("1" if sql == "true" else "0", "boolean")
    if sql == "now()" or sql == "CURRENT_DATE":
        return Now("timestamp" if sql == "now()" else "date")
    if sql in _UTC:
        return _UTC[sql]
    if sql == "gen_random_uuid()":
        return NewUuid()
    if _NULL.fullmatch(sql):
        return Literal("", "null")
    if match := _PLAIN_NUMBER.fullmatch(sql) or _QUOTED_NUMBER.fullmatch(sql):
        return Literal(match[1], "number")
    if match := _NOW.fullmatch(sql):
        return Now("timestamp" if "STAMP" in match[1] else "time", int(match[2]) if match[2] else None)
    if (match := _NEXT_VALUE.fullmatch(sql)) and (name := _NAME.fullmatch(match[1].replace("''", "'"))):
        schema, bare_schema, table, bare_table = name.groups()
        return NextValue(QName(_unquoted(schema, bare_schema), _unquoted(table, bare_table)))
    if match := _STRING.fullmatch(sql):
        text = match[2].replace("''", "'")
        return _string(text.replace(r"\\", "\\") if match[1] else text, match[3])
    return Expression(sql, DIALECT)


def _string(text: str, type_: str) -> Default:
    if type_ == "bytea" and text.startswith("\\x"):
        return Literal(text[2:], "binary")
    if type_ in {'"bit"', "bit varying"}:
        return Literal(text, "bit")
    return Literal(text)


def _unquoted(quoted: str | None, bare: str) -> str:
    return bare if quoted is None else quoted.replace('""', '"')
