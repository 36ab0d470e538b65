"""An adapter at work on a database: tables made, filled and read as a job does it, only smaller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Adapter, Granule, Load, Read, Server
from migrator.ddl import DDL, Emitter, Script
from migrator.job.worker import through_staging
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Object, QName, Table
from migrator.testing.values import values_of

Way = Literal["bulk", "conventional", "staged"]
"""How rows come in: by the bulk protocol, by INSERT, or through a temporary table."""


@dataclass
class Workbench:
    """An adapter at work on one database; :meth:`clear` drops what was made."""

    adapter: Adapter
    engine: sa.Engine
    server: Server
    made: list[Table] = field(default_factory=list)

    @classmethod
    def at(cls, adapter: Adapter, url: str) -> Workbench:
        """A workbench on the database at ``url``."""
        engine = adapter.engine(sa.make_url(url))
        with engine.connect() as connection:
            return cls(adapter, engine, adapter.server(connection))

    @property
    def schema(self) -> str:
        """The schema the tables are made in."""
        return self.server.schema

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in autocommit mode."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    def table(self, name: str, *columns: Column, **parts: Any) -> Table:
        """A table of this schema."""
        return Table(self.schema, name, columns, **parts)

    def ddl(self, *objects: Object) -> DDL:
        """The writer of these objects' DDL."""
        catalog = Catalog(self.adapter.name, ".".join(map(str, self.server.version)), objects)
        return self.adapter.ddl(catalog, self.server.version)

    def run(self, ddl: DDL, script: Script) -> None:
        """Execute a script's statements."""
        with self.connect() as connection:
            Emitter(ddl, connection).run(script.statements)

    def create(self, *tables: Table) -> tuple[Table, ...]:
        """Make tables with all that belongs to them; they come back as the target of a job sees them."""
        ddl = self.ddl(*tables)
        for table in tables:
            self.run(ddl, ddl.create_table(table))
            self.made.append(table)
        for table in tables:
            if table.primary_key is not None:
                self.run(ddl, ddl.primary_key(table, table.primary_key))
            for unique in table.uniques:
                self.run(ddl, ddl.unique(table, unique))
            for check in table.checks:
                self.run(ddl, ddl.check(table, check))
            for index in table.indexes:
                self.run(ddl, ddl.index(table, index))
            self.run(ddl, ddl.comments(table))
        for table in tables:
            for key in table.foreign_keys:
                self.run(ddl, ddl.foreign_key(table, key))
        return tuple(self.described(table.name, proof=False) for table in tables)

    def drop(self, *tables: Table) -> None:
        """Drop tables, the last made first."""
        for table in reversed(tables):
            ddl = self.ddl(table)
            self.run(ddl, ddl.drop_table(table.qname))
            self.made.remove(table)

    def clear(self) -> None:
        """Drop all that was made here."""
        self.drop(*self.made)

    def catalog(self, *, proof: bool = True) -> Catalog:
        """The catalog of this schema."""
        with self.connect() as connection:
            return self.adapter.catalog(connection, [self.schema], proof=proof)

    def described(self, name: str, *, proof: bool = True) -> Table:
        """A table as the catalog describes it: as a job's source, or with ``proof`` false as its target."""
        table = self.catalog(proof=proof).table(QName(self.schema, name))
        assert table is not None, f"the catalog has no table {name!r}"
        return table

    def load(self, table: Table, source: Sequence[Column], batches: Iterable[pa.RecordBatch], *, way: Way = "bulk") -> int:
        """Load rows in one transaction; nothing stays where that fails."""
        load = Load(table.qname, tuple(source), table.data_columns, conventional=way == "conventional")
        with self.adapter.writing(self.engine) as connection:
            put = partial(self.adapter.load, connection, batches=batches)
            try:
                stored = through_staging(self.adapter, connection, load, None, put) if way == "staged" else put(load)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            return stored

    def rows(self, name: str, as_types: Sequence[t.Type], where: str | None = None) -> list[tuple[Any, ...]]:
        """A table's rows as Python values of the given types' meaning, ordered by the first column."""
        table = self.described(name)
        rows: list[tuple[Any, ...]] = []
        with self.reading() as connection:
            for batch in self.adapter.batches(connection, Read(table.source, table.data_columns, where)):
                columns = [
                    values_of(array, column.type, wanted)
                    for array, column, wanted in zip(batch.columns, table.data_columns, as_types, strict=True)
                ]
                rows += zip(*columns, strict=True)
        return sorted(rows, key=lambda row: row[0])

    def granules(self, table: Table, size: int) -> tuple[Granule, ...]:
        """A table's granules of about ``size`` bytes."""
        with self.reading() as connection:
            return self.adapter.granules(connection, table, size)

    def granule_rows(
        self, table: Table, granules: Iterable[Granule], column: str, where: str | None = None
    ) -> list[list[Any]]:
        """The values of a column in each granule."""
        with self.reading() as connection:
            reads = (Read(table.source, table.data_columns, where, granule) for granule in granules)
            return [
                [value for batch in self.adapter.batches(connection, read) for value in batch.column(column).to_pylist()]
                for read in reads
            ]

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection on a snapshot of now."""
        with self.adapter.snapshot(self.engine, 1) as snapshot, self.adapter.reading(self.engine, snapshot) as connection:
            yield connection

    def insert(self, table: Table, **values: str) -> None:
        """Insert a row by plain SQL; values are SQL."""
        ddl = self.ddl(table)
        columns = ddl.columns(values)
        sql = f"INSERT INTO {ddl.name_of(table)} ({columns}) VALUES ({', '.join(values.values())})"
        with self.connect() as connection:
            connection.exec_driver_sql(sql)
