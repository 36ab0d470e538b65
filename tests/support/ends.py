"""A database filled and read by its plain driver, and the adapter at work on it: for tests of what the adapter does.

Values are shown as the server itself prints them under settings that cut nothing: PostgreSQL's output functions, MySQL's
text protocol, SQLite's ``quote``. Texts come as they are (bytes that are no UTF-8 as surrogates), bytes as ``\\x`` and
hexadecimal digits, bits as 0 and 1.
"""

from __future__ import annotations

import itertools
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import psycopg
import pymysql
import sqlalchemy as sa
from pymysql.connections import TEXT_TYPES
from pymysql.constants import FIELD_TYPE

from migrator.adapter import Adapter, load_adapter
from migrator.ddl import Emitter
from migrator.model.catalog import Catalog
from migrator.model.objects import Table
from tests.support.servers import libpq, pymysql_arguments
from tests.support.sql import for_mysql

Shown = tuple[str | None, ...]
"""A row's values as the server prints them."""


class End(ABC):
    """One database. ``url`` names one that is empty."""

    name: ClassVar[str]
    """The adapter's name."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.adapter: Adapter = load_adapter(self.name)
        self.engine = self.adapter.engine(self.url)
        with self.engine.connect() as connection:
            self.server = self.adapter.server(connection)
        self._closing, self._writing = ExitStack(), ExitStack()
        self._writer: sa.Connection | None = None
        self._made: dict[Table, Table] = {}
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Close every connection."""
        self._writing.close()
        self._closing.close()

    # --- by the plain driver ----------------------------------------------------------------------------------------

    @abstractmethod
    def run(self, sql: str) -> None:
        """Execute a statement and commit it."""

    @abstractmethod
    def shown(self, table: str, columns: Sequence[str]) -> list[Shown]:
        """The rows of a table in the order of their first column."""

    def put(self, table: str, rows: Sequence[Sequence[str]]) -> None:
        """Make rows of SQL expressions all that a table holds."""
        self.run(f"DELETE FROM {table}")
        self.run(f"INSERT INTO {table} VALUES {', '.join('(' + ', '.join(row) + ')' for row in rows)}")

    # --- by the adapter ---------------------------------------------------------------------------------------------

    def catalog(self, *, proof: bool = True) -> Catalog:
        """The objects as the adapter describes them, for a source (``proof``) or for a target."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return self.adapter.catalog(connection, [self.server.schema], proof=proof)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection on a snapshot of now."""
        with self.adapter.snapshot(self.engine, 1) as snapshot, self.adapter.reading(self.engine, snapshot) as connection:
            yield connection

    @contextmanager
    def writing(self, *, fresh: bool = False) -> Iterator[sa.Connection]:
        """A connection to load rows by, committed unless that fails; ``fresh``: a new one, without temporary tables."""
        writer = self._writer
        if fresh or writer is None or writer.invalidated:
            self._writing.close()
            writer = self._writer = self._writing.enter_context(self.adapter.writing(self.engine))
        if not writer.in_transaction():  # its first one has ended
            writer.begin()
        try:
            yield writer
        except BaseException:
            writer.rollback()
            raise
        writer.commit()

    def make(self, catalog: Catalog, table: Table) -> Table:
        """A table for the rows of ``table`` (of ``catalog``), as a job makes it and then sees it; made once."""
        known = replace(table, rows=None, bytes=None)
        if known not in self._made:
            made = replace(known, schema=self.server.schema, name=f"t{next(self._numbers)}", origin=table.qname)
            ddl = self.adapter.ddl(catalog, self.server.version)
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                Emitter(ddl, connection).run(ddl.create_table(made).statements)
                seen = self.adapter.catalog(connection, [made.schema], proof=False).table(made.qname)
            assert seen is not None
            self._made[known] = seen
        return self._made[known]


class SQLiteEnd(End):
    """A SQLite file."""

    name = "sqlite"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._plain = sqlite3.connect(self.url.database or "", isolation_level=None)
        self._closing.callback(self._plain.close)
        unsynced = "PRAGMA synchronous = OFF"  # nothing here outlives the test
        self._plain.execute(unsynced)
        sa.event.listen(self.engine, "connect", lambda connection, _: connection.execute(unsynced))

    def limit_length(self, length: int) -> None:
        """Let connections that load rows take no longer value."""
        limit: Any = lambda connection, _: connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)  # noqa: E731
        sa.event.listen(self.engine, "connect", limit)

    def run(self, sql: str) -> None:
        self._plain.execute(sql)

    def shown(self, table: str, columns: Sequence[str]) -> list[Shown]:
        texts = "typeof({0}), CASE WHEN typeof({0}) IN ('text', 'blob') THEN hex({0}) ELSE quote({0}) END"
        asked = ", ".join(texts.format(column) for column in columns)
        rows = self._plain.execute(f"SELECT {asked} FROM {table} ORDER BY {columns[0]}")
        return [tuple(map(_of_storage, row[::2], row[1::2])) for row in rows]


def _of_storage(kind: str, shown: str) -> str | None:
    match kind:
        case "null":
            return None
        case "text":
            return bytes.fromhex(shown).decode("utf-8", "surrogateescape")
        case "blob":
            return "\\x" + shown.lower()
        case _:
            return shown


class PostgreSQLEnd(End):
    """A PostgreSQL database."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        options = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1"
        self._plain = psycopg.connect(libpq(self.url), options=options, client_encoding="utf8", autocommit=True)
        self._closing.callback(self._plain.close)

    def run(self, sql: str) -> None:
        self._plain.execute(sql.encode())

    def shown(self, table: str, columns: Sequence[str]) -> list[Shown]:
        result = self._plain.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]}".encode()).pgresult
        assert result is not None
        raw = [[result.get_value(row, column) for column in range(len(columns))] for row in range(result.ntuples)]
        return [tuple(None if value is None else value.decode() for value in row) for row in raw]


class MySQLEnd(End):
    """A MariaDB or MySQL database."""

    name = "mysql"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        settings = "SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"  # zero and partial dates are let in
        arguments: dict[str, Any] = {"use_unicode": False, "init_command": settings, "autocommit": True}
        encoders: dict[Any, Any] = dict(pymysql.converters.encoders)  # and no decoders: values stay bytes
        self._plain = pymysql.connect(**pymysql_arguments(self.url), conv=encoders, **arguments)
        self._closing.callback(self._plain.close)

    @property
    def is_mariadb(self) -> bool:
        """Whether it is not MySQL."""
        return self.server.banner.startswith("MariaDB")

    def run(self, sql: str) -> None:
        """As above; the statement as :func:`tests.support.sql.for_mysql` makes it for MySQL."""
        with self._plain.cursor() as cursor:
            cursor.execute(sql if self.is_mariadb else for_mysql(sql))

    def shown(self, table: str, columns: Sequence[str]) -> list[Shown]:
        with self._plain.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0")
            fields = cursor._result.fields
            whole = [f"{c} * 1e0" if f.type_code == FIELD_TYPE.FLOAT else c for c, f in zip(columns, fields, strict=True)]
            cursor.execute(f"SELECT {', '.join(whole)} FROM {table} ORDER BY {columns[0]}")  # a FLOAT is cut to 6 digits
            return [tuple(map(_of_field, row, fields)) for row in cursor.fetchall()]


_NO_CHARACTER_SET = 63


def _of_field(value: bytes | None, field: Any) -> str | None:
    if value is None:
        return None
    if field.type_code == FIELD_TYPE.BIT:
        return f"{int.from_bytes(value, 'big'):0{field.length}b}"
    if field.charsetnr == _NO_CHARACTER_SET and (field.type_code in TEXT_TYPES or field.type_code == FIELD_TYPE.GEOMETRY):
        return "\\x" + value.hex()
    return value.decode("utf-8", "surrogateescape")


ENDS: dict[str, type[End]] = {end.name: end for end in (SQLiteEnd, PostgreSQLEnd, MySQLEnd)}
"""The kinds of ends, by the adapter's name."""
