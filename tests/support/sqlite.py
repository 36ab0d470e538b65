"""SQLite files made, carried to another file by the adapter, and read back cell by cell without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Load, Read, load_adapter
from migrator.ddl import Emitter, Script
from migrator.errors import ValueNotCarried
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Program, QName, Table, View

SQLITE = load_adapter("sqlite")

Cell = tuple[str, Any]


def path_of(url: str) -> str:
    """The file of a URL."""
    return sa.make_url(url).database or ""


@contextmanager
def opened(url: str) -> Iterator[sqlite3.Connection]:
    """A plain connection that commits, with text as it is stored."""
    with closing(sqlite3.connect(path_of(url))) as connection, connection:
        connection.text_factory = bytes
        yield connection


def make(url: str, script: str, *rows: tuple[str, Sequence[Sequence[Any]]]) -> None:
    """A database from a script, and rows by INSERT statements with question marks."""
    with opened(url) as connection:
        connection.executescript(script)
        for insert, values in rows:
            connection.executemany(insert, values)


def cells(url: str, table: str) -> list[tuple[Cell, ...]]:
    """Every value of a table with its storage class, the rows as they lie there; text as bytes."""
    name = table.replace('"', '""')
    with opened(url) as connection:
        names = [row[1].decode() for row in connection.execute(f'PRAGMA table_info("{name}")')]
        columns = ['"' + column.replace('"', '""') + '"' for column in names]
        asked = ", ".join(f"typeof({column}), {column}" for column in columns)
        rows = connection.execute(f'SELECT {asked} FROM "{name}" NOT INDEXED').fetchall()
    return [tuple((kind.decode(), value) for kind, value in zip(row[::2], row[1::2], strict=True)) for row in rows]


def catalog(url: str, *, proof: bool = True) -> Catalog:
    """The catalog of a file."""
    with SQLITE.engine(sa.make_url(url)).connect() as connection:
        return SQLITE.catalog(connection, ["main"], proof=proof)


def table_of(url: str, name: str, *, proof: bool = True) -> Table:
    """A table as the catalog describes it."""
    found = catalog(url, proof=proof).table(QName("main", name))
    assert found is not None
    return found


def batches(url: str, table: str, where: str | None = None) -> list[pa.RecordBatch]:
    """A table's rows as the adapter reads them."""
    described = table_of(url, table)
    engine = SQLITE.engine(sa.make_url(url))
    with SQLITE.snapshot(engine, 1) as snapshot, SQLITE.reading(engine, snapshot) as connection:
        return list(SQLITE.batches(connection, Read(described.qname, described.data_columns, where)))


def values(url: str, table: str, column: str) -> list[Any]:
    """One column's values as the adapter reads them."""
    return [value for batch in batches(url, table) for value in batch.column(column).to_pylist()]


def run(url: str, catalog_: Catalog, script: Script) -> None:
    """Execute a script's statements."""
    with SQLITE.engine(sa.make_url(url)).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        Emitter(SQLITE.ddl(catalog_), connection).run(script.statements)


def load(url: str, table: str, source: Sequence[Column], *incoming: pa.RecordBatch) -> int:
    """Load batches into an existing table in one transaction."""
    made = table_of(url, table, proof=False)
    with SQLITE.writing(SQLITE.engine(sa.make_url(url))) as connection:
        stored = SQLITE.load(connection, Load(made.qname, tuple(source), made.data_columns), incoming)
        connection.commit()
    return stored


@dataclass(frozen=True)
class Carried:
    """What came of carrying a file: the source's catalog, and the tables whose rows were refused, with the message."""

    catalog: Catalog
    refused: dict[str, str]

    @property
    def losses(self) -> set[tuple[str, str | None]]:
        """The rules of the losses with the column they name."""
        return {(loss.rule, loss.column) for loss in self.catalog.losses}


def carry(source: str, target: str) -> Carried:
    """All objects and rows of one file made in another, the way a job orders them."""
    described = catalog(source)
    ddl = SQLITE.ddl(described)
    refused: dict[str, str] = {}
    for table in described.of(Table):
        run(target, described, ddl.create_table(table))
    reader = SQLITE.engine(sa.make_url(source))
    with SQLITE.snapshot(reader, 1) as snapshot, SQLITE.reading(reader, snapshot) as connection:
        for table in described.of(Table):
            read = Read(table.source, table.data_columns)
            try:
                load(target, table.name, table.data_columns, *SQLITE.batches(connection, read))
            except ValueNotCarried as error:
                refused[table.name] = error.message
    for table in described.of(Table):
        for index in table.indexes:
            run(target, described, ddl.index(table, index))
        run(target, described, ddl.position(table))
    for view in described.of(View):
        run(target, described, ddl.create_view(view))
    for program in described.of(Program):
        run(target, described, ddl.create_program(program))
    return Carried(described, refused)
