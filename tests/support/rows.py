"""Rows as the databases themselves tell them, for comparisons between databases: plain drivers, nothing of migrator.

Every column has a *kind*, from its declared type; SQLite's columns have the kind ``any``, since their values have types of
their own. Two columns are compared in the more specific of their two kinds:

==========  =============================================================================================
any         SQLite's own storage: numbers by value (1 = 1.0), text and bytes exactly, never one for another
text        exactly
padded      text without trailing blanks (PostgreSQL's ``char(n)`` is padded, MySQL's and SQLite's is not)
number      by value: ``1.50`` = ``1.5``; NaN and infinities as such
single      a 32-bit float: the shortest decimal that gives this float back
truth       true, ``t``, 1 are one value; false, ``f``, 0 another
bits        0s and 1s; against a number: as a whole number
moment      date, time, date with time: ISO text; zero fractions and midnight are left out; instants in UTC
span        ``[-]hours:minutes:seconds`` as seconds; other spans as text
octets      bytes
hex         bytes, or the hexadecimal digits that a text has of them
uuid        32 lower-case digits, from text or from 16 bytes
json        parsed, keys sorted, numbers by value
==========  =============================================================================================

A value that does not read as its column's kind stays as it is, and so differs from one that does.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import psycopg
import pymysql
import sqlalchemy as sa
from psycopg import sql

from tests.support.servers import libpq, pymysql_arguments

Value = Any


@dataclass(frozen=True)
class Rows:
    """A table's rows: column names, their kinds, and the values as the driver gave them."""

    table: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    values: list[tuple[Value, ...]]

    def without(self, *columns: str) -> Rows:
        """The rows without some columns."""
        keep = [i for i, name in enumerate(self.columns) if name not in columns]
        values = [tuple(row[i] for i in keep) for row in self.values]
        return Rows(self.table, tuple(self.columns[i] for i in keep), tuple(self.kinds[i] for i in keep), values)


# --- reading --------------------------------------------------------------------------------------------------------


def tables_of(url: str, schema: str | None = None) -> list[str]:
    """The base tables of a database, sorted; of PostgreSQL's partitioned tables only the whole."""
    target = sa.make_url(url)
    return sorted(_READERS[target.get_backend_name()].tables(target, schema))


def rows_of(url: str, table: str, schema: str | None = None) -> Rows:
    """All rows of a table.

    :raises LookupError: there is no such table.
    """
    target = sa.make_url(url)
    found: Rows = _READERS[target.get_backend_name()].rows(target, schema, table)
    return found


class _SQLite:
    def tables(self, url: sa.URL, _: str | None) -> list[str]:
        with closing(self._connect(url)) as connection:
            names = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            )
            return [name for (name,) in names]

    def rows(self, url: sa.URL, _: str | None, table: str) -> Rows:
        with closing(self._connect(url)) as connection:
            if table not in self.tables(url, None):
                raise LookupError(f"no table {table!r} in {url.database}")
            cursor = connection.execute('SELECT * FROM "{}"'.format(table.replace('"', '""')))
            columns = tuple(item[0] for item in cursor.description)
            return Rows(table, columns, ("any",) * len(columns), cursor.fetchall())

    def _connect(self, url: sa.URL) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return connection


_POSTGRESQL_KINDS = {
    "number": ("int2", "int4", "int8", "numeric", "float8", "oid"),
    "single": ("float4",),
    "truth": ("bool",),
    "octets": ("bytea",),
    "moment": ("date", "time", "timestamp", "timestamptz"),
    "span": ("interval",),
    "padded": ("bpchar",),
    "uuid": ("uuid",),
    "json": ("jsonb",),
    "bits": ("bit", "varbit"),
}
_POSTGRESQL_KIND = {type_: kind for kind, types in _POSTGRESQL_KINDS.items() for type_ in types}


class _PostgreSQL:
    def tables(self, url: sa.URL, schema: str | None) -> list[str]:
        query = (
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)"
        )
        with self._connect(url) as connection:
            return [name for (name,) in connection.execute(query, [schema or "public"])]

    def rows(self, url: sa.URL, schema: str | None, table: str) -> Rows:
        with self._connect(url) as connection:
            name = sql.Identifier(schema or "public", table)
            try:
                cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(name))
            except psycopg.errors.UndefinedTable as error:
                raise LookupError(str(error)) from error
            result = cursor.pgresult
            assert result is not None
            oids = [result.ftype(i) for i in range(result.nfields)]
            types: dict[int, str] = dict(
                connection.execute(
                    "SELECT t.oid::int8, coalesce(b.typname, t.typname) FROM pg_type t"
                    " LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd' WHERE t.oid = ANY(%s::oid[])",
                    [oids],
                ).fetchall()
            )
            kinds = tuple(_POSTGRESQL_KIND.get(types[oid], "text") for oid in oids)
            readers = [_bytea if kind == "octets" else _text for kind in kinds]
            get = result.get_value
            values = [tuple(read(get(i, j)) for j, read in enumerate(readers)) for i in range(result.ntuples)]
            columns = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
            return Rows(table, columns, kinds, values)

    def _connect(self, url: sa.URL) -> psycopg.Connection[Any]:
        options = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c search_path=pg_catalog"
        return psycopg.connect(libpq(url), options=options, client_encoding="utf8")


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode()


def _bytea(raw: bytes | None) -> bytes | None:
    return None if raw is None else bytes.fromhex(raw[2:].decode())


_MYSQL_KINDS = {
    "number": ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double", "year"),
    "single": ("float",),
    "moment": ("date", "datetime", "timestamp"),
    "span": ("time",),
    "octets": (
        *("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"),
        *("geometry", "point", "linestring", "polygon"),
    ),
    "bits": ("bit",),
    "json": ("json",),
    "uuid": ("uuid",),
}
_MYSQL_KIND = {type_: kind for kind, types in _MYSQL_KINDS.items() for type_ in types}


class _MySQL:
    def tables(self, url: sa.URL, schema: str | None) -> list[str]:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"
        with self._connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(query, [schema or url.database])
            return [name for (name,) in cursor.fetchall()]

    def rows(self, url: sa.URL, schema: str | None, table: str) -> Rows:
        query = (
            "SELECT column_name, data_type, numeric_precision FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position"
        )
        with self._connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(query, [schema or url.database, table])
            found = cursor.fetchall()
            if not found:
                raise LookupError(f"no table {table!r} in {schema or url.database}")
            columns = tuple(name for name, _, _ in found)
            kinds = tuple(_MYSQL_KIND.get(type_, "text") for _, type_, _ in found)
            items = ", ".join(_mysql_item(name, type_) for name, type_, _ in found)
            cursor.execute(f"SELECT {items} FROM {_ticked(schema or url.database or '')}.{_ticked(table)}")
            widths = [
                int(precision or 0) if kind == "bits" else 0 for (_, _, precision), kind in zip(found, kinds, strict=True)
            ]
            values = [tuple(_mysql_value(v, w) for v, w in zip(row, widths, strict=True)) for row in cursor.fetchall()]
            return Rows(table, columns, kinds, values)

    def _connect(self, url: sa.URL) -> pymysql.Connection[Any]:
        settings = "SET time_zone = '+00:00', sql_mode = ''"
        encoders: dict[Any, Any] = dict(pymysql.converters.encoders)  # and no decoders: values stay text
        return pymysql.connect(**pymysql_arguments(url), conv=encoders, init_command=settings)


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _mysql_item(name: str, type_: str) -> str:
    return f"CAST({_ticked(name)} AS DOUBLE)" if type_ == "float" else _ticked(name)  # a FLOAT is printed with 6 digits


def _mysql_value(value: Value, bits: int) -> Value:
    if value is not None and bits:
        return f"{int.from_bytes(value, 'big'):0{bits}b}"
    return value


_READERS: dict[str, Any] = {"sqlite": _SQLite(), "postgresql": _PostgreSQL(), "mysql": _MySQL(), "mariadb": _MySQL()}


# --- canonical values -----------------------------------------------------------------------------------------------


def _any(value: Value) -> Value:
    return _number(value) if isinstance(value, int | float) else value


def _same(value: Value) -> Value:
    return value


def _padded(value: Value) -> Value:
    return value.rstrip(" ") if isinstance(value, str) else value


def _number(value: Value) -> Value:
    if isinstance(value, bytes):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return value
    return number if number.is_finite() else str(number)


def _single(value: Value) -> Value:
    try:
        return repr(struct.unpack("f", struct.pack("f", float(value)))[0])
    except (TypeError, ValueError, OverflowError):
        return value


_TRUTHS = {"t": 1, "true": 1, "1": 1, "f": 0, "false": 0, "0": 0}


def _truth(value: Value) -> Value:
    return _TRUTHS.get(str(value).lower(), value)


def _bits_number(value: Value) -> Value:
    return Decimal(int(value, 2)) if isinstance(value, str) and re.fullmatch("[01]+", value) else _number(value)


def _moment(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = value.replace("T", " ").removesuffix("Z").removesuffix("+00:00").removesuffix("+00")
    text = re.sub(r"(:\d\d)\.(\d*?)0*$", lambda m: m[1] + ("." + m[2] if m[2] else ""), text)
    return re.sub(r"^(\d{4,}-\d\d-\d\d) 00:00:00$", r"\1", text)


def _span(value: Value) -> Value:
    match = re.fullmatch(r"([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?)", value) if isinstance(value, str) else None
    if match is None:
        return value
    seconds = int(match[2]) * 3600 + int(match[3]) * 60 + Decimal(match[4])
    return -seconds if match[1] == "-" else seconds


def _hex(value: Value) -> Value:
    return value.hex().upper() if isinstance(value, bytes) else value


def _uuid(value: Value) -> Value:
    if isinstance(value, bytes) and len(value) == 16:
        return value.hex()
    return value.replace("-", "").lower() if isinstance(value, str) else value


def _json(value: Value) -> Value:
    try:
        parsed = json.loads(value, parse_float=Decimal, parse_int=Decimal)
    except (TypeError, ValueError):
        return value
    return json.dumps(parsed, sort_keys=True, default=lambda number: f"number {number.normalize()}")


CANONICAL: Mapping[str, Callable[[Value], Value]] = {
    "any": _any,
    "text": _same,
    "padded": _padded,
    "number": _number,
    "single": _single,
    "truth": _truth,
    "bits": _same,
    "bits number": _bits_number,
    "moment": _moment,
    "span": _span,
    "octets": _same,
    "hex": _hex,
    "uuid": _uuid,
    "json": _json,
}
"""How a value that is not NULL is brought into the form of a kind."""

_PRECEDENCE = ("json", "uuid", "span", "moment", "single", "truth", "bits", "number", "octets", "padded", "text", "any")


def common_kind(first: str, second: str) -> str:
    """The kind in which values of two columns are compared."""
    if {first, second} in ({"bits", "number"}, {"bits", "truth"}):
        return "bits number"
    return min(first, second, key=_PRECEDENCE.index)


# --- comparing ------------------------------------------------------------------------------------------------------


def differences(source: Rows, target: Rows, kinds: Mapping[str, str] | None = None) -> str:
    """How two tables differ as multisets of rows, in a few lines; empty where they do not.

    Columns are matched by exact name. ``kinds`` overrides the kind of a column.
    """
    if sorted(source.columns) != sorted(target.columns):
        return f"{source.table}: columns {source.columns} became {target.columns}"
    places = [target.columns.index(name) for name in source.columns]
    chosen = [
        (kinds or {}).get(name) or common_kind(source.kinds[i], target.kinds[places[i]])
        for i, name in enumerate(source.columns)
    ]
    forms = [CANONICAL[kind] for kind in chosen]

    def canonical(row: Iterable[Value]) -> tuple[Value, ...]:
        return tuple(None if v is None else form(v) for v, form in zip(row, forms, strict=True))

    here = Counter(canonical(row) for row in source.values)
    there = Counter(canonical([row[i] for i in places]) for row in target.values)
    if here == there:
        return ""
    return _report(source, list((here - there).elements()), list((there - here).elements()), chosen)


def _report(source: Rows, lost: list[tuple[Value, ...]], new: list[tuple[Value, ...]], kinds: list[str]) -> str:
    lines = [f"{source.table}: {len(lost)} rows are missing, {len(new)} rows are new (of {len(source.values)})"]
    for row in lost[:3]:
        nearest = max(new, key=lambda other: sum(a == b for a, b in zip(row, other, strict=True)), default=None)
        if nearest is None:
            lines.append(f"  missing: {row!r}"[:600])
            continue
        changed = [
            f"{name} ({kind}): {a!r} became {b!r}"[:300]
            for name, kind, a, b in zip(source.columns, kinds, row, nearest, strict=True)
            if a != b
        ]
        lines.append(f"  {source.columns[0]}={row[0]!r}: " + "; ".join(changed))
    if not lost:
        lines += [f"  new: {row!r}"[:600] for row in new[:3]]
    return "\n".join(lines)


def assert_same_rows(
    source: str,
    target: str,
    tables: Iterable[str] | Mapping[str, str] | None = None,
    *,
    source_schema: str | None = None,
    target_schema: str | None = None,
    kinds: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
) -> None:
    """Every row of every table is the same in two databases, given by URL.

    ``tables``: names, or the name in the target by the name in the source; None: all of the source. ``kinds``: of columns,
    as ``column`` or ``table.column``. ``ignore``: columns not to compare, as ``table.column``.
    """
    names = tables_of(source, source_schema) if tables is None else tables
    pairs = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    assert pairs, "no tables to compare"
    found = []
    for here, there in pairs.items():
        left_out = [name.removeprefix(f"{here}.") for name in ignore if name.startswith(f"{here}.")]
        first = rows_of(source, here, source_schema).without(*left_out)
        second = rows_of(target, there, target_schema).without(*left_out)
        chosen = {name.removeprefix(f"{here}."): kind for name, kind in (kinds or {}).items()}
        found.append(differences(first, second, chosen))
    problems = [problem for problem in found if problem]
    assert not problems, "\n" + "\n".join(problems)
