"""The network-link paths, and on each the tools that move the same table: one row a contestant.

A contestant ends with the rows and the primary key in a fresh database. PostgreSQL's tables get their key after the rows,
those of MariaDB and SQLite, whose rows are kept in its order, have it from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import join, quote

import sqlalchemy as sa

from benchmarks.clients import duckdb, link, mariadb, mydumper, myloader, pgloader, psql, schema_of
from benchmarks.measure import Command
from benchmarks.tools import DUCKDB, MARIADB, MYDUMPER, PGLOADER, SQLITE3, Tool
from benchmarks.wanted import FASTER, NOTHING, Target, times_as_fast, within
from tests.support.servers import libpq

OURS = "migrator"


@dataclass(frozen=True)
class Move:
    """One table to move from ``source`` into a fresh database.

    ``near`` is a database beside the target, of its kind, that holds the same rows; ``keys`` a script that makes the table's
    keys; ``work`` a directory that the servers, too, may read and write.
    """

    source: sa.URL
    target: sa.URL
    near: sa.URL
    table: str
    keys: Path
    work: Path
    bin_path: Path

    def then_keys(self, line: str) -> str:
        """A shell line that brings the rows into PostgreSQL, and then makes the keys."""
        return f"{line}; {psql(self.bin_path, self.target)} -f {quote(str(self.keys))}"

    def copied(self, unload: str, options: str) -> str:
        """A shell line: what ``unload`` prints is copied into PostgreSQL."""
        load = quote(f"COPY {self.table} FROM STDIN WITH ({options})")
        return self.then_keys(f"{unload} | {psql(self.bin_path, self.target)} -c {load}")


def _by_migrator(move: Move) -> Command:
    return link(move.source, move.target, f"TABLES={schema_of(move.source)}.{move.table}")


def _by_two_workers(move: Move) -> Command:
    return [*_by_migrator(move), "PARALLEL=2"]


def _by_psql(move: Move) -> Command:
    unload = f"{psql(move.bin_path, move.source)} -c {quote(f'COPY {move.table} TO STDOUT (FORMAT binary)')}"
    return move.copied(unload, "FORMAT binary")


def _by_pg_dump(move: Move) -> Command:
    dump = join([str(move.bin_path / "pg_dump"), "-Fc", "-Z0", "-t", move.table, libpq(move.source)])
    return f"{dump} | {join([str(move.bin_path / 'pg_restore'), '-d', libpq(move.target)])}"


def _by_mariadb(move: Move) -> Command:
    columns = {"blobs": "id, name, concat('\\\\x', hex(data))"}.get(move.table, "*")
    query = quote(f"SELECT {columns} FROM {move.table}")
    return move.copied(f"{mariadb(move.source)} -B -N --quick -e {query}", "NULL 'NULL'")


def _by_sqlite3(move: Move) -> Command:
    columns = {
        "blobs": "id, name, '\\x' || hex(data)",
        "events": "id, big, at, printf('%!.17g', score), flag, payload, note",  # else floats are printed with 15 digits
    }.get(move.table, "*")
    query = quote(f"SELECT {columns} FROM {move.table}")
    return move.copied(f"sqlite3 -csv {quote(move.source.database or '')} {query}", "FORMAT csv")


def _by_duckdb(move: Move) -> Command:
    tables = [
        f"{url.get_backend_name()}.{'public.' if url.get_backend_name() == 'postgresql' else ''}{move.table}"
        for url in (move.target, move.source)
    ]
    return move.then_keys(duckdb(f"INSERT INTO {tables[0]} SELECT * FROM {tables[1]}", move.source, move.target))


_READ_AHEAD = {"events": 10_000, "blobs": 200}
"""Rows that pgloader reads ahead: with its own 100,000 it exhausts its heap on wide rows."""


def _by_pgloader(move: Move) -> Command:
    script = move.work / f"{move.table}.load"
    return move.then_keys(pgloader(move.source, move.target, move.table, _READ_AHEAD.get(move.table, 100_000), script))


def _inside_mariadb(move: Move) -> Command:
    names = [f"`{url.database}`.{move.table}" for url in (move.target, move.near)]
    return f"{mariadb(move.target)} -e {quote(f'INSERT INTO {names[0]} SELECT * FROM {names[1]}')}"


def _by_files(move: Move) -> Command:
    path = move.work / "copied"
    query, columns = {
        "events": ("SELECT id, big, at, score, flag::int, payload, note FROM events", ""),
        "blobs": ("SELECT id, name, encode(data, 'hex') FROM blobs", "(id, name, @data) SET data = unhex(@data)"),
    }.get(move.table, (f"SELECT * FROM {move.table}", ""))
    unload = quote(f"COPY ({query}) TO '{path}'")
    load = quote(f"LOAD DATA INFILE '{path}' INTO TABLE {move.table} CHARACTER SET utf8mb4 {columns}")
    return f"{psql(move.bin_path, move.source)} -c {unload}; {mariadb(move.target)} -e {load}; rm -f {quote(str(path))}"


def _by_mydumper(move: Move) -> Command:
    directory = move.work / "mydumper"
    dump = f"{mydumper(move.source, move.table, directory)}; {myloader(move.target, directory)}"
    return f"{dump}; rm -r {quote(str(directory))}"


def _inside_sqlite(move: Move) -> Command:
    statement = f"INSERT INTO main.{move.table} SELECT * FROM near.{move.table}"
    return join(["sqlite3", move.target.database or "", f"ATTACH '{move.near.database}' AS near; {statement}"])


@dataclass(frozen=True)
class Contestant:
    """A tool that moves a table.

    ``makes_table``: the tool makes it (else it finds it made); ``inexact``: what is known to be lost on the way. One that
    brings other rows, and is not known to be inexact, has failed.
    """

    name: str
    command: Callable[[Move], Command]
    wanted: Target = NOTHING
    needs: tuple[Tool, ...] = ()
    makes_table: bool = False
    inexact: str = ""


@dataclass(frozen=True)
class Route:
    """A path between two kinds of database, and who goes it: migrator first, as it is judged, then with more workers."""

    source: str
    target: str
    contestants: tuple[Contestant, ...]

    @property
    def name(self) -> str:
        """As ``--paths`` has it."""
        return f"{self.source}-{self.target}"


MIGRATOR = Contestant(OURS, _by_migrator, makes_table=True)
TWO_WORKERS = Contestant(f"{OURS} PARALLEL=2", _by_two_workers, makes_table=True)

ROUTES = (
    Route(
        "MariaDB",
        "PostgreSQL",
        (
            MIGRATOR,
            TWO_WORKERS,
            Contestant("pgloader", _by_pgloader, Target(times_as_fast(4)), (PGLOADER,)),
            Contestant("DuckDB's scanners", _by_duckdb, Target(times_as_fast(1.7)), (DUCKDB,)),
            Contestant(
                "mariadb -B | psql",
                _by_mariadb,
                Target(within(1.1)),
                (MARIADB,),
                inexact="the text NULL becomes NULL, carriage returns are not escaped",
            ),
        ),
    ),
    Route(
        "PostgreSQL",
        "PostgreSQL",
        (
            MIGRATOR,
            TWO_WORKERS,
            Contestant("psql COPY BINARY | psql", _by_psql, Target(within(1.1))),
            Contestant("pg_dump -Fc -Z0 | pg_restore", _by_pg_dump, makes_table=True),
        ),
    ),
    Route(
        "PostgreSQL",
        "MariaDB",
        (
            TWO_WORKERS,
            Contestant(
                "INSERT … SELECT inside MariaDB", _inside_mariadb, Target(within(1.25), {"blobs": within(1.2)}), (MARIADB,)
            ),
            Contestant("COPY to a file, LOAD DATA INFILE", _by_files, Target(FASTER), (MARIADB,)),
        ),
    ),
    Route(
        "MariaDB",
        "MariaDB",
        (
            TWO_WORKERS,
            Contestant("mydumper, myloader -t 2", _by_mydumper, Target(FASTER), (MYDUMPER,), makes_table=True),
            Contestant("INSERT … SELECT inside MariaDB", _inside_mariadb, Target(within(1.7)), (MARIADB,)),
        ),
    ),
    Route(
        "SQLite",
        "PostgreSQL",
        (
            MIGRATOR,
            Contestant("pgloader", _by_pgloader, Target(times_as_fast(4)), (PGLOADER,)),
            Contestant("DuckDB's scanner", _by_duckdb, Target(times_as_fast(1)), (DUCKDB,)),
            Contestant("sqlite3 -csv | psql", _by_sqlite3, needs=(SQLITE3,)),
        ),
    ),
    Route(
        "PostgreSQL",
        "SQLite",
        (
            MIGRATOR,
            Contestant("INSERT … SELECT inside SQLite", _inside_sqlite, Target(within(2.5)), (SQLITE3,)),
        ),
    ),
)
