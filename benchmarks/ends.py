"""The databases that rows are moved between: one filled with the samples for each kind, and fresh ones to move into.

The servers are those of the tests, with clients and servers on one machine: PostgreSQL with fsync, synchronous_commit and
full_page_writes off, MariaDB with innodb_flush_log_at_trx_commit=2.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from zlib import crc32

import psycopg
import pymysql
import sqlalchemy as sa

from benchmarks import data
from benchmarks.clients import link
from benchmarks.measure import measure
from tests.support.servers import MariaDB, PostgreSQL, Servers, libpq, pymysql_arguments

Fingerprint = tuple[int, int]
"""A table's number of rows, and a checksum of them."""


class OtherRowsArrived(RuntimeError):
    """A contestant that is not known to be inexact brought other rows than there are."""


_COLUMNS = """SELECT string_agg(attname || CASE atttypid WHEN 'bool'::regtype THEN '::int' ELSE '' END, ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 AND NOT attisdropped"""
"""A table's columns, booleans as the numbers that they are in other databases."""


_QUOTED = """SELECT group_concat('cast(quote(`', column_name, '`) AS binary)' ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_schema = database() AND table_name = '{}'"""
"""A table's columns as literals in MariaDB, whose NULL is a word."""


@dataclass(frozen=True)
class Shape:
    """Scripts that make a table before its rows arrive, and its keys afterwards."""

    table: str
    keys: str = ""


class End(ABC):
    """A kind of database; ``source`` is filled with the samples."""

    source: sa.URL

    @abstractmethod
    def fresh(self) -> sa.URL:
        """A new, empty database."""

    @abstractmethod
    def drop(self, url: sa.URL) -> None:
        """Drop a database that :meth:`fresh` made."""

    @abstractmethod
    def shape(self, url: sa.URL, table: str) -> Shape:
        """How the table of a database is made."""

    @abstractmethod
    def run(self, url: sa.URL, script: str) -> None:
        """Run a script of SQL."""

    @abstractmethod
    def fingerprint(self, url: sa.URL, table: str) -> Fingerprint:
        """What a table holds."""

    @abstractmethod
    def version(self) -> str:
        """Of the database."""


class PostgreSQLEnd(End):
    """A PostgreSQL server."""

    def __init__(self, server: PostgreSQL) -> None:
        self.server = server

    def fresh(self) -> sa.URL:
        return self.server.fresh()

    def drop(self, url: sa.URL) -> None:
        self.server.drop(url.database or "")

    def shape(self, url: sa.URL, table: str) -> Shape:
        before, after = (self.server.dump(url, "-t", table, f"--section={section}") for section in ("pre-data", "post-data"))
        return Shape(before, after)

    def run(self, url: sa.URL, script: str) -> None:
        self.server.run_script(url, script)

    def fingerprint(self, url: sa.URL, table: str) -> Fingerprint:
        (columns,) = self._fetch(url, _COLUMNS.format(table))
        query = f"SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0) FROM {table}"
        count, checksum = self._fetch(url, query)
        return int(count), int(checksum)

    def version(self) -> str:
        (version,) = self._fetch(self.server.url, "SELECT version()")
        return str(version).partition(" on ")[0]

    def _fetch(self, url: sa.URL, query: str) -> tuple[Any, ...]:
        with psycopg.connect(libpq(url)) as connection:
            return connection.execute(query.encode()).fetchall()[0]


class MariaDBEnd(End):
    """A MariaDB or MySQL server."""

    def __init__(self, server: MariaDB) -> None:
        self.server = server

    def fresh(self) -> sa.URL:
        return self.server.fresh()

    def drop(self, url: sa.URL) -> None:
        self.server.drop(url.database or "")

    def shape(self, url: sa.URL, table: str) -> Shape:
        _, made = self._fetch(url, f"SHOW CREATE TABLE {table}")
        return Shape(f"{made};\n")

    def run(self, url: sa.URL, script: str) -> None:
        self.server.run_script(url, script)

    def fingerprint(self, url: sa.URL, table: str) -> Fingerprint:
        (values,) = self._fetch(url, _QUOTED.format(table))  # CHECKSUM TABLE tells CHAR from VARCHAR, too
        checksum_of_rows = f"coalesce(sum(crc32(concat_ws(',', {values}))), 0)"
        count, checksum = self._fetch(url, f"SELECT count(*), {checksum_of_rows} FROM {table}")
        return int(count), int(checksum)

    def version(self) -> str:
        (version,) = self._fetch(self.server.url, "SELECT concat(@@version_comment, ' ', @@version)")
        return str(version)

    def _fetch(self, url: sa.URL, query: str) -> tuple[Any, ...]:
        with pymysql.connect(**pymysql_arguments(url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            (row,) = cursor.fetchall()
            return tuple(row)


class SQLiteEnd(End):
    """SQLite files in a directory."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._numbers = itertools.count(1)

    def fresh(self) -> sa.URL:
        return sa.make_url(f"sqlite:///{self._home / f'fresh{next(self._numbers)}.db'}")

    def drop(self, url: sa.URL) -> None:
        for path in self._home.glob(f"{Path(url.database or '').name}*"):  # the journal's files too
            path.unlink()

    def shape(self, url: sa.URL, table: str) -> Shape:
        with closing(sqlite3.connect(url.database or "")) as connection:
            found = connection.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL", (table,))
            return Shape("".join(f"{sql};\n" for (sql,) in found))

    def run(self, url: sa.URL, script: str) -> None:
        with closing(sqlite3.connect(url.database or "")) as connection:
            connection.executescript(script)

    def fingerprint(self, url: sa.URL, table: str) -> Fingerprint:
        count = checksum = 0
        with closing(sqlite3.connect(url.database or "")) as connection:
            for row in connection.execute(f"SELECT * FROM {table}"):
                count += 1
                checksum += crc32(repr(row).encode())
        return count, checksum

    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version} in Python"


@contextmanager
def fresh(end: End) -> Iterator[sa.URL]:
    """A new database, for as long as it is used."""
    url = end.fresh()
    try:
        yield url
    finally:
        end.drop(url)


@contextmanager
def bench(rows: int) -> Iterator[tuple[dict[str, End], Path, dict[str, str]]]:
    """An end of each kind by name, whose sources hold the same rows; a directory to work in; what hides their places."""
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as directory:
            home = Path(directory)
            home.chmod(0o777)  # the servers read and write files there
            lite, maria, postgresql = SQLiteEnd(home), MariaDBEnd(servers.mysql()), PostgreSQLEnd(servers.postgresql())
            _fill(lite, maria, postgresql, home / "source.db", rows)
            ends = {"SQLite": lite, "MariaDB": maria, "PostgreSQL": postgresql}
            yield ends, home, _places(servers, home)
    finally:
        servers.stop()


def _places(servers: Servers, home: Path) -> dict[str, str]:
    """What the directories of commands are called where commands are shown."""
    programs = {str(servers.postgresql().bin_path): "PGBIN", str(Path(sys.executable).parent): "BIN"}
    places = {str(servers.directory): "SERVERS", str(home): "DIR"}
    return {**programs, **places, **{quote_plus(path): name for path, name in places.items()}}


def _fill(lite: End, maria: End, postgresql: End, path: Path, rows: int) -> None:
    lite.source, maria.source, postgresql.source = sa.make_url(f"sqlite:///{path}"), maria.fresh(), postgresql.fresh()
    data.write(path, rows)
    measure(link(lite.source, postgresql.source))
    maria.run(maria.source, "".join(f"{sample.mariadb_ddl};\n" for sample in data.SAMPLES))
    measure(link(lite.source, maria.source, "CONTENT=DATA_ONLY"))
